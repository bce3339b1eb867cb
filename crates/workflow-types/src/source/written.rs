//! Writes a value as the text of its format needs it: what a fix puts in the place of a mistake.

use serde_json::Value;

use super::SourceFormat;
use super::scalar::Style;

/// A value in the place of one that was written in a style.
pub(super) fn value(value: &Value, format: SourceFormat, style: Style) -> String {
    match format {
        SourceFormat::Json => value.to_string(),
        SourceFormat::Yaml => yaml(value, style),
    }
}

fn yaml(value: &Value, style: Style) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => string(text, style),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| yaml(item, Style::Plain)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                format!(
                    "{}: {}",
                    string(key, Style::Plain),
                    yaml(value, Style::Plain)
                )
            };
            let entries: Vec<String> = map.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A string with the quotes that its predecessor had, or else those that it needs.
fn string(text: &str, style: Style) -> String {
    let quoted = || Value::from(text).to_string();
    match style {
        Style::SingleQuoted if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        Style::DoubleQuoted => quoted(),
        Style::SingleQuoted | Style::Plain | Style::Literal | Style::Folded | Style::Other => {
            if is_plain(text) {
                text.to_owned()
            } else {
                quoted()
            }
        }
    }
}

/// Whether every reader of YAML takes a text without quotes for this string, wherever it stands.
fn is_plain(text: &str) -> bool {
    const OTHER: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let starts =
        text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$' | '/'));
    let goes_on =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$' | '+');
    starts && text.chars().all(goes_on) && !OTHER.contains(&text.to_ascii_lowercase().as_str())
}
