//! Reads TOML into one JSON document and a map from its nodes to their places in the text.

use std::ops::Range;

use gateway::workflow_types::config::may_hold_secret;
use gateway::workflow_types::diagnostic::{Code, Diagnostic, Place, Pointer};
use gateway::workflow_types::source::{SourceMap, Spans};
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue, Error};

/// Most syntax errors that are shown of one text: one mistake can lead to many.
const MAX_ERRORS: usize = 20;

/// What the parser says of a key that stands there before.
const DUPLICATE: &str = "duplicate key";

/// A text that was read.
pub(super) struct Document {
    /// Its value, unless the text is not well formed. Of two equal keys it has one.
    pub(super) value: Option<Value>,
    /// What is wrong with the text.
    pub(super) problems: Vec<Diagnostic>,
    /// Where its nodes stand.
    pub(super) map: SourceMap,
}

/// Reads a text; every problem is told.
pub(super) fn read(text: &str) -> Document {
    let (root, errors) = DeTable::parse_recoverable(text);
    let problems = problems(text, &errors);
    if errors.iter().any(|error| error.message() != DUPLICATE) {
        return Document {
            value: None,
            problems,
            map: SourceMap::of_nodes(text, []),
        };
    }
    let mut reader = Reader {
        text,
        nodes: Vec::new(),
        problems,
    };
    let value = reader.table(root.get_ref(), &Pointer::root());
    Document {
        value: Some(value),
        problems: reader.problems,
        map: SourceMap::of_nodes(text, reader.nodes),
    }
}

/// The errors of a text; of those on one line the first, which the others follow from.
fn problems(text: &str, errors: &[Error]) -> Vec<Diagnostic> {
    let mut last = None;
    let mut problems = Vec::new();
    for error in errors {
        let start = error.span().map_or(text.len(), |span| span.start);
        let line = text.get(..start).map(|before| before.matches('\n').count());
        if error.message() == DUPLICATE || line != last {
            problems.push(problem(text, error));
        }
        last = line;
    }
    problems.truncate(MAX_ERRORS);
    problems
}

/// A syntax error in our words, with a remedy.
fn problem(text: &str, error: &Error) -> Diagnostic {
    let end = text.trim_end().len();
    let span = error.span().unwrap_or(end..end);
    if error.message() == DUPLICATE {
        let key = text.get(span.clone()).unwrap_or("key");
        return Diagnostic::new(
            Code::DuplicateKey,
            Place::Text(span.clone()),
            format!("the key `{key}` stands twice in one table"),
        )
        .label("second here")
        .help("remove or rename one of them, or put both contents under one");
    }
    let (message, help) = explained(line_at(text, span.start), error.message());
    Diagnostic::new(Code::Syntax, Place::Text(span), message).help(help)
}

/// The line of a byte.
fn line_at(text: &str, byte: usize) -> &str {
    let before = text.get(..byte).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    text[start..].lines().next().unwrap_or_default().trim()
}

/// A syntax error in our words where the line shows what was meant, else in the parser's, and what
/// to do.
fn explained(line: &str, message: &str) -> (String, &'static str) {
    let said = |message: &str, help| (message.to_owned(), help);
    let Some((_, value)) = line.split_once('=') else {
        if line.starts_with('[') {
            let help = "write the name of a table in brackets, as in `[gateway]`";
            return said(message, help);
        }
        if line.contains(':') {
            let help = "write `=` between a key and its value, as in `drain = \"30s\"`";
            return said("a key is followed by `:`, expected `=`", help);
        }
        return said(message, "write `key = value` on a line of its own");
    };
    let value = value.split('#').next().unwrap_or_default().trim();
    match value.to_ascii_lowercase().as_str() {
        "" => return said("a key has no value", "write one, or remove the key"),
        "yes" | "on" | "true" => return (format!("found `{value}`"), "write `true`"),
        "no" | "off" | "false" => return (format!("found `{value}`"), "write `false`"),
        _ => {}
    }
    if value.starts_with(|c: char| c.is_alphabetic() || matches!(c, '.' | '/' | '~')) {
        let help = "put it in quotes, as in `workflows = \"flows\"`";
        return said("a text stands without quotes", help);
    }
    let help = match value.chars().next() {
        Some('"' | '\'') => {
            "write one text between two `\"` on one line, and `\\\\` for each backslash in it"
        }
        Some('[') => "a list is written as in `[\"git\", \"tar\"]`",
        Some(first) if first.is_ascii_digit() && message.ends_with("expected nothing") => {
            "write a number as in `64`, and a length of time in quotes, as in `\"30s\"`"
        }
        Some(_) | None => "write `key = value` on a line of its own, texts in quotes",
    };
    said(message, help)
}

/// Collects places and problems while a document is read.
struct Reader<'t> {
    text: &'t str,
    nodes: Vec<(Pointer, Spans)>,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, at: &Pointer) -> Value {
        let mut map = Map::new();
        for (key, value) in table {
            let at = at.key(key.get_ref());
            let spans = Spans {
                key: Some(key.span()),
                value: value.span(),
            };
            self.nodes.push((at.clone(), spans));
            let value = self.value(value, &at);
            map.insert(key.get_ref().to_string(), value);
        }
        Value::Object(map)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, at: &Pointer) -> Value {
        let span = value.span();
        match value.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Integer(number) => {
                let read = integer(number);
                read.unwrap_or_else(|| self.unsupported(at, span, "a number of 64 bits"))
            }
            DeValue::Float(number) => {
                let finite = number.as_str().parse().ok().and_then(Number::from_f64);
                let read = finite.map(Value::Number);
                read.unwrap_or_else(|| self.unsupported(at, span, "a finite number"))
            }
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Datetime(_) => self.unsupported(at, span, "a text, a number or a list"),
            DeValue::Array(items) => {
                let mut list = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let at = at.index(index);
                    let spans = Spans {
                        key: None,
                        value: item.span(),
                    };
                    self.nodes.push((at.clone(), spans));
                    list.push(self.value(item, &at));
                }
                Value::Array(list)
            }
            DeValue::Table(table) => self.table(table, at),
        }
    }

    /// A value that no setting can have.
    fn unsupported(&mut self, at: &Pointer, span: Range<usize>, expected: &str) -> Value {
        let names: Vec<&str> = at.as_str().split('/').skip(1).collect();
        // Somebody may have written a secret itself.
        let found = if may_hold_secret(&names) {
            "a value"
        } else {
            self.text.get(span).unwrap_or("a value")
        };
        self.problems.push(
            Diagnostic::new(
                Code::Unsupported,
                Place::value(at),
                format!("`{at}` is {found}, expected {expected}"),
            )
            .label(format!("expected {expected}"))
            .help("write another value, or put it in quotes if it is a text"),
        );
        Value::Null
    }
}

fn integer(number: &DeInteger<'_>) -> Option<Value> {
    let (text, radix) = (number.as_str(), number.radix());
    let signed = i64::from_str_radix(text, radix).map(Value::from);
    signed
        .or_else(|_| u64::from_str_radix(text, radix).map(Value::from))
        .ok()
}
