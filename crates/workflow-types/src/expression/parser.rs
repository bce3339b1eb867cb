//! Builds the syntax tree from tokens.
//!
//! Must not know values. Recursion happens only where the source nests, and is counted.

use super::ExpressionError;
use super::MAX_DEPTH;
use super::ast::{Access, Guard, Link, Literal, Method, Node, NodeKind, Span, UnaryOperator};
use super::lexer::Lexer;
use super::mistakes;
use super::operators::{Infix, Mixed, Operands};
use super::token::{Token, TokenKind};

type Parsed<T> = Result<T, ExpressionError>;

/// Parses all of `source`, whose length the caller has checked.
pub(super) fn parse(source: &str) -> Parsed<Node> {
    let mut lexer = Lexer::new(source);
    let current = lexer.next()?;
    if current.kind == TokenKind::End {
        return Err(mistakes::empty(Span::new(0, source.len())));
    }
    let mut parser = Parser {
        source,
        lexer,
        current,
        passed: 0,
        depth: 0,
    };
    let node = parser.expression()?;
    parser.expect_end()?;
    Ok(node)
}

struct Parser<'s> {
    source: &'s str,
    lexer: Lexer<'s>,
    current: Token,
    /// Where the token before `current` ended.
    passed: usize,
    depth: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Parsed<Token> {
        let next = self.lexer.next()?;
        let token = std::mem::replace(&mut self.current, next);
        self.passed = token.span.end;
        Ok(token)
    }

    /// The current token, passed over, if it is `sign`.
    fn accept(&mut self, sign: &str) -> Parsed<Option<Token>> {
        if self.current.is_sign(sign) {
            self.advance().map(Some)
        } else {
            Ok(None)
        }
    }

    fn expect(&mut self, sign: &str, expected: &str) -> Parsed<Token> {
        match self.accept(sign)? {
            Some(token) => Ok(token),
            None => Err(self.unexpected(expected)),
        }
    }

    fn expect_end(&self) -> Parsed<()> {
        if self.current.kind == TokenKind::End {
            Ok(())
        } else {
            Err(self.unexpected("an operator or the end"))
        }
    }

    fn unexpected(&self, expected: &str) -> ExpressionError {
        mistakes::unexpected(expected, &self.current, self.source)
    }

    /// Runs `parse` one level deeper.
    fn nested(&mut self, parse: fn(&mut Self) -> Parsed<Node>) -> Parsed<Node> {
        if self.depth >= MAX_DEPTH {
            return Err(mistakes::too_deep(self.current.span));
        }
        self.depth += 1;
        let node = parse(self);
        self.depth -= 1;
        node
    }

    fn expression(&mut self) -> Parsed<Node> {
        self.nested(Self::conditional)
    }

    fn conditional(&mut self) -> Parsed<Node> {
        let test = self.operation()?;
        if self.accept("?")?.is_none() {
            return Ok(test);
        }
        let met = self.expression()?;
        self.expect(":", "`:` of the conditional")?;
        let unmet = self.expression()?;
        Ok(Node {
            span: test.span.to(unmet.span),
            kind: NodeKind::Conditional {
                test: Box::new(test),
                met: Box::new(met),
                unmet: Box::new(unmet),
            },
        })
    }

    fn operation(&mut self) -> Parsed<Node> {
        let mut operands = Operands::new(self.unary()?);
        while let Some(operator) = self.infix() {
            let span = self.advance()?.span;
            if let Err(Mixed) = operands.check(operator) {
                return Err(mistakes::mixed_coalescing(span));
            }
            operands = operands.push(operator, self.unary()?);
        }
        Ok(operands.finish())
    }

    /// The operator that stands here, if one does.
    fn infix(&self) -> Option<Infix> {
        match self.current.kind {
            TokenKind::Sign(sign) => Infix::of_sign(sign),
            TokenKind::Number(_) | TokenKind::String(_) | TokenKind::Name(_) | TokenKind::End => {
                None
            }
        }
    }

    fn unary(&mut self) -> Parsed<Node> {
        let operator = match self.current.kind {
            TokenKind::Sign("!") => UnaryOperator::Not,
            TokenKind::Sign("-") => UnaryOperator::Minus,
            TokenKind::Sign("+") => UnaryOperator::Plus,
            TokenKind::Sign(_)
            | TokenKind::Number(_)
            | TokenKind::String(_)
            | TokenKind::Name(_)
            | TokenKind::End => return self.chain(),
        };
        let start = self.advance()?.span;
        let operand = Box::new(self.nested(Self::unary)?);
        Ok(Node {
            span: start.to(operand.span),
            kind: NodeKind::Unary { operator, operand },
        })
    }

    fn chain(&mut self) -> Parsed<Node> {
        let base = self.primary()?;
        let mut links = Vec::new();
        while let Some(link) = self.link()? {
            links.push(link);
        }
        if self.current.is_sign("(") {
            return Err(match (&base.kind, links.is_empty()) {
                (NodeKind::Root(name), true) => mistakes::called_name(name, base.span, self.source),
                _ => mistakes::called_value(self.current.span),
            });
        }
        if links.is_empty() {
            return Ok(base);
        }
        Ok(Node {
            span: Span::new(base.span.start, self.passed),
            kind: NodeKind::Chain {
                base: Box::new(base),
                links,
            },
        })
    }

    /// The next link of a chain, if one begins here.
    fn link(&mut self) -> Parsed<Option<Link>> {
        if self.current.is_sign("[") {
            return self.index(Guard::None).map(Some);
        }
        if self.accept(".")?.is_some() {
            return self.member(Guard::None).map(Some);
        }
        if self.accept("?.")?.is_none() {
            return Ok(None);
        }
        if self.current.is_sign("(") {
            return Err(mistakes::optional_call(self.current.span));
        }
        if self.current.is_sign("[") {
            return self.index(Guard::Optional).map(Some);
        }
        self.member(Guard::Optional).map(Some)
    }

    fn index(&mut self, guard: Guard) -> Parsed<Link> {
        self.advance()?;
        let index = self.expression()?;
        self.expect("]", "`]` after the index")?;
        Ok(Link {
            span: index.span,
            end: self.passed,
            guard,
            access: Access::Index(index),
        })
    }

    fn member(&mut self, guard: Guard) -> Parsed<Link> {
        let TokenKind::Name(name) = &self.current.kind else {
            return Err(self.unexpected("a name after the dot"));
        };
        let name = name.clone();
        let span = self.advance()?.span;
        let access = if self.accept("(")?.is_some() {
            let Some(method) = Method::named(&name) else {
                return Err(mistakes::unknown_method(&name, span, self.source));
            };
            let arguments = self.list(")")?;
            Access::Call { method, arguments }
        } else {
            Access::Member(name)
        };
        Ok(Link {
            span,
            end: self.passed,
            guard,
            access,
        })
    }

    /// Expressions between commas, up to and over `close`; a comma may stand at the end.
    fn list(&mut self, close: &'static str) -> Parsed<Vec<Node>> {
        let mut elements = Vec::new();
        while self.accept(close)?.is_none() {
            elements.push(self.expression()?);
            if !self.current.is_sign(close) {
                self.expect(",", &format!("`,` or `{close}`"))?;
            }
        }
        Ok(elements)
    }

    fn primary(&mut self) -> Parsed<Node> {
        let span = self.current.span;
        let kind = match &self.current.kind {
            TokenKind::Number(number) => NodeKind::Literal(Literal::Number(*number)),
            TokenKind::String(text) => NodeKind::Literal(Literal::String(text.clone())),
            TokenKind::Name(name) => named(name, span, self.source)?,
            TokenKind::Sign("(") => return self.parenthesised(),
            TokenKind::Sign("[") => return self.array(),
            TokenKind::Sign(_) | TokenKind::End => return Err(self.unexpected(mistakes::A_VALUE)),
        };
        self.advance()?;
        Ok(Node { span, kind })
    }

    fn parenthesised(&mut self) -> Parsed<Node> {
        let open = self.advance()?.span;
        let inner = self.expression()?;
        let close = self.expect(")", "an operator or `)`")?.span;
        // Names and keys keep their own place, which references point to.
        let span = match inner.kind {
            NodeKind::Root(_) | NodeKind::Literal(_) => inner.span,
            NodeKind::Array(_)
            | NodeKind::Chain { .. }
            | NodeKind::Unary { .. }
            | NodeKind::Binary { .. }
            | NodeKind::Logical { .. }
            | NodeKind::Conditional { .. } => open.to(close),
        };
        Ok(Node { span, ..inner })
    }

    fn array(&mut self) -> Parsed<Node> {
        let open = self.advance()?.span;
        let elements = self.list("]")?;
        Ok(Node {
            span: Span::new(open.start, self.passed),
            kind: NodeKind::Array(elements),
        })
    }
}

/// A literal's name, or one that the scope is asked for.
fn named(name: &str, span: Span, source: &str) -> Parsed<NodeKind> {
    let literal = match name {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "null" => Literal::Null,
        "undefined" => Literal::Undefined,
        _ => {
            return match mistakes::reserved(name, span, source) {
                Some(error) => Err(error),
                None => Ok(NodeKind::Root(name.to_owned())),
            };
        }
    };
    Ok(NodeKind::Literal(literal))
}
