//! What is wrong with a cron pattern, where, and what to write instead.
//!
//! Knows nothing of the grammar; the functions that make errors stand with the grammar.

use std::ops::Range;

/// A mistake in a cron pattern: what was found, what was expected, and the remedy (rule P2).
///
/// [`Display`](std::fmt::Display) gives the column and the message; the remedy is
/// [`help`](Self::help), so that a caller can set it apart.
///
/// ```
/// use workflow_types::schedule::CronExpression;
///
/// let error = CronExpression::parse("0 22-2 * * *").unwrap_err();
/// assert_eq!(error.span(), 2..6);
/// assert_eq!(error.column(), 3);
/// assert!(error.help().contains("`22-23,0-2`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct CronError {
    message: String,
    span: Range<usize>,
    column: usize,
    help: String,
}

impl CronError {
    /// An error at `span` of `pattern`.
    pub(super) fn new(pattern: &str, span: Range<usize>, message: String, help: String) -> Self {
        let before = pattern.get(..span.start).unwrap_or(pattern);
        Self {
            message,
            column: before.chars().count() + 1,
            span,
            help,
        }
    }

    /// What was found and what was expected, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Bytes of the pattern that are at fault. Empty only when something is missing.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Character of the pattern where the fault begins, counted from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The remedy: what to write instead.
    pub fn help(&self) -> &str {
        &self.help
    }

    /// Message, place and remedy in one line, for formats that carry only text.
    pub fn to_line(&self) -> String {
        format!("{self}; {}", self.help)
    }
}
