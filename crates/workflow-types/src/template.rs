//! Templates: strings with `{{ expression }}` in them, parsed once and rendered from a scope.
//!
//! Must not know workflows, nor which names a scope has. What a template puts in is data and is
//! never read as a template again.
//!
//! - `{{ expression }}` and `{{ expression | json }}` may stand anywhere in a string. A `}}`
//!   within a string literal of the expression does not end it.
//! - A string that is one whole `{{ expression }}` keeps the value's type; `undefined` is `null`.
//! - Elsewhere strings go in as they are, `undefined` and `null` as nothing, the rest as compact
//!   JSON. `| json` gives the JSON text of any value, also when it is the whole string.
//! - `{{ secrets.NAME }}` leaves a place for a secret, shown as `[secret NAME]`: see [`SecretMark`].
//!   It is no value that an expression could compute with.
//! - `\{{` is a literal `{{`. To write a backslash before an expression: `{{ '\\' }}{{ input }}`.
//!
//! Whatever the data, rendering does a bounded amount of work and gives at most [`MAX_OUTPUT`]
//! bytes.

mod args;
mod body;
mod output;
mod secret;
mod secret_text;

use std::fmt;
use std::ops::Range;

use serde_json::Value;

use crate::expression::{Datum, EvalError, EvalErrorKind, Expression, Reference, Scope};
use crate::id::SecretName;

pub use args::ArgsTemplate;
use body::Body;
use output::{Full, Limits};
pub use secret::{Rendered, RevealError, SECRETS, SecretMark, reveal, shown};
pub use secret_text::{NoValue, SecretText};

/// The most bytes that rendering gives: of text, or of a value's compact JSON.
pub const MAX_OUTPUT: usize = 1024 * 1024;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A string with expressions in it, parsed and ready to be rendered.
///
/// # Examples
///
/// ```
/// use serde_json::json;
/// use workflow_types::template::Template;
///
/// let scope = json!({ "input": { "retries": 3, "name": "api", "tags": ["a"] } });
/// let scope = scope.as_object().unwrap();
/// let render = |source| Template::parse(source).unwrap().render(scope).unwrap();
///
/// assert_eq!(render("{{ input.retries }}"), json!(3));
/// assert_eq!(render("deploy {{ input.name }} {{ input.tags }}"), json!("deploy api [\"a\"]"));
/// assert_eq!(render("{{ input.name | json }}"), json!("\"api\""));
/// assert_eq!(render(r"\{{ input.name }}"), json!("{{ input.name }}"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    // Boxed, so that the room a growing list leaves free is small: a string may have 50,000 of them.
    Insert(Box<Insert>),
}

#[derive(Debug, Clone, PartialEq)]
struct Insert {
    /// Where the expression begins in the template.
    offset: usize,
    expression: Expression,
    filter: Filter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    None,
    Json,
}

/// Why a string is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct TemplateError {
    /// Where the mistake is, in bytes of the whole string.
    pub span: Range<usize>,
    /// What was expected and what was found.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The text that mends it in the place of the span, where there is only one.
    pub fix: Option<String>,
}

/// Why a template gives nothing for the data it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct RenderError {
    span: Range<usize>,
    kind: RenderErrorKind,
}

/// The kinds of [`RenderError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenderErrorKind {
    /// An expression has no value.
    Evaluation(EvalErrorKind),
    /// The result has more than [`MAX_OUTPUT`] bytes.
    TooLong,
}

impl fmt::Display for RenderErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evaluation(kind) => kind.fmt(f),
            Self::TooLong => write!(f, "the result has more than {MAX_OUTPUT} bytes"),
        }
    }
}

impl RenderError {
    /// What in the template failed, in bytes of the whole string.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What went wrong.
    pub fn kind(&self) -> &RenderErrorKind {
        &self.kind
    }
}

