//! Cuts a pattern into fields and a field into tokens, with byte spans.
//!
//! Knows no field's meaning; refuses only what no field could take: blanks that are not
//! ASCII blanks.

use std::ops::Range;

use super::error::CronError;

/// One field's text and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) span: Range<usize>,
}

/// The smallest pieces of a field. Letters are upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// ASCII digits; saturates, because every limit lies far below.
    Number(u32),
    /// A run of ASCII letters.
    Letters(&'a str),
    /// Any other single character.
    Sign(char),
}

/// A piece of a field and its bytes in the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) span: Range<usize>,
}

/// Splits at spaces and tabs (rule P1); any other blank is an error each.
pub(super) fn words(pattern: &str) -> Result<Vec<Word<'_>>, Vec<CronError>> {
    let errors: Vec<CronError> = pattern
        .char_indices()
        .filter(|(_, c)| is_foreign_blank(*c))
        .map(|(at, c)| foreign_blank(pattern, at, c))
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut words = Vec::with_capacity(7);
    let mut rest = 0;
    for text in pattern.split([' ', '\t']) {
        let span = rest..rest + text.len();
        rest = span.end + 1;
        if !text.is_empty() {
            words.push(Word { text, span });
        }
    }
    Ok(words)
}

/// Cuts `upper`, a field in upper case that begins at byte `start` of the pattern.
pub(super) fn tokens(upper: &str, start: usize) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = upper;
    let mut at = start;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() {
            run(rest, |c| c.is_ascii_digit())
        } else if first.is_ascii_alphabetic() {
            run(rest, |c| c.is_ascii_alphabetic())
        } else {
            first.len_utf8()
        };
        let (text, tail) = rest.split_at(length);
        let kind = if first.is_ascii_digit() {
            Kind::Number(text.parse().unwrap_or(u32::MAX))
        } else if first.is_ascii_alphabetic() {
            Kind::Letters(text)
        } else {
            Kind::Sign(first)
        };
        tokens.push(Token {
            kind,
            span: at..at + length,
        });
        at += length;
        rest = tail;
    }
    tokens
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn is_foreign_blank(c: char) -> bool {
    let zero_width = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    (c.is_whitespace() || c.is_control() || zero_width) && c != ' ' && c != '\t'
}

fn foreign_blank(pattern: &str, at: usize, c: char) -> CronError {
    let name = match c {
        '\u{a0}' | '\u{202f}' => "a no-break space".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        _ => format!("the blank or control character U+{:04X}", u32::from(c)),
    };
    CronError::new(
        pattern,
        at..at + c.len_utf8(),
        format!("found {name}, expected spaces or tabs between fields"),
        "replace it by an ordinary space and keep the pattern on one line".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_point_into_the_pattern() {
        let pattern = " 0\t 9-17 MON";
        let words = words(pattern).unwrap();
        let texts: Vec<&str> = words.iter().map(|w| &pattern[w.span.clone()]).collect();
        assert_eq!(texts, ["0", "9-17", "MON"]);
        let kinds: Vec<Kind<'_>> = tokens("9-17", 4).into_iter().map(|t| t.kind).collect();
        assert_eq!(kinds, [Kind::Number(9), Kind::Sign('-'), Kind::Number(17)]);
    }

    #[test]
    fn huge_numbers_saturate() {
        assert_eq!(
            tokens("99999999999999999999", 0)[0].kind,
            Kind::Number(u32::MAX)
        );
    }
}
