//! What one process left half done is carried on by the next that is asked for it, and nothing else
//! is touched.

use serde_json::Value;

use crate::crashes::blocking;
use crate::support::{Place, journal, list, word};

/// A gate that expires at once, or nearly so.
const EXPIRING: &str = "name: Expiring
steps:
  - id: gated
    action: noop
    approvalRequired: {timeout: 1ms}
";

#[test]
fn a_start_that_is_repeated_with_its_key_after_a_kill_goes_on() {
    let place = Place::new();
    let (here, go) = blocking(&place, "    onInterrupt: rerun\n");
    let args = ["run", "blocking.yaml", "--idempotency-key", "k1"];
    let running = place.call(args).start();
    here.line();
    running.kill();
    let again = place.call(args).start();
    here.line();
    go.say("1");
    go.say("2");
    again.end().exits(0).prints(&["completed"]);
    let execution = place.only_execution();
    assert_eq!(
        journal(&execution),
        ["before success", "work success", "after success"]
    );
}

#[test]
fn a_resolution_that_is_repeated_after_a_kill_goes_on() {
    let place = Place::new();
    let (here, go) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    place.run(["resume"]).exits(3);
    let gate = place.only_gate_id();
    let args = ["executions", "resolve", gate.as_str(), "rerun"];
    let resolved = place.call(args).start();
    here.line();
    resolved.kill();
    // The repetition itself was interrupted: a person is asked once more.
    place.run(args).exits(3);
    let gate = place.only_gate_id();
    place
        .run(["executions", "resolve", gate.as_str(), "done"])
        .exits(0)
        .prints(&["completed"]);
    for word in ["1", "2"] {
        go.say(word);
    }
}

#[test]
fn one_consent_of_two_leaves_the_gate_waiting() {
    let place = Place::with(
        "two.yaml",
        "name: Two\nsteps: [{id: gated, action: noop, approvalRequired: {count: 2}}]\n",
    );
    place
        .run(["run", "two.yaml", "--approve", "gated", "--as", "ann"])
        .exits(3);
    let gate = place.only_gate_id();
    place
        .run(["approvals", "approve", gate.as_str(), "--as", "bob"])
        .exits(0)
        .prints(&["completed"]);
}

#[test]
fn a_gate_that_expired_in_between_is_left_to_resume() {
    let place = Place::with("expiring.yaml", EXPIRING);
    place.write(
        "quick.yaml",
        "name: Quick\nsteps: [{id: a, action: noop}]\n",
    );
    place.run(["run", "expiring.yaml"]);
    let status = |place: &Place| -> Vec<String> {
        let all = place.executions();
        let expiring = all.iter().filter(|e| e["workflowId"] == "expiring");
        expiring
            .map(|e: &Value| word(&e["status"]).to_owned())
            .collect()
    };
    // The first process may notice the expiry before it ends; then nothing is left to show.
    let after = status(&place);
    if after == ["paused"] {
        place.run(["run", "quick.yaml"]).exits(0);
        assert_eq!(status(&place), after, "it is nobody else's business");
    }
    if after != ["failed"] {
        place.run(["resume"]).exits(1).prints(&["failed"]);
    }
    assert_eq!(status(&place), ["failed"]);
}

#[test]
fn one_too_many_is_queued_and_resume_takes_it_up_when_it_is_its_turn() {
    let place = Place::with(
        "deploy.yaml",
        "name: Deploy
concurrency: {limit: 1}
steps: [{id: gated, action: noop, approvalRequired: true}]
",
    );
    place.run(["check", "deploy.yaml"]).exits(0);
    place.run(["run", "deploy.yaml"]).exits(3);
    let first = place.only_gate_id();
    place
        .run(["run", "deploy.yaml"])
        .exits(3)
        .prints(&["is queued", "`agentspace resume`"]);
    place
        .run(["executions", "ls"])
        .exits(0)
        .prints(&["queued", "waits for its turn", "paused"]);
    let queued = place
        .executions()
        .into_iter()
        .find(|one| one["queued"] == true);
    let queued = queued.unwrap();
    assert_eq!(word(&queued["status"]), "running");
    let listed = |status: &'static str| {
        let all = list(&place.json(["executions", "ls", "--status", status]));
        all.iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed("queued"), [queued["id"].clone()]);
    assert_eq!(listed("running"), listed("queued"));
    assert_eq!(listed("paused").len(), 1);
    // The gate of the first holds the only place: nothing goes on by itself.
    place.run(["resume"]).exits(3).prints(&["queued"]);
    assert_eq!(place.only_gate_id(), first);
    place
        .run(["approvals", "approve", &first])
        .exits(0)
        .prints(&["completed"]);
    place.run(["resume"]).exits(3).prints(&["paused"]);
    assert_ne!(place.only_gate_id(), first);
}
