//! The types of JSON Schema, as their names and in plain words.

use serde_json::{Map, Value};

use crate::diagnostic::{closest, describe};

/// The type names of JSON Schema, which make the short form.
pub(crate) const TYPES: [&str; 7] = [
    "string", "number", "integer", "boolean", "array", "object", "null",
];

/// What other languages call the types.
const ALIASES: [(&str, &str); 15] = [
    ("bool", "boolean"),
    ("decimal", "number"),
    ("dict", "object"),
    ("double", "number"),
    ("float", "number"),
    ("int", "integer"),
    ("list", "array"),
    ("long", "integer"),
    ("map", "object"),
    ("mapping", "object"),
    ("none", "null"),
    ("sequence", "array"),
    ("str", "string"),
    ("text", "string"),
    ("uint", "integer"),
];

/// Whether a value is the name of a type.
pub(super) fn is_type_name(value: &Value) -> bool {
    value.as_str().is_some_and(|name| TYPES.contains(&name))
}

/// Whether a list names all types; every whole number is a number.
pub(super) fn is_every(value: &Value) -> bool {
    value.as_array().is_some_and(|names| {
        let has = |kind: &&str| names.iter().any(|name| name == *kind);
        TYPES.iter().filter(|kind| **kind != "integer").all(has)
    })
}

/// The type that an author most likely meant.
pub(super) fn meant(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map(|(_, name)| *name)
        .or_else(|| closest(word, TYPES))
}

/// A type name in plain words.
pub(super) fn plain(name: &str) -> &str {
    match name {
        "string" => "a string",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "a boolean",
        "array" => "a list",
        "object" => "a mapping",
        "null" => "null",
        other => other,
    }
}

/// The kind of a value without the value, which may be secret.
pub(super) fn masked(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// The kind of a value in plain words, with the value itself unless it may be secret.
pub(super) fn found(value: &Value, secret: bool) -> String {
    if secret {
        masked(value).to_owned()
    } else {
        describe(value)
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn either(words: &[impl AsRef<str>]) -> String {
    match words {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", first.join(", "), last.as_ref())
        }
    }
}

/// The types that a schema names; none if it allows every type.
pub(super) fn of(schema: &Map<String, Value>) -> Option<Vec<&str>> {
    match schema.get("type")? {
        Value::String(name) => Some(vec![name]),
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
