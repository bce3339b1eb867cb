//! What is said of several comparisons of one value: together they may leave no choice.

use std::collections::HashMap;

use super::super::ast::{BinaryOperator, Literal, LogicalOperator, Node, NodeKind};
use super::super::number;
use super::{Lint, SurpriseKind, comparison, operand};

impl Lint<'_> {
    /// `a === 1 && a === 2` never holds, `a !== 1 || a !== 2` always does.
    pub(super) fn contradictions(&mut self, operator: LogicalOperator, operands: &[Node]) {
        let (equal, result, help) = match operator {
            LogicalOperator::And => (
                true,
                "they never hold together",
                "use `||` where one of them is enough",
            ),
            LogicalOperator::Or => (
                false,
                "one of them always holds",
                "use `&&` to exclude both",
            ),
            LogicalOperator::Coalesce => return,
        };
        let mut first: HashMap<(Vec<String>, &'static str), (String, &Node)> = HashMap::new();
        for node in operands {
            let Some((path, kind, value)) = compared(node, equal) else {
                continue;
            };
            let (earlier, before) = first
                .entry((path, kind))
                .or_insert_with(|| (value.clone(), node));
            if *earlier == value {
                continue;
            }
            let (one, two) = (self.text(before.span), self.text(node.span));
            self.report(
                SurpriseKind::Constant,
                before.span.to(node.span),
                format!("`{one}` and `{two}`: {result}"),
                help.to_owned(),
            );
            return;
        }
    }
}

/// The path, the kind and the text of a literal that a node compares for equality, or for the
/// opposite.
fn compared(node: &Node, equal: bool) -> Option<(Vec<String>, &'static str, String)> {
    let NodeKind::Binary { first, rest } = &node.kind else {
        return None;
    };
    let [(operator, last)] = rest.as_slice() else {
        return None;
    };
    let fits = comparison::equates(*operator) && comparison::holds_if_equal(*operator) == equal;
    if !fits {
        return None;
    }
    let (path, literal) = match (&first.kind, &last.kind) {
        (_, NodeKind::Literal(literal)) => (operand::path(first)?, literal),
        (NodeKind::Literal(literal), _) => (operand::path(last)?, literal),
        _ => return None,
    };
    let (kind, value) = known(literal)?;
    // Values of two kinds are never equal, unless they are converted.
    let strict = matches!(
        operator,
        BinaryOperator::StrictlyEqual | BinaryOperator::StrictlyNotEqual
    );
    Some((
        path,
        if strict { "any" } else { kind },
        format!("{kind} {value}"),
    ))
}

fn known(literal: &Literal) -> Option<(&'static str, String)> {
    match literal {
        // `null` and `undefined` are loosely equal.
        Literal::Undefined | Literal::Null => None,
        Literal::Bool(value) => Some(("boolean", value.to_string())),
        Literal::Number(number) => Some(("number", number::to_text(*number))),
        Literal::String(text) => Some(("string", text.clone())),
    }
}
