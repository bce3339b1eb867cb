//! What a question to a model cost, attempt by attempt.

use crate::words::words;

words! {
    /// Why a model stopped answering.
    FinishReason {
        /// The answer is complete.
        Stop = "stop",
        /// The answer was cut off: it had as many tokens as it may have.
        Length = "length",
        /// It wants a tool to be called.
        ToolCalls = "tool_calls",
        /// The provider, or the model, declined to answer.
        Refused = "refused",
        /// Something else, which only this provider knows.
        Other = "other",
    }
}

/// What a model says of an answer besides its text.
///
/// ```
/// use workflow_types::execution::{FinishReason, ModelUsage};
///
/// let usage = ModelUsage {
///     input_tokens: Some(20),
///     output_tokens: Some(5),
///     finish: Some(FinishReason::Stop),
/// };
/// assert_eq!(usage.tokens(), 25);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelUsage {
    /// The tokens of the question, if the provider says.
    pub input_tokens: Option<u64>,
    /// The tokens of the answer, if the provider says.
    pub output_tokens: Option<u64>,
    /// Why it stopped, if the provider says.
    pub finish: Option<FinishReason>,
}

impl ModelUsage {
    /// The tokens of question and answer; what the provider does not say counts as none.
    pub fn tokens(&self) -> u64 {
        let Self {
            input_tokens,
            output_tokens,
            ..
        } = self;
        input_tokens
            .unwrap_or_default()
            .saturating_add(output_tokens.unwrap_or_default())
    }

    /// Whether the provider has said nothing at all.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// What an attempt used of a model: one answer, whatever became of it.
///
/// An attempt that brought no answer has none, and neither has one that a crash interrupted before
/// it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptUsage {
    /// The visit, by its number within the execution.
    pub visit: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What it used.
    pub usage: ModelUsage,
}
