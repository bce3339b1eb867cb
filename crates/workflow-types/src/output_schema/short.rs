//! The short form of a schema: names and types, all required and no others.

use serde_json::{Map, Value, json};

use super::checker::Checker;
use super::keywords;
use super::kinds;
use crate::diagnostic::Pointer;

/// The short form as JSON Schema; anything else as it is.
pub(super) fn expand(written: &Value) -> Value {
    match written.as_object() {
        Some(map) if is_short(map) => {
            let properties = map
                .iter()
                .map(|(name, kind)| (name.clone(), json!({ "type": kind })))
                .collect();
            let required: Vec<String> = map.keys().cloned().collect();
            closed(&properties, &required)
        }
        Some(_) | None => written.clone(),
    }
}

/// An object that has these properties and no others.
pub(super) fn closed(properties: &Map<String, Value>, required: &[String]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// `{healthy: boolean}` is short, `{type: object}` is not: `type` with a type name is JSON Schema.
fn is_short(map: &Map<String, Value>) -> bool {
    let lone_type = map.len() == 1 && map.contains_key("type");
    !map.is_empty() && !lone_type && map.values().all(kinds::is_type_name)
}

/// Whether a mapping was meant to be the short form, be it right or not.
///
/// JSON Schema ignores keywords that it does not know, so that `{ok: bool}` would accept anything.
pub(super) fn is_meant(map: &Map<String, Value>) -> bool {
    if map.is_empty() || is_short(map) {
        return !map.is_empty();
    }
    let is_keyword = |key: &String| keywords::shape(key).is_some() || keywords::is_note(key);
    let is_type = |value: &Value| {
        value
            .as_str()
            .is_some_and(|word| kinds::meant(word).is_some())
    };
    if map.keys().any(is_keyword) {
        // A name may be spelt like a keyword, a keyword is never followed by a type unless by its own.
        return map.values().all(Value::is_string)
            && map
                .iter()
                .any(|(key, value)| !is_keyword(key) && is_type(value));
    }
    map.values().all(Value::is_string) || map.values().any(is_type)
}

impl Checker<'_> {
    /// Checks the types of the short form.
    pub(super) fn short(&mut self, map: &Map<String, Value>) {
        for (name, kind) in map {
            let at = Pointer::root().key(name);
            if kind.is_string() {
                self.type_name(&at, kind);
            } else {
                let problem = self.expected(&at, kind, "the name of a type");
                let help = "names and types are the short form; \
                            for more write a JSON Schema with `type: object` and `properties`";
                self.wrong.push(problem.help(help));
            }
        }
    }
}
