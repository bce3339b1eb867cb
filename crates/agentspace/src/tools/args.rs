//! Reads the arguments of a call one by one into their types.
//!
//! Must not put a value into a message: arguments may hold secrets. Keys and kinds are enough.

use gateway::ToolError;
use serde_json::{Map, Value};

/// Arguments that are taken out as they are read, so that what is left over is unknown.
pub(crate) struct Args(Map<String, Value>);

impl Args {
    /// The arguments of a call.
    pub(crate) fn new(args: Map<String, Value>) -> Self {
        Self(args)
    }

    /// An argument as it stands.
    pub(crate) fn value(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<String>, ToolError> {
        match self.0.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(mismatch(key, &other, "a string")),
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &str) -> Result<Option<bool>, ToolError> {
        match self.0.remove(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(mismatch(key, &other, "true or false")),
        }
    }

    /// A list of whole numbers; none is an empty one.
    pub(crate) fn integers(&mut self, key: &str) -> Result<Vec<i64>, ToolError> {
        let expected = "a list of whole numbers";
        match self.0.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_i64().ok_or_else(|| mismatch(key, item, expected)))
                .collect(),
            Some(other) => Err(mismatch(key, &other, expected)),
        }
    }

    /// A mapping to texts; none is an empty one. Numbers and booleans count as their text.
    pub(crate) fn texts_by_name(&mut self, key: &str) -> Result<Vec<(String, String)>, ToolError> {
        match self.0.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::Object(map)) => map
                .into_iter()
                .map(|(name, value)| {
                    let text = scalar(&format!("{key}.{name}"), value)?;
                    Ok((name, text))
                })
                .collect(),
            Some(other) => Err(mismatch(key, &other, "a mapping of strings")),
        }
    }

    /// Refuses what nobody has read.
    pub(crate) fn finish(self) -> Result<(), ToolError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(ToolError::permanent(format!("`{key}` is no argument"))),
        }
    }
}

/// The text of a scalar: what a template leaves behind may be a number where a text is meant.
pub(crate) fn scalar(key: &str, value: Value) -> Result<String, ToolError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(mismatch(key, &value, "a string")),
    }
}

/// An argument of the wrong kind.
pub(crate) fn mismatch(key: &str, found: &Value, expected: &str) -> ToolError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    };
    ToolError::permanent(format!("`{key}` is {found}, expected {expected}"))
}
