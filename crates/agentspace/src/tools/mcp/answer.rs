//! From the result of a tool to the output of a step.

use gateway::ToolError;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

/// The output: what is structured, else the text as it is, else everything that there is.
///
/// Text that is JSON stays text, because only its author knows what was meant.
pub(super) fn of(result: CallToolResult) -> Result<Value, ToolError> {
    let texts: Option<Vec<&str>> = result.content.iter().map(text).collect();
    if result.is_error == Some(true) {
        let said = result.content.iter().filter_map(text);
        let said: Vec<&str> = said.collect();
        let message = match said.join("\n").trim() {
            "" => "the tool failed and did not say why".to_owned(),
            message => message.to_owned(),
        };
        return Err(ToolError::retryable(message));
    }
    Ok(match (result.structured_content, texts) {
        (Some(structured), _) => structured,
        (None, Some(texts)) if texts.is_empty() => Value::Null,
        (None, Some(texts)) => Value::from(texts.join("\n")),
        (None, None) => json!({"content": result.content}),
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
fn text(block: &ContentBlock) -> Option<&str> {
    match block {
        ContentBlock::Text(content) => Some(&content.text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(result: Value) -> Result<Value, (String, bool)> {
        let result = serde_json::from_value(result).unwrap();
        of(result).map_err(|error| (error.to_string(), error.is_retryable()))
    }

    #[test]
    fn what_is_structured_comes_before_text_and_text_before_all_there_is() {
        let text = json!({"type": "text", "text": "{\"a\": 1}"});
        let image = json!({"type": "image", "data": "AA==", "mimeType": "image/png"});
        let both = json!({"content": [text], "structuredContent": {"a": 1}});
        assert_eq!(answer(both), Ok(json!({"a": 1})));
        assert_eq!(answer(json!({"content": [text]})), Ok(json!("{\"a\": 1}")));
        let lines = json!({"content": [text, {"type": "text", "text": "b"}]});
        assert_eq!(answer(lines), Ok(json!("{\"a\": 1}\nb")));
        assert_eq!(answer(json!({"content": []})), Ok(Value::Null));
        let mixed = json!({"content": [text, image]});
        assert_eq!(answer(mixed.clone()), Ok(mixed));
        let null = json!({"content": [text], "structuredContent": null});
        assert_eq!(answer(null), Ok(Value::Null));
    }

    #[test]
    fn an_error_is_a_failure_with_its_text_whatever_else_it_has() {
        let text = json!({"type": "text", "text": "no such file"});
        let failed = json!({"content": [text], "structuredContent": {}, "isError": true});
        assert_eq!(answer(failed), Err(("no such file".to_owned(), true)));
        let silent = json!({"content": [], "isError": true});
        assert!(answer(silent).unwrap_err().0.contains("did not say why"));
    }
}
