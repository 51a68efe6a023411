//! Judging a body field by field, so that an answer can name every bad one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use validator::Validate;

use crate::failure::{BadField, Failure};
use crate::field::Field;
use crate::unknown::Unknown;

/// A body under judgement. Fields are asked for in the order of the operation's table, which is the order in
/// which bad ones are named.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// What `validator` found wrong of the form, by wire name.
    malformed: BTreeMap<String, String>,
    bad: Vec<BadField>,
}

impl Form {
    /// Begins with what `body`'s own `Validate` says of its form: lengths and presence.
    pub(crate) fn of(body: &impl Validate) -> Self {
        let Err(errors) = body.validate() else {
            return Self::default();
        };
        let malformed = errors
            .field_errors()
            .into_iter()
            .map(|(field, errors)| {
                let rule = errors.first().and_then(|error| error.message.clone());
                (
                    wire_name(&field),
                    rule.map_or_else(|| "is invalid".to_owned(), Cow::into_owned),
                )
            })
            .collect();
        Self {
            malformed,
            bad: Vec::new(),
        }
    }

    /// A field that must be there; `None` after noting why not.
    pub(crate) fn required<T, U, E: Display>(
        &mut self,
        name: &'static str,
        field: Field<T>,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        match field {
            Field::Absent | Field::Null => {
                self.refuse(name, "is required");
                None
            }
            present => self.optional(name, present, parse),
        }
    }

    /// A field that may be absent or `null`, both of which leave things as they are.
    pub(crate) fn optional<T, U, E: Display>(
        &mut self,
        name: &'static str,
        field: Field<T>,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        let value = match field {
            Field::Absent | Field::Null => return None,
            Field::WrongType => {
                self.refuse(name, "has the wrong type");
                return None;
            }
            Field::Value(value) => value,
        };
        if let Some(rule) = self.malformed.get(name).cloned() {
            self.refuse(name, rule);
            return None;
        }
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(rule) => {
                self.refuse(name, rule);
                None
            }
        }
    }

    /// Notes a bad field.
    pub(crate) fn refuse(&mut self, name: &'static str, rule: impl Display) {
        self.bad.push(BadField {
            name: name.into(),
            rule: rule.to_string(),
        });
    }

    /// Notes each field that is not known of an object, its name behind `path`.
    pub(crate) fn unknown(&mut self, path: &str, unknown: &Unknown) {
        let named = unknown.names().map(|name| BadField {
            name: format!("{path}{name}").into(),
            rule: "is not known".to_owned(),
        });
        self.bad.extend(named);
    }

    /// How many bad fields were noted so far.
    pub(crate) fn noted(&self) -> usize {
        self.bad.len()
    }

    /// The failure that names every bad field; also where a required value is missing without a note, which
    /// no handler can reach.
    pub(crate) fn failure(self) -> Failure {
        Failure::Invalid(self.bad)
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_good(&self) -> bool {
        self.bad.is_empty()
    }

    /// The failure, if any field is bad: for bodies without required fields.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.is_good() {
            Ok(())
        } else {
            Err(self.failure())
        }
    }
}

/// A number from 1 to `max` in decimal digits, as a query says it.
pub(crate) fn count(text: &str, max: u32) -> Result<u32, String> {
    // Rust also reads a plus sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|count| digits && (1..=max).contains(count))
        .ok_or_else(|| format!("must be a number from 1 to {max}"))
}

/// `device_id` on the wire is `deviceId`.
fn wire_name(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    let mut upper = false;
    for letter in field.chars() {
        if letter == '_' {
            upper = true;
        } else if upper {
            name.extend(letter.to_uppercase());
            upper = false;
        } else {
            name.push(letter);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Validate)]
    struct Body {
        #[validate(length(max = 3, message = "must be at most 3 bytes long"))]
        device_id: Field<String>,
        token: Field<String>,
        platform: Field<String>,
    }

    #[test]
    fn every_bad_field_is_named_once_in_the_order_it_was_asked_for() {
        let body = Body {
            device_id: Field::Value("four".to_owned()),
            token: Field::WrongType,
            platform: Field::Absent,
        };
        let mut form = Form::of(&body);
        let pass = |text: String| Ok::<_, String>(text);
        assert_eq!(form.required("platform", body.platform, pass), None);
        assert_eq!(form.required("deviceId", body.device_id, pass), None);
        assert_eq!(form.optional("token", body.token, pass), None);
        let Failure::Invalid(bad) = form.failure() else {
            panic!("not a validation failure")
        };
        let named: Vec<_> = bad
            .iter()
            .map(|field| (field.name.as_ref(), field.rule.as_str()))
            .collect();
        assert_eq!(
            named,
            [
                ("platform", "is required"),
                ("deviceId", "must be at most 3 bytes long"),
                ("token", "has the wrong type"),
            ]
        );
    }
}
