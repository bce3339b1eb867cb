//! Chooses what of a text is shown with a diagnostic: the lines that it speaks of.
//!
//! The renderer reads all that it is given. With the whole text for each of thousands of
//! diagnostics it would take minutes.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind};
use gateway::workflow_types::source::LineColumn;
use gateway::workflow_types::{Diagnostic, SourceMap};

/// Most bytes between two places of one diagnostic that are shown in one piece.
const MAX_BETWEEN: usize = 4096;
/// Bytes of a line that are shown to the left and to the right of a place, and of the place
/// itself: several times the width of a terminal.
const MAX_BESIDE: usize = 1024;

/// A piece of a text with what is said of it.
pub(super) struct Excerpt<'d> {
    /// Its bytes in the text: whole lines, unless they are very long.
    part: Range<usize>,
    line: usize,
    marks: Vec<Mark<'d>>,
}

struct Mark<'d> {
    kind: AnnotationKind,
    span: Range<usize>,
    label: &'d str,
}

impl<'d> Excerpt<'d> {
    pub(super) fn text<'m>(&self, map: &'m SourceMap) -> &'m str {
        &map.text()[self.part.clone()]
    }

    /// Its bytes in the text.
    pub(super) fn part(&self) -> Range<usize> {
        self.part.clone()
    }

    /// The number of its first line.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Its marks, with places counted from its own begin.
    pub(super) fn annotations(&self) -> Vec<Annotation<'d>> {
        let begin = self.part.start;
        let of = |mark: &Mark<'d>| {
            let span = mark.span.start - begin..mark.span.end - begin;
            let label = (!mark.label.is_empty()).then_some(mark.label);
            mark.kind.span(span).label(label)
        };
        self.marks.iter().map(of).collect()
    }

    /// Where its first mark stands, if the renderer cannot count the column: the line is cut.
    pub(super) fn origin(&self, map: &SourceMap) -> Option<LineColumn> {
        let at = map.line_column(self.part.start);
        let mark = self.marks.first().filter(|_| at.column > 1)?;
        Some(map.line_column(mark.span.start))
    }

    /// Takes a mark in whose part is not far away; gives it back if it is.
    fn join(&mut self, mark: Mark<'d>, part: &Range<usize>, line: usize) -> Option<Mark<'d>> {
        let after = part.start.saturating_sub(self.part.end);
        let before = self.part.start.saturating_sub(part.end);
        if after.max(before) > MAX_BETWEEN {
            return Some(mark);
        }
        self.part = self.part.start.min(part.start)..self.part.end.max(part.end);
        self.line = self.line.min(line);
        self.marks.push(mark);
        None
    }
}

/// What a diagnostic speaks of: in one piece, unless its places are far from each other.
pub(super) fn of<'d>(diagnostic: &'d Diagnostic, map: &SourceMap) -> Vec<Excerpt<'d>> {
    let primary = (
        AnnotationKind::Primary,
        &diagnostic.place,
        diagnostic.label.as_str(),
    );
    let related = diagnostic.related.iter();
    let related = related.map(|label| (AnnotationKind::Context, &label.place, label.text.as_str()));
    let mut excerpts: Vec<Excerpt<'d>> = Vec::new();
    for (kind, place, label) in std::iter::once(primary).chain(related) {
        let span = shown(map, map.resolve(place));
        let (part, line) = part(map, &span);
        let mut mark = Some(Mark { kind, span, label });
        for excerpt in &mut excerpts {
            mark = mark.and_then(|mark| excerpt.join(mark, &part, line));
        }
        excerpts.extend(mark.map(|mark| Excerpt {
            part,
            line,
            marks: vec![mark],
        }));
    }
    excerpts
}

/// The line of a place or, if it is very long, what stands around the place, and its number.
fn part(map: &SourceMap, span: &Range<usize>) -> (Range<usize>, usize) {
    let (lines, line) = map.lines_around(span.clone());
    let text = map.text();
    let start = text.floor_char_boundary(span.start.saturating_sub(MAX_BESIDE));
    let end = text.floor_char_boundary(span.end.saturating_add(MAX_BESIDE));
    (lines.start.max(start)..lines.end.min(end), line)
}

/// At most the first line of a range, so that a whole step is not underlined; never empty unless
/// the text is.
fn shown(map: &SourceMap, span: Range<usize>) -> Range<usize> {
    let text = map.text();
    let most = text.floor_char_boundary(span.start.saturating_add(MAX_BESIDE));
    let most = most.min(span.end);
    let line = text[span.start..most]
        .find('\n')
        .map_or(most, |at| span.start + at);
    if line > span.start {
        return span.start..line;
    }
    match text[span.start..].chars().next() {
        Some(next) if next != '\n' => span.start..span.start + next.len_utf8(),
        // At the end of a line its last character stands for the place.
        Some(_) | None => {
            let last = text[..span.start].chars().next_back();
            span.start - last.map_or(0, char::len_utf8)..span.start
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway::workflow_types::{Checked, SourceFormat, WorkflowDefinition};

    use super::*;

    fn check(text: &str) -> Checked {
        let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml);
        assert!(checked.diagnostics.len() >= 1_000);
        checked
    }

    /// The bytes that the renderer gets to read for all diagnostics of a text.
    fn read(checked: &Checked) -> usize {
        let all = checked.diagnostics.iter();
        all.flat_map(|diagnostic| of(diagnostic, &checked.map))
            .map(|excerpt| excerpt.part.len())
            .sum()
    }

    fn unknown(count: usize, end: &str) -> String {
        let keys: Vec<String> = (0..count).map(|n| format!("unknown{n}: 1{end}")).collect();
        keys.concat().trim_end_matches([',', ' ']).to_owned()
    }

    #[test]
    fn what_is_read_grows_with_the_text_and_not_with_its_square() {
        let text = |count| {
            format!(
                "name: w\nsteps: [{{id: a, action: noop}}]\n{}",
                unknown(count, "\n")
            )
        };
        let (few, many) = (read(&check(&text(1_000))), read(&check(&text(4_000))));
        assert!(many < 5 * few, "{few} for 1,000, {many} for 4,000");
    }

    #[test]
    fn of_a_long_line_only_what_stands_around_the_place_is_read() {
        let text = format!(
            "{{name: w, steps: [{{id: a, action: noop}}], {}}}",
            unknown(2_000, ", ")
        );
        let checked = check(&text);
        assert!(read(&checked) <= checked.diagnostics.len() * (3 * MAX_BESIDE + 3));
    }

    #[test]
    fn the_first_of_two_distant_places_does_not_bring_all_between_them() {
        let text = format!(
            "name: w\nsteps: [{{id: a, action: noop}}]\n{}{}",
            unknown(1_000, "\n"),
            unknown(1_000, "\n")
        );
        let checked = check(&text);
        assert!(read(&checked) <= checked.diagnostics.len() * 2 * (MAX_BETWEEN + 60));
        let twice = checked.diagnostics.iter().find(|d| !d.related.is_empty());
        assert_eq!(of(twice.unwrap(), &checked.map).len(), 2);
    }
}
