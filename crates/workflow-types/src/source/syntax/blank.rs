//! Blanks that look like the one that YAML wants, and are other characters.

use std::ops::Range;

use super::line_range;
use crate::diagnostic::{Code, Diagnostic, Place};

/// The diagnostic for such a blank where YAML needs one, on the line of an error or above it.
pub(super) fn find(text: &str, at: usize) -> Option<Diagnostic> {
    let line = line_range(text, at);
    let above = line.start.checked_sub(1).map(|end| line_range(text, end));
    above
        .into_iter()
        .chain([line])
        .find_map(|line| in_line(text, line))
        .map(|place| told(text, place))
}

/// The diagnostic for a key that such a blank has become part of.
pub(in crate::source) fn of_key(text: &str, key: &Range<usize>) -> Option<Diagnostic> {
    let written = text.get(key.clone())?;
    let dashes = written.len() - written.trim_start_matches('-').len();
    let blanks = written[dashes..].len() - written[dashes..].trim_start_matches(is_other).len();
    let start = key.start + dashes;
    (blanks > 0).then(|| told(text, start..start + blanks))
}

fn in_line(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    let content = &text[line.clone()];
    let mut blanks = content.char_indices().filter(|(_, c)| is_other(*c));
    let (at, _) = blanks.find(|(at, _)| {
        let before = &content[..*at];
        let indents = before.trim_matches(' ').is_empty();
        indents || is_key_or_dash(before)
    })?;
    let length = content[at..].len() - content[at..].trim_start_matches(is_other).len();
    let start = line.start + at;
    Some(start..start + length)
}

/// Whether a line up to here is a key with its colon, or the dash of an item.
fn is_key_or_dash(before: &str) -> bool {
    let content = before.trim_start_matches([' ', '-']);
    let is_key = |key: &str| key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    match content.strip_suffix(':') {
        Some(key) => !key.is_empty() && is_key(key),
        None => content.is_empty() && before.ends_with('-'),
    }
}

fn told(text: &str, place: Range<usize>) -> Diagnostic {
    let found = text[place.clone()].chars().next().unwrap_or(' ');
    let blanks = " ".repeat(text[place.clone()].chars().count());
    let name = match found {
        '\u{a0}' => ", a no-break space,",
        '\u{200b}' => ", a space without width,",
        '\u{3000}' => ", a wide space,",
        _ => "",
    };
    Diagnostic::new(
        Code::Syntax,
        Place::Text(place),
        format!(
            "the character U+{:04X}{name} looks like a blank and is none to YAML",
            u32::from(found)
        ),
    )
    .label("here")
    .help("replace it by a blank")
    .fix(blanks)
}

fn is_other(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{3000}' | '\u{feff}'
    )
}
