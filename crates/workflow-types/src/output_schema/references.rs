//! What a schema refers to: places within itself, and the draft that it follows.

use serde_json::Value;

use super::checker::Checker;
use super::keywords::{self, Shape};
use super::mismatch::MAX_GUESSED;
use super::problem::Problem;
use crate::diagnostic::{Pointer, closest};

impl Checker<'_> {
    /// A reference into the schema itself must lead somewhere, and no other schema is read.
    pub(super) fn reference(&mut self, at: &Pointer, value: &Value) {
        let Some(text) = value.as_str() else {
            self.plain(Shape::Reference, at, value);
            return;
        };
        // An `$id` gives every reference another meaning.
        if self.root.get("$id").is_some() || is_draft(text) {
            return;
        }
        let Some(inner) = text.strip_prefix('#') else {
            let message = format!("`{}` leads out of the schema, to {text}", self.path(at));
            self.wrong.push(
                Problem::value(at.clone(), message)
                    .label("no other schema is read")
                    .help("copy it under `$defs` and refer to it as #/$defs/NAME"),
            );
            return;
        };
        if inner.starts_with('/') && self.root.pointer(inner).is_none() {
            self.dangling(at, text, inner);
        } else if self.leads_nowhere_but_back(inner) {
            let message = format!(
                "`{}` leads to {text}, which only refers back",
                self.path(at)
            );
            self.wrong.push(
                Problem::value(at.clone(), message)
                    .label("goes in a circle")
                    .help("let one of the schemas on the way say something, or remove it"),
            );
        }
    }

    /// Whether references alone lead from a place of the schema to a place that was passed before.
    /// A schema that also says something beside its reference is none of them.
    fn leads_nowhere_but_back(&self, from: &str) -> bool {
        let mut passed: Vec<&str> = Vec::new();
        let mut at = from;
        loop {
            if passed.contains(&at) {
                return true;
            }
            passed.push(at);
            let schema = self.root.pointer(at).and_then(Value::as_object);
            let Some(next) = schema
                .filter(|schema| {
                    schema
                        .keys()
                        .all(|key| key == "$ref" || keywords::is_idle(key))
                })
                .and_then(|schema| schema.get("$ref")?.as_str()?.strip_prefix('#'))
            else {
                return false;
            };
            at = next;
        }
    }

    fn dangling(&mut self, at: &Pointer, text: &str, target: &str) {
        let (parent, name) = target.rsplit_once('/').unwrap_or_default();
        let siblings = self.root.pointer(parent).and_then(Value::as_object);
        let names = siblings
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str());
        let near = (self.wrong.len() < MAX_GUESSED)
            .then(|| closest(name, names))
            .flatten();
        let message = format!("`{}` leads to {text}, where nothing stands", self.path(at));
        let problem = Problem::value(at.clone(), message).label("leads nowhere");
        self.wrong.push(match near {
            Some(near) => problem
                .help(format!("did you mean `#{parent}/{near}`?"))
                .fix(format!("#{parent}/{near}")),
            None => problem.help("put the schema there, or change the reference"),
        });
    }

    /// The draft that the schema follows.
    pub(super) fn draft(&mut self, at: &Pointer, value: &Value) {
        if value.as_str().is_some_and(is_draft) {
            return;
        }
        let problem = self.expected(at, value, "the address of a draft of JSON Schema");
        let help = "remove it, or write https://json-schema.org/draft/2020-12/schema";
        self.wrong.push(problem.help(help));
    }

    /// Whether the schema says that it follows a draft in which more was allowed.
    pub(super) fn is_old(&self) -> bool {
        let draft = self.root.get("$schema").and_then(Value::as_str);
        draft.is_some_and(|draft| draft.contains("draft-0"))
    }
}

/// Whether a text is the address of a draft of JSON Schema.
fn is_draft(text: &str) -> bool {
    text.contains("json-schema.org/draft")
}
