//! What is typed as the input of a workflow: a document, and values on top of it.

use std::io::Read as _;

use gateway::workflow_types::WorkflowDefinition;
use serde_json::{Map, Value};

use crate::exit::UsageError;

/// Bytes that an input file may have; it is stored with every execution.
const MAX_INPUT: u64 = 16 * 1024 * 1024;

/// What was typed as input, before its types are known.
pub(super) struct Typed {
    document: Map<String, Value>,
    /// Set on top of the document.
    values: Vec<(String, String)>,
}

impl Typed {
    pub(super) fn read(given: Option<&str>, values: Vec<(String, String)>) -> anyhow::Result<Self> {
        let document = given.map(document).transpose()?.unwrap_or_default();
        Ok(Self { document, values })
    }

    /// All of it as texts, whatever it is for.
    pub(super) fn all(&self) -> Value {
        let mut all = self.document.clone();
        let values = self.values.iter().cloned();
        all.extend(values.map(|(key, text)| (key, Value::String(text))));
        Value::Object(all)
    }

    /// The input, each value in the type that the workflow gives it.
    pub(super) fn fitting(&self, definition: &WorkflowDefinition) -> Value {
        let mut input = self.document.clone();
        for (key, text) in &self.values {
            let value = match definition.input() {
                Some(schema) => schema.coerce(key, text),
                None => Value::String(text.clone()),
            };
            input.insert(key.clone(), value);
        }
        Value::Object(input)
    }
}

fn document(text: &str) -> anyhow::Result<Map<String, Value>> {
    let json = match text.strip_prefix('@') {
        None => text.to_owned(),
        Some(path) => read(path)?,
    };
    match serde_json::from_str(&json) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(UsageError("the input must be a JSON object".to_owned()).into()),
        Err(error) => Err(UsageError(format!("the input is no JSON: {error}")).into()),
    }
}

/// The text of an input file, which may be a pipe and have no end.
fn read(path: &str) -> anyhow::Result<String> {
    let refused = |reason: &dyn std::fmt::Display| {
        UsageError(format!("the input file {path} cannot be read: {reason}"))
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_INPUT + 1).read_to_string(&mut text))
        .map_err(|error| refused(&error))?;
    if text.len() as u64 > MAX_INPUT {
        let reason = format!("it has more than {MAX_INPUT} bytes, pass large data as a path");
        return Err(refused(&reason).into());
    }
    Ok(text)
}
