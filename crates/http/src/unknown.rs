//! Fields that an object has and nobody knows.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The most that are named in an answer.
const MOST: usize = 10;

/// The most letters of a name that are repeated in an answer.
const LONGEST: usize = 64;

/// What is left of an object when its known fields are read: for bodies where a misspelt field must not be taken for one that was
/// left out.
#[derive(Debug, Default)]
pub(crate) struct Unknown(BTreeSet<String>);

impl Unknown {
    /// Their names, no more and no longer than an answer has room for.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        let names = self.0.iter().take(MOST);
        names.map(|name| name.chars().take(LONGEST).collect())
    }
}

impl<'de> Deserialize<'de> for Unknown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Names)
    }
}

/// Keeps names, and no values.
struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Unknown;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unknown, A::Error> {
        let mut names = BTreeSet::new();
        while let Some((name, IgnoredAny)) = members.next_entry()? {
            names.insert(name);
        }
        Ok(Unknown(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Point {
        x: u8,
        #[serde(flatten)]
        unknown: Unknown,
    }

    #[test]
    fn what_is_not_read_otherwise_is_unknown() {
        let names = |text: &str| {
            let point: Point = serde_json::from_str(text).expect("a point");
            assert_eq!(point.x, 1);
            point.unknown.names().collect::<Vec<_>>()
        };
        assert_eq!(names(r#"{"x": 1}"#), [""; 0]);
        assert_eq!(names(r#"{"z": {"x": [2]}, "x": 1, "Y": null}"#), ["Y", "z"]);
        let long = format!(r#"{{"x": 1, "{}": 2}}"#, "ü".repeat(300));
        assert_eq!(names(&long), ["ü".repeat(64)]);
        let many: Vec<String> = (0..99).map(|n| format!(r#""f{n}": 0"#)).collect();
        assert_eq!(names(&format!(r#"{{{}, "x": 1}}"#, many.join(", "))).len(), 10);
    }
}
