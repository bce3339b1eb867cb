//! Laws of diagnostics: each can be shown where it stands, and errors alone refuse a text.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use workflow_types::diagnostic::{Diagnostic, Part, Place};
use workflow_types::{Diagnostics, SourceMap};

/// How many are rendered: each rendering reads the whole text.
const RENDERED: usize = 2;
/// The most bytes of a text whose diagnostics are rendered.
const RENDERED_TEXT: usize = 16 * 1024;

pub fn check(refused: bool, diagnostics: &Diagnostics, map: &SourceMap) {
    assert_eq!(refused, diagnostics.has_errors(), "{diagnostics}");
    for diagnostic in diagnostics {
        place(&diagnostic.place, map);
        for label in &diagnostic.related {
            place(&label.place, map);
            assert!(!label.text.is_empty(), "{diagnostic}");
        }
        if let Some(fix) = &diagnostic.fix {
            place(&fix.place, map);
        }
        sentence(diagnostic);
    }
    if map.text().len() <= RENDERED_TEXT {
        for diagnostic in diagnostics.iter().take(RENDERED) {
            assert!(!rendered(diagnostic, map).is_empty());
        }
    }
}

/// A place is in the text, cuts no character and has a line and a column.
fn place(place: &Place, map: &SourceMap) {
    let range = map.resolve(place);
    super::assert_within(map.text(), &range, &format!("{place:?}"));
    if let Place::Text(written)
    | Place::Node {
        part: Part::Inside(written),
        ..
    } = place
    {
        assert!(written.start <= written.end, "{place:?}");
    }
    let (start, end) = (map.line_column(range.start), map.line_column(range.end));
    assert!(start <= end, "{place:?}: {start:?} after {end:?}");
    assert!(start.line >= 1 && start.column >= 1, "{place:?}");
}

fn sentence(diagnostic: &Diagnostic) {
    assert!(!diagnostic.message.is_empty());
    assert!(diagnostic.to_string().contains(diagnostic.code.as_str()));
    if let Some(help) = &diagnostic.help {
        assert!(!help.is_empty(), "{diagnostic}");
    }
}

/// As a terminal shows it.
fn rendered(diagnostic: &Diagnostic, map: &SourceMap) -> String {
    let snippet = Snippet::source(map.text()).path("text").fold(true);
    let primary = AnnotationKind::Primary.span(first_line(map, &diagnostic.place));
    let snippet = snippet.annotation(primary.label(diagnostic.label.as_str()));
    let snippet = snippet.annotations(diagnostic.related.iter().map(|label| {
        let span = first_line(map, &label.place);
        AnnotationKind::Context
            .span(span)
            .label(label.text.as_str())
    }));
    let title = Level::ERROR.primary_title(diagnostic.message.as_str());
    Renderer::styled().render(&[title.element(snippet)])
}

fn first_line(map: &SourceMap, place: &Place) -> Range<usize> {
    let span = map.resolve(place);
    let end = map.text()[span.clone()].find('\n');
    span.start..end.map_or(span.end, |end| span.start + end)
}
