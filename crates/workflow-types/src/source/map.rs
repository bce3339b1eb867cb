//! Where the nodes of a document stand in its text.

use std::collections::HashMap;
use std::ops::Range;

use crate::diagnostic::{Part, Place, Pointer};

/// A place in a text as a person counts it: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// From the nodes of a document to ranges of bytes in its text.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    text: String,
    nodes: HashMap<Pointer, NodeSpans>,
}

/// The ranges of one node.
#[derive(Debug, Clone)]
pub(super) struct NodeSpans {
    pub(super) key: Option<Range<usize>>,
    pub(super) value: Range<usize>,
    pub(super) style: Style,
}

/// How a scalar is written; decides whether a place inside it can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Literal,
    Other,
}

impl SourceMap {
    /// The map of a text without nodes.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            nodes: HashMap::new(),
        }
    }

    /// The same places in a text of which this one was a part, at the same offsets.
    pub(super) fn of(self, whole: &str) -> Self {
        Self {
            text: whole.to_owned(),
            nodes: self.nodes,
        }
    }

    pub(super) fn insert(&mut self, pointer: Pointer, spans: NodeSpans) {
        // The first of two equal keys is the one whose value is kept.
        self.nodes.entry(pointer).or_insert(spans);
    }

    /// The text that the map describes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The range of bytes of a place; for a node that is not written down (a missing key, a node
    /// behind an alias) the nearest one around it.
    pub fn resolve(&self, place: &Place) -> Range<usize> {
        match place {
            Place::Text(range) => self.clamp(range.clone()),
            Place::Node { pointer, part } => self.node(pointer, part),
        }
    }

    /// Line and column of a byte.
    pub fn line_column(&self, byte: usize) -> LineColumn {
        let before = &self.text[..self.clamp(byte..byte).start];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        LineColumn {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
        }
    }

    fn node(&self, pointer: &Pointer, part: &Part) -> Range<usize> {
        if let Some(spans) = self.nodes.get(pointer) {
            return match part {
                Part::Key => spans.key.clone().unwrap_or_else(|| spans.value.clone()),
                Part::Value => spans.value.clone(),
                Part::Inside(range) => self
                    .inside(spans, range)
                    .unwrap_or_else(|| spans.value.clone()),
            };
        }
        match pointer.parent() {
            // A missing node is best shown at the key of the mapping it is missing from; an item
            // of a list has no key and is shown at its own first line.
            Some(parent) => self.first_line(self.node(&parent, &Part::Key)),
            None => 0..0,
        }
    }

    /// A range inside a scalar, where the text of the scalar is written as it is.
    fn inside(&self, spans: &NodeSpans, range: &Range<usize>) -> Option<Range<usize>> {
        let raw = self.text.get(spans.value.clone())?;
        match spans.style {
            Style::Plain if !raw.contains('\n') => self.shifted(&spans.value, range),
            Style::Quoted if !raw.contains(['\n', '\\']) && !raw.contains("''") => {
                let inner = spans.value.start + 1..spans.value.end.saturating_sub(1);
                self.shifted(&inner, range)
            }
            Style::Literal => self.inside_literal(&spans.value, range),
            Style::Plain | Style::Quoted | Style::Other => None,
        }
    }

    fn shifted(&self, outer: &Range<usize>, range: &Range<usize>) -> Option<Range<usize>> {
        let start = outer.start + range.start;
        let end = (outer.start + range.end).min(outer.end);
        let fits =
            start <= end && self.text.is_char_boundary(start) && self.text.is_char_boundary(end);
        fits.then_some(start..end)
    }

    /// A range inside a literal block (`|`), whose lines lose their common indentation.
    fn inside_literal(&self, outer: &Range<usize>, range: &Range<usize>) -> Option<Range<usize>> {
        let raw = self.text.get(outer.clone())?;
        let body_start = if raw.starts_with('|') {
            outer.start + raw.find('\n')? + 1
        } else {
            // The parser counts a block from its first text on.
            self.text[..outer.start].rfind('\n').map_or(0, |at| at + 1)
        };
        let indent = self.text[body_start..]
            .lines()
            .find(|line| !line.trim().is_empty())
            .map(|line| line.len() - line.trim_start_matches(' ').len())?;
        let mut value_offset = 0;
        let mut line_start = body_start;
        for line in self.text[body_start..].split_inclusive('\n') {
            let kept = line.len().saturating_sub(indent);
            if range.start < value_offset + kept {
                let start = line_start + indent + (range.start - value_offset);
                let length = range.end.saturating_sub(range.start);
                let end = (start + length).min(line_start + line.trim_end().len());
                return self.text.get(start..end).map(|_| start..end);
            }
            value_offset += kept.max(1);
            line_start += line.len();
        }
        None
    }

    fn first_line(&self, range: Range<usize>) -> Range<usize> {
        let range = self.clamp(range);
        let length = self.text[range.clone()].find('\n').unwrap_or(range.len());
        range.start..range.start + length
    }

    fn clamp(&self, range: Range<usize>) -> Range<usize> {
        let floor = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(range.start);
        start..floor(range.end).max(start)
    }
}
