//! Collects diagnostics while a document is read, with the words that many of them share.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::alias::Aliases;
use super::line::escaped;
use super::nearness::Effort;
use super::{Code, Diagnostic, Diagnostics, Part, Place, Pointer, Severity};
use crate::source::SourceMap;

/// Most diagnostics of one text that are kept. Nobody reads as many, and what makes more of them
/// is no text of a person.
const MAX_KEPT: usize = 1_000;

/// The diagnostics found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    list: Vec<Diagnostic>,
    scope: Scope,
    /// Numbers that are written otherwise than JSON writes them, as `1e9` or `1.10`.
    numbers: HashMap<Pointer, String>,
    /// What was said of repeated keys: there may be thousands of them, and each is asked about.
    repeated: HashSet<String>,
    /// Where a value could not be read, which is asked about for every empty one.
    unsupported: HashSet<Place>,
    aliases: Aliases,
    effort: Cell<Effort>,
    refused: bool,
    dropped: usize,
}

/// What is looked for while a document is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything that is wrong or surprising.
    #[default]
    Everything,
    /// Only what keeps the value from being built: the document was judged when it was written
    /// down, and stays readable when judgement becomes stricter.
    Buildable,
}

impl Report {
    pub(crate) fn within(scope: Scope) -> Self {
        Self {
            scope,
            ..Self::default()
        }
    }

    /// Whether mistakes are looked for that do not keep the value from being built.
    pub(crate) fn judges(&self) -> bool {
        self.scope == Scope::Everything
    }

    /// Remembers how a number is written.
    pub(crate) fn number_is_written(&mut self, at: Pointer, text: &str) {
        self.numbers.insert(at, text.to_owned());
    }

    /// Remembers which node an alias repeats.
    pub(crate) fn is_alias(&mut self, alias: Pointer, original: Pointer) {
        self.aliases.insert(alias, original);
    }

    /// A value as its author wrote it.
    pub(crate) fn written(&self, at: &Pointer, value: &Value) -> String {
        match self.numbers.get(at) {
            Some(text) => text.clone(),
            None => value.to_string(),
        }
    }

    /// The kind of a value in its author's words and spelling.
    pub(crate) fn describe(&self, at: &Pointer, value: &Value) -> String {
        match self.numbers.get(at) {
            Some(text) => format!("the number {text}"),
            None => describe(value),
        }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        // The first error is kept in any case: it refuses the text.
        let is_error = diagnostic.severity == Severity::Error;
        if self.list.len() >= MAX_KEPT && (self.refused || !is_error) {
            self.dropped += 1;
            return;
        }
        self.refused |= is_error;
        if diagnostic.code == Code::DuplicateKey {
            self.repeated.insert(diagnostic.message.clone());
        } else if diagnostic.code == Code::Unsupported {
            self.unsupported.insert(diagnostic.place.clone());
        }
        self.list.push(on_one_line(diagnostic));
    }

    pub(crate) fn as_slice(&self) -> &[Diagnostic] {
        &self.list
    }

    pub(crate) fn contains(&self, diagnostic: &Diagnostic) -> bool {
        self.list.contains(diagnostic)
    }

    /// Whether any value could not be read.
    pub(crate) fn has_unsupported(&self) -> bool {
        !self.unsupported.is_empty()
    }

    /// Whether the same was said of a repeated key before, at whatever place.
    pub(crate) fn has_repeated(&self, message: &str) -> bool {
        self.repeated.contains(message)
    }

    /// The known word that an author most likely meant, for lists of words as long as a text may
    /// make them: after some thousands of comparisons in one report there are no more guesses.
    pub(crate) fn closest<'a>(
        &self,
        found: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        let mut effort = self.effort.get();
        let near = closest_within(&mut effort, found, known);
        self.effort.set(effort);
        near
    }

    /// Of two keys that are one, the label "first here" belongs to the one that stands first; who
    /// read the value could not see the text.
    pub(crate) fn tell_in_order(&mut self, map: &SourceMap) {
        let repeated = self.list.iter_mut();
        for diagnostic in repeated.filter(|found| found.code == Code::DuplicateKey) {
            if let [first] = diagnostic.related.as_mut_slice()
                && map.resolve(&first.place).start > map.resolve(&diagnostic.place).start
            {
                std::mem::swap(&mut first.place, &mut diagnostic.place);
            }
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.refused
    }

    pub(crate) fn finish(mut self) -> Diagnostics {
        self.aliases.told_once(&mut self.list);
        if let Some(last) = self.list.last_mut().filter(|_| self.dropped > 0) {
            let more = format!("{} more problems of this text are not shown", self.dropped);
            last.help = Some(match last.help.take() {
                Some(help) => format!("{help}; {more}"),
                None => more,
            });
        }
        Diagnostics(self.list)
    }

    /// `name` is an integer, expected a string.
    pub(crate) fn wrong_type(&mut self, at: &Pointer, expected: &str, found: &Value) {
        let written = self.written(at, found);
        self.wrong_type_but(at, expected, found, type_remedy(expected, found, &written));
    }

    /// As [`Self::wrong_type`], with its own remedy.
    pub(crate) fn wrong_type_but(
        &mut self,
        at: &Pointer,
        expected: &str,
        found: &Value,
        remedy: Option<Remedy>,
    ) {
        let place = Place::value(at);
        if found.is_null() && self.unsupported.contains(&place) {
            // It only stands for a value that could not be read, which was said.
            return;
        }
        let mut diagnostic = Diagnostic::new(
            Code::WrongType,
            place,
            format!(
                "{} is {}, expected {expected}",
                named(at),
                self.describe(at, found)
            ),
        )
        .label(format!("expected {expected}"));
        if let Some(remedy) = remedy {
            diagnostic = remedy.of(diagnostic);
        }
        self.push(diagnostic);
    }

    /// A value of the right type that is not allowed, with the reason.
    pub(crate) fn invalid(&mut self, at: &Pointer, reason: impl std::fmt::Display) {
        self.invalid_but(at, reason, None);
    }

    /// As [`Self::invalid`], with a remedy.
    pub(crate) fn invalid_but(
        &mut self,
        at: &Pointer,
        reason: impl std::fmt::Display,
        remedy: Option<Remedy>,
    ) {
        let diagnostic = Diagnostic::new(
            Code::InvalidValue,
            Place::value(at),
            format!("`{at}` is not valid: {reason}"),
        );
        self.push(match remedy {
            Some(remedy) => remedy.of(diagnostic),
            None => diagnostic,
        });
    }
}

