//! What a model answered: its text, what it cost and why it ended.

use gateway::ModelReply;
use gateway::workflow_types::execution::{FinishReason, ModelUsage};
use genai::chat::{ChatResponse, StopReason};

/// The reply of a response; the reason if it holds none.
pub(super) fn reply(response: ChatResponse) -> Result<ModelReply, String> {
    let tokens = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok());
    let usage = ModelUsage {
        input_tokens: tokens(response.usage.prompt_tokens),
        output_tokens: tokens(response.usage.completion_tokens),
        finish: response.stop_reason.as_ref().map(finish),
    };
    let text = response.into_texts().concat();
    let is_explained = matches!(
        usage.finish,
        Some(FinishReason::Length | FinishReason::Refused)
    );
    if text.is_empty() && !is_explained {
        return Err("the answer has no text".to_owned());
    }
    Ok(ModelReply::text(text).with_usage(usage))
}

fn finish(reason: &StopReason) -> FinishReason {
    match reason {
        StopReason::Completed(_) | StopReason::StopSequence(_) => FinishReason::Stop,
        StopReason::MaxTokens(_) => FinishReason::Length,
        StopReason::ToolCall(_) => FinishReason::ToolCalls,
        StopReason::ContentFilter(_) => FinishReason::Refused,
        StopReason::Other(_) => FinishReason::Other,
    }
}
