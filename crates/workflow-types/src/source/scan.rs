//! The event pass: positions, duplicate keys and limits, before anything is built.
//!
//! One anchor aliased thousands of times costs nothing here, because an alias counts the nodes
//! behind it without visiting them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScanError, Span};

use super::map::{NodeSpans, SourceMap};
use super::scalar::{self, Style};
use super::{MAX_ADDRESS, MAX_DEPTH, MAX_EXPANDED, MAX_NODES, SourceFormat, number, syntax};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};

/// Scans a text; answers its map and whether a value may be built from it.
pub(super) fn scan(text: &str, format: SourceFormat, report: &mut Report) -> (SourceMap, bool) {
    let mut pass = Scan::new(text, format, report);
    let readable = match format {
        SourceFormat::Yaml => Cow::Borrowed(text),
        SourceFormat::Json => without_surrogates(text),
    };
    for event in Parser::new_from_str(&readable) {
        match event {
            Ok((event, span)) => {
                if pass.event(&event, span).is_err() {
                    return (pass.map, false);
                }
            }
            Err(error) => {
                let usable = pass.syntax(&error, format);
                return (pass.map, usable);
            }
        }
    }
    let usable = pass.finish();
    (pass.map, usable)
}

pub(super) fn too_deep(place: Place) -> Diagnostic {
    Diagnostic::new(
        Code::TooDeep,
        place,
        format!("the document is nested deeper than {MAX_DEPTH} levels"),
    )
    .help("flatten the structure")
}

pub(super) fn too_many(place: Place, nodes: usize) -> Diagnostic {
    Diagnostic::new(
        Code::TooManyNodes,
        place,
        format!("the document has {nodes} or more nodes once its aliases are expanded, at most {MAX_NODES} are read"),
    )
    .help("split it up, or use fewer aliases")
}

fn too_long(place: Place, bytes: usize) -> Diagnostic {
    Diagnostic::new(
        Code::TooManyNodes,
        place,
        format!("the document has {bytes} or more bytes once its aliases are expanded, at most {MAX_EXPANDED} are read"),
    )
    .help("split it up, or use fewer aliases")
}

fn too_far(place: Place) -> Diagnostic {
    Diagnostic::new(
        Code::TooDeep,
        place,
        format!("the keys around this have more than {MAX_ADDRESS} bytes in all"),
    )
    .help("use shorter keys, or flatten the structure")
}

/// JSON with the escapes of surrogates, which YAML does not know, as escapes of other characters:
/// of the same length, so that places stay, and different ones for different surrogates, so that
/// keys stay different.
fn without_surrogates(json: &str) -> Cow<'_, str> {
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return Cow::Borrowed(json);
    }
    let mut bytes = json.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        if let [
            b'u',
            b'd' | b'D',
            b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F',
            ..,
        ] = bytes[at + 1..]
        {
            bytes[at + 2] = b'0';
        }
        at += 2;
    }
    // Only ASCII was replaced by ASCII.
    String::from_utf8(bytes).map_or(Cow::Borrowed(json), Cow::Owned)
}

/// The scan must stop: what follows cannot be trusted. The reason is in the report.
struct Stop;

/// Where the scan stands within the document.
enum Frame {
    Mapping {
        pointer: Pointer,
        keys: HashMap<String, Range<usize>>,
        pending: Option<(Pointer, Range<usize>)>,
    },
    Sequence {
        pointer: Pointer,
        next: usize,
    },
    /// A mapping or list where a key should be: looked at for limits only.
    Skipped,
}

/// An open or finished node for the sake of aliases: how much it holds once expanded.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    bytes: usize,
    height: usize,
}

/// A scalar as the parser tells of it.
struct Scalar<'e> {
    value: &'e str,
    style: Style,
    /// The number of its anchor; 0 stands for none.
    anchor: usize,
    /// Where its tag begins.
    tag: Option<usize>,
}

impl Size {
    /// A mapping or list without what is in it.
    const EMPTY: Self = Self {
        nodes: 1,
        bytes: 0,
        height: 1,
    };
}

