//! What a model answered: its text, the tools that it calls, what it cost and why it ended.

use std::sync::Arc;

use gateway::workflow_types::execution::{FinishReason, ModelUsage};
use gateway::{ModelReply, ToolSpec, WantedCall};
use genai::chat::{ChatResponse, StopReason};

use super::conversation::Names;

/// The reply of a response; the reason if it holds none.
pub(super) fn reply(response: ChatResponse, tools: &[Arc<ToolSpec>]) -> Result<ModelReply, String> {
    let tokens = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok());
    let usage = ModelUsage {
        input_tokens: tokens(response.usage.prompt_tokens),
        output_tokens: tokens(response.usage.completion_tokens),
        finish: response.stop_reason.as_ref().map(finish),
    };
    let names = Names::of(tools);
    let calls: Vec<WantedCall> = response
        .tool_calls()
        .into_iter()
        .map(|call| {
            let tool = names.back(call.fn_name.clone());
            WantedCall::new(call.call_id.clone(), tool, call.fn_arguments.clone())
        })
        .collect();
    let text = response.into_texts().concat();
    let is_explained = matches!(
        usage.finish,
        Some(FinishReason::Length | FinishReason::Refused)
    );
    if text.is_empty() && calls.is_empty() && !is_explained {
        return Err("the answer has no text".to_owned());
    }
    Ok(ModelReply::text(text).with_calls(calls).with_usage(usage))
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
