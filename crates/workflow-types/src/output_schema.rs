//! Schemas of values: JSON Schema, or a short form of names and types, compiled once.

use std::sync::Arc;

use serde_json::{Map, Value, json};

/// The type names of JSON Schema, which make the short form.
pub(crate) const TYPES: [&str; 7] = [
    "string", "number", "integer", "boolean", "array", "object", "null",
];

/// A compiled JSON Schema together with the form in which its author wrote it.
///
/// The short form `{healthy: boolean, reason: string}` stands for an object that has these
/// properties, all required and no others.
///
/// ```
/// use serde_json::json;
/// use workflow_types::output_schema::ValueSchema;
/// let schema = ValueSchema::parse(&json!({"healthy": "boolean"}))?;
/// assert!(schema.check(&json!({"healthy": true})).is_empty());
/// assert_eq!(schema.check(&json!({"healthy": 1})).len(), 1);
/// # Ok::<(), workflow_types::output_schema::SchemaError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ValueSchema {
    written: Value,
    full: Value,
    compiled: Arc<jsonschema::Validator>,
}

/// A schema that is none; the message names the place within it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SchemaError {
    message: String,
}

impl PartialEq for ValueSchema {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl ValueSchema {
    /// Compiles a schema in either form.
    pub fn parse(written: &Value) -> Result<Self, SchemaError> {
        if let Some(error) = written.as_object().and_then(misspelt_short_form) {
            return Err(error);
        }
        let full = expand(written);
        Self::compile(written.clone(), full)
    }

    fn compile(written: Value, full: Value) -> Result<Self, SchemaError> {
        if !full.is_object() {
            return Err(SchemaError {
                message: "a schema is a mapping: a JSON Schema, or names with their types"
                    .to_owned(),
            });
        }
        let compiled = jsonschema::validator_for(&full).map_err(|error| SchemaError {
            message: format!("{error}{}", at(error.instance_path().as_str())),
        })?;
        let compiled = Arc::new(compiled);
        Ok(Self {
            written,
            full,
            compiled,
        })
    }

    /// The schema as its author wrote it.
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// The schema as JSON Schema.
    pub fn json_schema(&self) -> &Value {
        &self.full
    }

    /// Every way in which a value misses the schema, with its place; empty if it fits.
    pub fn check(&self, value: &Value) -> Vec<String> {
        self.compiled
            .iter_errors(value)
            .map(|error| format!("{error}{}", at(error.instance_path().as_str())))
            .collect()
    }

    /// What [`ValueSchema::check`] says, without the values themselves, which may be secret.
    ///
    /// ```
    /// use serde_json::json;
    /// use workflow_types::output_schema::ValueSchema;
    /// let schema = ValueSchema::parse(&json!({"port": "integer"}))?;
    /// let problems = schema.check_masked(&json!({"port": "hunter2"}));
    /// assert_eq!(problems, [r#"value is not of type "integer" at /port"#]);
    /// # Ok::<(), workflow_types::output_schema::SchemaError>(())
    /// ```
    pub fn check_masked(&self, value: &Value) -> Vec<String> {
        self.compiled
            .iter_errors(value)
            .map(|error| format!("{}{}", error.masked(), at(error.instance_path().as_str())))
            .collect()
    }

    /// The properties that the schema names, if it describes an object.
    pub fn properties(&self) -> Option<&Map<String, Value>> {
        self.full.get("properties").and_then(Value::as_object)
    }

    /// Whether an object may hold only the named properties.
    pub fn is_closed(&self) -> bool {
        self.full.get("additionalProperties") == Some(&Value::Bool(false))
    }
}

fn at(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" at {path}")
    }
}

/// The short form as JSON Schema; anything else as it is.
fn expand(written: &Value) -> Value {
    match written.as_object() {
        Some(map) if is_short(map) => {
            let properties: Map<String, Value> = map
                .iter()
                .map(|(name, kind)| (name.clone(), json!({ "type": kind })))
                .collect();
            let required: Vec<&String> = map.keys().collect();
            json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            })
        }
        Some(_) | None => written.clone(),
    }
}

/// JSON Schema ignores keywords that it does not know, so that `{ok: bool}` would accept anything:
/// a mapping of words, none of them under a keyword, was meant to be the short form.
fn misspelt_short_form(map: &Map<String, Value>) -> Option<SchemaError> {
    const WORD_KEYWORDS: [&str; 10] = [
        "type",
        "$schema",
        "$id",
        "$ref",
        "$anchor",
        "$comment",
        "title",
        "description",
        "format",
        "pattern",
    ];
    let words = map.values().all(Value::is_string)
        && !map.keys().any(|key| WORD_KEYWORDS.contains(&key.as_str()));
    let (name, kind) = map
        .iter()
        .find(|(_, kind)| !is_type_name(kind))
        .filter(|_| words)?;
    let found = kind.as_str().unwrap_or_default();
    let hint = match crate::diagnostic::closest(found, TYPES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected one of {}", TYPES.join(", ")),
    };
    Some(SchemaError {
        message: format!("`{name}` has the type `{found}`, which does not exist; {hint}"),
    })
}

