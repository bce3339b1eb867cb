//! Finds what an expression does that its author will not expect.
//!
//! Every finding is certain: what is not known of a name stays unknown and is not spoken of. Must
//! not know workflows; what names stand for comes from [`Kinds`].

mod chain;
mod comparison;
mod fact;
mod operand;

use std::ops::Range;

pub use fact::{Fact, Kind, Kinds};

use super::Expression;
use super::ast::{
    Access, BinaryOperator, Link, Literal, LogicalOperator, Node, NodeKind, Span, UnaryOperator,
};
use super::datum::Datum;
use comparison::Pair;
use operand::Operand;

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Only whether it holds counts.
    Condition,
    /// Its value is used.
    Value,
}

/// In which way an expression surprises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurpriseKind {
    /// Values of different kinds are converted before they are compared or computed with.
    Coercion,
    /// It, or a part of it, always has the same result.
    Constant,
}

/// What an expression does that its author will not expect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surprise {
    /// In which way it surprises.
    pub kind: SurpriseKind,
    /// Where, in bytes of the source.
    pub span: Range<usize>,
    /// What happens, and why.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The text that mends it in the place of the span, where there is only one.
    pub fix: Option<String>,
}

impl Expression {
    /// What will surprise its author, in the order of its discovery.
    ///
    /// # Examples
    ///
    /// ```
    /// use workflow_types::expression::{Expression, Fact, Kind, Kinds, Role};
    ///
    /// struct Codes;
    /// impl Kinds for Codes {
    ///     fn fact(&self, path: &[&str]) -> Fact {
    ///         match path {
    ///             ["result", "code"] => Fact::of([Kind::Number]),
    ///             _ => Fact::unknown(),
    ///         }
    ///     }
    /// }
    ///
    /// let expression = Expression::parse("result.code == '200'").unwrap();
    /// let surprises = expression.surprises(Role::Condition, &Codes);
    /// assert_eq!(surprises[0].help, "write `result.code === 200`");
    /// ```
    pub fn surprises(&self, role: Role, kinds: &dyn Kinds) -> Vec<Surprise> {
        let mut lint = Lint {
            source: &self.source,
            kinds,
            found: Vec::new(),
        };
        if self.references.is_empty() {
            if role == Role::Condition {
                lint.reads_nothing(self);
            }
            return lint.found;
        }
        lint.visit(&self.root, Use::of(role));
        lint.found
    }
}

/// What becomes of the value of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Only whether it counts as true matters.
    Truth,
    Value,
}

impl Use {
    fn of(role: Role) -> Self {
        match role {
            Role::Condition => Self::Truth,
            Role::Value => Self::Value,
        }
    }
}

struct Lint<'e> {
    source: &'e str,
    kinds: &'e dyn Kinds,
    found: Vec<Surprise>,
}

