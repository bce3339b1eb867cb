//! What the models of one execution may use before none is asked any more.

use gateway::ModelReply;
use gateway::workflow_types::execution::{Cost, ModelUsage};
use serde_json::json;

use super::{asks, give, live, made};
use crate::support::dialogue::{Dialogue, calls, says};
use crate::support::{World, failure, verdict};

/// An answer of ten tokens, which costs a tenth if it costs anything.
fn used(reply: ModelReply, has_price: bool) -> ModelReply {
    let usage = ModelUsage {
        input_tokens: Some(9),
        output_tokens: Some(1),
        finish: None,
    };
    let reply = reply.with_usage(usage);
    if has_price {
        reply.with_cost(Cost::from_amount(0.1))
    } else {
        reply
    }
}

/// What becomes of a model that calls for ever under a limit: why it ended, and how often it was
/// asked.
fn under(limit: &str, has_price: bool) -> (String, usize) {
    let steps = format!("{limit}\nsteps:{}", asks("maxTurns: 50"));
    let world = World::with(&steps);
    let model = Dialogue::of([used(calls([("look", give(1))]), has_price)]);
    let life = live(&world, &model);
    let done = life.settle(json!({}));
    life.check(&world);
    assert_eq!(made(&world).len(), model.asked().len());
    (failure(&done).message.clone(), model.asked().len())
}

#[test]
fn a_runaway_is_stopped_before_the_next_question() {
    let (why, asked) = under("maxTokens: 30", false);
    assert_eq!(
        why,
        "step `m` failed: the models of this execution have used 30 tokens, its limit is 30 \
         (`maxTokens`)"
    );
    assert_eq!(asked, 3);
    let (why, asked) = under("maxCost: 0.25", true);
    assert_eq!(
        why,
        "step `m` failed: the models of this execution have cost 0.3, its limit is 0.25 (`maxCost`)"
    );
    assert_eq!(asked, 3);
}

#[test]
fn a_cost_that_nobody_knows_is_no_cost_that_is_kept() {
    let (why, asked) = under("maxCost: 1000", false);
    assert!(
        why.contains("write `input_price` and `output_price`"),
        "{why}"
    );
    assert_eq!(asked, 1);
}

#[test]
fn the_steps_of_an_execution_share_its_limit_and_executions_do_not() {
    let step = |id: &str| format!("\n  - {{id: {id}, action: model, model: dialogue, prompt: p}}");
    let steps = format!(
        "maxTokens: 15\nsteps:{}{}{}",
        step("a"),
        step("b"),
        step("c")
    );
    let world = World::with(&steps);
    let model = Dialogue::of([used(says("ok"), false)]);
    let life = live(&world, &model);
    for _ in 0..2 {
        let done = life.settle(json!({}));
        assert!(verdict(&done).is_some());
        let message = &failure(&done).message;
        assert!(
            message.starts_with("step `c` failed: the models of"),
            "{message}"
        );
    }
    assert_eq!(model.asked().len(), 4);
}
