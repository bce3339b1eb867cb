//! Writes shapes as JSON Schema. A shape becomes a definition, and whoever has it refers to it.
//!
//! Besides the standard's keywords there are three that editors know and validators pass over:
//! `doNotSuggest` keeps second spellings out of completion, `patternErrorMessage` says a pattern in
//! words and `enumDescriptions` what each word means.

use serde_json::{Map, Value, json};

use crate::duration;
use crate::output_schema::{TELLING, TELLING_BY_VALUE, TYPES, keyword_names};
use crate::shape::{
    Choice, Either, Form, Key, List, Named, Pattern, Presence, Shape, Whole, snake_case,
};

/// Collects the definitions that others refer to.
#[derive(Default)]
pub(super) struct Writer {
    definitions: Map<String, Value>,
}

impl Writer {
    /// Every definition that was referred to.
    pub(super) fn definitions(self) -> Value {
        Value::Object(self.definitions)
    }

    /// A mapping with the keys of a shape and no others; it stands at `at`.
    pub(super) fn closed(&mut self, shape: &'static Shape, at: &str) -> Value {
        let mut schema = self.open(shape, at);
        schema["additionalProperties"] = Value::Bool(false);
        schema
    }

    /// A mapping with the keys of a shape and, as far as this goes, others.
    fn open(&mut self, shape: &'static Shape, at: &str) -> Value {
        let mut properties = Map::new();
        let mut twice = Map::new();
        for key in shape.keys {
            properties.insert(key.name.to_owned(), self.key(key));
            let snake = snake_case(key.name);
            if snake != key.name {
                let camel = format!("{at}/properties/{}", key.name);
                twice.insert(snake.clone(), json!({"properties": {key.name: false}}));
                properties.insert(snake, json!({"$ref": camel, "doNotSuggest": true}));
            }
        }
        let mut schema = json!({
            "type": "object",
            "description": shape.doc,
            "properties": properties,
        });
        if !twice.is_empty() {
            schema["dependentSchemas"] = Value::Object(twice);
        }
        let required = required(shape);
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    /// What may stand under a key, with everything that helps to write it.
    fn key(&mut self, key: &Key) -> Value {
        let mut schema = self.form(key.form);
        schema["description"] = json!(key.doc);
        if let Some(example) = key.example {
            schema["examples"] = json!([example()]);
        }
        if let Some(default) = key.default {
            schema["default"] = default();
        }
        schema
    }

    fn form(&mut self, form: Form) -> Value {
        match form {
            Form::Text => json!({"type": "string"}),
            Form::Pattern(pattern) => self::pattern(pattern),
            Form::Words(words) => self::words(words),
            Form::Whole(range) => whole("integer", range),
            Form::Number { least, most } => {
                json!({"type": "number", "minimum": least, "maximum": most})
            }
            Form::Boolean => json!({"type": "boolean"}),
            Form::Duration(range) => duration(range),
            Form::List(list) => self.list(list),
            Form::Mapping(shape) => self.mapping(shape),
            Form::Choice(choice) => self.choice(choice),
            Form::Either(either) => self.either(either),
            Form::Named(named) => self.named(named),
            Form::Object => json!({"type": "object"}),
            Form::Input(property) => self.input(property),
            Form::Any => json!({}),
            Form::OneOf(forms) => {
                let each: Vec<Value> = forms.iter().map(|form| self.form(*form)).collect();
                json!({ "anyOf": each })
            }
        }
    }

    fn list(&mut self, list: &List) -> Value {
        let mut schema = json!({"type": "array", "items": self.form(list.of)});
        if list.least > 0 {
            schema["minItems"] = json!(list.least);
        }
        if let Some(most) = list.most {
            schema["maxItems"] = json!(most);
        }
        schema
    }

    fn mapping(&mut self, shape: &'static Shape) -> Value {
        self.define(shape.name, |writer, at| writer.closed(shape, at))
    }

    /// A mapping with exactly one of a few keys, and with nothing that goes with another of them.
    fn either(&mut self, either: &'static Either) -> Value {
        self.define(either.shape.name, |writer, at| {
            let mut schema = writer.closed(either.shape, at);
            let one_of = either.one_of.iter();
            let one_of = one_of.map(|(key, _)| json!({"required": [key]}));
            schema["oneOf"] = one_of.collect();
            let with = either.one_of.iter();
            let with = with.flat_map(|(key, with)| with.iter().map(move |name| (name, key)));
            let with = with.map(|(name, key)| ((*name).to_owned(), json!([key])));
            schema["dependentRequired"] = Value::Object(with.collect());
            schema
        })
    }

    fn named(&mut self, named: &'static Named) -> Value {
        json!({
            "type": "object",
            "propertyNames": self::pattern(named.names),
            "additionalProperties": self.form(named.of),
        })
    }

    /// The common keys, and for each word a mapping that has its keys too and no others.
    fn choice(&mut self, choice: &'static Choice) -> Value {
        self.define(choice.common.name, |writer, at| {
            let mut schema = writer.open(choice.common, at);
            let cases: Vec<Value> = choice
                .cases
                .iter()
                .map(|(word, shape)| {
                    let then = writer.define(shape.name, |writer, at| {
                        let mut case = writer.closed(shape, at);
                        let_stand(choice.common, &mut case);
                        case
                    });
                    let holds = json!({
                        "properties": {choice.by: {"const": word}},
                        "required": [choice.by],
                    });
                    json!({"if": holds, "then": then})
                })
                .collect();
            schema["allOf"] = json!(cases);
            schema
        })
    }

    /// Names with a type or a schema each, unless it looks like a JSON Schema as a whole.
    fn input(&mut self, property: &'static Shape) -> Value {
        let property = self.define(property.name, |writer, at| writer.open(property, at));
        json!({
            "type": "object",
            "if": {"anyOf": told_as_json_schema()},
            "else": {"additionalProperties": {"anyOf": [{"enum": TYPES}, property]}},
        })
    }

    /// Refers to a definition, which is written when it is met for the first time.
    fn define(&mut self, name: &str, write: impl FnOnce(&mut Self, &str) -> Value) -> Value {
        let at = format!("#/$defs/{name}");
        if !self.definitions.contains_key(name) {
            let schema = write(self, &at);
            self.definitions.insert(name.to_owned(), schema);
        }
        json!({ "$ref": at })
    }
}

/// The ways in which an input tells that it is a JSON Schema: those of the parser.
fn told_as_json_schema() -> Value {
    let by_key = TELLING.iter().map(|key| json!({"required": [key]}));
    let by_value = TELLING_BY_VALUE.iter().map(
        |key| json!({"required": [key], "properties": {*key: {"type": ["array", "boolean"]}}}),
    );
    let keywords: Map<String, Value> = keyword_names()
        .filter(|keyword| *keyword != "type")
        .map(|keyword| (keyword.to_owned(), json!({"not": {"enum": TYPES}})))
        .chain([("type".to_owned(), json!({"const": "object"}))])
        .collect();
    let by_type = json!({
        "required": ["type"],
        "properties": keywords,
        "patternProperties": {"^(x-|\\$)": {"not": {"enum": TYPES}}},
        "additionalProperties": false,
    });
    by_key.chain(by_value).chain([by_type]).collect()
}

fn required(shape: &Shape) -> Vec<&'static str> {
    shape
        .keys
        .iter()
        .filter_map(|key| match key.presence {
            Presence::Required(_) => Some(key.name),
            Presence::Optional => None,
        })
        .collect()
}

