//! The published JSON Schemas: what an author may write, for editors and for programs.
//!
//! They are made of the same tables from which the parser takes its keys, so they refuse what it
//! refuses as far as a schema can say it. Unknown steps, repeated ids, expressions, cron patterns
//! and time zones are beyond a schema: only the parser knows whether a definition is good. Nor can a
//! schema tell `3.0`, which the parser refuses where a whole number stands, from `3`.
//!
//! ```
//! let schema = workflow_types::json_schema::workflow();
//! assert_eq!(schema["properties"]["name"]["type"], "string");
//! assert_eq!(schema["additionalProperties"], false);
//! ```

mod write;

use serde_json::{Value, json};

use crate::shape::Shape;
use crate::shape::config::CONFIG;
use crate::shape::heartbeat::HEARTBEAT;
use crate::shape::workflow::WORKFLOW;
use write::Writer;

/// The JSON Schema (draft 2020-12) of a workflow's file.
pub fn workflow() -> Value {
    published(&WORKFLOW, "AgentSpace workflow")
}

/// The JSON Schema (draft 2020-12) of the front matter of a `HEARTBEAT.md`.
pub fn heartbeat() -> Value {
    published(&HEARTBEAT, "AgentSpace heartbeat")
}

/// The JSON Schema (draft 2020-12) of a host's `agentspace.toml`.
pub fn config() -> Value {
    published(&CONFIG, "AgentSpace configuration")
}

/// A schema as it is written into a file: two spaces deep, its keys sorted, with a line break at its
/// end.
pub fn to_text(schema: &Value) -> String {
    let sorted = sorted(schema);
    format!("{sorted:#}\n")
}

/// Whether a map keeps its keys sorted, or in the order of their insertion, is decided by whoever
/// else in a program uses `serde_json`; the published files must not depend on that.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            let entries = entries.into_iter();
            Value::Object(
                entries
                    .map(|(key, value)| (key.clone(), sorted(value)))
                    .collect(),
            )
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn published(shape: &'static Shape, title: &str) -> Value {
    let mut writer = Writer::default();
    let mut schema = writer.closed(shape, "#");
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!(
        "{}/schemas/{}.schema.json",
        env!("CARGO_PKG_REPOSITORY"),
        shape.name
    ));
    schema["title"] = json!(title);
    schema["$defs"] = writer.definitions();
    schema
}
