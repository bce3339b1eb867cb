//! Finds and parses what stands between `{{` and `}}`.
//!
//! Must not know what surrounds it, nor how it is rendered.

use std::ops::Range;

use super::{CLOSE, Filter, Insert, OPEN, TemplateError, find, shifted};
use crate::expression::{Expression, ExpressionError};

/// What stands between `{{` and `}}`.
pub(super) struct Body {
    start: usize,
    /// The bar before a filter.
    bar: Option<usize>,
    pub(super) end: usize,
}

impl Body {
    /// The body that begins after the `{{` at `open`.
    pub(super) fn find(source: &str, open: usize) -> Result<Self, TemplateError> {
        let start = open + OPEN.len();
        if let Some(body) = Self::scan(source, start) {
            return Ok(body);
        }
        // A quote that is never closed hides the end; then the expression's error says so.
        match find(source, start, CLOSE) {
            Some(end) => Ok(Self {
                start,
                bar: None,
                end,
            }),
            None => Err(TemplateError {
                span: open..start,
                message: "expected `}}` after `{{`, found the end of the string".to_owned(),
                help: Some(r"close it with `}}`, or write `\{{` for a literal `{{`".to_owned()),
                fix: None,
            }),
        }
    }

    /// Looks for the end outside of string literals. All that matters is ASCII, so bytes do.
    fn scan(source: &str, start: usize) -> Option<Self> {
        let bytes = source.as_bytes();
        let mut quote = None;
        let mut bar = None;
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            let doubled = bytes.get(at + 1) == Some(byte);
            at += match (quote, byte) {
                (Some(_), b'\\') => 2,
                (Some(own), byte) if own == byte => {
                    quote = None;
                    1
                }
                // A string literal cannot go on in the next line.
                (Some(_), b'\n') => {
                    quote = None;
                    1
                }
                (None, b'"' | b'\'') => {
                    quote = Some(byte);
                    1
                }
                (None, b'|') if doubled => 2,
                (None, b'|') => {
                    bar = bar.or(Some(at));
                    1
                }
                (None, b'}') if doubled => {
                    return Some(Self {
                        start,
                        bar,
                        end: at,
                    });
                }
                _ => 1,
            };
        }
        None
    }

    pub(super) fn parse(&self, source: &str) -> Result<Insert, TemplateError> {
        let filter = self.bar.map_or(Ok(Filter::None), |bar| {
            filter(source, bar + 1..self.end).map(|()| Filter::Json)
        });
        let body = self.start..self.bar.unwrap_or(self.end);
        let expression = Expression::parse(source.get(body).unwrap_or_default())
            .map_err(|error| within(error, self.start, source))?;
        Ok(Insert {
            offset: self.start,
            expression,
            filter: filter?,
        })
    }
}

/// The error of an expression that begins at `offset`.
fn within(error: ExpressionError, offset: usize, source: &str) -> TemplateError {
    let span = shifted(&error.span, offset);
    let nested = source.get(span.clone()) == Some(OPEN);
    let (help, fix) = if nested {
        let help = "close the `{{` before it with `}}`; expressions do not nest";
        (Some(help.to_owned()), None)
    } else {
        (error.help, error.fix)
    };
    TemplateError {
        span,
        message: error.message,
        help,
        fix,
    }
}

/// Checks that `range` holds the one filter that there is.
fn filter(source: &str, range: Range<usize>) -> Result<(), TemplateError> {
    let text = source.get(range.clone()).unwrap_or_default();
    let name = text.trim();
    if name == "json" {
        return Ok(());
    }
    let found = if name.is_empty() {
        "nothing".to_owned()
    } else {
        format!("`{name}`")
    };
    let start = range.start + (text.len() - text.trim_start().len());
    Err(TemplateError {
        span: start..start + name.len(),
        message: format!("expected the filter `json` after `|`, found {found}"),
        help: Some("`json` is the only filter; for or, write `||`".to_owned()),
        fix: None,
    })
}
