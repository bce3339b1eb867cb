//! How it is shown what a model used.

use gateway::workflow_types::execution::{AttemptUsage, Cost, ModelUsage};
use serde_json::{Value, json};

/// What an answer cost, as JSON; null stands for what the provider does not say.
pub(crate) fn usage(used: &ModelUsage) -> Value {
    let ModelUsage {
        input_tokens,
        output_tokens,
        finish,
    } = used;
    json!({
        "inputTokens": input_tokens,
        "outputTokens": output_tokens,
        "finishReason": finish,
    })
}

/// What an answer cost, in words.
pub(crate) fn usage_line(used: &ModelUsage) -> String {
    let count = |tokens: Option<u64>| tokens.map_or("?".to_owned(), |count| count.to_string());
    let (input, output) = (count(used.input_tokens), count(used.output_tokens));
    let finish = used.finish.map(|finish| format!(" ({finish})"));
    let finish = finish.unwrap_or_default();
    format!("{input} tokens in, {output} out{finish}")
}

/// What several answers cost together, as JSON.
pub(super) fn total(all: &[AttemptUsage]) -> Value {
    let sum = |of: fn(&ModelUsage) -> Option<u64>| {
        let counts = all.iter().filter_map(|one| of(&one.usage));
        counts.fold(0, u64::saturating_add)
    };
    let mut shown = json!({
        "inputTokens": sum(|usage| usage.input_tokens),
        "outputTokens": sum(|usage| usage.output_tokens),
    });
    let costs = all.iter().filter_map(|one| one.cost);
    if let Some(cost) = costs.reduce(Cost::plus) {
        shown["cost"] = json!(cost.amount());
    }
    shown
}
