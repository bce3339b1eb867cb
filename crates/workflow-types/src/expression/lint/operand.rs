//! What is known of one side of an operator.

use super::super::ast::{
    Access, BinaryOperator, Literal, Method, Node, NodeKind, Span, UnaryOperator,
};
use super::super::reference;
use super::comparison;
use super::{Fact, Kind, Kinds};

/// One side of an operator.
pub(super) struct Operand<'e> {
    pub(super) span: Span,
    pub(super) fact: Fact,
    pub(super) form: Form<'e>,
}

/// How a side is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form<'e> {
    Literal(&'e Literal),
    /// A list in brackets, and whether anything is in it.
    List {
        empty: bool,
    },
    /// A name and its members.
    Path,
    /// `!value`, not in parentheses.
    Negated {
        value: Span,
    },
    Other,
}

impl<'e> Operand<'e> {
    pub(super) fn new(node: &'e Node, source: &str, kinds: &dyn Kinds) -> Self {
        let (form, fact) = match &node.kind {
            NodeKind::Literal(literal) => (Form::Literal(literal), of_literal(literal)),
            NodeKind::Array(elements) => {
                let empty = elements.is_empty();
                (Form::List { empty }, Fact::of([Kind::List]))
            }
            NodeKind::Root(_) | NodeKind::Chain { .. } => of_chain(node, kinds),
            NodeKind::Unary { operator, operand } => {
                of_unary(*operator, operand, bare(node, source))
            }
            NodeKind::Binary { first, rest } => (Form::Other, of_binary(first, rest)),
            NodeKind::Logical { .. } | NodeKind::Conditional { .. } => {
                (Form::Other, Fact::unknown())
            }
        };
        Self {
            span: node.span,
            fact,
            form,
        }
    }

    /// The result of an operator.
    pub(super) fn computed(
        operator: BinaryOperator,
        left: &Self,
        right: &Self,
        span: Span,
    ) -> Self {
        let text = left.is_only(Kind::String) || right.is_only(Kind::String);
        Self {
            span,
            fact: of_operator(operator, text),
            form: Form::Other,
        }
    }

    /// Whether it is certainly of a kind, if it is there at all.
    pub(super) fn is_only(&self, kind: Kind) -> bool {
        self.fact.kinds() == [kind]
    }

    /// Whether it is certainly not of a kind.
    pub(super) fn is_never(&self, kind: Kind) -> bool {
        !self.fact.kinds().is_empty() && !self.fact.kinds().contains(&kind)
    }
}

/// The result of operators of one precedence; looks no deeper than at the operands themselves.
fn of_binary(first: &Node, rest: &[(BinaryOperator, Node)]) -> Fact {
    let text = |node: &Node| matches!(node.kind, NodeKind::Literal(Literal::String(_)));
    match rest.last() {
        Some((operator, last)) => {
            let text = text(last) || rest.len() == 1 && text(first);
            of_operator(*operator, text)
        }
        None => Fact::unknown(),
    }
}

fn of_operator(operator: BinaryOperator, text: bool) -> Fact {
    if comparison::equates(operator) || comparison::orders(operator) {
        Fact::of([Kind::Boolean])
    } else if operator != BinaryOperator::Add {
        Fact::of([Kind::Number])
    } else if text {
        Fact::of([Kind::String])
    } else {
        Fact::unknown()
    }
}

fn of_literal(literal: &Literal) -> Fact {
    match literal {
        Literal::Undefined => Fact::unknown(),
        Literal::Null => Fact::of([Kind::Null]),
        Literal::Bool(_) => Fact::of([Kind::Boolean]),
        Literal::Number(_) => Fact::of([Kind::Number]),
        Literal::String(_) => Fact::of([Kind::String]),
    }
}

fn of_unary<'e>(operator: UnaryOperator, operand: &Node, bare: bool) -> (Form<'e>, Fact) {
    match operator {
        UnaryOperator::Not if bare => {
            let value = operand.span;
            (Form::Negated { value }, Fact::of([Kind::Boolean]))
        }
        UnaryOperator::Not => (Form::Other, Fact::of([Kind::Boolean])),
        UnaryOperator::Minus | UnaryOperator::Plus => (Form::Other, Fact::of([Kind::Number])),
    }
}

/// Whether a node is not in parentheses, which count to its span.
fn bare(node: &Node, source: &str) -> bool {
    source
        .get(node.span.start..)
        .is_some_and(|text| text.starts_with('!'))
}

fn of_chain<'e>(node: &Node, kinds: &dyn Kinds) -> (Form<'e>, Fact) {
    if let Some(names) = path(node) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut fact = kinds.fact(&names);
        if let ([owner @ .., "length"], []) = (names.as_slice(), fact.kinds()) {
            let owner = kinds.fact(owner);
            let measured = |kind: &Kind| matches!(kind, Kind::String | Kind::List | Kind::Null);
            if !owner.kinds().is_empty() && owner.kinds().iter().all(measured) {
                fact = Fact::of([Kind::Number]);
            }
        }
        return (Form::Path, fact);
    }
    let NodeKind::Chain { links, .. } = &node.kind else {
        return (Form::Other, Fact::unknown());
    };
    let fact = match links.last().map(|link| &link.access) {
        Some(Access::Call { method, .. }) => of_method(*method),
        Some(Access::Member(_) | Access::Index(_)) | None => Fact::unknown(),
    };
    (Form::Other, fact)
}

fn of_method(method: Method) -> Fact {
    match method {
        Method::Includes | Method::StartsWith | Method::EndsWith => Fact::of([Kind::Boolean]),
        Method::Trim | Method::ToLowerCase | Method::ToUpperCase | Method::Join => {
            Fact::of([Kind::String])
        }
        Method::IndexOf => Fact::of([Kind::Number]),
        Method::Slice => Fact::of([Kind::String, Kind::List]),
    }
}

/// The names of a node that reads nothing but a name and known members of it.
pub(super) fn path(node: &Node) -> Option<Vec<String>> {
    match &node.kind {
        NodeKind::Root(name) => Some(vec![name.clone()]),
        NodeKind::Chain { base, links } => {
            let NodeKind::Root(name) = &base.kind else {
                return None;
            };
            let mut names = vec![name.clone()];
            for link in links {
                names.push(reference::link_name(link)?);
            }
            Some(names)
        }
        NodeKind::Literal(_)
        | NodeKind::Array(_)
        | NodeKind::Unary { .. }
        | NodeKind::Binary { .. }
        | NodeKind::Logical { .. }
        | NodeKind::Conditional { .. } => None,
    }
}
