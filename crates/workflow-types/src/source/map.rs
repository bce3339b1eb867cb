//! Where the nodes of a document stand in its text.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::lines::Lines;
use super::scalar::{self, Style, Trace};
use super::{SourceFormat, written};
use crate::diagnostic::{Fix, Part, Place, Pointer, Replacement};

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
    format: SourceFormat,
    /// Counted once somebody asks for a line.
    lines: OnceLock<Lines>,
}

/// Where one node stands, as another parser found it, in bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    /// Its key; none of an item of a list and of the whole document.
    pub key: Option<Range<usize>>,
    /// Its value.
    pub value: Range<usize>,
}

/// The ranges of one node.
#[derive(Debug, Clone)]
pub(super) struct NodeSpans {
    key: Option<Range<usize>>,
    value: Range<usize>,
    /// The first byte of the tag in front of the value, if it has one.
    tag: Option<usize>,
    style: Style,
    /// Where the characters of a scalar stand, once somebody asks.
    trace: OnceLock<Option<Trace>>,
}

impl NodeSpans {
    pub(super) fn new(key: Option<Range<usize>>, value: Range<usize>, style: Style) -> Self {
        Self {
            key,
            value,
            tag: None,
            style,
            trace: OnceLock::new(),
        }
    }

    /// The same node behind a tag.
    pub(super) fn tagged(self, tag: Option<usize>) -> Self {
        Self { tag, ..self }
    }

    /// The value with its tag.
    fn whole(&self) -> Range<usize> {
        self.tag.unwrap_or(self.value.start)..self.value.end
    }
}

impl SourceMap {
    /// The map of a text without nodes.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// The map of a text that another parser has read. Places inside strings are those of the whole
    /// string.
    ///
    /// ```
    /// use workflow_types::SourceMap;
    /// use workflow_types::diagnostic::{Place, Pointer};
    /// use workflow_types::source::Spans;
    ///
    /// let at = Pointer::root().key("drain");
    /// let spans = Spans { key: Some(0..5), value: 8..12 };
    /// let map = SourceMap::of_nodes("drain = \"5s\"", [(at.clone(), spans)]);
    /// assert_eq!(map.resolve(&Place::value(&at)), 8..12);
    /// ```
    pub fn of_nodes(text: &str, nodes: impl IntoIterator<Item = (Pointer, Spans)>) -> Self {
        let mut map = Self::new(text);
        for (pointer, Spans { key, value }) in nodes {
            map.insert(pointer, NodeSpans::new(key, value, Style::Other));
        }
        map
    }

    /// The same places, with what was read from the text.
    pub(super) fn holding(self, value: Option<Arc<Value>>, format: SourceFormat) -> Self {
        Self {
            value,
            format,
            ..self
        }
    }

    /// The same places in a text of which this one was a part, at the same offsets.
    pub(super) fn of(self, whole: &str) -> Self {
        Self {
            text: whole.to_owned(),
            lines: OnceLock::new(),
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

    /// The text of a fix as it must be written at its place, with the quotes and escapes that this
    /// text needs; none if it cannot stand there or the place is not exact.
    pub fn replacement(&self, fix: &Fix) -> Option<String> {
        let (pointer, part) = match (&fix.place, &fix.replacement) {
            (Place::Node { pointer, part }, _) => (pointer, part),
            (Place::Text(_), Replacement::Text(text)) => return Some(text.clone()),
            (Place::Text(_), Replacement::Value(value)) => {
                return Some(written::value(value, self.format, Style::Other));
            }
        };
        let spans = self.nodes.get(pointer)?;
        match (part, &fix.replacement) {
            (Part::Inside(range), replacement) => {
                self.inside(pointer, spans, range)?;
                scalar::escaped_for(spans.style, &replacement.to_string(), range.start)
            }
            (Part::Key, replacement) => {
                let key = self.text.get(spans.key.clone()?)?;
                let style = Style::of_quotes(key);
                let name = Value::String(replacement.to_string());
                Some(written::value(&name, self.format, style))
            }
            (Part::Value, Replacement::Text(text)) => Some(text.clone()),
            // A block goes on over lines that do not belong to its place, and what is not written
            // has no place of its own.
            (Part::Value, Replacement::Value(value)) => {
                let block = matches!(spans.style, Style::Literal | Style::Folded);
                let writable = !block && !spans.value.is_empty();
                writable.then(|| written::value(value, self.format, spans.style))
            }
        }
    }

    /// Line and column of a byte.
    pub fn line_column(&self, byte: usize) -> LineColumn {
        let byte = self.clamp(byte..byte).start;
        self.lines().place(&self.text, byte)
    }

    /// The bytes of all lines that a range of bytes touches, with their ends, and the number of the
    /// first of them.
    ///
    /// ```
    /// use workflow_types::{SourceFormat, WorkflowDefinition};
    ///
    /// let text = b"name: W\nsteps:\n  - {id: a, action: noop}\n";
    /// let map = WorkflowDefinition::check(text, SourceFormat::Yaml).map;
    /// assert_eq!(map.lines_around(10..12), (8..15, 2));
    /// ```
    pub fn lines_around(&self, range: Range<usize>) -> (Range<usize>, usize) {
        self.lines().around(&self.text, &self.clamp(range))
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::of(&self.text))
    }

    fn node(&self, pointer: &Pointer, part: &Part) -> Range<usize> {
        if let Some(spans) = self.nodes.get(pointer) {
            return match part {
                Part::Key => spans.key.clone().unwrap_or_else(|| spans.value.clone()),
                Part::Value => spans.whole(),
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
