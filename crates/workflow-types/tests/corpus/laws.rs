//! The laws that hold for every input, however wild; a broken one panics.
//!
//! Both sides that try inputs read them from here: `fuzz/` on a nightly toolchain, and `corpus.rs`
//! on stable. They know nothing but the public interface of the crate.

pub mod cron;
pub mod definition;
pub mod diagnostics;
pub mod expression;
pub mod heartbeat;
pub mod template;

use std::ops::Range;

use serde_json::{Map, Value, json};

/// What one kind of input is called, and its laws.
pub struct Target {
    /// The name of the fuzz target and of its folders below `fuzz/corpus` and `fuzz/regressions`.
    pub name: &'static str,
    /// Panics if the input breaks a law.
    pub check: fn(&[u8]),
}

/// Every kind of input that an author may write.
pub const TARGETS: [Target; 5] = [
    Target {
        name: "definition",
        check: definition::check,
    },
    Target {
        name: "expression",
        check: expression::check,
    },
    Target {
        name: "template",
        check: template::check,
    },
    Target {
        name: "cron",
        check: cron::check,
    },
    Target {
        name: "heartbeat",
        check: heartbeat::check,
    },
];

/// Between the source of an expression or template and the JSON object that it reads.
const SEPARATOR: &str = "\n---\n";

/// Source and data of an input; without readable data there is some that has every kind of value.
fn source_and_data(text: &str) -> (&str, Map<String, Value>) {
    let (source, data) = text.split_once(SEPARATOR).unwrap_or((text, ""));
    match serde_json::from_str(data) {
        Ok(Value::Object(data)) => (source, data),
        Ok(_) | Err(_) => (source, every_kind_of_value()),
    }
}

fn every_kind_of_value() -> Map<String, Value> {
    let data = json!({
        "input": {"name": "Grüße ☕😀", "retries": 3, "list": [1, "2", null, [true, {}]], "a": -0.5},
        "steps": {"check-health": {"status": "success", "output": {"code": 503, "text": "x y"}}},
        "result": {"code": 200, "healthy": true, "items": []},
        "status": "success",
        "error": null,
    });
    data.as_object().cloned().unwrap_or_default()
}

/// A range lies within a text and cuts no character.
fn assert_within(text: &str, range: &Range<usize>, what: &str) {
    assert!(
        text.get(range.clone()).is_some(),
        "{what}: {range:?} is no range of the {} bytes of {text:?}",
        text.len()
    );
}
