//! Bounds what is stored: outputs by bytes and depth, messages by bytes.
//!
//! Nothing is cut in silence: what is too large is refused, and a clipped message says so.

use serde_json::Value;
use workflow_types::execution::{Outcome, StepFailureKind};

/// Deepest nesting of a value that is stored by itself.
pub(crate) const MAX_DEPTH: usize = 64;
/// Deepest nesting of what is stored as one text, which the reader of JSON takes to 127 levels.
pub(super) const MAX_STORED_DEPTH: usize = 120;
/// Most bytes of a message that are kept.
const MAX_MESSAGE: usize = 64 * 1024;

/// The outcome of an action that answered this output.
pub(super) fn outcome(output: Value, max_bytes: usize) -> Outcome {
    match output_problem(&output, max_bytes) {
        Some(problem) => Outcome::failure(StepFailureKind::OutputTooLarge, problem),
        None => Outcome::Success { output },
    }
}

/// Why an output is too large or too deep to be the output of a step, if it is.
///
/// ```
/// use serde_json::json;
/// assert_eq!(gateway::output_problem(&json!("abc"), 5), None);
/// assert!(gateway::output_problem(&json!("abcd"), 5).is_some());
/// ```
pub fn output_problem(output: &Value, max_bytes: usize) -> Option<String> {
    if is_deeper(output, MAX_DEPTH) {
        return Some(format!(
            "the output is nested deeper than {MAX_DEPTH} levels"
        ));
    }
    let bytes = bytes(output);
    (bytes > max_bytes)
        .then(|| format!("the output has {bytes} bytes, at most {max_bytes} are kept"))
}

/// How many bytes a value has as JSON.
pub(super) fn bytes(value: &Value) -> usize {
    let mut counter = Counter(0);
    // Writing to a counter does not fail, and a value is always serialisable.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// Whether a value is nested deeper than `limit`; looks no deeper than that itself.
pub(crate) fn is_deeper(value: &Value, limit: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(items) => limit == 0 || items.iter().any(|item| is_deeper(item, limit - 1)),
        Value::Object(map) => limit == 0 || map.values().any(|item| is_deeper(item, limit - 1)),
    }
}

/// A message that is not too long to be stored.
pub(super) fn clipped(mut message: String) -> String {
    let bytes = message.len();
    if bytes > MAX_MESSAGE {
        let end = message.floor_char_boundary(MAX_MESSAGE);
        message.truncate(end);
        message += " ... (cut here, ";
        message += &bytes.to_string();
        message += " bytes in all)";
    }
    message
}

/// Counts bytes instead of keeping them.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(depth: usize) -> Value {
        (0..depth).fold(Value::Null, |inner, _| json!([inner]))
    }

    #[test]
    fn what_is_stored_can_be_read_again() {
        assert_eq!(output_problem(&nested(MAX_DEPTH), 1_000), None);
        assert!(output_problem(&nested(MAX_DEPTH + 1), 1_000).is_some());
        let text = nested(MAX_STORED_DEPTH).to_string();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }

    #[test]
    fn size_is_counted_in_bytes_of_json() {
        assert_eq!(output_problem(&json!("abc"), 5), None);
        assert_eq!(
            output_problem(&json!("abcd"), 5).as_deref(),
            Some("the output has 6 bytes, at most 5 are kept")
        );
    }

    #[test]
    fn a_long_message_is_clipped_and_says_so() {
        assert_eq!(clipped("short".to_owned()), "short");
        let clipped = clipped("\u{e9}".repeat(MAX_MESSAGE));
        assert!(
            clipped.ends_with("(cut here, 131072 bytes in all)"),
            "{}",
            clipped.len()
        );
    }
}
