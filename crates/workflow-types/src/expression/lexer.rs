//! Cuts an expression's source into tokens, one at a time.
//!
//! Must not know the grammar, with one exception: after a dot, a `-` belongs to the name.

use super::ExpressionError;
use super::ast::Span;
use super::mistakes;
use super::number;
use super::token::{SIGNS, Token, TokenKind};
use super::utf16;

#[derive(Debug)]
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
    after_dot: bool,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self {
            source,
            at: 0,
            after_dot: false,
        }
    }

    /// The next token; [`TokenKind::End`] for ever after the last one.
    pub(super) fn next(&mut self) -> Result<Token, ExpressionError> {
        let space = self.rest().len() - self.rest().trim_start_matches(utf16::is_space).len();
        self.at += space;
        let start = self.at;
        let kind = self.kind()?;
        self.after_dot = matches!(kind, TokenKind::Sign("." | "?."));
        Ok(Token {
            kind,
            span: Span::new(start, self.at),
        })
    }

    fn kind(&mut self) -> Result<TokenKind, ExpressionError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(TokenKind::End);
        };
        let fraction = first == '.' && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
        if is_name_start(first) {
            self.name()
        } else if first.is_ascii_digit() || fraction {
            self.number()
        } else if first == '"' || first == '\'' {
            self.string(first)
        } else if let Some(sign) = sign(rest) {
            self.at += sign.len();
            Ok(TokenKind::Sign(sign))
        } else {
            let span = Span::new(self.at, self.at + first.len_utf8());
            Err(mistakes::foreign_character(first, span, self.source))
        }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Moves past the next character and gives it.
    fn bump(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn name(&mut self) -> Result<TokenKind, ExpressionError> {
        let start = self.at;
        let hyphens = self.after_dot;
        let mut chars = self.rest().chars().peekable();
        while let Some(c) = chars.next() {
            let joins = hyphens && c == '-' && chars.peek().copied().is_some_and(is_name_part);
            if !joins && !is_name_part(c) {
                break;
            }
            self.at += c.len_utf8();
        }
        let name = self.source.get(start..self.at).unwrap_or_default();
        if name.starts_with("length-") {
            return Err(mistakes::hyphen_after_length(
                name,
                Span::new(start, self.at),
            ));
        }
        Ok(TokenKind::Name(name.to_owned()))
    }

    fn number(&mut self) -> Result<TokenKind, ExpressionError> {
        let start = self.at;
        let rest = self.rest();
        let prefixed = number::radix_digits(rest).map(|(digits, radix)| {
            let length = digits
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(digits.len());
            let value = number::from_radix(digits.get(..length).unwrap_or_default(), radix);
            (2 + length, value)
        });
        let (length, value) = prefixed.unwrap_or_else(|| {
            let length = number::decimal_length(rest);
            (
                length,
                rest.get(..length).and_then(|text| text.parse().ok()),
            )
        });
        self.at += length;
        while self.rest().starts_with(is_name_part) {
            self.bump();
        }
        let span = Span::new(start, self.at);
        let text = self.source.get(start..self.at).unwrap_or_default();
        let legacy = text
            .strip_prefix('0')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        match value {
            Some(value) if text.len() == length && !legacy => Ok(TokenKind::Number(value)),
            _ => Err(mistakes::bad_number(text, span)),
        }
    }

    fn string(&mut self, quote: char) -> Result<TokenKind, ExpressionError> {
        let start = self.at;
        self.bump();
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.bump() {
                Some(c) if c == quote => return Ok(TokenKind::String(text)),
                Some('\\') => self.escape(at, &mut text)?,
                None | Some('\n' | '\r') => {
                    return Err(mistakes::unterminated_string(quote, Span::new(start, at)));
                }
                Some(c) => text.push(c),
            }
        }
    }

    /// What follows a backslash at `start`.
    fn escape(&mut self, start: usize, text: &mut String) -> Result<(), ExpressionError> {
        let plain = match self.bump() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('v') => '\u{B}',
            Some('f') => '\u{C}',
            // At the end of the source the caller reports the string.
            None | Some('\n' | '\u{2028}' | '\u{2029}') => return Ok(()),
            Some('\r') => {
                if self.rest().starts_with('\n') {
                    self.bump();
                }
                return Ok(());
            }
            Some('0') if !self.rest().starts_with(|c: char| c.is_ascii_digit()) => '\0',
            Some('0'..='9') => return Err(self.bad_escape(start)),
            Some('x') => self
                .hexadecimal(2)
                .and_then(char::from_u32)
                .ok_or_else(|| self.bad_escape(start))?,
            Some('u') => self
                .unicode_escape()
                .ok_or_else(|| self.bad_escape(start))?,
            Some(c) => c,
        };
        text.push(plain);
        Ok(())
    }

    fn bad_escape(&self, start: usize) -> ExpressionError {
        let text = self.source.get(start..self.at).unwrap_or_default();
        mistakes::bad_escape(text, Span::new(start, self.at))
    }

    /// `\u0041`, `\u{1F600}`, or a surrogate pair of the first form.
    fn unicode_escape(&mut self) -> Option<char> {
        if self.rest().starts_with('{') {
            self.bump();
            let length = self.rest().find('}')?;
            let digits = self.rest().get(..length)?;
            if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            let code = u32::from_str_radix(digits, 16).ok()?;
            self.at += length + 1;
            return char::from_u32(code);
        }
        let high = self.hexadecimal(4)?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high);
        }
        self.at += self.rest().strip_prefix("\\u").map(|_| 2)?;
        let low = self.hexadecimal(4)?;
        (0xDC00..0xE000)
            .contains(&low)
            .then(|| 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
            .and_then(char::from_u32)
    }

    fn hexadecimal(&mut self, digits: usize) -> Option<u32> {
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.rest().chars().next()?.to_digit(16)?;
            self.bump();
            code = code * 16 + digit;
        }
        Some(code)
    }
}

