//! A field of a request body, before anybody judged it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::{ValidateEmail, ValidateLength};

/// What a body says of one field. Reading it never fails, so that one wrong type does not hide the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// Nothing.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// Something of another JSON type.
    WrongType,
    /// A value of the right JSON type.
    Value(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(match value {
            serde_json::Value::Null => Self::Null,
            value => T::deserialize(value).map_or(Self::WrongType, Self::Value),
        })
    }
}

/// `validator` and `utoipa` ask for it, to echo a bad value and to show a default: a field never echoes.
impl<T> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// Lengths are counted in bytes of UTF-8, as the contract states them.
impl ValidateLength<u64> for Field<String> {
    fn length(&self) -> Option<u64> {
        match self {
            Self::Value(text) => u64::try_from(text.len()).ok(),
            Self::Absent | Self::Null | Self::WrongType => None,
        }
    }
}

impl ValidateEmail for Field<String> {
    fn as_email_string(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Value(text) => Some(Cow::Borrowed(text)),
            Self::Absent | Self::Null | Self::WrongType => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Body {
        a: Field<String>,
        b: Field<String>,
        c: Field<String>,
        d: Field<String>,
    }

    #[test]
    fn absent_null_wrong_and_right_are_told_apart() {
        let body: Body = serde_json::from_str(r#"{"b":null,"c":5,"d":"x","e":[]}"#).expect("an object");
        assert_eq!(
            (body.a, body.b, body.c),
            (Field::Absent, Field::Null, Field::WrongType)
        );
        assert_eq!(body.d, Field::Value("x".to_owned()));
    }
}
