//! Which members a schema allows, so that reading one that can never be there is found.
//!
//! Where a schema is open, or says what only a value can decide, every member may be there.

use serde_json::{Map, Value};

use super::kinds;

/// Longest chain of references that is followed.
const MAX_REFERENCES: usize = 16;

/// Keywords behind which a mapping that leaves nothing unevaluated may declare a member after all.
const ELSEWHERE: [&str; 8] = [
    "$dynamicRef",
    "$ref",
    "allOf",
    "anyOf",
    "dependentSchemas",
    "if",
    "oneOf",
    "then",
];

/// A member that no value of the schema has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Which of the names it is.
    pub(crate) position: usize,
    /// What its owner is, and which members that has.
    pub(crate) owner: Owner,
}

/// What was asked for a member that it does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A mapping with these names and no others.
    Closed(Vec<String>),
    /// Something without names.
    Plain {
        /// What it is, in plain words.
        kind: String,
        /// What can be read of it all the same.
        known: &'static [&'static str],
    },
}

/// The first of the names that cannot be there, each read from the one before it.
pub(super) fn absent<'n>(schema: &Value, names: impl Iterator<Item = &'n str>) -> Option<Absent> {
    let mut node = schema;
    for (position, name) in names.enumerate() {
        node = match below(resolved(schema, node)?.as_object()?, name) {
            Below::Schema(inner) => inner,
            Below::Open => return None,
            Below::Absent(owner) => return Some(Absent { position, owner }),
        };
    }
    None
}

enum Below<'s> {
    Schema(&'s Value),
    Open,
    Absent(Owner),
}

/// The keywords of one schema restrict each other, so what one of them rules out stays out.
fn below<'s>(node: &'s Map<String, Value>, name: &str) -> Below<'s> {
    let types = match node.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        None if node.contains_key("properties") => vec!["object"],
        Some(_) | None => return Below::Open,
    };
    // An empty value has no members either, so it decides nothing.
    let real: Vec<&str> = types.into_iter().filter(|kind| *kind != "null").collect();
    let mixed = real.len() > 1 && real.iter().any(|kind| matches!(*kind, "object" | "array"));
    match real.as_slice() {
        ["object"] => of_mapping(node, name),
        ["array"] => of_list(node, name),
        _ if mixed => Below::Open,
        kinds => of_scalar(kinds, name),
    }
}

fn of_mapping<'s>(node: &'s Map<String, Value>, name: &str) -> Below<'s> {
    let properties = node.get("properties").and_then(Value::as_object);
    if let Some(inner) = properties.and_then(|properties| properties.get(name)) {
        return Below::Schema(inner);
    }
    if node.contains_key("patternProperties") {
        return Below::Open;
    }
    let closed = |key: &str| node.get(key) == Some(&Value::Bool(false));
    let elsewhere = ELSEWHERE.iter().any(|key| node.contains_key(*key));
    if closed("additionalProperties") || closed("unevaluatedProperties") && !elsewhere {
        let known = properties.into_iter().flat_map(Map::keys).cloned();
        return Below::Absent(Owner::Closed(known.collect()));
    }
    match node.get("additionalProperties") {
        Some(inner @ Value::Object(_)) => Below::Schema(inner),
        Some(_) | None => Below::Open,
    }
}

fn of_list<'s>(node: &'s Map<String, Value>, name: &str) -> Below<'s> {
    if name == "length" {
        return Below::Open;
    }
    if !is_index(name) {
        return plain(&["array"], &["length"]);
    }
    match node.get("items") {
        Some(inner @ Value::Object(_)) if !node.contains_key("prefixItems") => Below::Schema(inner),
        Some(_) | None => Below::Open,
    }
}

fn of_scalar<'s>(types: &[&str], name: &str) -> Below<'s> {
    if types.contains(&"string") && (name == "length" || is_index(name)) {
        return Below::Open;
    }
    let known: &[&str] = if types.contains(&"string") {
        &["length"]
    } else {
        &[]
    };
    plain(types, known)
}

fn plain<'s>(types: &[&str], known: &'static [&'static str]) -> Below<'s> {
    let words: Vec<&str> = types.iter().map(|kind| kinds::plain(kind)).collect();
    let kind = if words.is_empty() {
        "empty".to_owned()
    } else {
        kinds::either(&words)
    };
    Below::Absent(Owner::Plain { kind, known })
}

fn is_index(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The schema that a reference leads to; none if it cannot be told.
fn resolved<'s>(root: &'s Value, node: &'s Value) -> Option<&'s Value> {
    let mut node = node;
    for _ in 0..MAX_REFERENCES {
        let Some(reference) = node.get("$ref") else {
            return Some(node);
        };
        // What stands beside a reference says more of this place than the reference does.
        if node.get("type").is_some() || node.get("properties").is_some() {
            return Some(node);
        }
        node = root.pointer(reference.as_str()?.strip_prefix('#')?)?;
    }
    None
}
