//! What to do about values of a wrong kind, as far as the shapes and the value itself tell.

use serde_json::{Value, json};

use crate::diagnostic::Remedy;
use crate::id::StepId;
use crate::shape::{Form, Key, Presence, Shape, Whole};

/// The remedy for a key whose value is not what its form says.
pub(super) fn of_key(key: &Key, value: &Value) -> Option<Remedy> {
    match (key.form, value) {
        (_, Value::Null) => match key.presence {
            Presence::Required(_) => Some(Remedy::told(match key.example {
                Some(example) => format!("give it a value, for example {}", example()),
                None => "give it a value".to_owned(),
            })),
            Presence::Optional => None,
        },
        (Form::List(list), _) => items(list.of, value),
        (Form::Whole(whole), Value::Number(number)) => Some(nearest(whole, number.as_f64()?)),
        (Form::Whole(_), Value::String(text)) => text
            .trim()
            .parse::<u64>()
            .ok()
            .map(|number| Remedy::put(format!("write {number}, without quotes"), number)),
        (Form::Duration(_), Value::Number(number)) => Some(no_whole_time(number.as_f64())),
        (Form::Object, Value::Array(items)) => Some(Remedy::told(if key.name == "args" {
            let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            let command = words.map_or_else(|| "ls".to_owned(), |words| words.join(", "));
            format!("give every argument its name, for example {{command: [{command}]}}")
        } else {
            "give every value its name".to_owned()
        })),
        (Form::Object, Value::String(_)) if key.name == "args" => Some(Remedy::told(
            "give every argument its name, for example {command: [ls, -l]}",
        )),
        (_, _) => None,
    }
}

/// `3.0` and `1e3` are whole, but not written so; others are too small, too large or in between.
fn nearest(range: Whole, number: f64) -> Remedy {
    let most = range.most.unwrap_or(u64::MAX);
    let shown: Option<u64> = format!("{number}").parse().ok();
    match shown {
        Some(whole) if (range.least..=most).contains(&whole) => {
            Remedy::put(format!("write {whole}"), whole)
        }
        Some(whole) if whole > most => Remedy::told(format!("write {most} or less")),
        Some(_) => Remedy::told(format!("write {} or more", range.least)),
        None if number < 0.0 => Remedy::told(format!("write {} or more", range.least)),
        None => Remedy::told("write a number without a fraction"),
    }
}

fn no_whole_time(number: Option<f64>) -> Remedy {
    match number {
        Some(number) if number < 0.0 => {
            Remedy::told("a time cannot be negative; write for example \"30s\"")
        }
        Some(_) | None => {
            Remedy::told("a number is in milliseconds; with a unit write for example \"500ms\"")
        }
    }
}

/// The remedy where a list should be.
fn items(of: Form, value: &Value) -> Option<Remedy> {
    match (of, value) {
        (Form::Mapping(_) | Form::Choice(_), Value::Object(_)) => {
            let what = match of {
                Form::Choice(choice) => choice.common.name,
                Form::Mapping(shape) => shape.name,
                Form::Text
                | Form::Pattern(_)
                | Form::Words(_)
                | Form::Whole(_)
                | Form::Number { .. }
                | Form::Boolean
                | Form::Duration(_)
                | Form::List(_)
                | Form::Either(_)
                | Form::Named(_)
                | Form::Object
                | Form::Input(_)
                | Form::Any
                | Form::OneOf(_) => "item",
            };
            // Some tools have the steps under their names.
            let named = value.as_object().and_then(|map| map.iter().next());
            Some(Remedy::told(match (of, named) {
                (Form::Choice(_), Some((name, Value::Object(_)))) => {
                    format!("write a list: begin each {what} with `- id: `, as `- id: {name}`")
                }
                (_, _) => format!("begin each {what} with `- `"),
            }))
        }
        (Form::Pattern(_) | Form::Text, Value::String(text)) => {
            let words: Vec<&str> = text
                .split([',', ' '])
                .filter(|word| !word.is_empty())
                .collect();
            // With quotes, which TOML needs and nobody refuses.
            let quoted: Vec<String> = words.iter().map(|word| json!(word).to_string()).collect();
            Some(Remedy::put(
                format!("write [{}]", quoted.join(", ")),
                json!(words),
            ))
        }
        (_, _) => None,
    }
}

/// The remedy where a mapping of a shape should be.
pub(super) fn of_shape(shape: &Shape, value: &Value) -> Option<Remedy> {
    if let Some(main) = main_key(shape) {
        let fits = match value {
            Value::Number(_) => matches!(main.form, Form::Whole(_)),
            Value::String(_) => matches!(main.form, Form::Text | Form::Pattern(_)),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        };
        if fits {
            return Some(under(main.name, value));
        }
    }
    let help = match (shape.name, value) {
        ("workflow", Value::Array(_)) => {
            "write `name: …` and `steps:` above the list, and indent it".to_owned()
        }
        ("workflow", _) => {
            "write keys with their values, a colon and a blank between them, as `name: Nightly`"
                .to_owned()
        }
        ("step", Value::String(text)) => {
            let id = slug(text).unwrap_or_else(|| "start".to_owned());
            format!("write {{id: {id}, action: noop}}, or another action")
        }
        ("branch", Value::String(_)) => "write {condition: result.ok, goto: next-step}".to_owned(),
        ("retry" | "concurrency", Value::Bool(_)) => {
            let main = main_key(shape)?;
            return Some(under(
                main.name,
                &json!(if shape.name == "retry" { 3 } else { 1 }),
            ));
        }
        (_, Value::Null) => "give it a value, or remove the key".to_owned(),
        (_, _) => return None,
    };
    Some(Remedy::told(help))
}

/// The key that says most, for authors who write its value alone.
fn main_key(shape: &Shape) -> Option<&'static Key> {
    let name = match shape.name {
        "retry" => "maxAttempts",
        "concurrency" => "limit",
        _ => return None,
    };
    shape.key(name)
}

fn under(name: &str, value: &Value) -> Remedy {
    let value = match value.as_i64() {
        Some(number) if number < 1 => json!(1),
        Some(_) | None => value.clone(),
    };
    let whole = json!({ name: value });
    Remedy::put(format!("write {{{name}: {value}}}"), whole)
}

/// A text as the id of a step, if enough of it is left.
pub(super) fn slug(text: &str) -> Option<String> {
    let mut slug = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => slug.push(c),
            'ä' | 'æ' => slug.push_str("ae"),
            'ö' | 'œ' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            'à'..='å' => slug.push('a'),
            'ç' => slug.push('c'),
            'è'..='ë' => slug.push('e'),
            'ì'..='ï' => slug.push('i'),
            'ñ' => slug.push('n'),
            'ò'..='õ' | 'ø' => slug.push('o'),
            'ù'..='û' => slug.push('u'),
            'ý' | 'ÿ' => slug.push('y'),
            c if c.is_alphabetic() => return None,
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    let slug = if slug.starts_with(|c: char| c.is_ascii_digit()) {
        format!("step-{slug}")
    } else {
        slug.to_owned()
    };
    StepId::try_new(&*slug).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_an_id_that_reads_like_the_text() {
        for (text, expect) in [
            ("check health", Some("check-health")),
            ("prüfen", Some("pruefen")),
            ("Straße & Café!", Some("Strasse-Cafe")),
            ("1.10", Some("step-1-10")),
            ("- ", None),
            ("проверка", None),
            ("$end", Some("end")),
        ] {
            assert_eq!(slug(text).as_deref(), expect, "{text}");
        }
        assert_eq!(slug(&"x".repeat(65)), None);
    }
}
