//! What an author most likely did where YAML ends in an error.

use std::ops::Range;

use super::{
    blank, block, character, comment, escape, leading_blanks, line_range, outline, quoted,
};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::source::SourceFormat;

/// The diagnostic for the error at a byte.
pub(super) fn find(text: &str, at: usize, info: &str) -> Diagnostic {
    let line = Line::of(text, at);
    quotes(text, at, info)
        .or_else(|| blank::find(text, at))
        .or_else(|| behind_bracket(text, at))
        .or_else(|| block::find(text, at, info))
        .or_else(|| sign(&line, at, info))
        .or_else(|| brackets(text, at, info))
        .or_else(|| colon(&line, at, info))
        .or_else(|| no_key(text, &line))
        .or_else(|| indentation(text, &line, at))
        .unwrap_or_else(|| {
            diagnostic(
                character(text, at),
                format!("the YAML is not well formed: {info}"),
            )
            .help(
                "look at this line and the one above it: at their indentation, quotes and brackets",
            )
        })
}

fn diagnostic(place: Range<usize>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::Syntax, Place::Text(place), message)
}

/// A quote that is not closed, or that ends before its text does.
fn quotes(text: &str, at: usize, info: &str) -> Option<Diagnostic> {
    if info.contains("trailing content") {
        let quote = text[..at].chars().next_back()?;
        if let Some(opened) = outline::quote_that_ends_at(text, at)
            && text[opened..at].contains('\n')
        {
            // It swallowed lines up to the next quote, which was meant to open another text.
            return Some(unclosed_quote(text, opened));
        }
        let help = match quote {
            '\'' => "put double quotes around the whole text, or write `''` for a quote inside it",
            _ => "put single quotes around the whole text, or write `\\\"` for a quote inside it",
        };
        let line_end = line_range(text, at).end;
        let rest = text[at..line_end].trim_end().len();
        return Some(
            diagnostic(
                at..at + rest,
                "something follows the closing quote of a text",
            )
            .label("the text has ended before this")
            .help(help),
        );
    }
    if !info.contains("quoted scalar") {
        return None;
    }
    // The parser points at the quote, or at the place where it gave up looking for its end.
    let opened = if text[at..].starts_with(['"', '\'']) {
        at
    } else {
        text[..at].rfind(['"', '\''])?
    };
    let is_double = text[opened..].starts_with('"');
    // Where the quote has no end the parser complains of that, not of what stands behind it.
    let escape = ["escape", "hexadecimal"]
        .iter()
        .any(|word| info.contains(word));
    if is_double
        && escape
        && let Some(wrong) = escape::wrong(text, opened, SourceFormat::Yaml)
    {
        return Some(wrong);
    }
    Some(unclosed_quote(text, opened))
}

fn unclosed_quote(text: &str, opened: usize) -> Diagnostic {
    let quote = &text[character(text, opened)];
    diagnostic(
        character(text, opened),
        "the quote that opens here is not closed",
    )
    .label("opened here")
    .help(format!("write {quote} at the end of the text"))
}

/// A text without quotes that begins with a sign that means something to YAML.
fn sign(line: &Line<'_>, at: usize, info: &str) -> Option<Diagnostic> {
    let rest = line.text.get(at - line.start..)?;
    let sign = rest.chars().next()?;
    let value = plain_value(rest, line.in_brackets);
    let place = at..at + value.len();
    let name = value.trim_start_matches('*');
    if sign == '*' && info.contains("unknown anchor") && name.chars().all(char::is_alphanumeric) {
        return Some(
            diagnostic(
                place,
                format!("`{value}` repeats a value that is marked `&{name}`, and none is"),
            )
            .help(format!(
                "mark the value with `&{name}`, or write \"{value}\" if it is a text"
            )),
        );
    }
    if !matches!(sign, '@' | '`' | '%' | '*' | '&' | '!') {
        return None;
    }
    let quoted = quoted(value);
    Some(
        diagnostic(
            place,
            match sign {
                '`' => "a text that begins with a backtick must be quoted".to_owned(),
                _ => format!("a text that begins with `{sign}` must be quoted"),
            },
        )
        .help(format!("write {quoted}"))
        .fix(quoted),
    )
}

