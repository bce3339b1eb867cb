//! Reads an answer that the library refuses as a whole because of the calls in it.
//!
//! What a model writes as the arguments of a call is text, and now and then no JSON. That is for the
//! model to mend, so such arguments are kept as the text that they are: whoever judges the call says
//! what is wrong with it. Must not judge anything itself.

use genai::adapter::AdapterKind;
use genai::chat::{ChatResponse, ContentPart, MessageContent, StopReason, ToolCall, Usage};
use genai::{Error, ModelIden};
use serde_json::{Value, json};

/// The response that the library could not make of a body; none if it holds no calls, or is not of
/// the form that its provider documents either way.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
pub(super) fn response(error: &Error) -> Option<ChatResponse> {
    match error {
        Error::ChatResponseGeneration {
            model_iden,
            response_body,
            ..
        } if model_iden.adapter_kind == AdapterKind::OpenAIResp => {
            responses(model_iden, response_body)
        }
        Error::ChatResponseGeneration {
            model_iden,
            response_body,
            ..
        } => completion(model_iden, response_body),
        _ => None,
    }
}

/// A chat completion.
fn completion(model: &ModelIden, body: &Value) -> Option<ChatResponse> {
    let choice = body.pointer("/choices/0")?;
    let calls = choice.pointer("/message/tool_calls")?.as_array()?;
    let text = choice.pointer("/message/content").and_then(Value::as_str);
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let mut parts: Vec<ContentPart> = text.map(ContentPart::from).into_iter().collect();
    for (number, call) in (1_u32..).zip(calls) {
        let function = call.get("function")?;
        parts.push(call_of(function, call.get("id"), number)?);
    }
    let usage = usage(body, ["prompt_tokens", "completion_tokens"]);
    let reason = choice.get("finish_reason");
    Some(response_of(model, parts, reason, usage))
}

/// One of the newer responses.
fn responses(model: &ModelIden, body: &Value) -> Option<ChatResponse> {
    let mut parts = Vec::new();
    for (number, item) in (1_u32..).zip(body.get("output")?.as_array()?) {
        match item.get("type").and_then(Value::as_str) {
            Some("function_call") => parts.push(call_of(item, item.get("call_id"), number)?),
            Some("message") => {
                let content = item.get("content").and_then(Value::as_array);
                let texts = content.into_iter().flatten();
                let texts = texts.filter(|part| part["type"] == "output_text");
                let texts = texts.filter_map(|part| part["text"].as_str());
                parts.extend(texts.map(ContentPart::from));
            }
            Some(_) | None => {}
        }
    }
    let has_calls = parts.iter().any(ContentPart::is_tool_call);
    let usage = usage(body, ["input_tokens", "output_tokens"]);
    has_calls.then(|| response_of(model, parts, body.get("status"), usage))
}

fn response_of(
    model: &ModelIden,
    parts: Vec<ContentPart>,
    reason: Option<&Value>,
    usage: Usage,
) -> ChatResponse {
    let reason = reason.and_then(Value::as_str);
    ChatResponse {
        content: MessageContent::from_parts(parts),
        reasoning_content: None,
        model_iden: model.clone(),
        provider_model_iden: model.clone(),
        stop_reason: reason.map(|reason| StopReason::from(reason.to_owned())),
        usage,
        captured_raw_body: None,
        response_id: None,
    }
}

/// A call; none without a function. Some servers leave out its id, and need it no more than we do.
fn call_of(function: &Value, id: Option<&Value>, number: u32) -> Option<ContentPart> {
    let id = id.and_then(Value::as_str).filter(|id| !id.is_empty());
    let call = ToolCall {
        call_id: id.map_or_else(|| format!("call_{number}"), ToOwned::to_owned),
        fn_name: function.get("name")?.as_str()?.to_owned(),
        fn_arguments: arguments(function.get("arguments")),
        thought_signatures: None,
    };
    Some(ContentPart::ToolCall(call))
}

/// Arguments as they are meant, or as the text that they are.
fn arguments(written: Option<&Value>) -> Value {
    match written {
        // So some models say that there are none.
        None | Some(Value::Null) => json!({}),
        Some(Value::String(text)) if text.trim().is_empty() => json!({}),
        Some(Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        Some(other) => other.clone(),
    }
}

fn usage(body: &Value, [input, output]: [&str; 2]) -> Usage {
    let tokens = |key: &str| {
        let count = body.get("usage")?.get(key)?.as_i64()?;
        i32::try_from(count).ok()
    };
    Usage {
        prompt_tokens: tokens(input),
        completion_tokens: tokens(output),
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: AdapterKind, body: Value) -> Option<ChatResponse> {
        response(&Error::ChatResponseGeneration {
            model_iden: ModelIden::new(kind, "m"),
            request_payload: Box::default(),
            response_body: Box::new(body),
            cause: String::new(),
        })
    }

    fn called(response: &ChatResponse) -> Vec<(&str, &str, &Value)> {
        let calls = response.tool_calls().into_iter();
        calls
            .map(|call| {
                (
                    call.call_id.as_str(),
                    call.fn_name.as_str(),
                    &call.fn_arguments,
                )
            })
            .collect()
    }

    #[test]
    fn arguments_that_are_no_json_stay_text_beside_those_that_are() {
        let call = |id: &str, arguments: Value| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
        let body = json!({
            "choices": [{
                "message": {"content": " I look. ", "tool_calls": [
                    call("a", json!("{\"x\": 1}")),
                    call("b", json!("{\"x\": ")),
                    call("c", json!(" ")),
                    call("", json!({"x": 2})),
                    {"function": {"name": "g"}},
                ]},
                "finish_reason": "length",
            }],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5},
        });
        let response = read(AdapterKind::OpenAI, body).unwrap();
        assert_eq!(
            called(&response),
            [
                ("a", "f", &json!({"x": 1})),
                ("b", "f", &json!("{\"x\": ")),
                ("c", "f", &json!({})),
                ("call_4", "f", &json!({"x": 2})),
                ("call_5", "g", &json!({})),
            ]
        );
        assert!(response.stop_reason.as_ref().unwrap().is_max_tokens());
        assert_eq!(response.usage.completion_tokens, Some(5));
        assert_eq!(response.into_texts(), ["I look."]);
    }

    #[test]
    fn the_newer_form_is_read_as_well() {
        let body = json!({
            "output": [
                {"type": "reasoning"},
                {"type": "message", "content": [{"type": "output_text", "text": "I look."}]},
                {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{x"},
            ],
            "status": "completed",
            "usage": {"input_tokens": 20, "output_tokens": 5},
        });
        let response = read(AdapterKind::OpenAIResp, body).unwrap();
        assert_eq!(called(&response), [("a", "f", &json!("{x"))]);
        assert_eq!(response.usage.prompt_tokens, Some(20));
        assert_eq!(response.into_texts(), ["I look."]);
    }

    #[test]
    fn what_holds_no_calls_is_left_to_others() {
        for body in [
            Value::Null,
            json!({"choices": []}),
            json!({"choices": [{"message": {"content": "x"}}]}),
            json!({"choices": [{"message": {"tool_calls": "x"}}]}),
            json!({"choices": [{"message": {"tool_calls": [{"function": {}}]}}]}),
            json!({"output": [{"type": "message", "content": []}]}),
        ] {
            for kind in [
                AdapterKind::OpenAI,
                AdapterKind::OpenAIResp,
                AdapterKind::Anthropic,
            ] {
                assert!(read(kind, body.clone()).is_none(), "{body}");
            }
        }
    }
}