/// What to do about a mistake, with the value that mends it where there is only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remedy {
    pub(crate) help: String,
    pub(crate) fix: Option<Value>,
}

impl Remedy {
    /// A remedy in words alone.
    pub(crate) fn told(help: impl Into<String>) -> Self {
        Self {
            help: help.into(),
            fix: None,
        }
    }

    /// A remedy that takes the place of the mistake.
    pub(crate) fn put(help: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            help: help.into(),
            fix: Some(value.into()),
        }
    }

    /// The word that was most likely meant.
    pub(crate) fn meant(word: &str) -> Self {
        Self::put(format!("did you mean `{word}`?"), word)
    }

    /// A diagnostic with this remedy.
    pub(crate) fn of(self, diagnostic: Diagnostic) -> Diagnostic {
        let diagnostic = diagnostic.help(self.help);
        match self.fix {
            Some(value) => diagnostic.fix_value(value),
            None => diagnostic,
        }
    }
}

/// The same with all that it quotes shown on one line.
fn on_one_line(mut diagnostic: Diagnostic) -> Diagnostic {
    let texts = [&mut diagnostic.message, &mut diagnostic.label];
    for text in texts.into_iter().chain(diagnostic.help.as_mut()) {
        if let Cow::Owned(shown) = escaped(text) {
            *text = shown;
        }
    }
    diagnostic
}

/// A place in a sentence; the document as a whole has no name that could be quoted.
fn named(at: &Pointer) -> String {
    if *at == Pointer::root() {
        at.to_string()
    } else {
        format!("`{at}`")
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

/// Most names of a list that is shown as help: more than any mapping has whose keys are fixed.
const MAX_LISTED: usize = 40;

/// What is known at a place, in its order; the first of very many.
pub(crate) fn listed(names: &[&str]) -> String {
    match names.get(..MAX_LISTED) {
        Some(first) if names.len() > MAX_LISTED => {
            let more = names.len() - MAX_LISTED;
            format!("{} and {more} more", first.join(", "))
        }
        Some(_) | None => names.join(", "),
    }
}

/// The mistakes behind a wrong type that are met again and again.
pub(crate) fn type_remedy(expected: &str, found: &Value, written: &str) -> Option<Remedy> {
    match found {
        Value::String(text) if expected == "a boolean" => {
            let word = text.to_ascii_lowercase();
            match word.as_str() {
                "yes" | "on" | "true" | "y" => {
                    Some(Remedy::put("write `true`, without quotes", true))
                }
                "no" | "off" | "false" | "n" => {
                    Some(Remedy::put("write `false`, without quotes", false))
                }
                _ => None,
            }
        }
        Value::Number(_) | Value::Bool(_) if expected == "a string" => Some(Remedy::put(
            format!("put it in quotes: \"{written}\""),
            written,
        )),
        Value::Null => Some(Remedy::told("give it a value, or remove the key")),
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// The known word that an author most likely meant, if one is near enough.
pub fn closest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    closest_within(&mut Effort::default(), found, known)
}

fn closest_within<'a>(
    effort: &mut Effort,
    found: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = found.to_lowercase();
    // Two words of one or two letters are always near each other, and mostly not meant.
    let limit = (found.chars().count() / 3).min(3);
    known
        .into_iter()
        .filter_map(|word| {
            let distance = effort.distance(&lower, &word.to_lowercase(), limit)?;
            Some((distance, word))
        })
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
        assert_eq!(closest("x", ["y", "xs"]), None);
        assert_eq!(closest("ab", ["ac"]), None);
        assert_eq!(closest("ID", ["id"]), Some("id"));
        assert_eq!(closest("nam", ["name"]), Some("name"));
        assert_eq!(closest("deploy", known), None);
    }
}
