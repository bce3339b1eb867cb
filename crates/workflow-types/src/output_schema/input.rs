//! The schema of a workflow's input: types, defaults, and values given as texts.

use serde_json::{Map, Value, json};

use super::checker::Checker;
use super::problem::{Problem, Subject, in_one_line};
use super::{Found, SchemaError, ValueSchema, keywords, kinds, short};
use crate::diagnostic::{Pointer, closest};

/// The schema of a workflow's input: names with types and defaults, or a JSON Schema.
///
/// In the short form a name stands for a type (`url: string`) or for a JSON Schema of its own,
/// which may have a `default`; names without a default are required and no others are allowed.
///
/// It is a JSON Schema as a whole if it has `$schema`, `$ref`, `$defs` or `properties`; if it has
/// `type: object` and beside it nothing but other keywords, none of them with the name of a type; or
/// if `required`, `additionalProperties`, `oneOf`, `anyOf` or `allOf` is a list, true or false.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSchema(ValueSchema);

/// What is wrong with an input: every problem, each at its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the input is not valid: {}", in_one_line(.problems))]
pub struct InputError {
    /// The problems in the order of their discovery.
    pub problems: Vec<Problem>,
}

impl InputSchema {
    /// Compiles an input schema in either form.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, what JSON Schema passes over included.
    pub fn parse(written: &Value) -> Result<Self, SchemaError> {
        let (schema, found) = Self::read(written, "input");
        schema.ok_or(SchemaError {
            problems: found.wrong,
        })
    }

    /// Compiles a schema that is called `name` and says everything there is to say about it.
    pub(super) fn read(written: &Value, name: &str) -> (Option<Self>, Found) {
        let mut checker = Checker::new(written, name);
        let full = match written.as_object() {
            Some(map) if !is_json_schema(map) => Some(checker.input(map)),
            Some(_) => {
                checker.schema(&Pointer::root(), written);
                Some(written.clone())
            }
            None => {
                checker.no_mapping();
                None
            }
        };
        let (schema, found) = ValueSchema::finish(written, full, checker);
        (schema.map(Self), found)
    }

    /// Compiles what was read before; wrong is only what does not compile.
    pub(super) fn rebuild(written: &Value, name: &str) -> (Option<Self>, Found) {
        let full = match written.as_object() {
            Some(map) if !is_json_schema(map) => Checker::new(written, name).input(map),
            Some(_) | None => written.clone(),
        };
        let (schema, found) = ValueSchema::rebuild(written, full, name);
        (schema.map(Self), found)
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
        let problems = self.0.problems(&input, &Subject::new("input"));
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

/// Keywords that no input is called: whoever writes one means a JSON Schema.
pub(crate) const TELLING: [&str; 4] = ["$defs", "$ref", "$schema", "properties"];
/// Keywords that an input may be called as well, so that their value decides: a list, true or false
/// is no type of an input.
pub(crate) const TELLING_BY_VALUE: [&str; 5] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "required",
];

/// A JSON Schema, or what was meant to be one. The published schema has the same rule, but for the
/// misspelt `properties`.
fn is_json_schema(map: &Map<String, Value>) -> bool {
    let is_object = map.get("type").is_some_and(|kind| kind == "object");
    // An input may be called `type`, and another one `title`.
    let only_keywords = map.iter().all(|(key, value)| {
        let is_keyword = keywords::shape(key).is_some() || keywords::is_note(key);
        key == "type" || is_keyword && !kinds::is_type_name(value)
    });
    let of_schemas = |value: &Value| {
        value
            .as_object()
            .is_some_and(|inner| !inner.is_empty() && inner.values().all(Value::is_object))
    };
    let misspelt = map
        .iter()
        .any(|(key, value)| closest(key, ["properties"]).is_some() && of_schemas(value));
    let by_value = |key: &&str| {
        let value = map.get(*key);
        value.is_some_and(|value| value.is_array() || value.is_boolean())
    };
    TELLING.iter().any(|key| map.contains_key(*key))
        || TELLING_BY_VALUE.iter().any(by_value)
        || is_object && (only_keywords || misspelt)
}

impl Checker<'_> {
    /// Checks names with types and defaults; the JSON Schema that they stand for.
    fn input(&mut self, map: &Map<String, Value>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, written) in map {
            let at = Pointer::root().key(name);
            let property = match written {
                Value::String(_) => {
                    self.type_name(&at, written);
                    json!({ "type": written })
                }
                Value::Object(property) => {
                    self.property(&at, property);
                    written.clone()
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                    let problem = self.expected(&at, written, "a type, or a mapping with `type`");
                    let types = kinds::either(&kinds::TYPES);
                    self.wrong
                        .push(problem.help(format!("the types are {types}")));
                    continue;
                }
            };
            if property.get("default").is_none() {
                required.push(name.clone());
            }
            properties.insert(name.clone(), property);
        }
        short::closed(&properties, &required)
    }

    /// `required: true` is what other products have beside a type.
    fn property(&mut self, at: &Pointer, property: &Map<String, Value>) {
        let Some(Value::Bool(flag)) = property.get("required") else {
            self.schema(at, &Value::Object(property.clone()));
            return;
        };
        let at_required = at.key("required");
        let help = if *flag {
            "remove it: an input without a `default` is required"
        } else {
            "remove it, and give a `default`: an input that has one is not required"
        };
        let problem = Problem::key(
            at_required.clone(),
            format!(
                "`{}` is true or false, which only a default decides",
                self.path(&at_required)
            ),
        );
        self.wrong.push(problem.label("not needed").help(help));
        let mut rest = property.clone();
        rest.shift_remove("required");
        self.schema(at, &Value::Object(rest));
    }
}
