//! A model with tools: its calls are made, told to it, and never made again.

mod crashes;
mod gates;
mod limits;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway::store::{Durability, SqliteStore, Store};
use gateway::workflow_types::execution::{FailureKind, ModelUsage};
use gateway::workflow_types::id::ExecutionId;
use gateway::{ModelError, ModelReply};
use serde_json::{Value, json};

use crate::support::counting::Counting;
use crate::support::dialogue::{Dialogue, calls, says};
use crate::support::{Life, World, failure, once, soon, verdict};

/// A step that asks the model with every tool, and `more` of its keys.
fn asks(more: &str) -> String {
    format!(
        "
  - id: m
    action: model
    model: dialogue
    prompt: mend it
    tools: [act, put, look]
    {more}
  - {{id: after, action: noop}}"
    )
}

fn world(more: &str) -> World {
    World::with(&asks(more))
}

fn live(world: &World, model: &Dialogue) -> Life {
    world.live_with(|builder| model.add_to(builder, &world.ledger))
}

/// The store of a world that nobody owns.
fn store(world: &World) -> Arc<dyn Store> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let opened = runtime.block_on(SqliteStore::open(&world.database(), Durability::Normal));
    Arc::new(opened.unwrap().0)
}

/// The calls that reached tools: `name give key`, the key without the id of the execution.
fn made(world: &World) -> Vec<String> {
    let calls = world.ledger.calls();
    let tools = calls.iter().filter(|call| call.who != "model");
    let words = tools.map(|call| {
        let key = call.key.split_once('/').unwrap().1;
        format!("{} {} {key}", call.who, call.args["give"])
    });
    words.collect()
}

fn output(life: &Life, id: ExecutionId) -> Value {
    let state = life.run(life.gateway.reader().state(id)).unwrap();
    state.step_results["m"].output.clone()
}

fn give(value: impl Into<Value>) -> Value {
    json!({"give": value.into()})
}

#[test]
fn calls_are_made_one_after_the_other_and_told_to_the_model() {
    let world = world("timeout: 1h");
    let model = Dialogue::of([
        calls([("look", give(1)), ("put", give("two"))]),
        calls([("look", give(json!({"b": 3, "a": null})))]),
        says("mended"),
    ]);
    let life = live(&world, &model);
    let done = life.settle(json!({}));
    assert_eq!(verdict(&done), None);
    assert_eq!(output(&life, done.id), json!("mended"));
    assert_eq!(
        made(&world),
        [
            "look 1 m/1/1.1",
            "put \"two\" m/1/1.2",
            "look {\"b\":3,\"a\":null} m/1/2.1"
        ]
    );
    let told = ["look: 1", "put: \"two\"", "look: {\"b\":3,\"a\":null}"];
    assert_eq!(model.told(), told);
    let asked = model.asked();
    assert_eq!(asked.len(), 3);
    let keys: Vec<&str> = asked
        .iter()
        .map(|request| request.idempotency_key.split_once('/').unwrap().1)
        .collect();
    assert_eq!(keys, ["m/1/1", "m/1/2", "m/1/3"]);
    for request in &asked {
        let tools: Vec<&str> = request
            .tools
            .iter()
            .map(|tool| tool.name().as_ref())
            .collect();
        assert_eq!(tools, ["act", "put", "look"]);
        assert_eq!((request.attempt, &request.previous_error), (1, &None));
    }
    let turns = life
        .run(life.gateway.reader().turns(done.id, 1, 9))
        .unwrap();
    assert_eq!(
        turns
            .iter()
            .map(|turn| turn.calls.len())
            .collect::<Vec<_>>(),
        [2, 1]
    );
    life.check(&world);
}