/// `[1, 2].includes(x)`: a text that begins like a list.
fn behind_bracket(text: &str, at: usize) -> Option<Diagnostic> {
    let line = line_range(text, at);
    let before = text[line.start..at].trim_end();
    let closing = line.start + before.strip_suffix([']', '}'])?.len();
    // Between other brackets a comma is missing.
    let open = outline::open_brackets(text, closing);
    let [bracket] = open.as_slice() else {
        return None;
    };
    let written = text[bracket.at..line.end].trim_end();
    let rest = text[at..line.end].trim_end();
    if rest.is_empty() || rest.starts_with(['#', ']', '}']) {
        return None;
    }
    let help = if bracket.at >= line.start {
        format!(
            "quote the whole text: write {}; or remove what follows",
            quoted(written)
        )
    } else {
        "remove it, or quote the whole text".to_owned()
    };
    Some(
        diagnostic(
            at..at + rest.len(),
            format!(
                "something follows the closing `{}`",
                &text[character(text, closing)]
            ),
        )
        .label("the list or mapping has ended before this")
        .help(help),
    )
}

/// A bracket that is not closed, or that closes nothing.
fn brackets(text: &str, at: usize, info: &str) -> Option<Diagnostic> {
    if !["flow", "bracket", "',' or"]
        .iter()
        .any(|word| info.contains(word))
    {
        return None;
    }
    let found = text[at..].chars().next();
    let open = outline::open_brackets(text, at);
    let Some(bracket) = open.last() else {
        let closing = found.filter(|c| matches!(c, ']' | '}'))?;
        return Some(
            diagnostic(
                character(text, at),
                format!("this `{closing}` closes nothing that was opened"),
            )
            .help("remove it, or write the bracket that opens"),
        );
    };
    let opening = &text[character(text, bracket.at)];
    let closing = if opening == "[" { ']' } else { '}' };
    let line = line_range(text, at);
    if bracket.at >= line.start && text[at..line.end].contains(closing) {
        return Some(
            diagnostic(
                bracket.at..line.end,
                format!("between `{opening}` and `{closing}` a comma is missing"),
            )
            .help("put a comma between the values, and quote texts that contain commas, colons or brackets"),
        );
    }
    let help = match bracket.comment {
        Some(_) => format!(
            "close it with `{closing}`; a `#` behind a blank begins a comment, so quote a text \
             that contains it"
        ),
        None => format!("close it with `{closing}`"),
    };
    Some(
        diagnostic(
            character(text, bracket.at),
            format!("the `{opening}` that opens here is not closed"),
        )
        .label("opened here")
        .help(help),
    )
}

/// A text without quotes that contains `: `.
fn colon(line: &Line<'_>, at: usize, info: &str) -> Option<Diagnostic> {
    if !info.contains("mapping values") {
        return None;
    }
    let key_end = line.text.find(": ")?;
    let value_start = key_end + 2 + leading_blanks(&line.text[key_end + 2..]);
    let value = plain_value(&line.text[value_start..], line.in_brackets);
    if at < line.start + value_start || value.is_empty() {
        return None;
    }
    let start = line.start + value_start;
    if let Some(several) = several_keys(line, value) {
        return Some(several);
    }
    let quoted = quoted(value);
    Some(
        diagnostic(
            start..start + value.len(),
            "a text that contains `: ` must be quoted",
        )
        .help(format!("write {quoted}"))
        .fix(quoted),
    )
}

/// `id: a, action: noop`: keys in one line, as they stand between braces.
fn several_keys(line: &Line<'_>, value: &str) -> Option<Diagnostic> {
    let column = line.key_column();
    let content = line.text[column..].split(" #").next()?.trim_end();
    let (key, _) = content.split_once(": ")?;
    let is_key =
        |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
    let (_, second) = value.split_once(", ")?;
    let (second, _) = second.split_once(": ")?;
    if line.in_brackets || comment::TEXTS.contains(&key) || !is_key(key) || !is_key(second) {
        return None;
    }
    let start = line.start + column;
    Some(
        diagnostic(
            start..start + content.len(),
            format!("the keys `{key}` and `{second}` stand on one line"),
        )
        .help(format!(
            "write braces around them, `{{{content}}}`, or each key on a line of its own"
        )),
    )
}

