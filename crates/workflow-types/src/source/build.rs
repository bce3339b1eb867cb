//! Builds the JSON value of a well-formed text, tolerating what the event pass has reported.

use std::cell::RefCell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::{number, syntax};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};

/// The value of a YAML text.
pub(super) fn yaml(text: &str, report: &mut Report) -> Option<Value> {
    let shared = RefCell::new(report);
    let seed = Node {
        at: Pointer::root(),
        report: &shared,
    };
    match seed.deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(value) => Some(value),
        Err(error) => {
            let at = error.location().map_or(0, |place| place.index());
            syntax::explain(text, at, &error.to_string(), shared.into_inner());
            None
        }
    }
}

/// The value of a JSON text.
pub(super) fn json(text: &str, report: &mut Report) -> Option<Value> {
    let shared = RefCell::new(report);
    let mut parser = serde_json::Deserializer::from_str(text);
    let seed = Node {
        at: Pointer::root(),
        report: &shared,
    };
    let result = seed
        .deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value));
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let at = byte_of(text, error.line(), error.column());
            let diagnostic = syntax::explain_json(text, at, &error.to_string());
            let report = shared.into_inner();
            // The event pass has told of every number that is too large.
            if diagnostic.code != Code::Unsupported || !report.has_unsupported() {
                report.push(diagnostic);
            }
            None
        }
    }
}

/// The byte of a line and column as `serde_json` counts them.
fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// Builds the node at a place, whatever it is.
struct Node<'s, 'r> {
    at: Pointer,
    report: &'s RefCell<&'r mut Report>,
}

impl Node<'_, '_> {
    fn problem(&self, code: Code, message: String, help: &str) -> Value {
        let diagnostic = Diagnostic::new(code, Place::value(&self.at), message).help(help);
        self.report.borrow_mut().push(diagnostic);
        Value::Null
    }

    fn too_large(&self, number: impl fmt::Display) -> Value {
        let diagnostic = number::too_large(Place::value(&self.at), &self.at, number);
        self.report.borrow_mut().push(diagnostic);
        Value::Null
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(self.too_large(number))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(self.too_large(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => self.problem(
                Code::Unsupported,
                format!("`{}` is {number}, which JSON cannot hold", self.at),
                "use a finite number",
            ),
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Node {
            at: self.at.index(list.len()),
            report: self.report,
        })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Node {
            at: self.at.clone(),
            report: self.report,
        })? {
            let Some(key) = self.key_text(&key) else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = entries.next_value_seed(Node {
                at: self.at.key(&key),
                report: self.report,
            })?;
            // The first of two equal keys is kept.
            match map.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(entry) => self.repeated(entry.key()),
            }
        }
        Ok(Value::Object(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, content) = tagged.variant::<String>()?;
        let at = self.at.clone();
        content.newtype_variant_seed(Node {
            at,
            report: self.report,
        })?;
        Ok(self.problem(
            Code::Unsupported,
            format!(
                "`{}` has the tag `!{tag}`, which means nothing here",
                self.at
            ),
            "remove the tag, or put the value in quotes if it is a text that begins with `!`",
        ))
    }
}

impl Node<'_, '_> {
    /// Reports a repeated key that the event pass has not: it may have ended before.
    fn repeated(&self, key: &str) {
        let message = format!("the key `{key}` stands twice in one mapping");
        let mut report = self.report.borrow_mut();
        if !report.has_repeated(&message) {
            let place = Place::key(&self.at.key(key));
            report.push(
                Diagnostic::new(Code::DuplicateKey, place, message)
                    .help("remove or rename one of them"),
            );
        }
    }

    /// A key as text; none if it is a mapping or a list, which the event pass has reported.
    fn key_text(&self, key: &Value) -> Option<String> {
        match key {
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                let text = key.to_string();
                let place = Place::key(&self.at.key(&text));
                self.report.borrow_mut().push(
                    Diagnostic::new(
                        Code::KeyNotString,
                        place,
                        format!("the key `{text}` is no string"),
                    )
                    .help(format!("put it in quotes: \"{text}\"")),
                );
                Some(text)
            }
            Value::Array(_) | Value::Object(_) => None,
        }
    }
}
