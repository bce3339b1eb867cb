//! The program is killed with SIGKILL; another process goes on where it stopped.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{Fifo, Place, journal, list, word};

const STEPS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Five steps; each writes its name and its idempotency key into a ledger.
fn five_steps() -> Place {
    let mut text = String::from("name: Five\nsteps:\n");
    for step in STEPS {
        write!(
            text,
            "  - id: {step}
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo \"{step} $AGENTSPACE_IDEMPOTENCY_KEY\" >> ledger']}}
    onInterrupt: rerun
"
        )
        .unwrap();
    }
    Place::with("five.yaml", &text)
}

/// A step that says that it runs, waits to be let go, and then notes that it ran.
pub(crate) fn blocking(place: &Place, more: &str) -> (Fifo, Fifo) {
    let here = Fifo::to_test(place, "here");
    let go = Fifo::to_command(place, "go");
    let text = format!(
        "name: Blocking
steps:
  - id: before
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo before >> ledger']}}
  - id: work
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo \"began $AGENTSPACE_IDEMPOTENCY_KEY\" >> ledger; echo here > here; read word < go && echo \"ended $word\" >> ledger']}}
    timeout: 10m
{more}  - id: after
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo after >> ledger']}}
"
    );
    place.write("blocking.yaml", text);
    (here, go)
}

#[test]
fn killed_after_any_step_it_goes_on_and_records_every_step_once() {
    for (index, last) in STEPS.into_iter().enumerate() {
        let place = five_steps();
        let running = place.call(["run", "five.yaml"]).start();
        running.says(&format!("✓ {last}"));
        running.kill_if_alive();
        place.run(["resume"]).exits(0);

        let execution = place.only_execution();
        assert_eq!(execution["status"], "completed");
        let expected: Vec<String> = STEPS.iter().map(|step| format!("{step} success")).collect();
        assert_eq!(journal(&execution), expected);

        let ledger = place.lines("ledger");
        for step in &STEPS[..=index] {
            let ran = ledger.iter().filter(|line| line.starts_with(step)).count();
            assert_eq!(ran, 1, "`{step}` was recorded before the kill: {ledger:?}");
        }
        for visit in list(&execution["journal"]) {
            let (step, key) = (word(&visit["stepId"]), word(&visit["idempotencyKey"]));
            let lines = ledger.iter().filter(|line| line.starts_with(step));
            let lines: Vec<&String> = lines.collect();
            assert!(!lines.is_empty(), "`{step}` never ran");
            assert!(lines.iter().all(|line| **line == format!("{step} {key}")));
        }
    }
}

#[test]
fn killed_in_a_command_that_may_be_repeated_it_runs_again_under_the_same_key() {
    let place = Place::new();
    let (here, go) = blocking(&place, "    onInterrupt: rerun\n");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    let running = place.run(["executions", "ls", "--status", "running"]);
    running.exits(0).prints(&["running", "blocking"]);

    let resumed = place.call(["resume"]).start();
    here.line();
    // One word for the command that the killed process left behind, one for its repetition.
    go.say("1");
    go.say("2");
    resumed.end().exits(0).prints(&["completed"]);

    let execution = place.only_execution();
    assert_eq!(
        journal(&execution),
        ["before success", "work success", "after success"]
    );
    let key = word(&list(&execution["journal"])[1]["idempotencyKey"]).to_owned();
    let ledger = place.lines("ledger");
    let began: Vec<&String> = ledger.iter().filter(|l| l.starts_with("began")).collect();
    assert_eq!(began, [&format!("began {key}"), &format!("began {key}")]);
    let count = |word: &str| ledger.iter().filter(|line| *line == word).count();
    assert_eq!((count("before"), count("after")), (1, 1), "{ledger:?}");
}

#[test]
fn killed_while_it_says_that_it_waits_the_approval_waits_still() {
    let place = Place::new();
    place.example("hello.yaml");
    let running = place.call(["run", "hello.yaml"]).start();
    running.says("waits at its gate");
    running.kill_if_alive();
    place
        .run(["executions", "ls", "--status", "paused"])
        .exits(0)
        .prints(&["waits at `farewell`"]);
    place
        .run(["resume"])
        .exits(0)
        .says(&["nothing was left behind"]);

    let gate = place.only_gate_id();
    place
        .run(["approvals", "approve", &gate])
        .exits(0)
        .prints(&["completed"]);
    let execution = place.only_execution();
    assert_eq!(
        journal(&execution),
        ["greet success", "farewell success", "done success"]
    );
}