/// `{healthy: boolean}` is short, `{type: object}` is not: `type` with a type name is JSON Schema.
fn is_short(map: &Map<String, Value>) -> bool {
    let lone_type = map.len() == 1 && map.contains_key("type");
    !map.is_empty() && !lone_type && map.values().all(is_type_name)
}

fn is_type_name(value: &Value) -> bool {
    value.as_str().is_some_and(|name| TYPES.contains(&name))
}

/// The schema of a workflow's input: names with types and defaults, or a JSON Schema.
///
/// In the short form a name stands for a type (`url: string`) or for a JSON Schema of its own,
/// which may have a `default`; names without a default are required and no others are allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSchema(ValueSchema);

/// What is wrong with an input: every problem, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the input is not valid: {}", .problems.join("; "))]
pub struct InputError {
    /// One sentence a problem.
    pub problems: Vec<String>,
}

impl InputSchema {
    /// Compiles an input schema in either form.
    pub fn parse(written: &Value) -> Result<Self, SchemaError> {
        let full = match written.as_object() {
            Some(map) if !is_json_schema(map) => expand_input(map)?,
            Some(_) | None => written.clone(),
        };
        let schema = Self(ValueSchema::compile(written.clone(), full)?);
        for (name, property) in schema.0.properties().into_iter().flatten() {
            check_default(name, property)?;
        }
        Ok(schema)
    }

    /// The schema as its author wrote it.
    pub fn written(&self) -> &Value {
        self.0.written()
    }

    /// The compiled schema.
    pub fn schema(&self) -> &ValueSchema {
        &self.0
    }

    /// The input with defaults filled in, or everything that is wrong with it.
    pub fn apply(&self, input: Value) -> Result<Value, InputError> {
        let mut input = input;
        if let (Some(map), Some(properties)) = (input.as_object_mut(), self.0.properties()) {
            for (name, property) in properties {
                if let Some(default) = property.get("default").filter(|_| !map.contains_key(name)) {
                    map.insert(name.clone(), default.clone());
                }
            }
        }
        let problems = self.0.check(&input);
        if problems.is_empty() {
            Ok(input)
        } else {
            Err(InputError { problems })
        }
    }

    /// The value that a text given on a command line stands for, by the type of the property.
    ///
    /// A property that is no string reads the text as JSON; what is no JSON stays a text, for the
    /// schema to refuse with its own words.
    pub fn coerce(&self, name: &str, text: &str) -> Value {
        let kind = self
            .0
            .properties()
            .and_then(|properties| properties.get(name))
            .and_then(|property| property.get("type"))
            .and_then(Value::as_str);
        match kind {
            Some("string") | None => Value::String(text.to_owned()),
            Some(_) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
            }
        }
    }
}

fn check_default(name: &str, property: &Value) -> Result<(), SchemaError> {
    let Some(default) = property.get("default") else {
        return Ok(());
    };
    let problems = ValueSchema::compile(property.clone(), property.clone())?.check(default);
    match problems.first() {
        None => Ok(()),
        Some(problem) => Err(SchemaError {
            message: format!("the default of `{name}` does not fit its own schema: {problem}"),
        }),
    }
}

fn is_json_schema(map: &Map<String, Value>) -> bool {
    map.contains_key("$schema")
        || map.contains_key("properties")
        || map.get("type").is_some_and(|kind| kind == "object") && map.len() == 1
}

fn expand_input(map: &Map<String, Value>) -> Result<Value, SchemaError> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, written) in map {
        let property = match written {
            Value::String(_) if is_type_name(written) => json!({ "type": written }),
            Value::Object(_) => written.clone(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                return Err(SchemaError {
                    message: format!(
                        "`{name}` is {}, expected one of {} or a mapping with `type` and `default`",
                        crate::diagnostic::describe(written),
                        TYPES.join(", ")
                    ),
                });
            }
        };
        if property.get("default").is_none() {
            required.push(name.clone());
        }
        properties.insert(name.clone(), property);
    }
    Ok(json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_input_fills_defaults_and_names_what_is_missing() {
        let schema = InputSchema::parse(&json!({
            "url": "string",
            "retries": {"type": "integer", "default": 3},
        }))
        .unwrap();
        assert_eq!(
            schema.apply(json!({"url": "u"})).unwrap(),
            json!({"url": "u", "retries": 3})
        );
        let error = schema
            .apply(json!({"retries": "x", "more": 1}))
            .unwrap_err();
        assert_eq!(error.problems.len(), 3, "{error}");
        assert_eq!(schema.coerce("retries", "5"), json!(5));
        assert_eq!(schema.coerce("url", "5"), json!("5"));
    }

    #[test]
    fn schemas_that_are_none_are_refused() {
        assert!(ValueSchema::parse(&json!({"type": "strnig"})).is_err());
        assert!(ValueSchema::parse(&json!([1])).is_err());
        assert!(InputSchema::parse(&json!({"a": 1})).is_err());
        assert!(InputSchema::parse(&json!({"a": {"type": "integer", "default": "x"}})).is_err());
    }

    #[test]
    fn a_lone_type_is_json_schema_and_not_a_property() {
        let schema = ValueSchema::parse(&json!({"type": "string"})).unwrap();
        assert!(schema.check(&json!("text")).is_empty());
    }
}
