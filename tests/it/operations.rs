//! What is done to executions and to the database: cancel, retry, delete, prune, watch, back up.

use serde_json::Value;

use crate::crashes::blocking;
use crate::support::{Place, journal, list, word};

/// Its one step succeeds where there is a file `good`.
const FLAKY: &str = "name: Flaky
steps:
  - id: first
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo first >> ledger']}
  - id: second
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo second >> ledger; test -e good']}
    retry: {maxAttempts: 2, initialBackoff: 0s}
";

fn newest(place: &Place) -> String {
    word(&place.executions()[0]["id"]).to_owned()
}

#[test]
fn what_waits_at_a_gate_is_cancelled_and_shows_by_whom_and_why() {
    let place = Place::new();
    place.example("hello.yaml");
    let run = ["run", "hello.yaml", "--idempotency-key", "k"];
    place.run(run).exits(3);
    let id = newest(&place);
    let cancel = [
        "executions",
        "cancel",
        &id,
        "--reason",
        "not needed",
        "--as",
        "grace",
    ];
    place
        .run(cancel)
        .exits(0)
        .prints(&["cancelled by grace: not needed"]);
    place
        .run(["executions", "cancel", &id])
        .exits(0)
        .says(&["cancelled before, by grace"]);
    for more in [&[][..], &["--failure-kind", "cancelled"]] {
        let listed = ["executions", "ls", "--status", "cancelled"];
        let listed = listed.into_iter().chain(more.iter().copied());
        let listed = list(&place.json(listed));
        assert_eq!(listed.len(), 1);
        assert_eq!(word(&listed[0]["id"]), id);
    }
    let nothing = [
        "executions",
        "ls",
        "--status",
        "cancelled",
        "--failure-kind",
        "denied",
    ];
    place
        .run(nothing)
        .exits(2)
        .says(&["have no execution in common"]);
    let shown = place.only_execution();
    assert_eq!(shown["failureKind"], "cancelled");
    assert_eq!(shown["cancellation"]["actor"], "grace");
    assert_eq!(shown["cancellation"]["reason"], "not needed");
    assert_eq!(shown["approvals"][0]["state"], "withdrawn");
    place
        .run(["executions", "show", &id])
        .exits(0)
        .prints(&["cancelled   by grace at", "not needed"]);
    place.run(["executions", "watch", &id]).exits(4);
    // The key answers the execution that was cancelled.
    place
        .run(run)
        .exits(4)
        .prints(&["failed", "cancelled by grace"]);
    place.run(["approvals", "approve", &id]).exits(1);
}

#[test]
fn what_a_dead_process_left_in_the_middle_of_a_step_is_cancelled_and_not_repeated() {
    let place = Place::new();
    let (here, _go) = blocking(&place, "    onInterrupt: rerun\n    onFailure: after\n");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    let id = newest(&place);
    place.run(["executions", "cancel", &id]).exits(0);
    place
        .run(["resume"])
        .exits(0)
        .says(&["nothing was left behind"]);
    let ledger = place.lines("ledger");
    assert_eq!(ledger.iter().filter(|l| l.starts_with("began")).count(), 1);
    assert!(!ledger.contains(&"after".to_owned()));
    assert_eq!(
        journal(&place.only_execution()),
        ["before success", "work failure"]
    );
    place
        .run([
            "executions",
            "cancel",
            "01890a5d-ac96-774b-bcce-b302099a8057",
        ])
        .exits(2);
}

#[test]
fn a_failed_execution_is_retried_from_its_step_and_reuses_the_result_before() {
    let place = Place::with("flaky.yaml", FLAKY);
    place.run(["run", "flaky.yaml"]).exits(1);
    let failed = newest(&place);
    let first = list(&place.only_execution()["journal"]);
    assert_eq!(list(&first[1]["failedAttempts"]).len(), 1);
    assert_eq!(first[1]["failedAttempts"][0]["attempt"], 1);
    place
        .run(["executions", "show", &failed])
        .exits(0)
        .prints(&["second (attempt 1)  failed at"]);

    place.write("good", "");
    place
        .run(["executions", "retry", &failed])
        .exits(0)
        .says(&["which repeats"]);
    let again = newest(&place);
    let shown = place.json(["executions", "show", &again]);
    assert_eq!(shown["origin"], failed.as_str());
    assert_eq!(shown["journal"][0]["reusedFrom"], failed.as_str());
    assert_eq!(
        shown["journal"][0]["idempotencyKey"],
        first[0]["idempotencyKey"]
    );
    assert_eq!(shown["journal"][1]["reusedFrom"], Value::Null);
    assert_eq!(
        place.lines("ledger"),
        ["first", "second", "second", "second"]
    );
    place
        .run(["executions", "show", &again])
        .exits(0)
        .prints(&["repeats     ", "first (reused)"]);
    place
        .run(["executions", "retry", &again, "--from", "nothing"])
        .exits(2)
        .says(&["it can be repeated from `first`, `second`"]);
}

