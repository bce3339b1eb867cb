//! What an author most likely did where JSON ends in an error.

use std::ops::Range;

use super::{boundary, character, escape, line_range, quoted};
use crate::diagnostic::{Code, Diagnostic, Place};

/// The diagnostic for the error that the parser met at a byte.
pub(in crate::source) fn explain(text: &str, at: usize, error: &str) -> Diagnostic {
    let at = boundary(text, at);
    // The place is shown anyway.
    let error = error.split(" at line ").next().unwrap_or(error);
    not_json(text)
        .or_else(|| number(text, at, error))
        .or_else(|| escapes(text, error))
        .or_else(|| control(text, error))
        .or_else(|| behind(text, at, error))
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

/// A number that no value can hold.
fn number(text: &str, at: usize, error: &str) -> Option<Diagnostic> {
    if !error.starts_with("number out of range") {
        return None;
    }
    let is_part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let start = text[..at].trim_end_matches(is_part).len();
    let rest = &text[start..];
    let end = text.len() - rest.trim_start_matches(is_part).len();
    Some(
        Diagnostic::new(
            Code::Unsupported,
            Place::Text(start..end),
            format!("`{}` is no number of 64 bits", &text[start..end]),
        )
        .help("use a smaller number, or put it in quotes"),
    )
}

/// A backslash that begins nothing.
fn escapes(text: &str, error: &str) -> Option<Diagnostic> {
    let is_escape = ["escape", "surrogate", "code point"]
        .iter()
        .any(|word| error.contains(word));
    is_escape.then(|| escape::wrong_in_json(text))?
}

/// A line break or another control character within quotes.
fn control(text: &str, error: &str) -> Option<Diagnostic> {
    if !error.starts_with("control character") {
        return None;
    }
    let (opened, at) = first_control(text)?;
    let (name, written) = match text[at..].chars().next()? {
        '\n' | '\r' => {
            // A quote that opens the next text was not meant to close this one.
            let (_, behind) = text[at..].split_once('"')?;
            if !behind.trim_start().starts_with([',', ']', '}', ':']) {
                return None;
            }
            let help = "write `\\n` for the line break and go on in the same line";
            return Some(
                diagnostic(opened..at, "a text in JSON may not hold a line break")
                    .label("this text goes on in the next line")
                    .help(help),
            );
        }
        '\t' => ("a tab".to_owned(), "\\t".to_owned()),
        other => {
            let number = u32::from(other);
            (
                format!("the character U+{number:04X}"),
                format!("\\u{number:04x}"),
            )
        }
    };
    Some(
        diagnostic(
            character(text, at),
            format!("a text in JSON may not hold {name}"),
        )
        .help(format!("write `{written}`"))
        .fix(written),
    )
}

/// The first control character within quotes, and where they open.
fn first_control(text: &str) -> Option<(usize, usize)> {
    let mut opened = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match opened {
            Some(opened) if c < ' ' => return Some((opened, at)),
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(_) if c == '"' => opened = None,
            None if c == '"' => opened = Some(at),
            Some(_) | None => {}
        }
    }
    None
}

/// What stands behind the end of the document.
fn behind(text: &str, at: usize, error: &str) -> Option<Diagnostic> {
    if !error.starts_with("trailing characters") {
        return None;
    }
    let rest = text[at..line_range(text, at).end].trim_end();
    if rest.starts_with(['/', '#']) {
        return None;
    }
    let place = at..at + rest.len();
    let own_line = text[text[..at].trim_end().len()..at].contains('\n');
    if own_line && rest.starts_with(['{', '[', '"']) {
        return Some(
            Diagnostic::new(
                Code::NotOneDocument,
                Place::Text(place),
                "the text holds a second document",
            )
            .help("remove it, or move it to a file of its own"),
        );
    }
    Some(
        diagnostic(place, "something follows the end of the document")
            .label("the document has ended before this")
            .help("remove it, or write it before the last bracket"),
    )
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
