//! Blocks of text and lists whose lines or signs do not stand where YAML wants them.

use super::{character, leading_blanks, line_range};
use crate::diagnostic::{Code, Diagnostic, Place};

/// The diagnostic for a block of text or a dash, if the error is one of them.
pub(super) fn find(text: &str, at: usize, info: &str) -> Option<Diagnostic> {
    text_behind_sign(text, at, info)
        .or_else(|| dash(text, at, info))
        .or_else(|| not_indented(text, at))
}

fn diagnostic(place: std::ops::Range<usize>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::Syntax, Place::Text(place), message)
}

/// `description: > text`.
fn text_behind_sign(text: &str, at: usize, info: &str) -> Option<Diagnostic> {
    if !info.contains("block scalar, did not find expected comment") {
        return None;
    }
    let line = line_range(text, at);
    let sign = at + text[at..line.end].find(['|', '>'])?;
    let rest = text[sign..line.end].trim_end();
    let quoted = super::quoted(rest);
    Some(
        diagnostic(
            sign..sign + rest.len(),
            format!(
                "behind `{0}` the line ends: what follows on this line is no part of the text",
                &text[character(text, sign)]
            ),
        )
        .help(format!(
            "write the text on the lines below, further in than its key, or write {quoted} if the \
             text begins with this sign"
        )),
    )
}

/// A `-` where no item of a list can begin.
fn dash(text: &str, at: usize, info: &str) -> Option<Diagnostic> {
    if !text[at..].starts_with('-') {
        return None;
    }
    let place = at..at + 1;
    if info.contains("plain scalar cannot start with '-'") {
        let message = "a `-` alone must be quoted";
        return Some(diagnostic(place, message).help("write \"-\"").fix("\"-\""));
    }
    if info.contains("only valid inside a block") {
        let message = "between brackets the items of a list have no `-`";
        return Some(diagnostic(place, message).help("remove it: a comma stands between items"));
    }
    info.contains("block sequence entries are not allowed")
        .then(|| {
            diagnostic(place, "no item of a list can begin here").help(
                "write each item on a line of its own below the key, or \"-\" if it is a text",
            )
        })
}

/// `description: |` over a line that is no further in than `description`.
fn not_indented(text: &str, at: usize) -> Option<Diagnostic> {
    let mut below: Option<std::ops::Range<usize>> = None;
    let mut line = line_range(text, at);
    loop {
        let content = text[line.clone()].trim();
        if is_header(content) {
            break;
        }
        if !content.is_empty() {
            below = Some(line.clone());
        }
        line = line_range(text, line.start.checked_sub(1)?);
    }
    let below = below?;
    let content = text[below.clone()].trim();
    let column = key_column(&text[line.clone()]);
    let indent = leading_blanks(&text[below.clone()]);
    let is_other = content.starts_with(['-', '#', ']', '}'])
        || content.contains(": ")
        || content.ends_with(':');
    if indent > column || is_other {
        return None;
    }
    let sign = text[line.clone()].rfind(['|', '>'])?;
    let start = below.start + indent;
    Some(
        diagnostic(
            start..start + content.len(),
            "this line is no part of the text above it, because it is not indented",
        )
        .related(
            Place::Text(line.start + sign..line.start + sign + 1),
            "the text begins below this",
        )
        .help(format!(
            "indent each line of the text by {} spaces",
            column + 2
        )),
    )
}

/// Whether a line ends with the sign of a block: `|`, `>-`, `|2`.
fn is_header(content: &str) -> bool {
    let content = content.split(" #").next().unwrap_or(content).trim_end();
    let before = content.trim_end_matches(|c: char| matches!(c, '+' | '-') || c.is_ascii_digit());
    let Some(before) = before.strip_suffix(['|', '>']) else {
        return false;
    };
    before.ends_with(": ") || before.ends_with("- ")
}

fn key_column(line: &str) -> usize {
    let mut column = leading_blanks(line);
    while line[column..].starts_with("- ") && line[column..].contains(": ") {
        column += 2 + leading_blanks(&line[column + 2..]);
    }
    column
}
