//! The pieces that the lexer cuts a source into.
//!
//! Knows no grammar: signs of JavaScript that the language lacks are tokens too, so that the
//! parser can say what stands there.

use super::ast::Span;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Number(f64),
    String(String),
    Name(String),
    /// One of [`SIGNS`].
    Sign(&'static str),
    End,
}

/// How many characters of a token a message shows.
const SHOWN: usize = 24;

/// Longer signs stand before those that they begin with.
pub(super) const SIGNS: [&str; 61] = [
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??=", "=>", "==", "!=",
    "<=", ">=", "&&", "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
    "<<", ">>", "**", "//", "/*", "{{", "}}", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":",
    ";", "!", "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~",
];

impl Token {
    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.kind, TokenKind::Sign(own) if own == sign)
    }

    /// How a message names it; `source` is the text that its span points into.
    pub(super) fn description(&self, source: &str) -> String {
        match self.kind {
            TokenKind::End => "the end".to_owned(),
            TokenKind::Number(_)
            | TokenKind::String(_)
            | TokenKind::Name(_)
            | TokenKind::Sign(_) => {
                let text = source
                    .get(self.span.start..self.span.end)
                    .unwrap_or_default();
                match text.char_indices().nth(SHOWN) {
                    Some((end, _)) => format!("`{}...`", text.get(..end).unwrap_or_default()),
                    None => format!("`{text}`"),
                }
            }
        }
    }
}