#[test]
fn a_turn_costs_one_commit_and_each_call_another() {
    let world = world("");
    let model = Dialogue::of([
        calls([("look", give(1)), ("put", give(2)), ("look", give(3))]),
        calls([("look", give(4))]),
        says("mended"),
    ]);
    let (store, counts) = Counting::around(store(&world));
    let life = world.live_with(|builder| {
        model
            .add_to(builder, &world.ledger)
            .store(Arc::clone(&store))
    });
    // The first one waits until admission has looked around, which costs a write of its own.
    assert_eq!(verdict(&life.settle(json!({}))), None);
    let before = counts.of("apply");
    assert_eq!(verdict(&life.settle(json!({}))), None);
    // Two answers with four calls, and the answer that ends the step, with the one after it that does
    // nothing.
    assert_eq!(counts.of("apply") - before, 2 + 4 + 1);
}

#[test]
fn mistakes_are_told_to_the_model_and_fail_nothing() {
    let world = world("");
    let model = Dialogue::of([
        calls([
            ("lock", give(1)),
            ("unsure", give(1)),
            ("look", json!({"do": 7})),
            ("look", json!("{\"do\": ")),
            ("look", json!("[\"do\"]")),
            ("look", json!(["do"])),
            ("look", json!({"do": "fail"})),
            ("put", json!({"do": "refuse"})),
            ("put", json!({"do": "panic"})),
            ("put", json!({"do": "nest"})),
            ("look", give("{{ steps.m.output }}")),
        ]),
        says("mended"),
    ]);
    let life = live(&world, &model);
    let done = life.settle(json!({}));
    assert_eq!(verdict(&done), None);
    assert_eq!(
        model.told(),
        [
            "lock: there is no tool `lock`; you may call: act, put, look",
            // It is registered, but not listed.
            "unsure: there is no tool `unsure`; you may call: act, put, look",
            "look: the arguments do not fit tool `look`: `args.do` is the number 7, \
             expected a string (put it in quotes)",
            "look: the arguments are not valid JSON: EOF while parsing a value at line 1 column 7; \
             found: {\"do\": ",
            "look: the arguments are a text, expected a JSON object",
            "look: the arguments are a list, expected a JSON object",
            "look: it failed",
            "put: it is refused",
            "put: the action panicked",
            "put: the output is nested deeper than 64 levels",
            "look: \"{{ steps.m.output }}\"",
        ]
    );
    // What could not be called was not.
    assert_eq!(made(&world).len(), 5);
    life.check(&world);
}

#[test]
fn a_model_that_never_ends_has_so_many_turns_and_no_more() {
    for (more, turns) in [("maxTurns: 3", 3), ("", 10), ("maxTurns: 1", 1)] {
        let world = world(more);
        let model = Dialogue::of([calls([("look", give(1))])]);
        let life = live(&world, &model);
        let done = life.settle(json!({}));
        assert_eq!(failure(&done).kind, FailureKind::StepFailed);
        assert_eq!(
            failure(&done).message,
            format!(
                "step `m` failed: the model still called tools in turn {turns}, its last one \
                 (`maxTurns`); none of these calls was made"
            )
        );
        assert_eq!(model.asked().len(), turns);
        assert_eq!(made(&world).len(), turns - 1);
        life.check(&world);
    }
}

#[test]
fn another_attempt_goes_on_where_the_one_before_failed() {
    let world = world("retry: {maxAttempts: 3, initialBackoff: 1s, jitter: 0}");
    let fails = AtomicUsize::new(0);
    let model = Dialogue::by(move |request| match request.turns.len() {
        0 => Ok(calls([("put", give(1))])),
        1 => Ok(calls([("put", give(2))])),
        _ if fails.fetch_add(1, Ordering::SeqCst) < 2 => Err(ModelError::Retryable {
            message: "it answered 500".to_owned(),
        }),
        _ => Ok(says("mended")),
    });
    let life = live(&world, &model);
    let id = life.start("w", json!({}));
    for attempt in [1, 2] {
        let due = life.until_backing_off(id, attempt);
        world.clock.set(due);
    }
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(made(&world), ["put 1 m/1/1.1", "put 2 m/1/2.1"]);
    assert_eq!(model.asked().len(), 5);
    assert_eq!(model.asked()[4].attempt, 3);
    let journal = life.journal(id);
    assert_eq!(journal[0].attempt, 3);
    life.check(&world);
}

