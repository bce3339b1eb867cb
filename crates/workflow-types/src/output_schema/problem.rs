//! One problem of a schema, or of a value that misses its schema, with its own place and remedy.

use std::fmt;

use crate::diagnostic::{Code, Diagnostic, Part, Place, Pointer};

/// What is wrong at one place of a schema or of a value.
///
/// ```
/// use serde_json::json;
/// use workflow_types::output_schema::{Subject, ValueSchema};
/// let schema = ValueSchema::parse(&json!({"url": "string"}))?;
/// let problems = schema.problems(&json!({"url": 1}), &Subject::new("args"));
/// assert_eq!(problems[0].at.as_str(), "/url");
/// assert_eq!(problems[0].message, "`args.url` is the number 1, expected a string");
/// # Ok::<(), workflow_types::output_schema::SchemaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where, within the schema or the value.
    pub at: Pointer,
    /// Which part of that node.
    pub part: Part,
    /// Found and expected, in one sentence: lower case, no full stop.
    pub message: String,
    /// What is said right at the place; may be empty.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// The text that mends it in the place of the part, where there is only one.
    pub fix: Option<String>,
}

impl Problem {
    pub(super) fn value(at: Pointer, message: impl Into<String>) -> Self {
        Self::new(at, Part::Value, message.into())
    }

    pub(super) fn key(at: Pointer, message: impl Into<String>) -> Self {
        Self::new(at, Part::Key, message.into())
    }

    fn new(at: Pointer, part: Part, message: String) -> Self {
        Self {
            at,
            part,
            message,
            label: String::new(),
            help: None,
            fix: None,
        }
    }

    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..self
        }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }

    /// With the word that was most likely meant.
    pub(super) fn meant(self, word: &str) -> Self {
        self.help(format!("did you mean `{word}`?")).fix(word)
    }

    /// The problem as a diagnostic of the document in which the schema or value stands at `base`.
    #[must_use]
    pub fn diagnostic(self, code: Code, base: &Pointer) -> Diagnostic {
        let place = Place::Node {
            pointer: base.join(&self.at),
            part: self.part,
        };
        let mut diagnostic = Diagnostic::new(code, place, self.message).label(self.label);
        diagnostic.help = self.help;
        match self.fix {
            Some(fix) => diagnostic.fix(fix),
            None => diagnostic,
        }
    }
}

/// The message, and what to do in parentheses.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// Problems one after another, for where there is room for a single line.
///
/// ```
/// assert_eq!(workflow_types::output_schema::in_one_line(&[]), "");
/// ```
pub fn in_one_line(problems: &[Problem]) -> String {
    let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
    told.join("; ")
}

/// What a value is called in messages, who takes it, and how much may be said of it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    name: &'a str,
    taker: Option<&'a str>,
    secret: bool,
    templates: bool,
}

impl<'a> Subject<'a> {
    /// A value that is called `name`, such as `args` or `input`.
    pub const fn new(name: &'a str) -> Self {
        Self {
            name,
            taker: None,
            secret: false,
            templates: false,
        }
    }

    /// Taken by a tool, which is named in messages.
    #[must_use]
    pub const fn taken_by(self, taker: &'a str) -> Self {
        Self {
            taker: Some(taker),
            ..self
        }
    }

    /// Whose values may be secret: messages say their kind only.
    #[must_use]
    pub const fn masked(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    /// As it is written before a run: nothing is said of what its templates will give.
    #[must_use]
    pub const fn with_templates(self) -> Self {
        Self {
            templates: true,
            ..self
        }
    }

    pub(super) const fn taker(&self) -> Option<&'a str> {
        self.taker
    }

    pub(super) const fn is_secret(&self) -> bool {
        self.secret
    }

    pub(super) const fn has_templates(&self) -> bool {
        self.templates
    }

    /// The place as an author reads it: `args.headers.accept`.
    pub(super) fn path(&self, at: &Pointer) -> String {
        if *at == Pointer::root() {
            return self.name.to_owned();
        }
        let inner = at.to_string();
        let dot = if inner.starts_with('[') { "" } else { "." };
        format!("{}{dot}{inner}", self.name)
    }
}
