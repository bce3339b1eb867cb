//! Collects diagnostics while a document is read, with the words that many of them share.

use serde_json::Value;

use super::{Code, Diagnostic, Diagnostics, Part, Place, Pointer};

/// The diagnostics found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    list: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    pub(crate) fn as_slice(&self) -> &[Diagnostic] {
        &self.list
    }

    pub(crate) fn contains(&self, diagnostic: &Diagnostic) -> bool {
        self.list.contains(diagnostic)
    }

    /// Whether the same was said before, at whatever place.
    pub(crate) fn has(&self, code: Code, message: &str) -> bool {
        self.list
            .iter()
            .any(|d| d.code == code && d.message == message)
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.list
            .iter()
            .any(|d| d.severity == super::Severity::Error)
    }

    pub(crate) fn finish(self) -> Diagnostics {
        Diagnostics(self.list)
    }

    /// `name` is an integer, expected a string.
    pub(crate) fn wrong_type(&mut self, at: &Pointer, expected: &str, found: &Value) {
        let place = Place::value(at);
        let replaced = |d: &Diagnostic| d.code == Code::Unsupported && d.place == place;
        if found.is_null() && self.list.iter().any(replaced) {
            // It only stands for a value that could not be read, which was said.
            return;
        }
        let mut diagnostic = Diagnostic::new(
            Code::WrongType,
            place,
            format!("`{at}` is {}, expected {expected}", describe(found)),
        )
        .label(format!("expected {expected}"));
        if let Some(help) = type_help(expected, found) {
            diagnostic = diagnostic.help(help);
        }
        self.push(diagnostic);
    }

    /// A value of the right type that is not allowed, with the reason.
    pub(crate) fn invalid(&mut self, at: &Pointer, reason: impl std::fmt::Display) {
        self.push(Diagnostic::new(
            Code::InvalidValue,
            Place::value(at),
            format!("`{at}` is not valid: {reason}"),
        ));
    }
}

impl Place {
    /// The value of a node.
    pub fn value(pointer: &Pointer) -> Self {
        Self::Node {
            pointer: pointer.clone(),
            part: Part::Value,
        }
    }

    /// The key of a node.
    pub fn key(pointer: &Pointer) -> Self {
        Self::Node {
            pointer: pointer.clone(),
            part: Part::Key,
        }
    }

    /// A range of bytes inside a node's string value.
    pub fn inside(pointer: &Pointer, range: std::ops::Range<usize>) -> Self {
        Self::Node {
            pointer: pointer.clone(),
            part: Part::Inside(range),
        }
    }
}

/// The kind of a value in an author's words.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Bool(flag) => format!("the boolean {flag}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() <= 40 => format!("the string \"{text}\""),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// The mistakes behind a wrong type that are met again and again.
fn type_help(expected: &str, found: &Value) -> Option<String> {
    match found {
        Value::String(text) if expected == "a boolean" => {
            let word = text.to_ascii_lowercase();
            match word.as_str() {
                "yes" | "on" | "true" | "y" => Some("write `true`, without quotes".to_owned()),
                "no" | "off" | "false" | "n" => Some("write `false`, without quotes".to_owned()),
                _ => None,
            }
        }
        Value::Number(_) | Value::Bool(_) if expected == "a string" => {
            Some(format!("put it in quotes: \"{found}\""))
        }
        Value::Null => Some("give it a value, or remove the key".to_owned()),
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// The known word that an author most likely meant, if one is near enough.
pub fn closest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = found.to_lowercase();
    let limit = (found.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|word| {
            (
                strsim::damerau_levenshtein(&lower, &word.to_lowercase()),
                word,
            )
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["announce", "rollback", "approvalRequired"];
        assert_eq!(closest("anounce", known), Some("announce"));
        assert_eq!(
            closest("approval_requierd", ["approval_required"]),
            Some("approval_required")
        );
        assert_eq!(closest("x", known), None);
        assert_eq!(closest("deploy", known), None);
    }
}
