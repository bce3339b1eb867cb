//! What the keywords of one schema say together: bounds, required names, defaults, listed values.

use serde_json::{Map, Value, json};

use super::checker::Checker;
use super::keywords::BOUNDS;
use super::problem::{Problem, Subject};
use super::{compiled, kinds, mismatch};
use crate::diagnostic::{Pointer, closest};

/// Keywords that may declare properties elsewhere.
const ELSEWHERE: [&str; 9] = [
    "$dynamicRef",
    "$ref",
    "allOf",
    "anyOf",
    "dependentSchemas",
    "if",
    "not",
    "oneOf",
    "patternProperties",
];

/// Names of at most this many bytes are near each other although they share next to nothing.
const MAX_UNLIKE: usize = 2;

impl Checker<'_> {
    /// Checks keywords against each other; `before` is how much was wrong before their own values.
    pub(super) fn siblings(&mut self, at: &Pointer, map: &Map<String, Value>, before: usize) {
        for (lower, upper) in BOUNDS {
            self.bounds(at, map, (lower, upper));
        }
        self.required(at, map);
        if self.wrong.len() == before {
            self.listed(at, map);
            self.default(at, map);
        }
    }

    fn bounds(&mut self, at: &Pointer, map: &Map<String, Value>, (lower, upper): (&str, &str)) {
        let (Some(low), Some(high)) = (map.get(lower), map.get(upper)) else {
            return;
        };
        let above = low
            .as_f64()
            .zip(high.as_f64())
            .is_some_and(|(low, high)| low > high);
        if above {
            let at = at.key(lower);
            let message = format!(
                "`{}` is {low}, above `{upper}`, which is {high}",
                self.path(&at)
            );
            self.wrong.push(
                Problem::value(at, message)
                    .label("no value can be both")
                    .help("exchange the two, or change one of them"),
            );
        }
    }

    /// A required name that is declared nowhere is a misspelt one.
    fn required(&mut self, at: &Pointer, map: &Map<String, Value>) {
        let (Some(names), Some(properties)) = (
            map.get("required").and_then(Value::as_array),
            map.get("properties").and_then(Value::as_object),
        ) else {
            return;
        };
        if ELSEWHERE.iter().any(|key| map.contains_key(*key)) {
            return;
        }
        // Who describes the other properties by a schema means that there are others.
        let others = map
            .get("additionalProperties")
            .is_some_and(|more| *more != Value::Bool(false));
        for (index, name) in names.iter().enumerate() {
            let Some(name) = name.as_str().filter(|name| !properties.contains_key(*name)) else {
                continue;
            };
            let near = closest(name, properties.keys().map(String::as_str))
                .filter(|near| !others || near.len() > MAX_UNLIKE);
            if near.is_none() && others {
                continue;
            }
            let at = at.key("required").index(index);
            let message = format!(
                "`{}` requires `{name}`, which `properties` does not have",
                self.path(&at)
            );
            let problem = Problem::value(at, message).label("not declared");
            self.wrong.push(match near {
                Some(near) => problem.meant(near),
                None => problem.help(format!("declare `{name}` under `properties`")),
            });
        }
    }

    /// A listed value of another type can never be chosen.
    fn listed(&mut self, at: &Pointer, map: &Map<String, Value>) {
        let (Some(kind), Some(values)) =
            (map.get("type"), map.get("enum").and_then(Value::as_array))
        else {
            return;
        };
        let Ok(kind) = compiled(&json!({ "type": kind })) else {
            return;
        };
        let expected = kinds::of(map).unwrap_or_default();
        let expected: Vec<&str> = expected.into_iter().map(kinds::plain).collect();
        for (index, value) in values.iter().enumerate() {
            if !kind.is_valid(value) {
                let at = at.key("enum").index(index);
                let problem = self.expected(&at, value, &kinds::either(&expected));
                self.wrong
                    .push(problem.help("its `type` does not allow it"));
            }
        }
    }

    fn default(&mut self, at: &Pointer, map: &Map<String, Value>) {
        let Some(default) = map.get("default") else {
            return;
        };
        let schema = self.alone(map);
        let Ok(validator) = compiled(&schema) else {
            return;
        };
        let at = at.key("default");
        let path = self.path(&at);
        let misses = mismatch::all(&validator, &schema, default, Subject::new(&path));
        self.wrong.extend(misses.into_iter().map(|miss| Problem {
            at: at.join(&miss.at),
            label: "does not fit its own schema".to_owned(),
            ..miss
        }));
    }

    /// A schema of its own, with the definitions of the whole to which it may refer.
    fn alone(&self, map: &Map<String, Value>) -> Value {
        let mut schema = map.clone();
        for key in ["$schema", "$defs", "definitions"] {
            if let (Some(value), false) = (self.root.get(key), schema.contains_key(key)) {
                schema.insert(key.to_owned(), value.clone());
            }
        }
        Value::Object(schema)
    }
}