/// A line above that should be a key with a value, but has `=` or no blank behind its colon.
fn no_key(text: &str, line: &Line<'_>) -> Option<Diagnostic> {
    let above = Line::of(text, line.start.checked_sub(1)?);
    let column = above.key_column();
    let content = above.text[column..].trim_end();
    let (key, value) = content
        .split_once('=')
        .or_else(|| content.split_once(':').filter(|(_, v)| !v.starts_with(' ')))?;
    let is_key = |key: &str| key.chars().all(|c| c.is_alphanumeric() || c == '_');
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || !is_key(key) || value.is_empty() {
        return None;
    }
    let start = above.start + column;
    let written = format!("{key}: {value}");
    Some(
        diagnostic(
            start..start + content.len(),
            "this line is no key with a value: a colon and a blank stand between them",
        )
        .help(format!("write `{written}`"))
        .fix(written),
    )
}

/// A line that begins in a column where nothing above it begins.
fn indentation(text: &str, line: &Line<'_>, at: usize) -> Option<Diagnostic> {
    let is_item = line.content().starts_with("- ");
    let is_key = line.content().contains(": ") || line.content().ends_with(':');
    let first = line.start + line.indent();
    if !(is_item || is_key) || at < first || line.in_brackets {
        return None;
    }
    let above = text[..line.start]
        .lines()
        .rev()
        .map(|text| Line {
            text,
            start: 0,
            in_brackets: false,
        })
        .find(|above| {
            let content = above.content();
            let counts = !content.is_empty() && !content.starts_with('#');
            counts && (!is_item || content.starts_with("- "))
        })?;
    if !is_item && !above.content().contains(':') {
        return None;
    }
    let wanted = if is_item {
        above.indent()
    } else {
        above.key_column()
    };
    let found = line.indent();
    if wanted == found {
        return None;
    }
    let spaces = |count: usize| match count {
        1 => "1 space".to_owned(),
        _ => format!("{count} spaces"),
    };
    Some(
        diagnostic(
            first..first + line.content().len(),
            format!(
                "this line is indented by {}, which fits none of the lines above it",
                spaces(found)
            ),
        )
        .help(format!(
            "what belongs together begins in the same column: indent this line by {}, like `{}`",
            spaces(wanted),
            above.key_or_content(is_item)
        )),
    )
}

/// A line of the text.
struct Line<'t> {
    text: &'t str,
    /// Its first byte.
    start: usize,
    /// Whether the error lies between brackets, where a comma ends a value.
    in_brackets: bool,
}

impl<'t> Line<'t> {
    fn of(text: &'t str, at: usize) -> Self {
        let range = line_range(text, at);
        Self {
            start: range.start,
            text: &text[range],
            in_brackets: !outline::open_brackets(text, at).is_empty(),
        }
    }

    fn indent(&self) -> usize {
        leading_blanks(self.text)
    }

    fn content(&self) -> &'t str {
        self.text.trim()
    }

    /// Where its key begins, behind the dashes of items.
    fn key_column(&self) -> usize {
        let mut column = self.indent();
        while self.text[column..].starts_with("- ") {
            column += 2 + leading_blanks(&self.text[column + 2..]);
        }
        column
    }

    /// What is shown of a line that another should be indented like.
    fn key_or_content(&self, is_item: bool) -> &'t str {
        if is_item {
            return self.content();
        }
        let content = &self.text[self.key_column()..];
        content
            .split_once(':')
            .map_or(content.trim(), |(key, _)| key)
    }
}

/// The value at the beginning of a text, as far as its author meant it.
fn plain_value(rest: &str, in_brackets: bool) -> &str {
    let comment = rest.find(" #").unwrap_or(rest.len());
    let end = if in_brackets {
        rest.find([',', ']', '}']).unwrap_or(rest.len())
    } else {
        rest.len()
    };
    rest[..end.min(comment)].trim_end()
}
