//! What a `kill -9` leaves of each kind of work, and how the next process goes on with it.

use std::time::Duration;

use gateway::workflow_types::Timestamp;
use gateway::{Clock as _, SystemClock};
use serde_json::Value;

use crate::crashes::blocking;
use crate::support::{Fifo, Place, Server, journal, list, word};

/// A call that may be repeated without harm, as PUT is.
const PUT: &str = "name: Put
steps:
  - id: put
    action: tool
    tool: http_request
    args: {url: '{{ input.url }}', method: PUT}
    timeout: 10m
";

/// Fails once, and is tried again after a while.
fn flaky(backoff: &str) -> Place {
    let text = format!(
        r#"name: Flaky
steps:
  - id: work
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo "$AGENTSPACE_ATTEMPT $AGENTSPACE_IDEMPOTENCY_KEY" >> ledger; test "$AGENTSPACE_ATTEMPT" -gt 1']}}
    retry: {{maxAttempts: 2, initialBackoff: {backoff}, jitter: 0}}
"#
    );
    Place::with("flaky.yaml", text)
}

/// The events of the only execution, with a name.
fn events(place: &Place, name: &str) -> Vec<Value> {
    let execution = place.only_execution();
    let watch = ["executions", "watch", word(&execution["id"]), "--json"];
    let told = place.run(watch).stdout;
    let events = told.lines().map(|line| {
        let envelope: Value = serde_json::from_str(line).unwrap();
        envelope["data"].clone()
    });
    events.filter(|event| event["event"] == name).collect()
}

#[test]
fn killed_in_a_destructive_command_it_asks_and_never_repeats_it_unasked() {
    let place = Place::new();
    let (here, _go): (Fifo, Fifo) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    place.run(["resume"]).exits(3);
    for _ in 0..3 {
        let again = place.run(["resume"]).exits(0);
        again.says(&["nothing was left behind"]);
    }
    assert_eq!(place.only_gate()["kind"], "interrupted");
    let ledger = place.lines("ledger");
    let began = ledger.iter().filter(|line| line.starts_with("began"));
    assert_eq!(began.count(), 1, "{ledger:?}");
    assert!(!ledger.contains(&"after".to_owned()), "{ledger:?}");
    let execution = place.only_execution();
    assert_eq!(execution["status"], "paused");
    assert_eq!(journal(&execution), ["before success", "work waiting"]);
}

#[test]
fn killed_in_an_idempotent_call_it_is_repeated_unasked_under_the_same_key() {
    let place = Place::with("put.yaml", PUT);
    let server = Server::holding();
    let url = format!("url={}", server.url());
    let running = place.call(["run", "put.yaml", "-i", &url]).start();
    let key = server.next_key();
    running.kill();
    server.answer(200);
    place.run(["resume"]).exits(0).prints(&["completed"]);
    let execution = place.only_execution();
    assert_eq!(journal(&execution), ["put success"]);
    assert_eq!(
        server.next_key(),
        key,
        "the server can tell that it is the same"
    );
    assert_eq!(server.requests(), 2);
    let visit = &list(&execution["journal"])[0];
    assert_eq!(word(&visit["idempotencyKey"]).to_lowercase(), key);
    assert_eq!(visit["attempt"], 1, "a repetition is no second attempt");
}

#[test]
fn killed_in_a_backoff_the_retry_comes_when_it_was_due_before() {
    let place = flaky("2s");
    let running = place.call(["run", "flaky.yaml"]).start();
    running.says("tries again");
    running.kill();
    let due = list(&place.only_execution()["journal"])[0]["dueAt"].clone();
    place.run(["resume"]).exits(0);

    let failed = events(&place, "attempt_failed");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["dueAt"], due, "the kill did not move it");
    let started = events(&place, "step_started");
    assert_eq!(started[1]["attempt"], 2);
    // Texts of instants are ordered as the instants are.
    assert!(word(&started[1]["at"]) >= word(&due), "{started:?}");
}

#[test]
fn a_backoff_that_ran_out_while_nobody_ran_is_not_begun_anew() {
    let place = flaky("4s");
    let running = place.call(["run", "flaky.yaml"]).start();
    running.says("tries again");
    running.kill();
    let due = list(&place.only_execution()["journal"])[0]["dueAt"].clone();
    let due: Timestamp = word(&due).parse().unwrap();
    // Readers carry nothing on, however often they come by.
    while SystemClock.now() < due {
        assert_eq!(journal(&place.only_execution()), ["work backing_off"]);
    }
    let resumed = SystemClock.now();
    place.run(["resume"]).exits(0).prints(&["completed"]);
    let took = SystemClock.now().since(resumed);
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(place.lines("ledger").len(), 2);
}

#[test]
fn killed_at_an_open_gate_the_same_gate_waits_with_the_same_expiry() {
    let place = Place::with(
        "gated.yaml",
        "name: Gated
steps:
  - id: gated
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo ran >> ledger']}
    approvalRequired: {message: Really?, timeout: 1h}
  - id: other
    action: noop
",
    );
    let (here, go) = blocking(&place, "    onInterrupt: fail\n");
    place.run(["run", "gated.yaml"]).exits(3);
    let before = place.only_gate();
    assert!(before["expiresAt"].is_string(), "{before}");
    // Whoever holds the database is killed, though the gate is not what keeps it.
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    go.say("on");

    place.run(["resume"]);
    assert_eq!(place.only_gate(), before);
    assert_eq!(
        place.lines("ledger").iter().filter(|l| *l == "ran").count(),
        0
    );
    let id = place.only_gate_id();
    place.run(["approvals", "approve", &id]).exits(0);
    assert_eq!(
        place.lines("ledger").iter().filter(|l| *l == "ran").count(),
        1
    );
}
