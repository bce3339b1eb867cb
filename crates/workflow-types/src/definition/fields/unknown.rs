//! What is said of a key that is not known: the key that was meant, and what it explains.

use serde_json::{Map, Value};

use crate::diagnostic::{Code, Diagnostic, Place, Remedy, closest};
use crate::shape::{Shape, habits, snake_case};

/// A key that is not known.
pub(super) struct Unknown {
    pub(super) diagnostic: Diagnostic,
    /// Required keys that need not be asked for as well: this one was meant by them.
    pub(super) explains: Vec<&'static str>,
}

/// Looks at a key at a place; `owner` is what an author would call the mapping.
pub(super) fn key(
    key: &str,
    place: Place,
    owner: &str,
    map: &Map<String, Value>,
    shapes: &[&'static Shape],
) -> Unknown {
    let diagnostic = Diagnostic::new(
        Code::UnknownKey,
        place,
        format!("the key `{key}` is not known in {owner}"),
    )
    .label("unknown key");
    let (remedy, explains) = remedy(key, map, shapes);
    Unknown {
        diagnostic: remedy.of(diagnostic),
        explains,
    }
}

/// The one key of a mapping under which all stands that should stand in the mapping itself.
pub(super) fn wrapper<'v>(map: &'v Map<String, Value>, shape: &Shape) -> Option<&'v str> {
    let inner = wrapped(map, shape.name)?;
    let (key, _) = map
        .iter()
        .find(|(_, value)| value.as_object() == Some(inner))?;
    (!shape.knows(key)).then_some(key)
}

/// What stands under the one key of a mapping, if it is a workflow or a step.
pub(in crate::definition) fn wrapped<'v>(
    map: &'v Map<String, Value>,
    shape: &str,
) -> Option<&'v Map<String, Value>> {
    let signs: &[&str] = match shape {
        "workflow" => &["steps"],
        "step" => &["id", "action"],
        _ => &[],
    };
    let mut values = map.values();
    let inner = values.next().filter(|_| values.next().is_none())?;
    let inner = inner.as_object()?;
    let is_one = signs.iter().any(|sign| inner.contains_key(*sign));
    is_one.then_some(inner)
}

fn remedy(
    key: &str,
    map: &Map<String, Value>,
    shapes: &[&'static Shape],
) -> (Remedy, Vec<&'static str>) {
    if key == "<<" {
        let help = "merge keys are not supported; write the keys out";
        return (Remedy::told(help), Vec::new());
    }
    let keys = || {
        shapes
            .iter()
            .flat_map(|shape| shape.keys)
            .map(|key| key.name)
    };
    let is_free = |name: &&str| !map.contains_key(*name) && !map.contains_key(&snake_case(name));
    // In the spelling of what is known here, so that only what is misspelt counts.
    let spelt = if keys().any(|name| name.contains('_')) {
        snake_case(key)
    } else {
        camel_case(key)
    };
    if let Some(near) = closest(&spelt, keys().filter(is_free)) {
        return (Remedy::meant(near), vec![near]);
    }
    let mut taken = closest(&spelt, keys());
    for habit in shapes.iter().flat_map(|shape| habits::of(shape.name, key)) {
        let explains = habit.explains.to_vec();
        match (habit.help, habit.explains.first()) {
            (Some(help), _) => return (Remedy::told(help), explains),
            (None, Some(name)) if !keys().any(|key| key == *name) => {}
            (None, Some(name)) if is_free(name) => return (Remedy::meant(name), explains),
            (None, name) => taken = taken.or(name.copied()),
        }
    }
    let help = match taken {
        Some(name) => format!("remove it: `{name}` is there already"),
        None => format!("known here: {}", keys().collect::<Vec<_>>().join(", ")),
    };
    (Remedy::told(help), Vec::new())
}

/// `on_success` as `onSuccess`, so that a misspelt key is compared in one spelling.
fn camel_case(key: &str) -> String {
    let mut camel = String::with_capacity(key.len());
    let mut upper = false;
    for c in key.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            camel.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            camel.push(c);
        }
    }
    camel
}
