//! What an expression reads, so that a validator can check names without evaluating.
//!
//! Must not know which names exist; it only lists what stands in the syntax tree.

use std::ops::Range;

use super::ast::{Access, Guard, Link, Literal, Node, NodeKind};
use super::number;

/// One read of a name and of the members whose names stand in the source.
///
/// # Examples
///
/// ```
/// use workflow_types::expression::{Beyond, Expression};
///
/// let expression = Expression::parse("steps.check-health.output.list[input.at]").unwrap();
/// let [steps, input] = expression.references() else { panic!() };
/// assert_eq!(steps.root().name(), "steps");
/// let path: Vec<_> = steps.path().iter().map(|segment| segment.name()).collect();
/// assert_eq!(path, ["check-health", "output", "list"]);
/// assert_eq!(steps.path()[0].span(), 6..18);
/// assert_eq!(steps.beyond(), Beyond::Computed);
/// assert_eq!(input.beyond(), Beyond::Nothing);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    root: Segment,
    path: Vec<Segment>,
    beyond: Beyond,
}

/// One name of a [`Reference`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    name: String,
    span: Range<usize>,
    optional: bool,
}

/// What follows the known part of a [`Reference`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// The value is used as it is.
    Nothing,
    /// A member is read whose name is known only when the expression runs.
    Computed,
    /// A method is called.
    Method,
}

impl Reference {
    /// The name that the scope is asked for.
    pub fn root(&self) -> &Segment {
        &self.root
    }

    /// The members read from it, as far as they are known.
    pub fn path(&self) -> &[Segment] {
        &self.path
    }

    /// What follows the last known member.
    pub fn beyond(&self) -> Beyond {
        self.beyond
    }

    /// The same reference in a text that has `offset` bytes before the expression.
    pub(crate) fn shifted(&self, offset: usize) -> Self {
        let shift = |segment: &Segment| Segment {
            span: segment.span.start + offset..segment.span.end + offset,
            ..segment.clone()
        };
        Self {
            root: shift(&self.root),
            path: self.path.iter().map(shift).collect(),
            beyond: self.beyond,
        }
    }
}

impl Segment {
    /// The property key: `a.b` and `a["b"]` have `b`, `a[0]` has `0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the name stands, in bytes; for `a["b"]`, the string with its quotes.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Whether it was read with `?.`, which says that its owner may be missing.
    pub fn is_optional(&self) -> bool {
        self.optional
    }
}

/// Whether `node` is a name with members whose names stand in the source, and nothing else.
pub(super) fn is_only(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Root(_) => true,
        NodeKind::Chain { base, links } => {
            is_only(base) && links.iter().all(|link| link_name(link).is_some())
        }
        NodeKind::Literal(_)
        | NodeKind::Array(_)
        | NodeKind::Unary { .. }
        | NodeKind::Binary { .. }
        | NodeKind::Logical { .. }
        | NodeKind::Conditional { .. } => false,
    }
}

/// All references of `node`, in the order of the source.
pub(super) fn collect(node: &Node) -> Vec<Reference> {
    let mut references = Vec::new();
    visit(node, &mut references);
    references
}

fn visit(node: &Node, found: &mut Vec<Reference>) {
    match &node.kind {
        NodeKind::Literal(_) => {}
        NodeKind::Root(name) => found.push(reference(name, node, &[])),
        NodeKind::Chain { base, links } => visit_chain(base, links, found),
        NodeKind::Unary { operand, .. } => visit(operand, found),
        NodeKind::Array(nodes)
        | NodeKind::Logical {
            operands: nodes, ..
        } => {
            visit_all(nodes, found);
        }
        NodeKind::Binary { first, rest } => {
            visit(first, found);
            for (_, node) in rest {
                visit(node, found);
            }
        }
        NodeKind::Conditional { test, met, unmet } => {
            for node in [test, met, unmet] {
                visit(node, found);
            }
        }
    }
}