#[test]
fn events_are_told_from_any_number_on_as_lines_of_json() {
    let place = Place::with("flaky.yaml", FLAKY);
    place.run(["run", "flaky.yaml"]).exits(1);
    let id = newest(&place);
    let events = |after: &str| -> Vec<Value> {
        let args = ["executions", "watch", &id, "--after", after, "--json"];
        let ran = place.run(args).exits(1);
        let lines = ran.stdout.lines();
        lines
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["data"].clone())
            .collect()
    };
    let all = events("0");
    let words: Vec<&str> = all.iter().map(|event| word(&event["event"])).collect();
    assert_eq!(
        words,
        [
            "execution_started",
            "step_started",
            "step_finished",
            "step_started",
            "attempt_failed",
            "step_started",
            "step_finished",
            "execution_failed",
        ]
    );
    for (place, event) in all.iter().enumerate() {
        assert_eq!(events(&event["seq"].to_string()), all[place + 1..]);
    }
    place
        .run(["executions", "watch", &id])
        .exits(1)
        .prints(&["first succeeded", "second started again (attempt 2)"]);

    place.example("hello.yaml");
    place.run(["run", "hello.yaml"]).exits(3);
    place
        .run(["executions", "watch", &newest(&place), "--past"])
        .exits(0)
        .prints(&["execution paused"])
        .says(&["--after"]);
}

#[test]
fn finished_executions_are_deleted_and_pruned_and_unfinished_ones_are_not() {
    let place = Place::with("good.yaml", "name: Good\nsteps: [{id: a, action: noop}]");
    for _ in 0..5 {
        place.run(["run", "good.yaml"]).exits(0);
    }
    place.example("hello.yaml");
    place.run(["run", "hello.yaml"]).exits(3);
    let paused = newest(&place);
    place
        .run(["executions", "delete", &paused])
        .exits(1)
        .says(&["only a finished one is deleted"]);
    let done = word(&place.executions()[1]["id"]).to_owned();
    place.run(["executions", "delete", &done]).exits(0);
    place.run(["executions", "show", &done]).exits(2);

    place.run(["executions", "prune"]).exits(2);
    place.run(["db", "prune", "--older-than", "soon"]).exits(2);
    let dry = ["db", "prune", "--keep", "1", "--dry-run"];
    place
        .run(dry)
        .exits(0)
        .prints(&["3 executions would be deleted"]);
    assert_eq!(place.executions().len(), 5);
    let pruned = place.json(["executions", "prune", "--keep", "1"]);
    assert_eq!(pruned["executions"], 3);
    let left = place.json(["db", "prune", "--older-than", "30d", "--keep", "9"]);
    assert_eq!(left["executions"], 0);
    let all = place.json(["db", "prune", "--older-than", "0s"]);
    assert_eq!(all["executions"], 1);
    assert_eq!(newest(&place), paused);
    assert_eq!(place.executions().len(), 1);
    place.run(["db", "vacuum"]).exits(0);
    place.run(["db", "check"]).exits(0);
}

#[test]
fn a_backup_is_made_beside_a_process_that_runs_and_replaces_nothing_unasked() {
    let place = Place::new();
    let (here, go) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    place.run(["db", "backup", "copy.db"]).exits(0);
    place
        .run(["db", "backup", "copy.db"])
        .exits(1)
        .says(&["copy.db exists"]);
    place.run(["db", "backup", "copy.db", "--force"]).exits(0);
    place
        .run(["db", "backup", crate::support::DATABASE, "--force"])
        .exits(1)
        .says(&["the database itself"]);
    place.run(["db", "vacuum"]).exits(1).says(&["process"]);
    place.run(["db", "check", "--db", "copy.db"]).exits(0);
    go.say("1");
    running.end().exits(0);
}

#[test]
fn executions_are_listed_by_failure_trigger_and_time_and_page_by_page() {
    let place = Place::with("flaky.yaml", FLAKY);
    place.write("good.yaml", "name: Good\nsteps: [{id: a, action: noop}]");
    for name in ["good.yaml", "flaky.yaml", "good.yaml"] {
        place.run(["run", name]);
    }
    let ids = |filter: &[&str]| -> Vec<String> {
        let args = ["executions", "ls"]
            .into_iter()
            .chain(filter.iter().copied());
        let all = list(&place.json(args));
        all.iter().map(|one| word(&one["id"]).to_owned()).collect()
    };
    let all = ids(&[]);
    assert_eq!(ids(&["--failure-kind", "step_failed"]), all[1..2]);
    assert!(ids(&["--failure-kind", "cancelled"]).is_empty());
    assert!(ids(&["--status", "cancelled"]).is_empty());
    assert!(ids(&["--status", "queued"]).is_empty());
    assert_eq!(ids(&["--trigger", "manual"]), all);
    assert!(ids(&["--trigger", "cron"]).is_empty());
    assert_eq!(ids(&["--since", "2020-01-01T00:00:00Z"]), all);
    assert!(ids(&["--until", "2020-01-01T00:00:00Z"]).is_empty());
    assert_eq!(ids(&["--limit", "1", "--after", &all[0]]), all[1..2]);
    assert_eq!(ids(&["--after", &all[1]]), all[2..]);
    for bad in [
        ["--failure-kind", "odd"],
        ["--trigger", "odd"],
        ["--since", "odd"],
        ["--after", "odd"],
    ] {
        place
            .run(["executions", "ls"].into_iter().chain(bad))
            .exits(2);
    }
}
