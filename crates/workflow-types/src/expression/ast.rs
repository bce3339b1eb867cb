//! The syntax tree of an expression, as the parser leaves it and the evaluator walks it.
//!
//! Holds no behaviour beyond the names of operators and methods. Chains of one precedence are
//! flat, so that the depth of the tree is bounded by the nesting of the source, not its length.

use std::ops::Range;

/// A place in the source, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this to the end of `other`.
    pub(super) fn to(self, other: Self) -> Self {
        Self::new(self.start, other.end)
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        span.start..span.end
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: NodeKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeKind {
    Literal(Literal),
    Array(Vec<Node>),
    /// A name that the scope is asked for.
    Root(String),
    /// A value, then what is read from it; `?.` leaves the whole chain.
    Chain {
        base: Box<Node>,
        links: Vec<Link>,
    },
    Unary {
        operator: UnaryOperator,
        operand: Box<Node>,
    },
    /// Operators of one precedence, applied from the left.
    Binary {
        first: Box<Node>,
        rest: Vec<(BinaryOperator, Node)>,
    },
    /// Operands of one operator that stops at the first that decides.
    Logical {
        operator: LogicalOperator,
        operands: Vec<Node>,
    },
    Conditional {
        test: Box<Node>,
        met: Box<Node>,
        unmet: Box<Node>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    String(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    /// The name, or the index between its brackets.
    pub(super) span: Span,
    /// Where all of it ends, with its bracket or its arguments.
    pub(super) end: usize,
    pub(super) guard: Guard,
    pub(super) access: Access,
}

/// Whether a link was written with `?.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    None,
    Optional,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Access {
    Member(String),
    Index(Node),
    Call {
        method: Method,
        arguments: Vec<Node>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnaryOperator {
    Not,
    Minus,
    Plus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    StrictlyEqual,
    StrictlyNotEqual,
}

impl BinaryOperator {
    /// How it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::StrictlyEqual => "===",
            Self::StrictlyNotEqual => "!==",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogicalOperator {
    And,
    Or,
    Coalesce,
}

/// All that can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Includes,
    StartsWith,
    EndsWith,
    Trim,
    ToLowerCase,
    ToUpperCase,
    IndexOf,
    Slice,
    Join,
}

impl Method {
    pub(super) const ALL: [Self; 9] = [
        Self::Includes,
        Self::StartsWith,
        Self::EndsWith,
        Self::Trim,
        Self::ToLowerCase,
        Self::ToUpperCase,
        Self::IndexOf,
        Self::Slice,
        Self::Join,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Includes => "includes",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Trim => "trim",
            Self::ToLowerCase => "toLowerCase",
            Self::ToUpperCase => "toUpperCase",
            Self::IndexOf => "indexOf",
            Self::Slice => "slice",
            Self::Join => "join",
        }
    }

    /// What it can be called on.
    pub(super) fn receiver(self) -> &'static str {
        match self {
            Self::Includes | Self::IndexOf | Self::Slice => "a string or an array",
            Self::StartsWith
            | Self::EndsWith
            | Self::Trim
            | Self::ToLowerCase
            | Self::ToUpperCase => "a string",
            Self::Join => "an array",
        }
    }
}
