//! Explains why a YAML text is not well formed: the parser's position, an author's words.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Place, Report};

/// Most tabs that are shown of one text.
const MAX_TABS: usize = 20;

/// Reports a syntax error at a byte, by its most likely cause.
pub(super) fn explain(text: &str, at: usize, info: &str, report: &mut Report) {
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
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let mut diagnostic = Diagnostic::new(
        Code::Syntax,
        Place::Text(at..end),
        format!("the YAML is not well formed: {info}"),
    );
    if let Some(help) = remedy(&text[line]) {
        diagnostic = diagnostic.help(help);
    }
    report.push(diagnostic);
}

/// The diagnostic for a `{{` that YAML takes for a mapping.
pub(super) fn unquoted_template(text: &str, start: usize) -> Diagnostic {
    let line_end = line_range(text, start).end;
    let written = text[start..line_end].trim_end();
    Diagnostic::new(
        Code::UnquotedTemplate,
        Place::Text(start..start + written.len()),
        "a value that begins with `{{` must be quoted, or YAML takes it for a mapping",
    )
    .help(format!("write \"{}\"", written.replace('"', "'")))
    .fix(format!("\"{}\"", written.replace('"', "'")))
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

fn remedy(line: &str) -> Option<&'static str> {
    let after_key = line.split_once(": ").map(|(_, value)| value)?;
    let plain = !after_key
        .trim_start()
        .starts_with(['"', '\'', '|', '>', '[', '{']);
    (plain && after_key.contains(": ")).then_some("a text that contains `: ` must be quoted")
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
