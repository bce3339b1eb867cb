//! Starting executions, following them, and who may have the database.

use gateway::{ErrorKind, Reader, StartRequest};
use serde_json::json;

use crate::support::{World, is_paused, once, verdict, workflow};

const INPUT: &str = "input:
  url: string
  retries: {type: integer, default: 3}
steps:
  - {id: a, action: tool, tool: act, args: {give: '{{ input.retries }}'}}";

#[test]
fn the_same_key_starts_one_execution_for_each_workflow() {
    let world = World::with("\n  - {id: a, action: tool, tool: act}");
    world.write("other", "  - {id: a, action: noop}");
    let life = world.live();
    let request = |id: &str, input| {
        StartRequest::new(workflow(id), input).idempotency_key("k".parse().unwrap())
    };
    let start = |request| life.run(life.gateway.start_with(request)).unwrap().id;
    let first = start(request("w", json!({})));
    life.wait(first);
    assert_eq!(start(request("w", json!({"more": 1}))), first);
    assert_ne!(start(request("other", json!({}))), first);
    let (a, b) = life.run(async {
        let key = |key: &str| {
            let request = StartRequest::new(workflow("w"), json!({}));
            life.gateway
                .start_with(request.idempotency_key(key.parse().unwrap()))
        };
        tokio::join!(key("same"), key("same"))
    });
    let (a, b) = (a.unwrap().id, b.unwrap().id);
    assert_eq!(a, b);
    life.wait(a);
    assert_eq!(world.ledger.calls().len(), 2);
}

#[test]
fn an_input_is_validated_and_its_defaults_are_stored() {
    let world = World::with(INPUT);
    let life = world.live();
    let done = life.settle(json!({"url": "u"}));
    assert_eq!(done.input, json!({"url": "u", "retries": 3}));
    assert_eq!(life.trail(done.id), ["a 3"]);
    for (input, part) in [
        (json!({}), "`input` has no `url`, which is required"),
        (
            json!({"url": 1}),
            "`input.url` is the number 1, expected a string",
        ),
        (json!({"url": "u", "more": 1}), "`input.more` is not known"),
        (json!([]), "an object is expected"),
        (
            json!({"url": (0..70).fold(json!(1), |inner, _| json!([inner]))}),
            "nested deeper",
        ),
    ] {
        let error = life.try_start("w", input).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let told = error.to_string();
        assert!(
            told.starts_with("the input of workflow `w` is not valid: "),
            "{told}"
        );
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn what_does_not_exist_is_not_found() {
    let world = World::with(INPUT);
    let life = world.live();
    let error = life.try_start("gone", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "there is no workflow `gone`");
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let error = life
        .run(life.gateway.wait(id.parse().unwrap()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_second_gateway_is_refused_and_told_who_owns_the_database() {
    let world = World::with("\n  - {id: a, action: noop}");
    let life = world.live();
    let error = life.run(world.builder().start()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Owned);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains(&format!("process {}", std::process::id())),
        "{cause}"
    );
    assert_eq!(verdict(&life.settle(json!({}))), None);
}

#[test]
fn a_reader_works_beside_the_owner_and_after_it() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, approvalRequired: true}");
    let life = world.live();
    let id = life.settle(json!({})).id;
    let reader = life.run(Reader::open(world.database())).unwrap();
    assert!(is_paused(&life.run(reader.execution(id)).unwrap()));
    assert_eq!(life.run(reader.waiting_gates()).unwrap().items.len(), 1);
    assert_eq!(
        life.run(reader.workflows()).unwrap().items[0].id,
        workflow("w")
    );
    life.approve(&life.gate(id), "ann").unwrap();
    life.wait(id);
    assert_eq!(verdict(&life.run(reader.execution(id)).unwrap()), None);
    life.shutdown();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let execution = runtime.block_on(reader.execution(id)).unwrap();
    assert_eq!(verdict(&execution), None);
    let missing = runtime
        .block_on(Reader::open(world.path().join("none.db")))
        .err()
        .unwrap();
    assert_eq!(missing.kind(), ErrorKind::Missing);
}

#[test]
fn whatever_is_stored_is_carried_out_when_the_caller_of_its_start_leaves() {
    let world = World::with("\n  - {id: a, action: tool, tool: act}");
    let life = world.live();
    let id = workflow("w");
    // The caller leaves when it has been woken so many times.
    for patience in 0..10 {
        let mut start = Box::pin(life.gateway.start(&id, json!({})));
        let mut woken = 0;
        life.run(std::future::poll_fn(|context| {
            woken += 1;
            let poll = start.as_mut().poll(context).map(drop);
            if woken > patience {
                std::task::Poll::Ready(())
            } else {
                poll
            }
        }));
        drop(start);
    }
    let all = gateway::ExecutionFilter::default();
    let page = life
        .run(life.gateway.reader().executions(all, None, 20))
        .unwrap();
    assert!(!page.items.is_empty());
    for execution in page.items {
        assert_eq!(verdict(&life.wait(execution.id)), None);
    }
}

#[test]
fn a_follower_is_told_of_the_end_of_its_gateway_once() {
    let world = World::with("\n  - {id: a, action: tool, tool: act, approvalRequired: true}");
    let life = world.live();
    let id = life.settle(json!({})).id;
    let mut follower = life.gateway.follow(id);
    life.shutdown();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        follower.changed().await;
        let mut again = Box::pin(follower.changed());
        assert!(once(&mut again).await.is_pending());
    });
}

#[test]
fn many_executions_run_at_once_and_each_of_them_once() {
    let world = World::with(
        "
  - {id: a, action: tool, tool: act}
  - {id: b, action: tool, tool: act, args: {from: 2}, retry: {maxAttempts: 2, initialBackoff: 0s}}
  - {id: c, action: noop}",
    );
    let life = world.live_with(|builder| builder.max_concurrent_executions(3));
    let ids: Vec<_> = (0..60).map(|_| life.start("w", json!({}))).collect();
    for id in &ids {
        assert_eq!(verdict(&life.wait(*id)), None);
    }
    assert_eq!(world.ledger.calls().len(), 3 * ids.len());
    life.check(&world);
}

#[test]
fn a_gateway_that_is_not_well_described_does_not_start() {
    let world = World::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let start = |builder: gateway::GatewayBuilder| runtime.block_on(builder.start()).err().unwrap();
    let again = crate::support::tools::Asks(std::sync::Arc::clone(&world.ledger));
    let error = start(world.builder().model("scripted", again));
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error
            .to_string()
            .contains("two models have the name `scripted`"),
        "{error}"
    );
    let error = start(world.builder().workflows(world.path().join("none")));
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error
            .to_string()
            .starts_with("reading the workflow directory"),
        "{error}"
    );
    // What could not start owns nothing.
    world.live().shutdown();
}
