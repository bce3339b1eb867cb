//! The program is killed at each of its writes in turn: no point is left to luck.

use std::collections::BTreeMap;

use crate::support::{Place, demonstrated, journal, list, strace_is_there, word};

/// A command that must not run twice, behind a gate.
const GUARDED: &str = r#"name: Guarded
steps:
  - id: work
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo "work $AGENTSPACE_IDEMPOTENCY_KEY" >> ledger']}
    approvalRequired: true
"#;

/// Two commands that must not run twice.
const TWO: &str = r#"name: Two
steps:
  - id: one
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo "one $AGENTSPACE_IDEMPOTENCY_KEY" >> ledger']}
  - id: two
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo "two $AGENTSPACE_IDEMPOTENCY_KEY" >> ledger']}
"#;

/// The system calls by which a database changes and becomes durable, and which of each one kills.
///
/// With `AGENTSPACE_EVERY_WRITE` every write does, not only every fifth; every sync always does.
fn killing_calls() -> [(&'static str, usize); 2] {
    let every = std::env::var_os("AGENTSPACE_EVERY_WRITE").is_some();
    [("fsync", 1), ("pwrite64", if every { 1 } else { 5 })]
}

/// Tries a run that is killed at each point in turn, until one comes to its end; how often each
/// outcome was met. `attempt` answers the code of the run, and what became of it.
pub(crate) fn at_every_point(
    attempt: impl Fn(&'static str, usize) -> (Option<i32>, &'static str),
) -> BTreeMap<&'static str, usize> {
    let mut became = BTreeMap::new();
    for (call, stride) in killing_calls() {
        for point in (1..).step_by(stride) {
            let (code, what) = attempt(call, point);
            if code.is_some() {
                break;
            }
            *became.entry(what).or_default() += 1;
        }
    }
    became
}

/// Goes on until the only execution has completed; what is asked on the way is answered as done.
/// Whether something was asked.
fn carried_on(place: &Place) -> bool {
    let mut asked = false;
    loop {
        let resumed = place.run(["resume"]);
        match resumed.code {
            Some(0) => return asked,
            Some(3) => {
                asked = true;
                let gate = place.only_gate_id();
                place.run(["executions", "resolve", &gate, "done"]);
            }
            _ => panic!("{resumed:?}"),
        }
    }
}

/// Ann's approval is killed at a point, then bob denies.
fn an_approval_killed_at(call: &str, point: usize) -> (Option<i32>, &'static str) {
    let place = Place::with("guarded.yaml", GUARDED);
    place.run(["run", "guarded.yaml"]).exits(3);
    let gate = place.only_gate_id();
    let approve = ["approvals", "approve", gate.as_str(), "--as", "ann"];
    let approving = place.call(approve).killed_at(call, point).run();
    let shown = place.json(["approvals", "show", &gate]);
    let denying = place.run(["approvals", "deny", &gate, "--as", "bob"]);
    let denying = denying.exits(1);
    let what = if shown["state"] == "waiting" {
        // Ann's word was lost with her process, so bob's counts, and only his.
        assert_eq!(journal(&place.only_execution()), ["work failure"]);
        assert_eq!(place.lines("ledger"), Vec::<String>::new());
        "not recorded, the next decided"
    } else {
        denying.says(&["settled already: approved by ann at"]);
        let asked = carried_on(&place);
        assert_eq!(journal(&place.only_execution()), ["work success"]);
        let ran = place.lines("ledger").len();
        let at = format!("{call} {point}: ran {ran} times, asked: {asked}");
        assert!(ran == 1 || (asked && ran == 0), "{at}");
        if asked {
            "recorded, asked about the step"
        } else {
            "recorded, the step ran"
        }
    };
    let decided = place.json(["approvals", "show", &gate]);
    assert_eq!(
        list(&decided["votes"]).len(),
        1,
        "{call} {point}: {decided}"
    );
    place.run(["db", "check"]).exits(0);
    (approving.code, what)
}

/// A run is killed at a point, and carried on.
fn a_run_killed_at(call: &str, point: usize) -> (Option<i32>, &'static str) {
    let place = Place::with("two.yaml", TWO);
    place.run(["db", "migrate"]).exits(0);
    let running = place.call(["run", "two.yaml"]).killed_at(call, point).run();
    let what = match place.executions().first() {
        None => {
            assert_eq!(place.lines("ledger"), Vec::<String>::new());
            place.run(["run", "two.yaml"]).exits(0);
            "not begun"
        }
        Some(found) if found["status"] == "completed" => {
            assert_eq!(place.lines("ledger").len(), 2);
            place.run(["resume"]).exits(0);
            assert_eq!(place.lines("ledger").len(), 2, "nothing follows the end");
            "completed before"
        }
        Some(_) if carried_on(&place) => "asked, then completed",
        Some(_) => "went on, then completed",
    };
    let execution = place.only_execution();
    assert_eq!(execution["status"], "completed");
    assert_eq!(journal(&execution), ["one success", "two success"]);
    let ledger = place.lines("ledger");
    for visit in list(&execution["journal"]) {
        let step = word(&visit["stepId"]);
        let line = format!("{step} {}", word(&visit["idempotencyKey"]));
        let mut lines = ledger.iter().filter(|line| line.starts_with(step));
        let first = lines.next().is_none_or(|only| *only == line);
        assert!(first && lines.next().is_none(), "{ledger:?}");
    }
    place.run(["db", "check"]).exits(0);
    (running.code, what)
}

#[test]
fn an_approval_that_is_killed_at_any_write_is_decided_once_and_its_step_runs_at_most_once() {
    if strace_is_there() {
        let became = at_every_point(an_approval_killed_at);
        demonstrated(&format!("approvals approve, killed: {became:?}"));
        assert_eq!(became.len(), 3, "{became:?}");
    }
}

#[test]
fn a_run_that_is_killed_at_any_write_up_to_its_last_commit_ends_as_its_definition_says() {
    if strace_is_there() {
        let became = at_every_point(a_run_killed_at);
        demonstrated(&format!("run, killed: {became:?}"));
        let after = became.contains_key("completed before");
        assert!(after && became.contains_key("not begun"), "{became:?}");
    }
}