/// Lets keys that are described elsewhere stand in a closed mapping, in both spellings.
fn let_stand(shape: &Shape, schema: &mut Value) {
    for key in shape.keys {
        for name in [key.name, &snake_case(key.name)] {
            schema["properties"][name] = Value::Bool(true);
        }
    }
}

fn pattern(pattern: &Pattern) -> Value {
    let mut schema = json!({
        "type": "string",
        "pattern": pattern.regex,
        "patternErrorMessage": format!("expected {}", pattern.words),
    });
    if let Some(longest) = pattern.longest {
        schema["maxLength"] = json!(longest);
    }
    schema
}

fn words(words: &[(&str, &str)]) -> Value {
    let (words, docs): (Vec<&str>, Vec<&str>) =
        words.iter().map(|(word, doc)| (*word, doc.trim())).unzip();
    json!({"type": "string", "enum": words, "enumDescriptions": docs})
}

fn whole(kind: impl Into<Value>, range: Whole) -> Value {
    let mut schema = json!({"type": kind.into(), "minimum": range.least});
    if let Some(most) = range.most {
        schema["maximum"] = json!(most);
    }
    schema
}

/// A number or a text: the bounds say nothing of texts, and the pattern nothing of numbers.
fn duration(range: Whole) -> Value {
    let mut schema = whole(json!(["integer", "string"]), range);
    schema["pattern"] = json!(if range.least > 0 {
        duration::SOME_PATTERN
    } else {
        duration::PATTERN
    });
    schema["patternErrorMessage"] =
        json!("expected a number and a unit, as 500ms, 30s, 5m, 2h or 1d");
    schema
}
