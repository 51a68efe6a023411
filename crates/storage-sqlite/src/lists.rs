//! Lists as one bound value each.
//!
//! A statement over a list has one text, and is prepared once, whatever the list's length: `json_each` walks through it. An id
//! is its hexadecimal digits there, which `unhex` turns back.

use std::collections::BTreeMap;

use doorbell_domain::{MessageId, Timestamp};
use serde_json::Value;

use crate::values::{Id, Json};

/// An id, to be read by `unhex`.
pub(crate) fn hex(id: impl Into<Id>) -> Value {
    Value::String(id.into().0.as_simple().to_string())
}

/// An instant.
pub(crate) fn instant(at: Timestamp) -> Value {
    Value::from(at.micros())
}

/// A list of ids.
pub(crate) fn ids(ids: impl IntoIterator<Item = impl Into<Id>>) -> Json {
    Json(Value::Array(ids.into_iter().map(hex).collect()))
}

/// A list of texts.
pub(crate) fn texts(texts: impl IntoIterator<Item = impl Into<String>>) -> Json {
    let texts = texts.into_iter().map(|text| Value::String(text.into()));
    Json(Value::Array(texts.collect()))
}

/// A list of rows, each a list of its columns.
pub(crate) fn rows<const COLUMNS: usize>(rows: impl IntoIterator<Item = [Value; COLUMNS]>) -> Json {
    let rows = rows.into_iter().map(|row| Value::Array(row.into()));
    Json(Value::Array(rows.collect()))
}

/// By how much the number of each message's open jobs changes.
pub(crate) fn changes(counts: &BTreeMap<MessageId, i64>) -> Json {
    rows(counts.iter().map(|(id, change)| [hex(*id), Value::from(*change)]))
}
