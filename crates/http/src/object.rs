//! A JSON object within a body.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A struct read from a JSON object only. serde's own would also take an array, and put values in fields by
/// their position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::deserialize(deserializer)?;
        T::deserialize(Value::Object(members))
            .map(Self)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    struct Point {
        x: u8,
        y: u8,
    }

    #[test]
    fn only_an_object_is_an_object() {
        let read = |text| serde_json::from_str::<Object<Point>>(text).ok();
        assert_eq!(read(r#"{"y":2,"x":1}"#), Some(Object(Point { x: 1, y: 2 })));
        assert_eq!(read("[1,2]"), None);
        assert_eq!(read("null"), None);
    }
}
