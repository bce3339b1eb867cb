//! Reads an author's text into one JSON document and a map from its nodes to their places.
//!
//! YAML and JSON go through the same events, so limits, duplicate keys and positions are decided
//! in one place, before anything is built. What the document means is decided elsewhere.

mod build;
mod lines;
mod map;
mod number;
mod scalar;
mod scan;
mod syntax;
#[cfg(test)]
mod tests;
mod written;

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Pointer, Report};
pub use map::{LineColumn, SourceMap, Spans};

/// Largest text in bytes: 256 KiB.
pub const MAX_BYTES: usize = 256 * 1024;
/// Deepest nesting of mappings and lists.
pub const MAX_DEPTH: usize = 64;
/// Most nodes once aliases are expanded.
pub const MAX_NODES: usize = 10_000;
/// Most bytes of scalars once aliases are expanded: 1 MiB.
pub const MAX_EXPANDED: usize = 4 * MAX_BYTES;
/// Longest address of a mapping or list, in bytes: 1 KiB. Each node and each diagnostic within has
/// a copy of it.
pub const MAX_ADDRESS: usize = 1024;

/// What an author's text is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourceFormat {
    /// YAML 1.2, `.yaml` or `.yml`.
    #[default]
    Yaml,
    /// JSON, `.json`.
    Json,
}

/// A text that was read: its value, if it is usable, and where its nodes stand.
#[derive(Debug)]
pub(crate) struct Document {
    /// The value of the document, unless its text is not well formed.
    pub(crate) value: Option<Arc<Value>>,
    /// Where the nodes stand; without nodes if the text is not well formed.
    pub(crate) map: SourceMap,
}

/// Reads a text; every problem goes into the report.
pub(crate) fn read(bytes: &[u8], format: SourceFormat, report: &mut Report) -> Document {
    match text(bytes, report) {
        Some(text) => document(text, format, report),
        None => unusable(unreadable(bytes)),
    }
}

/// The places of bytes that are no text, as far as they can be shown.
pub(crate) fn unreadable(bytes: &[u8]) -> SourceMap {
    // What is too large is not worth a copy: its one problem has no place.
    if bytes.len() > MAX_BYTES {
        return SourceMap::default();
    }
    SourceMap::new(&String::from_utf8_lossy(without_mark(bytes)))
}

/// Reads the YAML that stands in a part of a text; its places are those of the whole text.
pub(crate) fn read_part(whole: &str, part: Range<usize>, report: &mut Report) -> Document {
    // As many bytes and lines before the part as there were, so that every offset stays.
    let mut text: String = whole[..part.start]
        .bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect();
    text.push_str(&whole[part]);
    let Document { value, map } = document(&text, SourceFormat::Yaml, report);
    Document {
        value,
        map: map.of(whole),
    }
}

/// The text of a file that another parser reads, within the limit of size.
///
/// # Errors
/// Why the bytes are no text, with the places of that.
pub fn decode(bytes: &[u8]) -> Result<&str, Box<(Diagnostics, SourceMap)>> {
    let mut report = Report::default();
    match text(bytes, &mut report) {
        Some(text) => Ok(text),
        None => Err(Box::new((report.finish(), unreadable(bytes)))),
    }
}

/// The text of bytes within the limit of size.
pub(crate) fn text<'a>(bytes: &'a [u8], report: &mut Report) -> Option<&'a str> {
    if bytes.len() > MAX_BYTES {
        report.push(
            Diagnostic::new(
                Code::TooLarge,
                Place::Text(0..0),
                format!("the text is larger than {MAX_BYTES} bytes"),
            )
            .help("split it up, or move large data out of it"),
        );
        return None;
    }
    utf8(bytes, report)
}

fn document(text: &str, format: SourceFormat, report: &mut Report) -> Document {
    let (map, well_formed) = scan::scan(text, format, report);
    if !well_formed {
        return unusable(map);
    }
    let value = match format {
        SourceFormat::Yaml => build::yaml(text, report),
        SourceFormat::Json => build::json(text, report),
    };
    let value = value.map(Arc::new);
    Document {
        map: map.holding(value.clone(), format),
        value,
    }
}

/// Checks the limits on a value that came without text.
pub(crate) fn check_limits(value: &Value, report: &mut Report) {
    let (depth, nodes) = measure(value);
    if depth > MAX_DEPTH {
        report.push(scan::too_deep(Place::value(&Pointer::root())));
    }
    if nodes > MAX_NODES {
        report.push(scan::too_many(Place::value(&Pointer::root()), nodes));
    }
}

/// Depth and number of nodes, counted without recursion.
fn measure(value: &Value) -> (usize, usize) {
    let mut open = vec![(value, 0)];
    let (mut deepest, mut nodes) = (0, 0);
    while let Some((value, depth)) = open.pop() {
        nodes += 1;
        match value {
            Value::Array(items) => {
                deepest = deepest.max(depth + 1);
                open.extend(items.iter().map(|item| (item, depth + 1)));
            }
            Value::Object(map) => {
                deepest = deepest.max(depth + 1);
                open.extend(map.values().map(|item| (item, depth + 1)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    (deepest, nodes)
}

fn unusable(map: SourceMap) -> Document {
    Document { value: None, map }
}

fn utf8<'a>(bytes: &'a [u8], report: &mut Report) -> Option<&'a str> {
    let body = without_mark(bytes);
    match std::str::from_utf8(body) {
        Ok(text) => Some(text),
        Err(error) => {
            let at = error.valid_up_to();
            let message = if body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") {
                "the text is UTF-16, expected UTF-8".to_owned()
            } else {
                let found = body.get(at).copied().unwrap_or_default();
                format!("the byte 0x{found:02x} is not UTF-8")
            };
            report.push(
                Diagnostic::new(Code::NotUtf8, Place::Text(at..at), message)
                    .help("save the file as UTF-8"),
            );
            None
        }
    }
}

/// A byte order mark is allowed by both formats and means nothing in UTF-8.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}
