//! Backslashes in double quotes that begin no escape.

use std::ops::Range;

use super::character;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::source::SourceFormat;

/// The first wrong escape of the text in double quotes that opens at a byte.
pub(super) fn wrong(text: &str, opened: usize, format: SourceFormat) -> Option<Diagnostic> {
    let mut at = opened + 1;
    loop {
        let next = text.get(at..)?.chars().next()?;
        if next == '"' {
            return None;
        }
        at = match next {
            '\\' => match escape(text, at, format) {
                Ok(end) => end,
                Err(wrong) => return Some(wrong.told(text, format)),
            },
            _ => at + next.len_utf8(),
        };
    }
}

/// The first wrong escape in all texts of a JSON text.
pub(super) fn wrong_in_json(text: &str) -> Option<Diagnostic> {
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find('"') {
        let opened = at + found;
        if let Some(wrong) = wrong(text, opened, SourceFormat::Json) {
            return Some(wrong);
        }
        at = quote_end(text, opened)?;
    }
    None
}

/// Where the text in double quotes that opens at a byte ends.
fn quote_end(text: &str, opened: usize) -> Option<usize> {
    let mut escaped = false;
    let inner = opened + 1;
    let end = text.get(inner..)?.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(inner + end + 1)
}

/// Where a wrong escape stands, and what is wrong.
enum Wrong {
    /// No escape begins like this.
    Unknown(Range<usize>),
    /// So many hexadecimal digits must follow.
    Digits(Range<usize>, usize),
    /// Half of a character that takes two escapes.
    Half(Range<usize>),
    /// A number that no character has.
    NoCharacter(Range<usize>),
}

/// The end of the escape at a byte.
fn escape(text: &str, at: usize, format: SourceFormat) -> Result<usize, Wrong> {
    let name = character(text, at + 1);
    let begun = at..name.end;
    let known = match format {
        SourceFormat::Yaml => "0abt\tnvfre \"/\\N_LP\r\n",
        SourceFormat::Json => "\"\\/bfnrt",
    };
    let digits = match (&text[name], format) {
        // The quote is not closed, either, which is told instead.
        ("", _) => return Ok(text.len()),
        ("u", _) => 4,
        ("x", SourceFormat::Yaml) => 2,
        ("U", SourceFormat::Yaml) => 8,
        (name, _) if known.contains(name) => return Ok(begun.end),
        _ => return Err(Wrong::Unknown(begun)),
    };
    let Some(number) = hexadecimal(text, begun.end, digits) else {
        return Err(Wrong::Digits(begun, digits));
    };
    let end = begun.end + digits;
    match number {
        0xD800..=0xDBFF if format == SourceFormat::Json => {
            let second = text[end..].strip_prefix("\\u").is_some();
            match hexadecimal(text, end + 2, 4).filter(|_| second) {
                Some(0xDC00..=0xDFFF) => Ok(end + 6),
                Some(_) | None => Err(Wrong::Half(at..end)),
            }
        }
        0xD800..=0xDFFF => Err(Wrong::Half(at..end)),
        _ if char::from_u32(number).is_none() => Err(Wrong::NoCharacter(at..end)),
        _ => Ok(end),
    }
}

fn hexadecimal(text: &str, at: usize, digits: usize) -> Option<u32> {
    let written = text.get(at..at + digits)?;
    let all = written.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(written, 16).ok())?
}

impl Wrong {
    fn told(self, text: &str, format: SourceFormat) -> Diagnostic {
        let backslash = match format {
            SourceFormat::Yaml => r"write `\\` for a backslash, or use single quotes",
            SourceFormat::Json => r"write `\\` for a backslash",
        };
        let shown = |place: &Range<usize>| text[place.clone()].to_owned();
        let (place, message, help) = match self {
            Self::Unknown(place) => {
                let message = format!("`{}` means nothing in double quotes", shown(&place));
                (place, message, backslash.to_owned())
            }
            Self::Digits(place, digits) => {
                let message = format!(
                    "behind `{}` stand {digits} hexadecimal digits, as `0` to `f`",
                    shown(&place)
                );
                (place, message, backslash.to_owned())
            }
            Self::Half(place) => {
                let message = format!(
                    "`{}` is half a surrogate pair, and no character without the other half",
                    shown(&place)
                );
                (place, message, "write the character itself".to_owned())
            }
            Self::NoCharacter(place) => {
                let message = format!("no character has the number `{}`", shown(&place));
                (place, message, "write the character itself".to_owned())
            }
        };
        Diagnostic::new(Code::Syntax, Place::Text(place), message).help(help)
    }
}
