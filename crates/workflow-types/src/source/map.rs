//! Where the nodes of a document stand in its text.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::scalar::{self, Style, Trace};
use crate::diagnostic::{Fix, Part, Place, Pointer};

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
    /// What was read from the text, for places inside its strings.
    value: Option<Arc<Value>>,
}

/// The ranges of one node.
#[derive(Debug, Clone)]
pub(super) struct NodeSpans {
    key: Option<Range<usize>>,
    value: Range<usize>,
    style: Style,
    /// Where the characters of a scalar stand, once somebody asks.
    trace: OnceLock<Option<Trace>>,
}

impl NodeSpans {
    pub(super) fn new(key: Option<Range<usize>>, value: Range<usize>, style: Style) -> Self {
        Self {
            key,
            value,
            style,
            trace: OnceLock::new(),
        }
    }
}

impl SourceMap {
    /// The map of a text without nodes.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            nodes: HashMap::new(),
            value: None,
        }
    }

    /// The same places, with what was read from the text.
    pub(super) fn holding(self, value: Option<Arc<Value>>) -> Self {
        Self { value, ..self }
    }

    /// The same places in a text of which this one was a part, at the same offsets.
    pub(super) fn of(self, whole: &str) -> Self {
        Self {
            text: whole.to_owned(),
            ..self
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

    /// The text of a fix as it must be written at its place, with the escapes of the scalar that it
    /// stands in; none if it cannot stand there or the place is not exact.
    pub fn replacement(&self, fix: &Fix) -> Option<String> {
        let Place::Node {
            pointer,
            part: Part::Inside(range),
        } = &fix.place
        else {
            return Some(fix.replacement.clone());
        };
        let spans = self.nodes.get(pointer)?;
        self.inside(pointer, spans, range)?;
        scalar::escaped_for(spans.style, &fix.replacement, range.start)
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
                    .inside(pointer, spans, range)
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

    /// A range inside a scalar, if each of its characters can be found in the text.
    fn inside(
        &self,
        pointer: &Pointer,
        spans: &NodeSpans,
        range: &Range<usize>,
    ) -> Option<Range<usize>> {
        let trace = spans.trace.get_or_init(|| {
            let value = self.value.as_ref()?.pointer(pointer.as_str())?.as_str()?;
            Trace::new(&self.text, spans.value.start, spans.style, value)
        });
        trace.as_ref()?.raw(range)
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
