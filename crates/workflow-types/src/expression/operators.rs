//! Puts operands and the operators between them into a tree by precedence.
//!
//! Must not know tokens beyond the signs of operators. Works with a stack of its own, so that
//! only nesting in the source makes the parser recurse.

use super::ast::{BinaryOperator, LogicalOperator, Node, NodeKind};

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Infix {
    Logical(LogicalOperator),
    Binary(BinaryOperator),
}

impl Infix {
    pub(super) fn of_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "??" => Self::Logical(LogicalOperator::Coalesce),
            "||" => Self::Logical(LogicalOperator::Or),
            "&&" => Self::Logical(LogicalOperator::And),
            "==" => Self::Binary(BinaryOperator::Equal),
            "!=" => Self::Binary(BinaryOperator::NotEqual),
            "===" => Self::Binary(BinaryOperator::StrictlyEqual),
            "!==" => Self::Binary(BinaryOperator::StrictlyNotEqual),
            "<" => Self::Binary(BinaryOperator::Less),
            "<=" => Self::Binary(BinaryOperator::LessOrEqual),
            ">" => Self::Binary(BinaryOperator::Greater),
            ">=" => Self::Binary(BinaryOperator::GreaterOrEqual),
            "+" => Self::Binary(BinaryOperator::Add),
            "-" => Self::Binary(BinaryOperator::Subtract),
            "*" => Self::Binary(BinaryOperator::Multiply),
            "/" => Self::Binary(BinaryOperator::Divide),
            "%" => Self::Binary(BinaryOperator::Remainder),
            _ => return None,
        })
    }

    fn precedence(self) -> Precedence {
        match self {
            Self::Logical(LogicalOperator::Coalesce) => Precedence::Coalesce,
            Self::Logical(LogicalOperator::Or) => Precedence::Or,
            Self::Logical(LogicalOperator::And) => Precedence::And,
            Self::Binary(operator) => binary_precedence(operator),
        }
    }
}

fn binary_precedence(operator: BinaryOperator) -> Precedence {
    match operator {
        BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::StrictlyEqual
        | BinaryOperator::StrictlyNotEqual => Precedence::Equality,
        BinaryOperator::Less
        | BinaryOperator::LessOrEqual
        | BinaryOperator::Greater
        | BinaryOperator::GreaterOrEqual => Precedence::Relation,
        BinaryOperator::Add | BinaryOperator::Subtract => Precedence::Sum,
        BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Remainder => {
            Precedence::Product
        }
    }
}

/// From the loosest to the tightest; all apply from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precedence {
    Coalesce,
    Or,
    And,
    Equality,
    Relation,
    Sum,
    Product,
}

/// `??` stood beside `||` or `&&`, which JavaScript forbids without parentheses.
#[derive(Debug)]
pub(super) struct Mixed;

/// Operands and operators read so far.
#[derive(Debug)]
pub(super) struct Operands {
    /// Complete left sides, each with the operator that waits for its right side.
    waiting: Vec<(Node, Infix)>,
    last: Node,
    coalesces: bool,
    decides: bool,
}

impl Operands {
    pub(super) fn new(first: Node) -> Self {
        Self {
            waiting: Vec::new(),
            last: first,
            coalesces: false,
            decides: false,
        }
    }

    /// Notes what `operator` is mixed with, before its right side is read.
    pub(super) fn check(&mut self, operator: Infix) -> Result<(), Mixed> {
        match operator {
            Infix::Logical(LogicalOperator::Coalesce) => self.coalesces = true,
            Infix::Logical(LogicalOperator::And | LogicalOperator::Or) => self.decides = true,
            Infix::Binary(_) => {}
        }
        if self.coalesces && self.decides {
            Err(Mixed)
        } else {
            Ok(())
        }
    }

    pub(super) fn push(mut self, operator: Infix, right: Node) -> Self {
        let mut left = self.last;
        while let Some((before, waiting)) = self
            .waiting
            .pop_if(|(_, waiting)| waiting.precedence() >= operator.precedence())
        {
            left = applied(before, waiting, left);
        }
        self.waiting.push((left, operator));
        Self {
            last: right,
            ..self
        }
    }

    pub(super) fn finish(mut self) -> Node {
        let mut right = self.last;
        while let Some((left, operator)) = self.waiting.pop() {
            right = applied(left, operator, right);
        }
        right
    }
}

/// One node of both sides; a left side of the same precedence, parenthesised or not, is extended,
/// for it would be evaluated first anyway.
fn applied(left: Node, operator: Infix, right: Node) -> Node {
    let span = left.span.to(right.span);
    let kind = match operator {
        Infix::Logical(operator) => logical(left, operator, right),
        Infix::Binary(operator) => binary(left, operator, right),
    };
    Node { span, kind }
}

fn logical(mut left: Node, operator: LogicalOperator, right: Node) -> NodeKind {
    if let NodeKind::Logical {
        operator: own,
        operands,
    } = &mut left.kind
        && *own == operator
    {
        operands.push(right);
        return left.kind;
    }
    NodeKind::Logical {
        operator,
        operands: vec![left, right],
    }
}

fn binary(mut left: Node, operator: BinaryOperator, right: Node) -> NodeKind {
    let precedence = binary_precedence(operator);
    if let NodeKind::Binary { rest, .. } = &mut left.kind
        && let Some((own, _)) = rest.last()
        && binary_precedence(*own) == precedence
    {
        rest.push((operator, right));
        return left.kind;
    }
    NodeKind::Binary {
        first: Box::new(left),
        rest: vec![(operator, right)],
    }
}
