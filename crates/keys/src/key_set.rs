//! Keys by name, one of them in use for new work.

use std::fmt;

/// At least one named key, the newest first.
#[derive(Clone)]
pub(crate) struct KeySet<T> {
    newest: (String, T),
    older: Vec<(String, T)>,
}

impl<T> KeySet<T> {
    /// The keys in their order; `None` without any.
    pub(crate) fn new(keys: impl IntoIterator<Item = (String, T)>) -> Option<Self> {
        let mut keys = keys.into_iter();
        Some(Self {
            newest: keys.next()?,
            older: keys.collect(),
        })
    }

    /// The key for new work, with its name.
    pub(crate) fn newest(&self) -> (&str, &T) {
        (&self.newest.0, &self.newest.1)
    }

    /// The key of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&T> {
        self.iter().find(|(known, _)| *known == name).map(|(_, key)| key)
    }

    /// All keys with their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        std::iter::once(&self.newest)
            .chain(&self.older)
            .map(|(name, key)| (name.as_str(), key))
    }

    /// A set with the same names.
    pub(crate) fn try_map<U, E>(&self, make: impl Fn(&T) -> Result<U, E>) -> Result<KeySet<U>, E> {
        let make = |(name, key): &(String, T)| Ok((name.clone(), make(key)?));
        Ok(KeySet {
            newest: make(&self.newest)?,
            older: self.older.iter().map(make).collect::<Result<_, _>>()?,
        })
    }
}

impl<T> fmt::Debug for KeySet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}