#[test]
fn an_answer_that_does_not_fit_is_told_in_the_same_conversation() {
    let world =
        world("outputSchema: {ok: boolean}\n    retry: {maxAttempts: 2, initialBackoff: 0}");
    let model = Dialogue::of([
        calls([("put", give(1))]),
        says("all is well"),
        says("{\"ok\": true}"),
    ]);
    let life = live(&world, &model);
    let done = life.settle(json!({}));
    assert_eq!(verdict(&done), None);
    assert_eq!(output(&life, done.id), json!({"ok": true}));
    assert_eq!(made(&world), ["put 1 m/1/1.1"]);
    let asked = model.asked();
    let last = &asked[2];
    assert_eq!(last.previous_error, None);
    assert_eq!(last.turns[1].text, "all is well");
    let why = last.turns[1].refused.as_deref().unwrap();
    assert!(why.starts_with("the answer is not JSON"), "{why}");
}

#[test]
fn the_last_turn_may_not_be_a_wrong_answer() {
    let world = world(
        "maxTurns: 2\n    outputSchema: {ok: boolean}\n    retry: {maxAttempts: 9, initialBackoff: 0}",
    );
    let model = Dialogue::of([says("well")]);
    let life = live(&world, &model);
    let done = life.settle(json!({}));
    let message = &failure(&done).message;
    assert!(
        message.ends_with("that was turn 2, its last one (`maxTurns`)"),
        "{message}"
    );
    assert_eq!(model.asked().len(), 2);
}

#[test]
fn a_call_has_its_time_and_the_attempt_in_all() {
    let slow = |tool| calls([(tool, json!({"do": "wait or be cancelled"}))]);
    // Half a minute, if the step says nothing: the model is told, and goes on.
    let here = world("");
    let model = Dialogue::of([slow("look"), says("too slow")]);
    let life = live(&here, &model);
    let id = life.start("w", json!({}));
    life.until_called(&here, 2);
    here.clock.advance(Duration::from_secs(31));
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(
        model.told(),
        ["look: the call took longer than its timeout of 30s"]
    );
    // The time of the attempt: it fails, and the next one knows what became of the call.
    let here = world("timeout: 10s\n    retry: {maxAttempts: 2, initialBackoff: 0}");
    let model = Dialogue::of([slow("look"), says("too slow")]);
    let life = live(&here, &model);
    let id = life.start("w", json!({}));
    life.until_called(&here, 2);
    here.clock.advance(Duration::from_secs(11));
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(
        model.told(),
        ["look: the call took longer than its timeout of 10s"]
    );
    assert_eq!(life.journal(id)[0].attempt, 2);
    let failed = life.run(life.gateway.reader().attempts(id, 1, 1)).unwrap();
    assert_eq!(
        failed[0].failure.message,
        "the attempt took longer than its timeout of 10s"
    );
    life.check(&here);
}

#[test]
fn what_is_too_large_is_told_or_fails_the_step() {
    let large = "x".repeat(2_000);
    let run = |replies: Vec<ModelReply>| {
        let world = world("");
        let model = Dialogue::of(replies);
        let life =
            world.live_with(|builder| model.add_to(builder, &world.ledger).max_output_bytes(1_000));
        let done = life.settle(json!({}));
        (world, model, done)
    };
    // A result: the model is told. The arguments are within the limit, the result is not.
    let args = json!({"do": "nest", "give": 1});
    let (_world, model, done) = run(vec![calls([("look", args)]), says("ok")]);
    assert_eq!(verdict(&done), None);
    assert_eq!(model.told().len(), 1);
    // An answer: it cannot be kept.
    for reply in [says(&large), calls([("look", give(large.clone()))])] {
        let (world, _model, done) = run(vec![reply, says("ok")]);
        assert_eq!(verdict(&done), Some(FailureKind::OutputTooLarge));
        assert_eq!(made(&world), [""; 0]);
    }
    // All of it together.
    let (world, _model, done) = run(vec![calls([("look", give("x".repeat(900)))])]);
    assert_eq!(verdict(&done), Some(FailureKind::OutputTooLarge));
    assert!(made(&world).len() < 9, "{}", made(&world).len());
}

