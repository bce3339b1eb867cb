//! What an author most likely did where JSON ends in an error.

use std::ops::Range;

use super::{boundary, character, line_range, quoted};
use crate::diagnostic::{Code, Diagnostic, Place};

/// The diagnostic for the error that the parser met at a byte.
pub(in crate::source) fn explain(text: &str, at: usize, error: &str) -> Diagnostic {
    let at = boundary(text, at);
    // The place is shown anyway.
    let error = error.split(" at line ").next().unwrap_or(error);
    not_json(text)
        .or_else(|| foreign(text, at))
        .or_else(|| comma(text, at, error))
        .or_else(|| value(text, at, error))
        .or_else(|| unclosed(text, at, error))
        .unwrap_or_else(|| {
            diagnostic(
                character(text, at),
                format!("the JSON is not well formed: {error}"),
            )
            .help("look at this line and the one above it: at their quotes, commas and brackets")
        })
}

fn diagnostic(place: Range<usize>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::Syntax, Place::Text(place), message)
}

/// Another format under the name of a JSON file.
fn not_json(text: &str) -> Option<Diagnostic> {
    let start = text.len() - text.trim_start().len();
    let rest = &text[start..line_range(text, start).end];
    let begins = |signs: &[char]| rest.starts_with(signs);
    let is_json = rest.is_empty() || begins(&['{', '[', '"', '/', '\'']);
    (!is_json).then(|| {
        diagnostic(
            start..start + rest.trim_end().len(),
            "a JSON text begins with `{`, this one does not",
        )
        .help("write it as JSON, or rename the file so that it ends in .yaml if it is YAML")
    })
}

/// What JavaScript or YAML has and JSON has not: comments, single quotes, words without quotes.
fn foreign(text: &str, at: usize) -> Option<Diagnostic> {
    let rest = &text[at..line_range(text, at).end];
    if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        return Some(
            diagnostic(at..at + rest.trim_end().len(), "JSON has no comments")
                .help("remove it, or write the workflow as YAML, in a file that ends in .yaml"),
        );
    }
    if let Some(inner) = rest.strip_prefix('\'') {
        let end = inner.find('\'').unwrap_or(inner.len());
        let length = (end + 2).min(rest.len());
        let written = quoted(&inner[..end]);
        return Some(
            diagnostic(at..at + length, "a text in JSON stands in double quotes")
                .help(format!("write {written}"))
                .fix(written),
        );
    }
    let word: &str = rest
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .filter(|word| word.starts_with(char::is_alphabetic))?;
    let written = match word {
        "True" | "False" => word.to_lowercase(),
        "None" | "undefined" => "null".to_owned(),
        // The parser stops within a word that begins like one of these.
        "true" | "false" | "null" => return None,
        _ => quoted(word),
    };
    Some(
        diagnostic(
            at..at + word.len(),
            format!("`{word}` stands without quotes"),
        )
        .help(format!("write {written}"))
        .fix(written),
    )
}

/// A comma that is missing, or one too many.
fn comma(text: &str, at: usize, error: &str) -> Option<Diagnostic> {
    let before = text[..at].trim_end();
    let closes = text[at..].starts_with([']', '}']);
    if closes && before.ends_with(',') {
        let comma = before.len() - 1;
        return Some(
            diagnostic(comma..comma + 1, "a trailing comma: nothing follows it")
                .help("remove it")
                .fix(""),
        );
    }
    (error.starts_with("expected `,`") && !closes && at < text.len()).then(|| {
        diagnostic(character(text, at), "a comma is missing before this")
            .help("write `,` behind the value that comes before it")
    })
}

/// A key without a value.
fn value(text: &str, at: usize, error: &str) -> Option<Diagnostic> {
    let ends = text[at..].starts_with([',', ']', '}']);
    (ends && error.starts_with("expected value")).then(|| {
        diagnostic(character(text, at), "a value is missing before this")
            .help("write one, such as \"text\", 5, true or null")
    })
}

/// A quote or a bracket without an end.
fn unclosed(text: &str, at: usize, error: &str) -> Option<Diagnostic> {
    let opened = if error.starts_with("EOF") || error.starts_with("control character") {
        last_open(text)?
    } else if error.starts_with("expected `,`") && text[at..].starts_with([']', '}']) {
        // Another bracket is closed before this one.
        last_open(&text[..at])?
    } else {
        return None;
    };
    let (message, help) = match &text[character(text, opened)] {
        "\"" => (
            "the quote that opens here is not closed on its line".to_owned(),
            "write \" at the end of the text, and `\\n` for a line break inside it".to_owned(),
        ),
        bracket => {
            let closing = if bracket == "[" { ']' } else { '}' };
            (
                format!("the `{bracket}` that opens here is not closed"),
                format!("close it with `{closing}`"),
            )
        }
    };
    Some(
        diagnostic(character(text, opened), message)
            .label("opened here")
            .help(help),
    )
}

/// The first quote that does not end on its line, or else the innermost bracket without an end.
fn last_open(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(opened), '\n') => return Some(opened),
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(_), '"') => quote = None,
            (None, '"') => quote = Some(at),
            (None, '[' | '{') => open.push(at),
            (None, ']' | '}') => drop(open.pop()),
            (Some(_) | None, _) => {}
        }
    }
    quote.or(open.pop())
}