impl<'e> Lint<'e> {
    fn text(&self, span: Span) -> &'e str {
        self.source.get(span.start..span.end).unwrap_or_default()
    }

    fn report(&mut self, kind: SurpriseKind, span: Span, message: String, help: String) {
        self.found.push(Surprise {
            kind,
            span: span.into(),
            message,
            help,
            fix: None,
        });
    }

    /// Adds the mend of what was reported last.
    fn mended(&mut self, fix: Option<String>) {
        if let Some(last) = self.found.last_mut() {
            last.fix = fix;
        }
    }

    /// A condition that depends on nothing; `true` alone is how one says "else".
    fn reads_nothing(&mut self, expression: &Expression) {
        let node = &expression.root;
        if let NodeKind::Literal(Literal::Bool(true)) = node.kind {
            return;
        }
        if let NodeKind::Literal(Literal::String(_)) = node.kind {
            let message = "the condition is only a text, which always counts the same".to_owned();
            let help = "compare it with what is read, as in `result.state === 'ready'`".to_owned();
            self.report(SurpriseKind::Constant, node.span, message, help);
            return;
        }
        let nothing = serde_json::Map::new();
        let outcome = match expression.evaluate(&nothing).map(|value| value.truthy()) {
            Ok(true) => "always holds",
            Ok(false) => "never holds",
            Err(_) => "never has a result",
        };
        let message = format!("the condition reads nothing, so it {outcome}");
        let help =
            "read what it depends on, such as `result`; `true` alone takes the branch always"
                .to_owned();
        self.report(SurpriseKind::Constant, node.span, message, help);
    }

    /// Looks at a part; answers how it always counts, where that is certain and not yet said.
    fn visit(&mut self, node: &Node, used: Use) -> Option<bool> {
        match &node.kind {
            NodeKind::Literal(literal) => Some(truth(literal)),
            NodeKind::Array(nodes) => {
                self.visit_values(nodes);
                Some(true)
            }
            NodeKind::Root(_) => None,
            NodeKind::Chain { base, links } => {
                self.visit(base, Use::Value);
                self.visit_links(links);
                None
            }
            NodeKind::Unary { operator, operand } => self.visit_unary(*operator, operand),
            NodeKind::Binary { first, rest } => {
                self.visit_binary(first, rest);
                None
            }
            NodeKind::Logical { operator, operands } => {
                self.visit_logical(*operator, operands, used);
                None
            }
            NodeKind::Conditional { test, met, unmet } => {
                if let Some(result) = self.visit(test, Use::Truth) {
                    self.always(test.span, result);
                }
                self.visit(met, used);
                self.visit(unmet, used);
                None
            }
        }
    }

    fn visit_values(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.visit(node, Use::Value);
        }
    }

    fn visit_links(&mut self, links: &[Link]) {
        for link in links {
            match &link.access {
                Access::Member(_) => {}
                Access::Index(index) => {
                    self.visit(index, Use::Value);
                }
                Access::Call { arguments, .. } => self.visit_values(arguments),
            }
        }
    }

    fn visit_unary(&mut self, operator: UnaryOperator, operand: &Node) -> Option<bool> {
        match operator {
            UnaryOperator::Not => self.visit(operand, Use::Truth).map(|result| !result),
            UnaryOperator::Minus | UnaryOperator::Plus => {
                self.visit(operand, Use::Value);
                self.no_number(operand);
                None
            }
        }
    }

    fn visit_binary(&mut self, first: &Node, rest: &[(BinaryOperator, Node)]) {
        self.visit(first, Use::Value);
        let mut left = Operand::new(first, self.source, self.kinds);
        for (at, (operator, node)) in rest.iter().enumerate() {
            self.visit(node, Use::Value);
            let right = Operand::new(node, self.source, self.kinds);
            let pair = Pair {
                operator: *operator,
                span: first.span.to(node.span),
                alone: rest.len() == 1,
            };
            if at > 0 && comparison::orders(*operator) {
                self.compared_in_a_row(first, rest, at);
            } else {
                self.pair(&left, pair, &right);
            }
            left = Operand::computed(*operator, &left, &right, pair.span);
        }
    }

    /// `1 < x < 5` compares true or false with 5.
    fn compared_in_a_row(&mut self, first: &Node, rest: &[(BinaryOperator, Node)], at: usize) {
        let (Some((before, middle)), Some((operator, last))) = (rest.get(at - 1), rest.get(at))
        else {
            return;
        };
        let left = if at == 1 {
            self.text(first.span)
        } else {
            rest.get(at - 2)
                .map_or("", |(_, node)| self.text(node.span))
        };
        let (middle, last_text) = (self.text(middle.span), self.text(last.span));
        let (before, operator) = (before.sign(), operator.sign());
        self.report(
            SurpriseKind::Coercion,
            first.span.to(last.span),
            format!(
                "`{operator} {last_text}` compares the result of `{left} {before} {middle}`, which is true or false"
            ),
            format!("write `{left} {before} {middle} && {middle} {operator} {last_text}`"),
        );
    }

    fn visit_logical(&mut self, operator: LogicalOperator, operands: &[Node], used: Use) {
        let decides = match operator {
            LogicalOperator::And => Some(false),
            LogicalOperator::Or => Some(true),
            LogicalOperator::Coalesce => None,
        };
        for (at, node) in operands.iter().enumerate() {
            let used = match operator {
                LogicalOperator::Coalesce => Use::Value,
                LogicalOperator::And | LogicalOperator::Or => used,
            };
            let result = self.visit(node, used);
            if used == Use::Truth && result.is_some() && result == decides {
                let before = at.checked_sub(1).and_then(|at| operands.get(at));
                self.decided(operator, node, before);
            }
        }
        self.contradictions(operator, operands);
    }

    /// An operand alone decides what a chain of `&&` or `||` gives.
    fn decided(&mut self, operator: LogicalOperator, node: &Node, before: Option<&Node>) {
        let text = self.text(node.span);
        let compared = before.and_then(|before| self.compared(before));
        let (holds, counts) = match operator {
            LogicalOperator::Or => ("always holds", "true"),
            LogicalOperator::And | LogicalOperator::Coalesce => ("never holds", "false"),
        };
        let message =
            format!("`{text}` alone always counts as {counts}, so the condition {holds} here");
        let is_value = matches!(
            node.kind,
            NodeKind::Literal(Literal::String(_) | Literal::Number(_))
        );
        match compared.filter(|_| is_value) {
            Some((path, sign)) => {
                let mend = format!("{path} {sign} {text}");
                self.report(
                    SurpriseKind::Constant,
                    node.span,
                    message,
                    format!("compare it too: write `{mend}`"),
                );
                self.mended(Some(mend));
            }
            None => {
                let help = "remove it, or compare it with what is read".to_owned();
                self.report(SurpriseKind::Constant, node.span, message, help);
            }
        }
    }

    /// What a node compares with a literal, and the sign of its operator.
    fn compared(&self, node: &Node) -> Option<(&'e str, &'static str)> {
        let NodeKind::Binary { first, rest } = &node.kind else {
            return None;
        };
        let [(operator, right)] = rest.as_slice() else {
            return None;
        };
        let fits = comparison::equates(*operator)
            && operand::path(first).is_some()
            && matches!(right.kind, NodeKind::Literal(_));
        fits.then(|| (self.text(first.span), operator.sign()))
    }

    fn always(&mut self, span: Span, result: bool) {
        let text = self.text(span);
        self.report(
            SurpriseKind::Constant,
            span,
            format!("`{text}` always counts as {result}, so the same side of `?:` is always taken"),
            "write that side alone, or read what it depends on".to_owned(),
        );
    }
}

fn truth(literal: &Literal) -> bool {
    match literal {
        Literal::Undefined | Literal::Null => false,
        Literal::Bool(value) => *value,
        Literal::Number(number) => Datum::Number(*number).truthy(),
        Literal::String(text) => !text.is_empty(),
    }
}
