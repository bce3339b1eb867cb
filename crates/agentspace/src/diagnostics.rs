//! Shows diagnostics: with the source text for people, as JSON for programs, as GitHub's commands.

mod concealed;
mod excerpts;

use std::path::Path;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Element, Group, Level, Origin, Padding, Renderer, Snippet};
use gateway::FileReport;
use gateway::workflow_types::{Code, Diagnostic, Severity, SourceMap};
use serde_json::{Value, json};

use crate::cli::Format;
use crate::output;

/// Shows what there is to say of a file. People's words go to stderr, programs' to stdout.
pub(crate) fn show(report: &FileReport, format: Format) {
    let shown = report.path.display().to_string();
    if let Some(reason) = &report.unreadable {
        match format {
            Format::Human => output::talk(&format!(
                "{}: {shown}: {reason}",
                output::paint(output::RED, "error")
            )),
            Format::Github => output::data(&format!(
                "::error file={}::{}",
                escaped_property(&shown),
                escaped(reason)
            )),
            Format::Json => {}
        }
        return;
    }
    for diagnostic in sorted(report) {
        match format {
            Format::Human => output::talk(&human(diagnostic, &report.map, &report.path)),
            Format::Github => output::data(&github(diagnostic, &report.map, &shown)),
            Format::Json => {}
        }
    }
}

/// Most codes that [`explained_by`] names.
const MAX_NAMED: usize = 4;

/// Where to read more about what was shown: for people, once, after all of it; none if nothing
/// was.
pub(crate) fn explained_by(reports: &[FileReport]) -> Option<String> {
    let all = || reports.iter().flat_map(|report| &report.diagnostics);
    explained(all().map(|diagnostic| diagnostic.code).collect())
}

/// The same for the codes that were shown.
pub(crate) fn explained(mut codes: Vec<Code>) -> Option<String> {
    // Errors first: what refuses a file is asked about before what only informs.
    codes.sort_by_key(|code| (code.severity(), *code));
    codes.dedup();
    let (first, others) = codes.split_first()?;
    let named: Vec<&str> = others
        .iter()
        .map(|code| code.as_str())
        .take(MAX_NAMED - 1)
        .collect();
    let kind = match first.severity() {
        Severity::Error => "an error",
        Severity::Warning => "a warning",
    };
    let others = match (named.as_slice(), others.len() - named.len()) {
        ([], _) => String::new(),
        (named, 0) => format!(" (or {})", named.join(", ")),
        (named, _) => format!(" (or {}, …)", named.join(", ")),
    };
    Some(format!(
        "for more about {kind}: agentspace explain {first}{others}"
    ))
}

/// Everything there is to say of files, as JSON. What warnings lead to is for its caller to say.
pub(crate) fn all_to_json(reports: &[FileReport]) -> Value {
    let files: Vec<Value> = reports.iter().map(to_json).collect();
    let (errors, warnings) = (errors(reports), warnings(reports));
    json!({"files": files, "errors": errors, "warnings": warnings, "denied": false})
}

/// How many errors there are; a file that cannot be read is one.
pub(crate) fn errors(reports: &[FileReport]) -> usize {
    let of_one = |report: &FileReport| {
        report.diagnostics.errors().count() + usize::from(report.unreadable.is_some())
    };
    reports.iter().map(of_one).sum()
}

/// How many warnings there are.
pub(crate) fn warnings(reports: &[FileReport]) -> usize {
    let of_one = |report: &FileReport| report.diagnostics.warnings().count();
    reports.iter().map(of_one).sum()
}

fn to_json(report: &FileReport) -> Value {
    let diagnostics: Vec<Value> = sorted(report)
        .into_iter()
        .map(|diagnostic| one_to_json(diagnostic, &report.map))
        .collect();
    json!({
        "path": report.path.display().to_string(),
        "kind": report.kind.as_str(),
        "workflowId": report.id.as_ref().map(ToString::to_string),
        "refused": report.is_refused(),
        "unreadable": report.unreadable,
        "diagnostics": diagnostics,
    })
}

