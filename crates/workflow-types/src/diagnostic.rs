//! What is wrong with an author's text: stable codes, places and remedies, all of them at once.
//!
//! A diagnostic knows no file. It points at a node of the document by JSON pointer, so that a
//! definition built in Rust or sent as JSON gets the same ones; a [`crate::SourceMap`] turns the
//! place into line and column. Rendering is the host's.

mod alias;
mod code;
mod line;
mod nearness;
mod pointer;
mod report;

use std::fmt;
use std::ops::Range;

use serde_json::Value;

pub use code::{Code, Severity, UnknownCode};
pub(crate) use line::{escaped, escaped_char};
pub use pointer::Pointer;
pub use report::closest;
pub(crate) use report::{Remedy, Report, Scope, describe, listed, type_remedy};

/// Where in a document something stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A node of the document.
    Node {
        /// The node.
        pointer: Pointer,
        /// Which part of it.
        part: Part,
    },
    /// A range of bytes in the text, for text that has no nodes (syntax errors).
    Text(Range<usize>),
}

/// The part of a node that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// The key under which the node stands in its mapping.
    Key,
    /// The node's value as a whole.
    Value,
    /// A range of bytes inside the node's string value.
    Inside(Range<usize>),
}

/// A second place that explains a diagnostic, such as the first of two equal ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is to be said of it.
    pub text: String,
}

/// A replacement that mends the problem by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced.
    pub place: Place,
    /// What takes its place.
    pub replacement: Replacement,
}

/// What takes the place of a mistake; a [`SourceMap`](crate::SourceMap) knows how its text has it
/// written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replacement {
    /// Characters, for a range of the text or of a string.
    Text(String),
    /// A whole value, or the name of a key.
    Value(Value),
}

/// As an author thinks of it: a string without quotes, another value as JSON.
impl fmt::Display for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Value(Value::String(text)) => f.write_str(text),
            Self::Value(value) => value.fmt(f),
        }
    }
}

/// One problem of a document: what was found, what was expected, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, as `WF0107`.
    pub code: Code,
    /// Whether the document is refused.
    pub severity: Severity,
    /// Found and expected, in one sentence: lower case, no full stop.
    pub message: String,
    /// Where the problem is.
    pub place: Place,
    /// What is said right at the place; may be empty.
    pub label: String,
    /// Other places that explain it.
    pub related: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// The one change that mends it, where there is only one.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A problem at a place, with the code's own severity.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            place,
            label: String::new(),
            related: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// With a text right at the place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// With a remedy.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// With a second place that explains the problem.
    #[must_use]
    pub fn related(mut self, place: Place, text: impl Into<String>) -> Self {
        let text = text.into();
        self.related.push(Label { place, text });
        self
    }

    /// With the characters that mend it at its own place.
    #[must_use]
    pub fn fix(self, text: impl Into<String>) -> Self {
        self.mended(Replacement::Text(text.into()))
    }

    /// With the value, or the name of the key, that mends it at its own place.
    #[must_use]
    pub fn fix_value(self, value: impl Into<Value>) -> Self {
        self.mended(Replacement::Value(value.into()))
    }

    fn mended(mut self, replacement: Replacement) -> Self {
        self.fix = Some(Fix {
            place: self.place.clone(),
            replacement,
        });
        self
    }
}

/// `WF0107 at /steps/0/branches/1/goto: message (help)`, for where no source text is at hand.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.severity, self.code)?;
        match &self.place {
            Place::Node { pointer, .. } => write!(f, " at {pointer}: ")?,
            Place::Text(range) => write!(f, " at byte {}: ", range.start)?,
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " (help: {help})"),
            None => Ok(()),
        }
    }
}

/// All problems of one document, in the order of their discovery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// The problems in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that refuse the document.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|d| d.severity == Severity::Error)
    }

    /// Those that only inform.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|d| d.severity == Severity::Warning)
    }

    /// Whether one of them refuses the document.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(list: Vec<Diagnostic>) -> Self {
        Self(list)
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