#[test]
fn an_approval_whose_step_is_killed_is_not_asked_for_again() {
    let place = Place::new();
    let (here, go) = blocking(
        &place,
        "    approvalRequired: true\n    onInterrupt: rerun\n",
    );
    place.run(["run", "blocking.yaml"]).exits(3);
    let gate = place.only_gate_id();
    let approving = place.call(["approvals", "approve", &gate]).start();
    here.line();
    approving.kill();
    let resumed = place.call(["resume"]).start();
    here.line();
    go.say("1");
    go.say("2");
    resumed.end().exits(0);
    let execution = place.only_execution();
    let gates = list(&execution["approvals"]);
    let states: Vec<&Value> = gates.iter().map(|gate| &gate["state"]).collect();
    assert_eq!(states, ["decided"]);
    assert_eq!(
        journal(&execution),
        ["before success", "work success", "after success"]
    );
}

#[test]
fn killed_again_and_again_it_still_records_every_step_once() {
    let place = Place::new();
    let (here, go) = blocking(&place, "    onInterrupt: rerun\n");
    let first = place.call(["run", "blocking.yaml"]).start();
    here.line();
    first.kill();
    for _ in 0..3 {
        let again = place.call(["resume"]).start();
        here.line();
        again.kill();
    }
    let last = place.call(["resume"]).start();
    here.line();
    for word in ["1", "2", "3", "4", "5"] {
        go.say(word);
    }
    last.end().exits(0);
    let execution = place.only_execution();
    assert_eq!(
        journal(&execution),
        ["before success", "work success", "after success"]
    );
    place.run(["db", "check"]).exits(0);
}

#[test]
fn killed_before_a_retry_is_due_the_retry_still_comes() {
    let place = Place::with(
        "flaky.yaml",
        r#"name: Flaky
steps:
  - id: work
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo "$AGENTSPACE_ATTEMPT $AGENTSPACE_IDEMPOTENCY_KEY" >> ledger; test "$AGENTSPACE_ATTEMPT" -gt 1']}
    retry: {maxAttempts: 2, initialBackoff: 1s, jitter: 0}
"#,
    );
    let running = place.call(["run", "flaky.yaml"]).start();
    running.says("tries again");
    running.kill();
    place.run(["resume"]).exits(0);
    let execution = place.only_execution();
    let visits = list(&execution["journal"]);
    assert_eq!((visits.len(), &visits[0]["attempt"]), (1, &2.into()));
    let key = word(&visits[0]["idempotencyKey"]);
    assert_eq!(
        place.lines("ledger"),
        [format!("1 {key}"), format!("2 {key}")]
    );
}

#[test]
fn a_run_leaves_alone_what_another_left_behind() {
    let place = Place::new();
    place.write(
        "quick.yaml",
        "name: Quick\nsteps: [{id: only, action: noop}]\n",
    );
    let (here, go) = blocking(&place, "    onInterrupt: rerun\n");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();

    place
        .run(["run", "quick.yaml"])
        .exits(0)
        .says(&["1 execution left behind", "agentspace resume"])
        .prints(&["completed"]);
    place
        .run(["executions", "ls", "--status", "running"])
        .exits(0)
        .prints(&["blocking"]);
    let began = place
        .lines("ledger")
        .iter()
        .filter(|line| line.starts_with("began"))
        .count();
    assert_eq!(began, 1, "nobody took it up");

    let resumed = place.call(["resume"]).start();
    here.line();
    go.say("1");
    go.say("2");
    resumed.end().exits(0).prints(&["completed"]);
}

#[test]
fn a_clean_end_leaves_everything_in_the_database_file() {
    let place = Place::with(
        "quick.yaml",
        "name: Quick\nsteps: [{id: only, action: noop}]\n",
    );
    for round in 0..5 {
        let (used, copy) = (format!("used{round}.db"), format!("copy{round}.db"));
        place
            .run(["run", "quick.yaml", "--db", used.as_str()])
            .exits(0);
        std::fs::copy(place.path(&used), place.path(&copy)).unwrap();
        place
            .run(["executions", "ls", "--db", copy.as_str()])
            .exits(0)
            .prints(&["completed"]);
    }
}
