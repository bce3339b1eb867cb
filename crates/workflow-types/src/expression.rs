//! The expression language of conditions and templates: parse once, evaluate often.
//!
//! Must not know workflows, steps or templates; names come from a [`Scope`].
//!
//! # The language
//!
//! A subset of JavaScript's expressions with exactly its results on JSON values:
//!
//! - numbers, `'strings'`, `"strings"`, `true`, `false`, `null`, `undefined`, `[arrays]`;
//! - `a.b`, `a["b"]`, `a[0]`, `a?.b`, `a?.[0]`, `.length` in UTF-16 code units;
//! - `! - + * / %`, `< <= > >=`, `== != === !==`, `&& || ??`, `?:`, parentheses;
//! - the methods `includes`, `startsWith`, `endsWith`, `trim`, `toLowerCase`, `toUpperCase`,
//!   `indexOf`, `slice` and `join`.
//!
//! It differs from JavaScript where data, not programs, is read:
//!
//! - A missing key is `undefined` at any depth: `a.b.c` is `undefined` if `a` is. Calling a
//!   method on `undefined` stays an error.
//! - Only own properties exist: `a.constructor`, `a.toString` and `a.__proto__` are `undefined`
//!   unless the data has such keys, and such keys never change how a value is converted.
//! - After a dot a name may contain `-`: `steps.check-health.result`. To subtract, put a space
//!   before the `-`; `list.length-1` is refused rather than misread.
//! - A string cannot hold half a surrogate pair; cutting through a character leaves U+FFFD.
//! - `NaN` and `Infinity` are no names, though computations may give them.
//!
//! # Bounds
//!
//! A source has at most [`MAX_SOURCE`] bytes and nests at most [`MAX_DEPTH`] levels. Evaluating
//! takes a bounded number of steps and makes a bounded amount of text, whatever the data.

mod ast;
mod budget;
mod coerce;
mod datum;
mod eval;
mod foreign;
mod lexer;
mod lint;
mod method;
mod mistakes;
mod number;
mod operators;
mod parser;
mod reference;
mod token;
mod utf16;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

pub(crate) use budget::Budget;
pub use datum::{Datum, Object, Scope};
pub use eval::{EvalError, EvalErrorKind};
pub use lint::{Fact, Kind, Kinds, Role, Surprise, SurpriseKind};
pub use reference::{Beyond, Reference, Segment};

/// The most bytes that an expression may have.
pub const MAX_SOURCE: usize = 4_096;
/// The most levels that an expression may nest: parentheses, brackets, arguments, the branches of
/// conditionals, and signs before a value. Operators side by side do not nest.
pub const MAX_DEPTH: usize = 64;

/// An expression, parsed and ready to be evaluated.
///
/// # Examples
///
/// ```
/// use workflow_types::expression::Expression;
///
/// let expression = Expression::parse("result.code >= 500 && !result.retried").unwrap();
/// let scope = serde_json::json!({ "result": { "code": 503 } });
/// let value = expression.evaluate(scope.as_object().unwrap()).unwrap();
/// assert!(value.truthy());
///
/// let error = Expression::parse("status = 'failed'").unwrap_err();
/// assert_eq!(error.to_string(), "expected an operator or the end, found `=`");
/// assert_eq!(error.span, 7..8);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    source: String,
    root: ast::Node,
    references: Vec<Reference>,
}

/// Why a text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ExpressionError {
    /// Where the mistake is, in bytes of the source.
    pub span: Range<usize>,
    /// What was expected and what was found.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The text that mends it in the place of the span, where there is only one.
    pub fix: Option<String>,
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    ///
    /// The first mistake of the source, with its place.
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        if source.len() > MAX_SOURCE {
            return Err(mistakes::too_long(source.len()));
        }
        let root = parser::parse(source)?;
        let references = reference::collect(&root);
        Ok(Self {
            source: source.to_owned(),
            root,
            references,
        })
    }

    /// The text that was parsed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Everything that the expression may read, in the order of the source.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// What it reads, if it reads one thing and does nothing with it.
    pub(crate) fn as_reference(&self) -> Option<&Reference> {
        let [only] = self.references.as_slice() else {
            return None;
        };
        reference::is_only(&self.root).then_some(only)
    }

    /// The text without the white space and the choice of quotes: equal for expressions that only
    /// differ in these.
    pub(crate) fn canonical(&self) -> String {
        lexer::canonical(&self.source)
    }

    /// The value for the data in `scope`, borrowing from it what it can.
    ///
    /// Depends on nothing but the expression and the data.
    ///
    /// # Errors
    ///
    /// If a method is called on a value that lacks it, or the work is more than the bounds.
    pub fn evaluate<'a>(&'a self, scope: &'a dyn Scope) -> Result<Datum<'a>, EvalError> {
        self.evaluate_within(scope, &mut Budget::default())
    }

    /// As [`evaluate`](Self::evaluate), from a budget that several expressions share.
    pub(crate) fn evaluate_within<'a>(
        &'a self,
        scope: &'a dyn Scope,
        budget: &mut Budget,
    ) -> Result<Datum<'a>, EvalError> {
        let mut evaluator = eval::Evaluator {
            source: &self.source,
            scope,
            budget,
        };
        evaluator.node(&self.root)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(source: &str) -> Result<Self, Self::Err> {
        Self::parse(source)
    }
}

#[cfg(test)]
mod tests;
