//! What the models of an execution may use: looked at before each question.
//!
//! An answer that exceeds a limit is kept, because it is paid for; the next question is not put.

use workflow_types::action::Action;
use workflow_types::execution::{AttemptUsage, Cost, StepFailureKind};

use super::Engine;
use super::drive::Live;
use super::perform::Refusal;
use crate::error::{During as _, Error};

/// Why no model is asked any more, if the open visit asks one and its execution has used enough.
pub(super) async fn exceeded(engine: &Engine, live: &Live) -> Result<Option<Refusal>, Error> {
    let definition = &live.definition;
    let limits = (definition.max_tokens(), definition.max_cost());
    let asks = definition
        .step(&live.open.step)
        .is_some_and(|step| matches!(step.action(), Action::Model(_)));
    if !asks || limits == (None, None) {
        return Ok(None);
    }
    let used = engine.reads.usage(live.execution.id).await;
    let used = used.during("reading what was used of models")?;
    let refused = |message| Refusal::permanent(StepFailureKind::Error, message);
    let tokens = definition
        .max_tokens()
        .and_then(|most| too_many(&used, most.get()));
    let reason = tokens.or_else(|| too_dear(&used, definition.max_cost()?));
    Ok(reason.map(refused))
}

fn too_many(used: &[AttemptUsage], most: u32) -> Option<String> {
    let counts = used.iter().map(|one| one.usage.tokens());
    let tokens = counts.fold(0, u64::saturating_add);
    (tokens >= u64::from(most)).then(|| {
        format!("the models of this execution have used {tokens} tokens, its limit is {most} (`maxTokens`)")
    })
}

fn too_dear(used: &[AttemptUsage], most: Cost) -> Option<String> {
    let mut sum = Cost::default();
    for one in used {
        let Some(cost) = one.cost else {
            return Some(
                "what a model's answer cost is not known, so `maxCost` cannot be kept; write \
                 `input_price` and `output_price` of the model in agentspace.toml"
                    .to_owned(),
            );
        };
        sum = sum.plus(cost);
    }
    (sum >= most).then(|| {
        format!("the models of this execution have cost {sum}, its limit is {most} (`maxCost`)")
    })
}
