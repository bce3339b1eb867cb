//! What a model is asked: the prompt, how its answer must look, and why the last one was refused.

use gateway::ModelRequest;
use gateway::workflow_types::config::ModelConfig;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatResponseFormat, JsonSpec};
use serde_json::Value;

use super::conversation;

/// What an answer's schema is called where the format wants a name.
const SCHEMA_NAME: &str = "answer";

/// The messages of a question.
///
/// The schema stands in words too: not every provider can hold its model to one, and some of them
/// know only a part of JSON Schema.
pub(super) fn of(request: &ModelRequest) -> ChatRequest {
    let mut chat = ChatRequest::from_user(request.prompt.clone());
    if let Some(system) = &request.system {
        chat = chat.with_system(system.clone());
    }
    if let Some(schema) = &request.schema {
        let words = format!(
            "Answer with JSON alone, without any other text, that fits this JSON Schema:\n{schema}"
        );
        chat = chat.append_message(ChatMessage::user(words));
    }
    if let Some(reason) = &request.previous_error {
        let words = format!(
            "Your last answer to this was refused: {reason}\nAnswer again, so that this is mended."
        );
        chat = chat.append_message(ChatMessage::user(words));
    }
    conversation::add(chat, &request.tools, &request.turns)
}

/// How it is answered.
pub(super) fn options(config: &ModelConfig, request: &ModelRequest) -> ChatOptions {
    ChatOptions {
        temperature: config.temperature,
        max_tokens: config.max_tokens.map(std::num::NonZeroU32::get),
        response_format: request.schema.as_ref().and_then(format),
        // What the library cannot read of an answer with calls may still be.
        capture_raw_body: Some(!request.tools.is_empty()),
        ..ChatOptions::default()
    }
}

/// What the provider can hold the model to: providers know schemas of objects only.
fn format(schema: &Value) -> Option<ChatResponseFormat> {
    let is_object = schema.get("type").is_some_and(|kind| kind == "object");
    is_object.then(|| JsonSpec::new(SCHEMA_NAME, schema.clone()).into())
}