impl Template {
    /// Parses a template. Every string without `{{` is one.
    ///
    /// # Errors
    ///
    /// The first mistake, with its place, which may be inside an expression.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut at = 0;
        while let Some(open) = find(source, at, OPEN) {
            let before = source.get(at..open).unwrap_or_default();
            if let Some(before) = before.strip_suffix('\\') {
                text.push_str(before);
                text.push_str(OPEN);
                at = open + OPEN.len();
                continue;
            }
            text.push_str(before);
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            let body = Body::find(source, open)?;
            parts.push(Part::Insert(Box::new(body.parse(source)?)));
            at = body.end + CLOSE.len();
        }
        text.push_str(source.get(at..).unwrap_or_default());
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self {
            source: source.to_owned(),
            parts,
        })
    }

    /// Stands for a string that cannot be parsed, where further mistakes are looked for.
    pub(crate) fn unreadable(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            parts: Vec::new(),
        }
    }

    /// The string that was parsed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether there is no expression in it.
    pub fn is_literal(&self) -> bool {
        self.as_literal().is_some()
    }

    /// Whether it is one expression and nothing around it, so that its value keeps its type.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Insert(_)])
    }

    /// The text that it always gives, if there is no expression in it.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Everything that it may read, with places in the whole string.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        self.expressions().flat_map(|(offset, expression)| {
            let own = expression.references().iter();
            own.map(move |reference| reference.shifted(offset))
        })
    }

    /// Every expression in it, with the byte of the whole string at which it begins.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = (usize, &Expression)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Insert(insert) => Some((insert.offset, &insert.expression)),
        })
    }

    /// Every secret that it leaves a place for, with the bytes of the whole string that name it.
    pub fn secrets(&self) -> impl Iterator<Item = (Range<usize>, SecretName)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Insert(insert) => {
                let name = insert.secret()?;
                let own = insert.expression.references().first()?;
                let end = own.path().last()?.span().end;
                let span = own.root().span().start..end;
                Some((shifted(&span, insert.offset), name))
            }
        })
    }

    /// The value for the data in `scope`, as it may be shown.
    ///
    /// Depends on nothing but the template and the data.
    ///
    /// # Errors
    ///
    /// If an expression has no value, or the result is too long.
    pub fn render(&self, scope: &dyn Scope) -> Result<Value, RenderError> {
        self.render_within(scope, &mut Limits::default())
    }

    /// As [`render`](Self::render), with the places of secrets.
    ///
    /// # Errors
    ///
    /// Those of [`render`](Self::render).
    pub fn render_with_secrets(&self, scope: &dyn Scope) -> Result<Rendered, RenderError> {
        let mut limits = Limits::default();
        let value = self.render_within(scope, &mut limits)?;
        Ok(Rendered {
            value,
            secrets: limits.secrets,
        })
    }

    /// As [`render`](Self::render), from limits that several templates share.
    fn render_within(&self, scope: &dyn Scope, limits: &mut Limits) -> Result<Value, RenderError> {
        if let [Part::Insert(insert)] = self.parts.as_slice()
            && insert.filter == Filter::None
            && insert.secret().is_none()
        {
            let datum = insert.evaluate(scope, limits)?;
            return limits.value(&datum).map_err(|full| insert.full(full));
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => {
                    let end = self.source.len();
                    limits
                        .append(&mut text, part)
                        .map_err(|Full| too_long(0..end))?;
                }
                Part::Insert(insert) => insert.append_to(&mut text, scope, limits)?,
            }
        }
        Ok(Value::String(text))
    }
}

impl Insert {
    /// The secret that it is, if it is nothing else.
    fn secret(&self) -> Option<SecretName> {
        match self.filter {
            Filter::None => secret::named_by(&self.expression),
            Filter::Json => None,
        }
    }

    fn evaluate<'a>(
        &'a self,
        scope: &'a dyn Scope,
        limits: &mut Limits,
    ) -> Result<Datum<'a>, RenderError> {
        let value = self.expression.evaluate_within(scope, &mut limits.budget);
        value.map_err(|error: EvalError| RenderError {
            span: shifted(&error.span(), self.offset),
            kind: RenderErrorKind::Evaluation(error.kind().clone()),
        })
    }

    fn append_to(
        &self,
        text: &mut String,
        scope: &dyn Scope,
        limits: &mut Limits,
    ) -> Result<(), RenderError> {
        if let Some(name) = self.secret() {
            return limits
                .leave_place(text, name)
                .map_err(|full| self.full(full));
        }
        let datum = self.evaluate(scope, limits)?;
        let appended = match (self.filter, &datum) {
            (Filter::None, Datum::Undefined | Datum::Null) => Ok(()),
            (Filter::None, Datum::String(own)) => limits.append(text, own),
            (Filter::None | Filter::Json, datum) => limits.append_json(text, datum),
        };
        appended.map_err(|full| self.full(full))
    }

    fn full(&self, Full: Full) -> RenderError {
        let end = self.offset + self.expression.source().len();
        too_long(self.offset..end)
    }
}

fn too_long(span: Range<usize>) -> RenderError {
    RenderError {
        span,
        kind: RenderErrorKind::TooLong,
    }
}

fn shifted(span: &Range<usize>, offset: usize) -> Range<usize> {
    span.start + offset..span.end + offset
}

fn find(source: &str, from: usize, wanted: &str) -> Option<usize> {
    Some(from + source.get(from..)?.find(wanted)?)
}

#[cfg(test)]
mod tests;
