//! Walks the syntax tree and computes its value.
//!
//! Must not know the source's grammar nor where the data comes from. Reads never fail; what
//! fails is a method on the wrong kind of value, and work beyond the budget.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use super::ast::{
    Access, BinaryOperator, Guard, Link, Literal, LogicalOperator, Method, Node, NodeKind, Span,
    UnaryOperator,
};
use super::budget::{Budget, Exhausted, MAX_NESTING, MAX_STEPS, MAX_TEXT};
use super::coerce::{self, Primitive};
use super::datum::{Datum, Scope};
use super::method::{self, Refused};
use super::number;

/// Why an expression has no value for the data it was given.
///
/// Missing data is no reason: it reads as `undefined`.
///
/// # Examples
///
/// ```
/// use workflow_types::expression::Expression;
///
/// let scope = serde_json::Map::new();
/// let expression = Expression::parse("input.name.trim() === 'x'").unwrap();
/// let error = expression.evaluate(&scope).unwrap_err();
/// assert_eq!(error.span(), 11..15);
/// assert_eq!(
///     error.to_string(),
///     "`trim` can be called on a string, but `input.name` is undefined",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct EvalError {
    span: Range<usize>,
    /// Boxed because every level of an evaluation has room for an error on its stack.
    kind: Box<EvalErrorKind>,
}

/// The kinds of [`EvalError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvalErrorKind {
    /// A method was called on a value that lacks it, which JavaScript calls a `TypeError`.
    #[non_exhaustive]
    WrongReceiver {
        /// The method.
        method: &'static str,
        /// The kinds of value that have it.
        expected: &'static str,
        /// The kind of value that it was called on.
        found: &'static str,
        /// The source of that value.
        receiver: String,
    },
    /// The data makes the expression take too many steps.
    TooMuchWork,
    /// The data makes the expression produce too much text.
    TooMuchText,
    /// Arrays within arrays are too deep to become text.
    TooDeep,
}

impl fmt::Display for EvalErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongReceiver {
                method,
                expected,
                found,
                receiver,
            } => write!(
                f,
                "`{method}` can be called on {expected}, but `{receiver}` is {found}"
            ),
            Self::TooMuchWork => write!(f, "the expression took more than {MAX_STEPS} steps"),
            Self::TooMuchText => {
                write!(f, "the expression made more than {MAX_TEXT} bytes of text")
            }
            Self::TooDeep => write!(
                f,
                "an array nested deeper than {MAX_NESTING} levels was turned into text"
            ),
        }
    }
}

impl EvalError {
    /// What in the expression failed, in bytes of its source.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What went wrong.
    pub fn kind(&self) -> &EvalErrorKind {
        &self.kind
    }

    fn exhausted(span: Span, exhausted: Exhausted) -> Self {
        let kind = match exhausted {
            Exhausted::Steps => EvalErrorKind::TooMuchWork,
            Exhausted::Text => EvalErrorKind::TooMuchText,
            Exhausted::Nesting => EvalErrorKind::TooDeep,
        };
        Self {
            span: span.into(),
            kind: Box::new(kind),
        }
    }
}

type Evaluated<'a> = Result<Datum<'a>, EvalError>;

/// One evaluation.
pub(super) struct Evaluator<'a, 'b> {
    pub(super) source: &'a str,
    pub(super) scope: &'a dyn Scope,
    pub(super) budget: &'b mut Budget,
}

