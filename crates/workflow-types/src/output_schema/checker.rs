//! Walks a schema as its author wrote it and collects every mistake at its own place.
//!
//! Says what JSON Schema itself passes over, such as a keyword that it does not know. Whether the
//! schema compiles is decided by the library that validates with it.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::keywords::{self, FORMATS, Shape};
use super::kinds::{self, TYPES};
use super::problem::{Problem, Subject};
use crate::diagnostic::{Pointer, closest, describe};

/// What was found so far.
pub(super) struct Checker<'a> {
    pub(super) root: &'a Value,
    pub(super) subject: Subject<'a>,
    /// What makes the schema wrong.
    pub(super) wrong: Vec<Problem>,
    /// What it says to no effect.
    pub(super) idle: Vec<Problem>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(root: &'a Value, name: &'a str) -> Self {
        Self {
            root,
            subject: Subject::new(name),
            wrong: Vec::new(),
            idle: Vec::new(),
        }
    }

    /// Checks a schema with everything in it.
    pub(super) fn schema(&mut self, at: &Pointer, value: &Value) {
        match value {
            Value::Bool(_) => {}
            Value::Object(map) if is_short_within(map) => self.short_within(at, map),
            Value::Object(map) => self.mapping(at, map),
            Value::String(_) if kinds::is_type_name(value) => {
                let full = format!("{{\"type\": {value}}}");
                let problem = self.expected(at, value, "a schema");
                self.wrong.push(
                    problem
                        .help(format!("write {full}"))
                        .fix(json!({ "type": value })),
                );
            }
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                let problem = self.expected(at, value, "a schema");
                self.wrong.push(problem);
            }
        }
    }

    /// The whole is no mapping, so it is neither form.
    pub(super) fn no_mapping(&mut self) {
        let expected = "a mapping: names with types, or a JSON Schema";
        let problem = self.expected(&Pointer::root(), self.root, expected);
        self.wrong.push(problem);
    }

    fn mapping(&mut self, at: &Pointer, map: &Map<String, Value>) {
        let before = self.wrong.len();
        for (key, value) in map {
            match keywords::shape(key) {
                Some(shape) => self.keyword(shape, &at.key(key), value),
                None if keywords::is_note(key) => {}
                None => self.unknown(at, key, map),
            }
        }
        self.siblings(at, map, before);
    }

    fn keyword(&mut self, shape: Shape, at: &Pointer, value: &Value) {
        match shape {
            Shape::Anything => {}
            Shape::Schema => self.schema(at, value),
            Shape::Items => match value {
                Value::Array(_) if self.is_old() => self.list(at, value, Self::schema),
                Value::Array(_) => {
                    let problem = self.expected(at, value, "the schema of every item");
                    let help = "give the items by their places under `prefixItems`";
                    self.wrong.push(problem.help(help));
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_) => self.schema(at, value),
            },
            Shape::SchemaList => self.list(at, value, Self::schema),
            Shape::Schemas => self.members(at, value, Self::schema),
            Shape::Dependencies => self.members(at, value, |checker, at, value| {
                if value.is_array() {
                    checker.names(at, value);
                } else {
                    checker.schema(at, value);
                }
            }),
            Shape::Type => match value {
                Value::Array(items) if !items.is_empty() => self.list(at, value, Self::type_name),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => self.type_name(at, value),
            },
            Shape::Names => self.names(at, value),
            Shape::Reference => self.reference(at, value),
            Shape::Draft => self.draft(at, value),
            Shape::Format => self.format(at, value),
            Shape::Pattern => self.pattern(at, value),
            Shape::Values
            | Shape::Choices
            | Shape::Number
            | Shape::Limit
            | Shape::Positive
            | Shape::Count
            | Shape::Flag
            | Shape::Text => self.plain(shape, at, value),
        }
    }

    /// A keyword whose value has nothing in it to look at.
    pub(super) fn plain(&mut self, shape: Shape, at: &Pointer, value: &Value) {
        let above_zero = |value: &Value| value.as_f64().is_some_and(|number| number > 0.0);
        let whole = |value: &Value| {
            value.as_u64().is_some() || value.as_f64().is_some_and(|n| n >= 0.0 && n.fract() == 0.0)
        };
        let (fits, expected) = match shape {
            Shape::Values => (value.is_array(), "a list of values"),
            Shape::Choices => (
                value.as_array().is_some_and(|values| !values.is_empty()),
                "a list of values",
            ),
            Shape::Limit if self.is_old() && value.is_boolean() => (true, ""),
            Shape::Number | Shape::Limit => (value.is_number(), "a number"),
            Shape::Positive => (above_zero(value), "a number above 0"),
            Shape::Count => (whole(value), "a whole number from 0"),
            Shape::Flag => (value.is_boolean(), "true or false"),
            Shape::Text | Shape::Pattern | Shape::Format | Shape::Reference | Shape::Draft => {
                (value.is_string(), "a string")
            }
            Shape::Schema
            | Shape::Items
            | Shape::SchemaList
            | Shape::Schemas
            | Shape::Dependencies
            | Shape::Type
            | Shape::Names
            | Shape::Anything => (true, ""),
        };
        if fits {
            return;
        }
        if value.is_array() && shape == Shape::Choices {
            let message = format!(
                "`{}` is an empty list, so that no value fits",
                self.path(at)
            );
            let help = "list the values that are allowed, or remove it";
            let problem = Problem::value(at.clone(), message).label("allows nothing");
            self.wrong.push(problem.help(help));
            return;
        }
        let problem = self.expected(at, value, expected);
        let is_list = matches!(shape, Shape::Values | Shape::Choices);
        self.wrong.push(if is_list && !value.is_object() {
            problem.help(format!("write [{value}]"))
        } else {
            problem
        });
    }

    /// The name of a type.
    pub(super) fn type_name(&mut self, at: &Pointer, value: &Value) {
        if kinds::is_type_name(value) {
            return;
        }
        let Some(word) = value.as_str() else {
            let problem = self.expected(at, value, "the name of a type");
            self.wrong
                .push(problem.help(format!("the types are {}", kinds::either(&TYPES))));
            return;
        };
        let message = format!(
            "`{}` names the type `{word}`, which does not exist",
            self.path(at)
        );
        let problem = Problem::value(at.clone(), message).label("no such type");
        self.wrong.push(match kinds::meant(word) {
            // Without quotes it is the empty value of YAML and JSON.
            Some("null") => problem.meant("null"),
            Some(near) => problem.meant(near),
            None => problem.help(format!("the types are {}", kinds::either(&TYPES))),
        });
    }

    fn names(&mut self, at: &Pointer, value: &Value) {
        if !value.is_array() {
            let problem = self.expected(at, value, "a list of names");
            let help = match value {
                Value::Bool(true) => "name the property in the `required` of the mapping around it",
                Value::Bool(false) => "remove it: a property that nothing requires is optional",
                Value::Null
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => "write a list, for example [name]",
            };
            self.wrong.push(problem.help(help));
            return;
        }
        let mut seen = HashSet::new();
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            let at = at.index(index);
            let Some(name) = item.as_str() else {
                let problem = self.expected(&at, item, "a name");
                self.wrong.push(problem);
                continue;
            };
            if !seen.insert(name) {
                let message = format!("`{}` names {item} a second time", self.path(&at));
                self.wrong
                    .push(Problem::value(at, message).help("remove one of them"));
            }
        }
    }

    fn format(&mut self, at: &Pointer, value: &Value) {
        let Some(word) = value.as_str() else {
            self.plain(Shape::Format, at, value);
            return;
        };
        if FORMATS.contains(&word) {
            return;
        }
        let message = format!(
            "`{}` names the format `{word}`, which is not known",
            self.path(at)
        );
        let problem = Problem::value(at.clone(), message).label("not known");
        match closest(word, FORMATS) {
            Some(near) => self.wrong.push(problem.meant(near)),
            None => self
                .idle
                .push(problem.help("say it with `pattern`, or remove it")),
        }
    }

    fn pattern(&mut self, at: &Pointer, value: &Value) {
        self.plain(Shape::Pattern, at, value);
        if value.is_string() && super::compiled(&serde_json::json!({ "pattern": value })).is_err() {
            let message = format!("`{}` is no regular expression", self.path(at));
            self.wrong.push(
                Problem::value(at.clone(), message).help("escape special characters by `\\`"),
            );
        }
    }

    fn unknown(&mut self, at: &Pointer, key: &str, map: &Map<String, Value>) {
        let at = at.key(key);
        let path = self.path(&at);
        let Some(near) = keywords::meant(key) else {
            let message = format!("`{path}` is not a schema keyword, so it has no effect");
            let help = "remove it, or let its name begin with `x-` if it is a note";
            self.idle
                .push(Problem::key(at, message).label("not known").help(help));
            return;
        };
        let kind = map.get("type").and_then(Value::as_str);
        let near = match (key, kind) {
            ("min", Some("string")) => "minLength",
            ("max", Some("string")) => "maxLength",
            ("min", Some("array")) => "minItems",
            ("max", Some("array")) => "maxItems",
            (_, _) => near,
        };
        let message = format!("`{path}` is not a schema keyword");
        let problem = Problem::key(at, message).label("not known");
        self.wrong.push(if map.contains_key(near) {
            problem.help(format!("`{near}` stands here already, remove one of them"))
        } else {
            problem.meant(near)
        });
    }

    /// The short form is known at the top only.
    fn short_within(&mut self, at: &Pointer, map: &Map<String, Value>) {
        let first = map.keys().next().map(String::as_str).unwrap_or_default();
        let message = format!(
            "`{}` lists names with types, such as `{first}`, which is a form of the top only",
            self.path(at)
        );
        self.wrong.push(
            Problem::value(at.clone(), message)
                .label("no schema keyword in it")
                .help("write {type: object, properties: {name: {type: string}}} with your names"),
        );
    }

    fn list(&mut self, at: &Pointer, value: &Value, each: fn(&mut Self, &Pointer, &Value)) {
        match value.as_array() {
            Some(items) => {
                for (index, item) in items.iter().enumerate() {
                    each(self, &at.index(index), item);
                }
            }
            None => {
                let problem = self.expected(at, value, "a list of schemas");
                self.wrong.push(problem);
            }
        }
    }

    fn members(&mut self, at: &Pointer, value: &Value, each: fn(&mut Self, &Pointer, &Value)) {
        match value.as_object() {
            Some(map) => {
                for (name, schema) in map {
                    each(self, &at.key(name), schema);
                }
            }
            None => {
                let problem = self.expected(at, value, "a mapping of names to schemas");
                self.wrong.push(problem);
            }
        }
    }

    /// `schema.type` is the number 1, expected the name of a type.
    pub(super) fn expected(&self, at: &Pointer, found: &Value, expected: &str) -> Problem {
        let message = format!(
            "`{}` is {}, expected {expected}",
            self.path(at),
            describe(found)
        );
        let problem = Problem::value(at.clone(), message).label(format!("expected {expected}"));
        match found.as_str().and_then(|text| unquoted(text, expected)) {
            Some(help) => problem.help(help),
            None => problem,
        }
    }

    pub(super) fn path(&self, at: &Pointer) -> String {
        self.subject.path(at)
    }
}

/// Quotes around what should be no string.
fn unquoted(text: &str, expected: &str) -> Option<String> {
    let is_flag = matches!(text, "true" | "false");
    let flag_expected = matches!(expected, "true or false" | "a schema");
    let number_expected = expected.contains("number") && text.parse::<f64>().is_ok();
    (is_flag && flag_expected || number_expected).then(|| format!("write {text} without quotes"))
}

/// Names with types where a schema is expected: JSON Schema would take it for no condition at all.
fn is_short_within(map: &Map<String, Value>) -> bool {
    let is_name = |key: &String| {
        keywords::shape(key).is_none() && !keywords::is_note(key) && keywords::meant(key).is_none()
    };
    !map.is_empty() && map.keys().all(is_name) && map.values().all(kinds::is_type_name)
}