/// The tokens of a source that was parsed, each in one spelling.
pub(super) fn canonical(source: &str) -> String {
    let mut lexer = Lexer::new(source);
    let mut text = String::with_capacity(source.len());
    while let Ok(token) = lexer.next() {
        match token.kind {
            TokenKind::End => break,
            TokenKind::Number(number) => text.push_str(&number::to_text(number)),
            // With its length, so that no text can look like several tokens.
            TokenKind::String(own) => {
                text.push_str(&own.len().to_string());
                text.push('"');
                text.push_str(&own);
            }
            TokenKind::Name(name) => text.push_str(&name),
            TokenKind::Sign(sign) => text.push_str(sign),
        }
        text.push(' ');
    }
    text
}

/// `?.` before a digit is a `?` and a fraction, as in `a?.5:1`.
fn sign(rest: &str) -> Option<&'static str> {
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
    let digit = rest
        .strip_prefix("?.")
        .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    Some(if digit { "?" } else { sign })
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(source: &str) -> Result<Vec<TokenKind>, ExpressionError> {
        let mut lexer = Lexer::new(source);
        let mut tokens = Vec::new();
        loop {
            match lexer.next()?.kind {
                TokenKind::End => return Ok(tokens),
                kind @ (TokenKind::Number(_)
                | TokenKind::String(_)
                | TokenKind::Name(_)
                | TokenKind::Sign(_)) => tokens.push(kind),
            }
        }
    }

    fn name(name: &str) -> TokenKind {
        TokenKind::Name(name.to_owned())
    }

    #[track_caller]
    fn check(source: &str, expect: &[TokenKind]) {
        assert_eq!(tokens(source).as_deref(), Ok(expect), "{source}");
    }

    #[track_caller]
    fn check_string(source: &str, expect: &str) {
        check(source, &[TokenKind::String(expect.to_owned())]);
    }

    #[test]
    fn a_hyphen_after_a_dot_belongs_to_the_name() {
        use TokenKind::Sign;
        check(
            "steps.a-b.c",
            &[name("steps"), Sign("."), name("a-b"), Sign("."), name("c")],
        );
        check("a?.b-1", &[name("a"), Sign("?."), name("b-1")]);
        check("a-b", &[name("a"), Sign("-"), name("b")]);
        check(
            "a.b - c",
            &[name("a"), Sign("."), name("b"), Sign("-"), name("c")],
        );
        check(
            "a.b-(c)",
            &[
                name("a"),
                Sign("."),
                name("b"),
                Sign("-"),
                Sign("("),
                name("c"),
                Sign(")"),
            ],
        );
    }

    #[test]
    fn subtracting_from_a_length_needs_spaces() {
        assert!(tokens("a.length-1").is_err());
        assert!(tokens("a.length - 1").is_ok());
    }

    #[test]
    fn numbers_are_those_of_javascript() {
        for (source, number) in [
            ("0", 0.0),
            ("1.5e3", 1500.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("0xFF", 255.0),
            ("0o17", 15.0),
            ("0B11", 3.0),
            ("1e400", f64::INFINITY),
        ] {
            check(source, &[TokenKind::Number(number)]);
        }
        for source in ["010", "1_000", "10n", "3a", "0x", "0xg", "1e", "0b2", "08"] {
            assert!(tokens(source).is_err(), "{source}");
        }
        check(
            "a?.5:1",
            &[
                name("a"),
                TokenKind::Sign("?"),
                TokenKind::Number(0.5),
                TokenKind::Sign(":"),
                TokenKind::Number(1.0),
            ],
        );
    }

    #[test]
    fn strings_take_the_escapes_of_javascript() {
        check_string(r#""a'b""#, "a'b");
        check_string(r#"'a"b'"#, "a\"b");
        check_string(r"'\n\t\r\b\v\f\0'", "\n\t\r\u{8}\u{B}\u{C}\0");
        check_string(r"'\'\\\q'", "'\\q");
        check_string(r"'\x41\u0042\u{43}'", "ABC");
        check_string(r"'\uD83D\uDE00\u{1F600}'", "😀😀");
        check_string("'a\\\nb\\\r\nc'", "abc");
        for source in [
            "'abc",
            "'a\nb'",
            r"'\1'",
            r"'\01'",
            r"'\xZ1'",
            r"'\u12'",
            r"'\uD83D'",
            r"'\uDE00'",
            r"'\u{110000}'",
            r"'\u{}'",
            r"'\u{+1}'",
            r"'\",
        ] {
            assert!(tokens(source).is_err(), "{source}");
        }
    }
}
