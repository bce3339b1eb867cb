//! Documents with mistakes: what authors do to a good one.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::generate::snake_case;

/// One thing that goes wrong, or only looks as if it did.
#[derive(Debug, Clone)]
pub(super) enum Mutation {
    /// A key is left out.
    Drop(Index),
    /// A key is misspelt.
    Misspell(Index),
    /// A key gets its other spelling.
    Respell(Index),
    /// A key stands there in both spellings.
    Double(Index),
    /// A value is another one.
    Replace(Index, Value),
    /// A mapping has a key more.
    Add(Index, String, Value),
    /// An item of a list stands there twice.
    Repeat(Index),
}

/// Mistakes, each at a place and with a value by chance; keys are taken from `schema`.
pub(super) fn mutations(schema: &Value) -> impl Strategy<Value = Vec<Mutation>> + use<> {
    let mut keys = vec!["foreign".to_owned(), "<<".to_owned(), String::new()];
    collect_keys(schema, &mut keys);
    let key = proptest::sample::select(keys);
    let value = || proptest::sample::select(values());
    let one = prop_oneof![
        2 => any::<Index>().prop_map(Mutation::Drop),
        1 => any::<Index>().prop_map(Mutation::Misspell),
        1 => any::<Index>().prop_map(Mutation::Respell),
        1 => any::<Index>().prop_map(Mutation::Double),
        4 => (any::<Index>(), value()).prop_map(|(at, value)| Mutation::Replace(at, value)),
        4 => (any::<Index>(), key, value()).prop_map(|(at, key, value)| Mutation::Add(at, key, value)),
        1 => any::<Index>().prop_map(Mutation::Repeat),
    ];
    vec(one, 0..4)
}

/// Every key that a schema names.
fn collect_keys(schema: &Value, keys: &mut Vec<String>) {
    let inner: Vec<&Value> = match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            map.values().collect()
        }
        Value::Array(items) => items.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for inner in inner {
        collect_keys(inner, keys);
    }
}

fn values() -> Vec<Value> {
    let words = [
        "",
        "x",
        "a b",
        "manual",
        "@daily",
        "30s",
        "0s",
        "8d",
        "soon",
        "5",
        "9:00",
        "09:00",
        "24:00",
        "$end",
        "$nowhere",
        "first",
        "fourth",
        "tool",
        "model",
        "noop",
        "deny",
        "ask",
        "skip",
        "object",
        "Friday",
        "\u{85}x",
        "\u{7}",
        "Europe/Berlin",
        "{{ input.a }}",
    ];
    let long = Value::from("n".repeat(201));
    let others = json!([
        null, true, false, 0, 1, -1, 1.5, 8, 101, 100_001, 604_800_001, 5_000_000_000_u64,
        [], [1], [8], ["x"], ["a b"], [[]], [null], {}, {"x": 1}, {"a": "string"},
        {"cron": "@daily"}, {"cron": 5}, {"limit": 1}, {"start": "09:00", "end": "09:00"},
        {"type": "object"}, {"properties": {}}, {"properties": 5},
        [{"condition": "true", "goto": "$end"}], [{"condition": "true"}],
        [{"id": "z", "action": "noop"}], [{"id": "z"}], {"maxAttempts": 101}, {"count": 3},
    ]);
    let others = others.as_array().unwrap().iter().cloned();
    words
        .into_iter()
        .map(Value::from)
        .chain([long])
        .chain(others)
        .collect()
}

impl Mutation {
    pub(super) fn apply(&self, document: &mut Value) {
        match self {
            Self::Drop(at) => with_entry(document, *at, |map, key| {
                map.remove(key);
            }),
            Self::Misspell(at) => with_entry(document, *at, |map, key| {
                rename(map, key, format!("{key}s"));
            }),
            Self::Respell(at) => with_entry(document, *at, |map, key| {
                rename(map, key, snake_case(key));
            }),
            Self::Double(at) => with_entry(document, *at, |map, key| {
                let value = map[key].clone();
                map.insert(snake_case(key), value);
            }),
            Self::Replace(at, value) => {
                let nodes = addresses(document, |_| true);
                let at = at.get(&nodes).clone();
                *document.pointer_mut(&at).unwrap() = value.clone();
            }
            Self::Add(at, key, value) => {
                let maps = addresses(document, Value::is_object);
                if !maps.is_empty() {
                    let map = document.pointer_mut(&maps[at.index(maps.len())]).unwrap();
                    map[key.as_str()] = value.clone();
                }
            }
            Self::Repeat(at) => {
                let full = |value: &Value| value.as_array().is_some_and(|items| !items.is_empty());
                let lists = addresses(document, full);
                if !lists.is_empty() {
                    let list = document.pointer_mut(&lists[at.index(lists.len())]).unwrap();
                    let items = list.as_array_mut().unwrap();
                    items.push(items[0].clone());
                }
            }
        }
    }
}

fn rename(map: &mut Map<String, Value>, key: &str, to: String) {
    if let Some(value) = map.remove(key) {
        map.insert(to, value);
    }
}

/// Does something to a key of the document, if there is one.
fn with_entry(document: &mut Value, at: Index, change: impl FnOnce(&mut Map<String, Value>, &str)) {
    let maps = addresses(document, Value::is_object);
    let entries: Vec<(String, String)> = maps
        .into_iter()
        .flat_map(|at| {
            let map = document.pointer(&at).unwrap().as_object().unwrap();
            map.keys()
                .map(move |key| (at.clone(), key.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    if !entries.is_empty() {
        let (at, key) = at.get(&entries);
        let map = document.pointer_mut(at).unwrap();
        change(map.as_object_mut().unwrap(), key);
    }
}

/// The pointers of the nodes that fit.
fn addresses(document: &Value, fits: impl Fn(&Value) -> bool + Copy) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), document)];
    while let Some((at, value)) = open.pop() {
        match value {
            Value::Object(map) => open.extend(map.iter().map(|(key, value)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                (format!("{at}/{key}"), value)
            })),
            Value::Array(items) => open.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, value)| (format!("{at}/{index}"), value)),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        if fits(value) {
            found.push(at);
        }
    }
    found
}