impl<'a> Evaluator<'a, '_> {
    pub(super) fn node(&mut self, node: &'a Node) -> Evaluated<'a> {
        self.bounded(node.span, Budget::step)?;
        match &node.kind {
            NodeKind::Literal(literal) => Ok(value(literal)),
            NodeKind::Root(name) => Ok(self.scope.get(name).unwrap_or(Datum::Undefined)),
            NodeKind::Array(elements) => self.nodes(elements).map(|list| Datum::List(list.into())),
            NodeKind::Chain { base, links } => self.chain(base, links),
            NodeKind::Unary { operator, operand } => self.unary(*operator, operand),
            NodeKind::Binary { first, rest } => self.binary(first, rest),
            NodeKind::Logical { operator, operands } => self.logical(*operator, operands),
            NodeKind::Conditional { test, met, unmet } => {
                let branch = if self.node(test)?.truthy() {
                    met
                } else {
                    unmet
                };
                self.node(branch)
            }
        }
    }

    fn nodes(&mut self, nodes: &'a [Node]) -> Result<Vec<Datum<'a>>, EvalError> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    /// Runs `work` with the budget; running out is an error of the part at `span`.
    fn bounded<T>(
        &mut self,
        span: Span,
        work: impl FnOnce(&mut Budget) -> Result<T, Exhausted>,
    ) -> Result<T, EvalError> {
        work(self.budget).map_err(|exhausted| EvalError::exhausted(span, exhausted))
    }

    fn chain(&mut self, base: &'a Node, links: &'a [Link]) -> Evaluated<'a> {
        let mut value = self.node(base)?;
        let mut receiver = base.span;
        for link in links {
            if link.guard == Guard::Optional && value.is_nullish() {
                return Ok(Datum::Undefined);
            }
            value = match &link.access {
                Access::Member(name) => self.member(value, name, link.span)?,
                Access::Index(index) => self.index(value, index)?,
                Access::Call { method, arguments } => {
                    let arguments = self.nodes(arguments)?;
                    let found = value.kind();
                    method::call(*method, value, &arguments, self.budget).map_err(|refused| {
                        self.refused(*method, refused, link.span, (receiver, found))
                    })?
                }
            };
            receiver.end = link.end;
        }
        Ok(value)
    }

    fn refused(
        &self,
        method: Method,
        refused: Refused,
        span: Span,
        (receiver, found): (Span, &'static str),
    ) -> EvalError {
        match refused {
            Refused::Exhausted(exhausted) => EvalError::exhausted(span, exhausted),
            Refused::Receiver => EvalError {
                span: span.into(),
                kind: Box::new(EvalErrorKind::WrongReceiver {
                    method: method.name(),
                    expected: method.receiver(),
                    found,
                    receiver: self
                        .source
                        .get(Range::from(receiver))
                        .unwrap_or_default()
                        .to_owned(),
                }),
            },
        }
    }

    fn member(&mut self, value: Datum<'a>, name: &str, span: Span) -> Evaluated<'a> {
        self.bounded(span, |budget| {
            budget.step()?;
            // Finding a code unit reads the text before it.
            if let Datum::String(text) = &value {
                budget.read(text.len())?;
            }
            Ok(())
        })?;
        Ok(value.property(name))
    }

    fn index(&mut self, value: Datum<'a>, index: &'a Node) -> Evaluated<'a> {
        let key = self.node(index)?;
        if let Datum::Number(number) = key
            && let Some(at) = number::exact_index(number)
            && let Datum::Array(_) | Datum::List(_) = value
        {
            let element = value.element(at);
            if let Datum::String(Cow::Owned(text)) = &element {
                self.bounded(index.span, |budget| budget.make(text.len()))?;
            }
            return Ok(element);
        }
        let key = self.bounded(index.span, |budget| coerce::to_text(&key, budget))?;
        self.member(value, &key, index.span)
    }

    fn unary(&mut self, operator: UnaryOperator, operand: &'a Node) -> Evaluated<'a> {
        let value = self.node(operand)?;
        let sign = match operator {
            UnaryOperator::Not => return Ok(Datum::Bool(!value.truthy())),
            UnaryOperator::Minus => -1.0,
            UnaryOperator::Plus => 1.0,
        };
        let number = self.bounded(operand.span, |budget| coerce::to_number(&value, budget))?;
        Ok(Datum::Number(sign * number))
    }

    fn logical(&mut self, operator: LogicalOperator, operands: &'a [Node]) -> Evaluated<'a> {
        let mut value = Datum::Undefined;
        for operand in operands {
            value = self.node(operand)?;
            let decided = match operator {
                LogicalOperator::And => !value.truthy(),
                LogicalOperator::Or => value.truthy(),
                LogicalOperator::Coalesce => !value.is_nullish(),
            };
            if decided {
                break;
            }
        }
        Ok(value)
    }

    fn binary(&mut self, first: &'a Node, rest: &'a [(BinaryOperator, Node)]) -> Evaluated<'a> {
        let mut value = self.node(first)?;
        for (operator, node) in rest {
            let right = self.node(node)?;
            value = self.bounded(first.span.to(node.span), |budget| {
                apply(*operator, value, &right, budget)
            })?;
        }
        Ok(value)
    }
}

fn value(literal: &Literal) -> Datum<'_> {
    match literal {
        Literal::Undefined => Datum::Undefined,
        Literal::Null => Datum::Null,
        Literal::Bool(bool) => Datum::Bool(*bool),
        Literal::Number(number) => Datum::Number(*number),
        Literal::String(text) => Datum::from(text.as_str()),
    }
}

fn apply<'a>(
    operator: BinaryOperator,
    left: Datum<'a>,
    right: &Datum<'a>,
    budget: &mut Budget,
) -> Result<Datum<'a>, Exhausted> {
    let boolean = match operator {
        BinaryOperator::Add => return add(left, right, budget),
        BinaryOperator::Subtract => return arithmetic(&left, right, budget, |a, b| a - b),
        BinaryOperator::Multiply => return arithmetic(&left, right, budget, |a, b| a * b),
        BinaryOperator::Divide => return arithmetic(&left, right, budget, |a, b| a / b),
        BinaryOperator::Remainder => return arithmetic(&left, right, budget, |a, b| a % b),
        BinaryOperator::Less => ordered(&left, right, budget, Ordering::is_lt)?,
        BinaryOperator::LessOrEqual => ordered(&left, right, budget, Ordering::is_le)?,
        BinaryOperator::Greater => ordered(&left, right, budget, Ordering::is_gt)?,
        BinaryOperator::GreaterOrEqual => ordered(&left, right, budget, Ordering::is_ge)?,
        BinaryOperator::Equal => coerce::loosely_equal(&left, right, budget)?,
        BinaryOperator::NotEqual => !coerce::loosely_equal(&left, right, budget)?,
        BinaryOperator::StrictlyEqual => coerce::strictly_equal(&left, right, budget)?,
        BinaryOperator::StrictlyNotEqual => !coerce::strictly_equal(&left, right, budget)?,
    };
    Ok(Datum::Bool(boolean))
}