#[test]
fn every_answer_is_counted_with_its_turn() {
    let world = world("");
    let used = |input| ModelUsage {
        input_tokens: Some(input),
        output_tokens: Some(1),
        finish: None,
    };
    let model = Dialogue::of([
        calls([("look", give(1))]).with_usage(used(10)),
        calls([("look", give(1))]).with_usage(used(20)),
        says("ok").with_usage(used(30)),
    ]);
    let life = live(&world, &model);
    let done = life.settle(json!({}));
    let usage = life.run(life.gateway.reader().usage(done.id)).unwrap();
    let counted: Vec<_> = usage
        .iter()
        .map(|one| (one.visit, one.attempt, one.turn, one.usage.input_tokens))
        .collect();
    let expected = [
        (1, 1, 1, Some(10)),
        (1, 1, 2, Some(20)),
        (1, 1, 3, Some(30)),
    ];
    assert_eq!(counted, expected);
}

#[test]
fn a_cancelled_execution_keeps_what_a_call_did() {
    let world = world("");
    let model = Dialogue::of([
        calls([
            ("put", json!({"do": "finish when cancelled", "give": 1})),
            ("put", give(2)),
        ]),
        says("ok"),
    ]);
    let life = live(&world, &model);
    let id = life.start("w", json!({}));
    life.until_called(&world, 2);
    life.run(life.gateway.cancel(id, "ann".parse().unwrap(), None))
        .unwrap();
    let done = life.wait(id);
    assert_eq!(verdict(&done), Some(FailureKind::Cancelled));
    assert_eq!(made(&world).len(), 1);
    let turns = life.run(life.gateway.reader().turns(id, 1, 1)).unwrap();
    let words: Vec<_> = turns[0]
        .calls
        .iter()
        .map(|call| format!("{:?}", call.state))
        .collect();
    assert!(words[0].contains("Success"), "{words:?}");
    assert_eq!(words[1], "Asked");
    life.check(&world);
}

#[test]
fn a_gateway_that_drains_begins_no_other_call_and_the_next_one_goes_on_there() {
    let world = world("withoutApproval: [act]");
    let model = Dialogue::of([
        calls([("act", json!({"do": "wait", "give": 1})), ("act", give(2))]),
        says("ok"),
    ]);
    let life = live(&world, &model);
    let id = life.start("w", json!({}));
    life.until_called(&world, 2);
    let Life { runtime, gateway } = life;
    runtime.block_on(async {
        let mut stopping = Box::pin(gateway.shutdown());
        // It drains from now on.
        assert!(once(&mut stopping).await.is_pending());
        world.ledger.let_go(1);
        soon(stopping).await.unwrap();
    });
    drop(runtime);
    let life = live(&world, &model);
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(made(&world), ["act 1 m/1/1.1", "act 2 m/1/1.2"]);
    life.check(&world);
}

#[test]
fn a_step_without_tools_asks_once_as_ever() {
    let world = World::with(
        "
  - {id: m, action: model, model: dialogue, prompt: say}",
    );
    // It calls nevertheless: nothing is called.
    let model = Dialogue::of([calls([("look", give(1))])]);
    let life = live(&world, &model);
    let done = life.settle(json!({}));
    assert_eq!(
        failure(&done).message,
        "step `m` failed: the model asks for tools, and the step has none"
    );
    assert_eq!(made(&world), [""; 0]);
    assert!(model.asked()[0].tools.is_empty());
}
