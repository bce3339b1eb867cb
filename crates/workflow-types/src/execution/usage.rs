//! What a question to a model cost, attempt by attempt.

use std::fmt;

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

/// What an answer of a model used, whatever became of it.
///
/// An attempt that brought no answer has none, and neither has one that a crash interrupted before
/// it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptUsage {
    /// The visit, by its number within the execution.
    pub visit: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The turn of the visit, from 1; a step without tools has one in each attempt.
    pub turn: u32,
    /// What it used.
    pub usage: ModelUsage,
    /// What that cost, if prices are configured.
    pub cost: Option<Cost>,
}

/// An amount of the currency in which a host writes its prices, kept in billionths.
///
/// ```
/// use workflow_types::execution::Cost;
///
/// let cost = Cost::from_billionths(1_234_500_000);
/// assert_eq!(cost.to_string(), "1.2345");
/// assert_eq!(Cost::default().to_string(), "0");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u64);

/// How many billionths a whole has.
const WHOLE: u64 = 1_000_000_000;

impl Cost {
    /// So many billionths.
    pub const fn from_billionths(billionths: u64) -> Self {
        Self(billionths)
    }

    /// In billionths.
    pub const fn billionths(self) -> u64 {
        self.0
    }

    /// An amount, to the nearest billionth; none that is below zero.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a conversion that goes no further than the bounds of the target"
    )]
    pub fn from_amount(amount: f64) -> Self {
        Self((amount * 1e9).round().max(0.0) as u64)
    }

    /// The same as a number.
    #[expect(
        clippy::cast_precision_loss,
        reason = "what anybody pays has fewer digits than a number holds"
    )]
    pub fn amount(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Both together; no more than can be counted.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / WHOLE, self.0 % WHOLE);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let rest = format!("{rest:09}");
        write!(f, "{whole}.{}", rest.trim_end_matches('0'))
    }
}