/// In the order of the text.
fn sorted(report: &FileReport) -> Vec<&Diagnostic> {
    let mut all: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    all.sort_by_cached_key(|diagnostic| report.map.resolve(&diagnostic.place).start);
    all
}

/// A diagnostic as JSON.
pub(crate) fn one_to_json(diagnostic: &Diagnostic, map: &SourceMap) -> Value {
    use gateway::workflow_types::diagnostic::Place;
    let span = map.resolve(&diagnostic.place);
    let (start, end) = (map.line_column(span.start), map.line_column(span.end));
    let pointer = match &diagnostic.place {
        Place::Node { pointer, .. } => Some(pointer.as_str().to_owned()),
        Place::Text(_) => None,
    };
    let related = diagnostic.related.iter().map(|label| {
        let span = map.resolve(&label.place);
        let (start, end) = (map.line_column(span.start), map.line_column(span.end));
        json!({
            "line": start.line,
            "column": start.column,
            "endLine": end.line,
            "endColumn": end.column,
            "text": label.text,
        })
    });
    json!({
        "code": diagnostic.code.as_str(),
        "severity": diagnostic.severity.to_string(),
        "message": diagnostic.message,
        "pointer": pointer,
        "line": start.line,
        "column": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "label": (!diagnostic.label.is_empty()).then_some(&diagnostic.label),
        "related": related.collect::<Value>(),
        "help": diagnostic.help,
        "fix": diagnostic.fix.as_ref().and_then(|fix| map.replacement(fix)),
    })
}

/// A diagnostic with the text that it speaks of, for people.
pub(crate) fn human(diagnostic: &Diagnostic, map: &SourceMap, path: &Path) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let is_concealed = concealed::is(diagnostic, map, path);
    let path = path.display().to_string();
    let mut group: Group<'_> = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str())
        .elements(None::<Element<'_>>);
    let excerpts = if is_concealed {
        let at = map.line_column(map.resolve(&diagnostic.place).start);
        let origin = Origin::path(path.as_str()).line(at.line);
        group = group.element(origin.char_column(at.column));
        Vec::new()
    } else {
        excerpts::of(diagnostic, map)
    };
    for excerpt in excerpts {
        let snippet = Snippet::source(excerpt.text(map))
            .line_start(excerpt.line())
            .fold(true)
            .annotations(excerpt.annotations());
        group = match excerpt.origin(map) {
            None => group.element(snippet.path(path.as_str())),
            Some(at) => group
                .element(
                    Origin::path(path.as_str())
                        .line(at.line)
                        .char_column(at.column),
                )
                .element(Padding)
                .element(snippet),
        };
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    format!("{}\n", renderer.render(&[group]))
}

fn github(diagnostic: &Diagnostic, map: &SourceMap, path: &str) -> String {
    let span = map.resolve(&diagnostic.place);
    let (start, end) = (map.line_column(span.start), map.line_column(span.end));
    let mut text = diagnostic.message.clone();
    if !diagnostic.label.is_empty() {
        text.push_str("\nhere: ");
        text.push_str(&diagnostic.label);
    }
    for label in &diagnostic.related {
        let at = map.line_column(map.resolve(&label.place).start);
        text.extend(["\nline ", &at.line.to_string(), ": ", &label.text]);
    }
    if let Some(help) = &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    format!(
        "::{} file={},line={},col={},endLine={},endColumn={},title={}::{}",
        diagnostic.severity,
        escaped_property(path),
        start.line,
        start.column,
        end.line,
        end.column,
        diagnostic.code,
        escaped(&text)
    )
}

/// As GitHub's workflow commands escape: percent signs and line ends.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// As values before the second `::` are escaped, which end at a comma or a colon.
fn escaped_property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}
