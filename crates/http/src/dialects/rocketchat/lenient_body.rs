//! Bodies as Rocket.Chat reads them: of any content type, and never malformed.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::failure::Failure;

/// The body's fields. A body that is empty, absent, no JSON or no object has none.
pub(crate) async fn read<T: DeserializeOwned + Default>(call: &mut Call) -> Result<T, Failure> {
    Ok(parse(&call.bytes().await?))
}

/// Read in two steps, so that of a field that is there twice the last one counts, as in JavaScript.
fn parse<T: DeserializeOwned + Default>(bytes: &[u8]) -> T {
    let members: Map<String, Value> = serde_json::from_slice(bytes).unwrap_or_default();
    serde_json::from_value(Value::Object(members)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::field::Field;

    #[derive(Debug, Default, Deserialize, PartialEq, Eq)]
    #[serde(default)]
    struct Body {
        value: Field<String>,
    }

    #[test]
    fn what_is_no_object_is_an_empty_one() {
        for body in [
            "",
            " ",
            "null",
            "[\"a\"]",
            "\"a\"",
            "5",
            "{",
            "{\"value\":\"a\"} x",
            "value=a",
            "\u{fffe}",
        ] {
            assert_eq!(parse::<Body>(body.as_bytes()), Body::default(), "{body}");
        }
        assert_eq!(parse::<Body>(b"\xff"), Body::default());
    }

    #[test]
    fn the_last_of_two_fields_counts() {
        let body: Body = parse(br#"{"value":1,"more":{},"value":"a"}"#);
        assert_eq!(body.value, Field::Value("a".to_owned()));
    }
}