fn arithmetic<'a>(
    left: &Datum<'_>,
    right: &Datum<'_>,
    budget: &mut Budget,
    operation: fn(f64, f64) -> f64,
) -> Result<Datum<'a>, Exhausted> {
    let left = coerce::to_number(left, budget)?;
    let right = coerce::to_number(right, budget)?;
    Ok(Datum::Number(operation(left, right)))
}

fn ordered(
    left: &Datum<'_>,
    right: &Datum<'_>,
    budget: &mut Budget,
    holds: fn(Ordering) -> bool,
) -> Result<bool, Exhausted> {
    Ok(coerce::order(left, right, budget)?.is_some_and(holds))
}

/// JavaScript's `+`: joins if either side is text, adds otherwise.
fn add<'a>(
    left: Datum<'a>,
    right: &Datum<'a>,
    budget: &mut Budget,
) -> Result<Datum<'a>, Exhausted> {
    // Text that the expression made is appended to, so that a long sum stays linear.
    if let Datum::String(Cow::Owned(mut text)) = left {
        let right = coerce::to_text(right, budget)?;
        budget.make(right.len())?;
        text.push_str(&right);
        return Ok(Datum::String(Cow::Owned(text)));
    }
    let left = coerce::to_primitive(&left, budget)?;
    let right = coerce::to_primitive(right, budget)?;
    if matches!(left, Primitive::String(_)) || matches!(right, Primitive::String(_)) {
        let (left, right) = (left.into_text(), right.into_text());
        budget.make(left.len() + right.len())?;
        return Ok(Datum::String(Cow::Owned([left, right].concat())));
    }
    let sum = left.to_number(budget)? + right.to_number(budget)?;
    Ok(Datum::Number(sum))
}
