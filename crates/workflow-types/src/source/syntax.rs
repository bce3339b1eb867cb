//! Explains why a text is not well formed: the parser's position, an author's words.
//!
//! A parser says what it expected; an author wants to know what they wrote. The text around the
//! position tells that better than the parser's own message, which is shown only as a last resort.

mod blank;
mod block;
mod cause;
mod comment;
mod escape;
mod json;
mod outline;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Place, Report};

pub(super) use blank::of_key as blank_of_key;
pub(super) use comment::cut as cut_by_comment;
pub(super) use json::explain as explain_json;

/// Most tabs that are shown of one text.
const MAX_TABS: usize = 20;

/// Reports a syntax error of YAML at a byte, by its most likely cause.
pub(super) fn explain(text: &str, at: usize, info: &str, report: &mut Report) {
    let at = boundary(text, at);
    let tabs: Vec<Range<usize>> = indentation_tabs(text).take(MAX_TABS).collect();
    if !tabs.is_empty() {
        for tab in tabs {
            report.push(
                Diagnostic::new(
                    Code::Tab,
                    Place::Text(tab),
                    "a tab is used for indentation, which YAML forbids",
                )
                .help("indent with two spaces"),
            );
        }
        return;
    }
    let line = line_range(text, at);
    if let Some(start) = bare_template(text, &line).or_else(|| {
        // The parser notices a bare template only behind it, sometimes on the next line.
        let previous = line_range(text, line.start.saturating_sub(1));
        bare_template(text, &previous)
    }) {
        // The event pass may have met the template before it met the error behind it.
        let diagnostic = unquoted_template(text, start);
        if !report.contains(&diagnostic) {
            report.push(diagnostic);
        }
        return;
    }
    report.push(cause::find(text, at, info));
}

/// The diagnostic for a `{{` that YAML takes for a mapping.
pub(super) fn unquoted_template(text: &str, start: usize) -> Diagnostic {
    let rest = &text[start..line_range(text, start).end];
    let behind = rest.find("}}").map_or(0, |found| found + 2);
    // Between brackets the value ends at the next comma or bracket, elsewhere with its line.
    let end = if outline::open_brackets(text, start).is_empty() {
        rest.find(" #").unwrap_or(rest.len())
    } else {
        let tail = rest[behind..].find([',', ']', '}']);
        tail.map_or(rest.len(), |found| behind + found)
    };
    let written = rest[..end].trim_end();
    let quoted = format!("\"{}\"", written.replace('"', "'"));
    Diagnostic::new(
        Code::UnquotedTemplate,
        Place::Text(start..start + written.len()),
        "a value that begins with `{{` must be quoted, or YAML takes it for a mapping",
    )
    .help(format!("write {quoted}"))
    .fix(quoted)
}

/// Where on this line a value begins with `{{` and has no quotes.
fn bare_template(text: &str, line: &Range<usize>) -> Option<usize> {
    let content = &text[line.clone()];
    let at = content.find("{{")?;
    let before = content[..at].trim_end();
    (before.ends_with(':')
        || before.ends_with('-')
        || before.ends_with('[')
        || before.ends_with(','))
    .then_some(line.start + at)
}

fn indentation_tabs(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let line_start = start;
        start += line.len();
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let blank = line.trim().is_empty();
        let tab = line[..indent].find('\t').filter(|_| !blank)?;
        Some(line_start + tab..line_start + tab + 1)
    })
}

fn line_range(text: &str, at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
    start..end
}

/// The nearest byte at or before one at which a character begins.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The character at a byte as a range; empty at the end of the text.
fn character(text: &str, at: usize) -> Range<usize> {
    let length = text[at..].chars().next().map_or(0, char::len_utf8);
    at..at + length
}

fn leading_blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// A text in quotes, as both formats read it.
fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains('\'') {
        return format!("'{text}'");
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