fn visit_all(nodes: &[Node], found: &mut Vec<Reference>) {
    for node in nodes {
        visit(node, found);
    }
}

fn visit_chain(base: &Node, links: &[Link], found: &mut Vec<Reference>) {
    if let NodeKind::Root(name) = &base.kind {
        found.push(reference(name, base, links));
    } else {
        visit(base, found);
    }
    for link in links {
        match &link.access {
            Access::Member(_) => {}
            Access::Index(index) => visit(index, found),
            Access::Call { arguments, .. } => visit_all(arguments, found),
        }
    }
}

fn reference(name: &str, base: &Node, links: &[Link]) -> Reference {
    let path: Vec<_> = links.iter().map_while(segment).collect();
    let beyond = match links.get(path.len()).map(|link| &link.access) {
        None => Beyond::Nothing,
        Some(Access::Member(_) | Access::Index(_)) => Beyond::Computed,
        Some(Access::Call { .. }) => Beyond::Method,
    };
    Reference {
        root: Segment {
            name: name.to_owned(),
            span: base.span.into(),
            optional: false,
        },
        path,
        beyond,
    }
}

/// The property key that a link reads, if it stands in the source.
pub(super) fn link_name(link: &Link) -> Option<String> {
    match &link.access {
        Access::Member(name) => Some(name.clone()),
        Access::Index(index) => literal_key(index),
        Access::Call { .. } => None,
    }
}

fn segment(link: &Link) -> Option<Segment> {
    Some(Segment {
        name: link_name(link)?,
        span: link.span.into(),
        optional: link.guard == Guard::Optional,
    })
}

fn literal_key(index: &Node) -> Option<String> {
    match &index.kind {
        NodeKind::Literal(Literal::String(text)) => Some(text.clone()),
        NodeKind::Literal(Literal::Number(number)) => Some(number::to_text(*number)),
        NodeKind::Literal(Literal::Undefined | Literal::Null | Literal::Bool(_))
        | NodeKind::Array(_)
        | NodeKind::Root(_)
        | NodeKind::Chain { .. }
        | NodeKind::Unary { .. }
        | NodeKind::Binary { .. }
        | NodeKind::Logical { .. }
        | NodeKind::Conditional { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Expression;
    use super::*;

    /// Each reference as its path, `?` before optional names, and what is beyond.
    #[track_caller]
    fn check(source: &str, expect: &[&str]) {
        let expression = Expression::parse(source).unwrap();
        let described: Vec<_> = expression.references().iter().map(describe).collect();
        assert_eq!(described, expect, "{source}");
        for reference in expression.references() {
            for segment in std::iter::once(&reference.root).chain(&reference.path) {
                let text = source[segment.span()].trim_matches(['"', '\'']);
                assert_eq!(text, segment.name());
            }
        }
    }

    fn describe(reference: &Reference) -> String {
        let mut text = reference.root.name.clone();
        for segment in &reference.path {
            text += if segment.optional { "?." } else { "." };
            text += &segment.name;
        }
        text + match reference.beyond {
            Beyond::Nothing => "",
            Beyond::Computed => "[]",
            Beyond::Method => "()",
        }
    }

    #[test]
    fn every_read_is_listed_with_its_path() {
        check("input", &["input"]);
        check("1 + 2", &[]);
        check("steps.a-b?.output[0].x", &["steps.a-b?.output.0.x"]);
        check("steps['a'][\"b\"]", &["steps.a.b"]);
        check("a.b.includes(c.d)", &["a.b()", "c.d"]);
        check("a[b.c].d", &["a[]", "b.c"]);
        check("(a).b", &["a.b"]);
        check("(a.b).c", &["a.b"]);
        check(
            "[a, b ?? c] && !d ? -e : f * g",
            &["a", "b", "c", "d", "e", "f", "g"],
        );
        check("a.length", &["a.length"]);
    }
}