struct Open {
    frame: Frame,
    anchor: usize,
    start: usize,
    size: Size,
    key: Option<Range<usize>>,
}

struct Scan<'t, 'r> {
    text: &'t str,
    format: SourceFormat,
    offsets: Offsets,
    report: &'r mut Report,
    map: SourceMap,
    open: Vec<Open>,
    anchors: HashMap<usize, Size>,
    /// The nodes that have anchors.
    originals: HashMap<usize, Pointer>,
    nodes: usize,
    bytes: usize,
    documents: usize,
}

impl<'t, 'r> Scan<'t, 'r> {
    fn new(text: &'t str, format: SourceFormat, report: &'r mut Report) -> Self {
        Self {
            text,
            format,
            offsets: Offsets::new(text),
            report,
            map: SourceMap::new(text),
            open: Vec::new(),
            anchors: HashMap::new(),
            originals: HashMap::new(),
            nodes: 0,
            bytes: 0,
            documents: 0,
        }
    }

    fn event(&mut self, event: &Event<'_>, span: Span) -> Result<(), Stop> {
        let range = self.offsets.range(span);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return self.stop(
                        Diagnostic::new(
                            Code::NotOneDocument,
                            Place::Text(range),
                            "the text holds a second document",
                        )
                        .help("remove the `---`, or move the second document to a file of its own"),
                    );
                }
                Ok(())
            }
            Event::Scalar(value, style, anchor, tag) => {
                let bare = *anchor == 0 && tag.is_none();
                let (style, own) = if bare {
                    scalar::bare(self.text, range.clone(), *style)
                } else {
                    scalar::with_properties(self.text, range.clone(), *style)
                };
                let tag = tag.as_ref().and_then(|_| scalar::tag(self.text, &range));
                let node = Scalar {
                    value,
                    style,
                    anchor: *anchor,
                    tag,
                };
                self.scalar(&node, own)
            }
            Event::Alias(anchor) => self.alias(*anchor, range),
            Event::MappingStart(anchor, _) => self.enter(*anchor, range, true),
            Event::SequenceStart(anchor, _) => self.enter(*anchor, range, false),
            Event::MappingEnd | Event::SequenceEnd => {
                self.leave(range.end);
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(&mut self, node: &Scalar<'_>, range: Range<usize>) -> Result<(), Stop> {
        let size = Size {
            nodes: 1,
            bytes: node.value.len(),
            height: 0,
        };
        self.count(size, &range)?;
        if node.anchor != 0 {
            self.anchors.insert(node.anchor, size);
        }
        if self.expects_key() {
            self.key(node.value, range);
            return Ok(());
        }
        if let Some((pointer, key)) = self.value_place() {
            let value = trim_end(self.text, range);
            if node.style == Style::Plain && node.tag.is_none() {
                self.plain(&pointer, node.value, &value);
            }
            let spans = NodeSpans::new(key, value, node.style).tagged(node.tag);
            if node.anchor != 0 {
                self.originals.insert(node.anchor, pointer.clone());
            }
            self.map.insert(pointer, spans);
        }
        Ok(())
    }

    /// What a value without quotes is remembered for, and whether its author lost the end of it.
    fn plain(&mut self, at: &Pointer, value: &str, range: &Range<usize>) {
        if number::is_in_other_words(value) {
            self.report.number_is_written(at.clone(), value);
        }
        if let Some(cut) = syntax::cut_by_comment(self.text, at, range) {
            self.report.push(cut);
        }
        // What was registered before this was judged stays readable.
        if self.report.judges() && number::is_lost(value, self.format) {
            self.report
                .push(number::too_large(Place::value(at), at, value));
        }
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<(), Stop> {
        let Some(size) = self.anchors.get(&anchor).copied() else {
            return self.stop(
                Diagnostic::new(
                    Code::Unsupported,
                    Place::Text(range),
                    "an alias stands inside the node that it repeats",
                )
                .help("write the value out"),
            );
        };
        self.count(size, &range)?;
        if self.expects_key() {
            let text = self.text.get(range.clone()).unwrap_or_default().to_owned();
            self.key(&text, range);
        } else if let Some((pointer, key)) = self.value_place() {
            if let Some(original) = self.originals.get(&anchor) {
                self.report.is_alias(pointer.clone(), original.clone());
            }
            self.map
                .insert(pointer, NodeSpans::new(key, range, Style::Other));
        }
        Ok(())
    }

    fn enter(&mut self, anchor: usize, range: Range<usize>, mapping: bool) -> Result<(), Stop> {
        self.count(Size::EMPTY, &range)?;
        let start = range.start;
        let (frame, key) = if self.expects_key() {
            (self.complex_key(range, mapping), None)
        } else {
            match self.value_place() {
                Some((pointer, key)) if mapping => {
                    let keys = HashMap::new();
                    let pending = None;
                    (
                        Frame::Mapping {
                            pointer,
                            keys,
                            pending,
                        },
                        key,
                    )
                }
                Some((pointer, key)) => (Frame::Sequence { pointer, next: 0 }, key),
                None => (Frame::Skipped, None),
            }
        };
        self.open.push(Open {
            frame,
            anchor,
            start,
            size: Size::EMPTY,
            key,
        });
        Ok(())
    }

    fn leave(&mut self, end: usize) {
        let Some(closed) = self.open.pop() else {
            return;
        };
        if closed.anchor != 0 {
            self.anchors.insert(closed.anchor, closed.size);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.size.nodes += closed.size.nodes;
            parent.size.bytes += closed.size.bytes;
            parent.size.height = parent.size.height.max(closed.size.height + 1);
        }
        let pointer = match closed.frame {
            Frame::Mapping { pointer, .. } | Frame::Sequence { pointer, .. } => pointer,
            Frame::Skipped => return,
        };
        if closed.anchor != 0 {
            self.originals.insert(closed.anchor, pointer.clone());
        }
        let value = trim_end(self.text, closed.start..end.max(closed.start));
        self.map
            .insert(pointer, NodeSpans::new(closed.key, value, Style::Other));
    }

    /// Counts a node, or all nodes behind an alias, against the limits.
    fn count(&mut self, size: Size, range: &Range<usize>) -> Result<(), Stop> {
        self.nodes += size.nodes;
        if self.nodes > MAX_NODES {
            return self.stop(too_many(Place::Text(range.clone()), self.nodes));
        }
        if self.open.len() + size.height > MAX_DEPTH {
            return self.stop(too_deep(Place::Text(range.clone())));
        }
        self.bytes += size.bytes;
        if self.bytes > MAX_EXPANDED {
            return self.stop(too_long(Place::Text(range.clone()), self.bytes));
        }
        if self.address() > MAX_ADDRESS {
            return self.stop(too_far(Place::Text(range.clone())));
        }
        // A closed container adds its own size to its parent in `leave`.
        if let Some(parent) = self
            .open
            .last_mut()
            .filter(|_| size.nodes != 1 || size.height == 0)
        {
            parent.size.nodes += size.nodes;
            parent.size.bytes += size.bytes;
            parent.size.height = parent.size.height.max(size.height + 1);
        }
        Ok(())
    }

    /// The bytes of the address of what is open, which stands before the address of all within.
    fn address(&self) -> usize {
        match self.open.last().map(|open| &open.frame) {
            Some(Frame::Mapping { pointer, .. } | Frame::Sequence { pointer, .. }) => {
                pointer.as_str().len()
            }
            Some(Frame::Skipped) | None => 0,
        }
    }

    fn expects_key(&self) -> bool {
        match self.open.last() {
            Some(Open {
                frame: Frame::Mapping { pending, .. },
                ..
            }) => pending.is_none(),
            Some(_) | None => false,
        }
    }

    /// A scalar where a key stands.
    fn key(&mut self, text: &str, range: Range<usize>) {
        let Some(Open {
            frame:
                Frame::Mapping {
                    pointer,
                    keys,
                    pending,
                },
            ..
        }) = self.open.last_mut()
        else {
            return;
        };
        let range = trim_end(self.text, range);
        if let Some(blank) = syntax::blank_of_key(self.text, &range)
            && self.report.judges()
        {
            self.report.push(blank);
        }
        if let Some(first) = keys.get(text) {
            self.report.push(
                Diagnostic::new(
                    Code::DuplicateKey,
                    Place::Text(range.clone()),
                    format!("the key `{text}` stands twice in one mapping"),
                )
                .label("again here")
                .related(Place::Text(first.clone()), "first here")
                .help("remove or rename one of them"),
            );
        } else {
            keys.insert(text.to_owned(), range.clone());
        }
        *pending = Some((pointer.key(text), range));
    }

    /// A mapping or list where a key stands: mostly a template without quotes.
    fn complex_key(&mut self, range: Range<usize>, mapping: bool) -> Frame {
        let unquoted = mapping
            && self.open.last().is_some_and(|outer| {
                self.text[outer.start..].starts_with("{{") && range.start <= outer.start + 1
            });
        let diagnostic = if unquoted {
            let start = range.start.saturating_sub(1);
            syntax::unquoted_template(self.text, start)
        } else {
            Diagnostic::new(
                Code::KeyNotString,
                Place::Text(range.start..range.start + 1),
                "a mapping or list stands where a key is expected",
            )
            .help("keys are plain words")
        };
        self.report.push(diagnostic);
        if let Some(Open {
            frame: Frame::Mapping {
                pointer, pending, ..
            },
            ..
        }) = self.open.last_mut()
        {
            *pending = Some((pointer.key("?"), range));
        }
        Frame::Skipped
    }

    /// The address of the value that begins here, and the range of its key.
    fn value_place(&mut self) -> Option<(Pointer, Option<Range<usize>>)> {
        match self.open.last_mut().map(|open| &mut open.frame) {
            None => Some((Pointer::root(), None)),
            Some(Frame::Mapping { pending, .. }) => {
                pending.take().map(|(pointer, key)| (pointer, Some(key)))
            }
            Some(Frame::Sequence { pointer, next }) => {
                let item = pointer.index(*next);
                *next += 1;
                Some((item, None))
            }
            Some(Frame::Skipped) => None,
        }
    }

    /// The events end at a mistake: whether that refuses the text depends on its format.
    fn syntax(&mut self, error: &ScanError, format: SourceFormat) -> bool {
        match format {
            SourceFormat::Yaml => {
                let at = self.offsets.byte(error.marker().index());
                syntax::explain(self.text, at, error.info(), self.report);
                false
            }
            // JSON is judged by its own parser, which follows when the value is built; YAML's
            // differences in escapes must not refuse it. Its later nodes have no places.
            SourceFormat::Json => true,
        }
    }

    fn stop(&mut self, diagnostic: Diagnostic) -> Result<(), Stop> {
        self.report.push(diagnostic);
        Err(Stop)
    }

    fn finish(&mut self) -> bool {
        if self.documents == 0 {
            self.report.push(
                Diagnostic::new(Code::NotOneDocument, Place::Text(0..0), "the text is empty")
                    .help("`agentspace init` writes an example to begin with"),
            );
        }
        self.documents == 1
    }
}

/// From the parser's character positions to bytes.
struct Offsets {
    /// Empty for ASCII text, where they are the same.
    bytes: Vec<usize>,
    length: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        Self {
            bytes,
            length: text.len(),
        }
    }

    fn byte(&self, character: usize) -> usize {
        if self.bytes.is_empty() {
            return character.min(self.length);
        }
        self.bytes.get(character).copied().unwrap_or(self.length)
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }
}

/// A range without the white space that the parser counts to a node's end.
fn trim_end(text: &str, range: Range<usize>) -> Range<usize> {
    let kept = text.get(range.clone()).map_or(0, |t| t.trim_end().len());
    range.start..range.start + kept
}
