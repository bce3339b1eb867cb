//! Many people decide about one gate at the same moment: one of them does.

use crate::support::{Fifo, Place, Ran, demonstrated, journal, list, strace_is_there, word};

const DECIDERS: usize = 50;

/// A command that must not run twice, behind a gate at which an execution waits; and the gate.
fn guarded() -> (Place, String) {
    let place = Place::with(
        "guarded.yaml",
        "name: Guarded
steps:
  - id: work
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo ran >> ledger']}
    approvalRequired: true
",
    );
    place.run(["run", "guarded.yaml"]).exits(3);
    let gate = place.only_gate_id();
    (place, gate)
}

/// Processes that decide at once, each as somebody of their own; what each came to.
fn decide(place: &Place, gate: &str, verb: impl Fn(usize) -> &'static str) -> Vec<Ran> {
    let names: Vec<String> = (0..DECIDERS).map(|number| format!("p{number}")).collect();
    let started: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let args = ["approvals", verb(number), gate, "--as", name.as_str()];
            place.call(args).start()
        })
        .collect();
    started
        .into_iter()
        .map(super::support::Running::end)
        .collect()
}

/// Asserts that one of them decided, and that all others were told who it was, and when.
fn assert_one_won(place: &Place, gate: &str, decided: &[Ran]) -> usize {
    let shown = place.json(["approvals", "show", gate]);
    let (decision, who) = (word(&shown["decision"]), word(&shown["decidedBy"]));
    let past = if decision == "approve" {
        "approved"
    } else {
        "denied"
    };
    let answer = format!("{past} by {who} at {}", word(&shown["decidedAt"]));
    let won = |ran: &&Ran| ran.stderr.contains(": recorded as ");
    let winners: Vec<&Ran> = decided.iter().filter(won).collect();
    assert_eq!(winners.len(), 1, "{decided:?}");
    assert!(winners[0].stderr.contains(&format!("recorded as {who},")));
    let told = decided.iter().filter(|ran| ran.stderr.contains(&answer));
    assert_eq!(told.count(), DECIDERS - 1, "`{answer}`: {decided:?}");
    assert_eq!(list(&shown["votes"]).len(), 1, "{shown}");
    demonstrated(&format!(
        "1 of {DECIDERS} decided, {} were told `{answer}`",
        DECIDERS - 1
    ));
    decided.iter().filter(|ran| ran.code == Some(0)).count()
}

#[test]
fn of_fifty_who_approve_at_once_one_does_and_the_step_runs_once() {
    let (place, gate) = guarded();
    let decided = decide(&place, &gate, |_| "approve");
    // To say the same as the winner is no mistake.
    assert_eq!(assert_one_won(&place, &gate, &decided), DECIDERS);
    assert_eq!(place.lines("ledger"), ["ran"]);
    assert_eq!(journal(&place.only_execution()), ["work success"]);
}

#[test]
fn of_fifty_who_approve_or_deny_at_once_one_does_and_the_others_learn_who_and_when() {
    let (place, gate) = guarded();
    let verb = |number: usize| {
        if number.is_multiple_of(2) {
            "approve"
        } else {
            "deny"
        }
    };
    let decided = decide(&place, &gate, verb);
    let agreed = assert_one_won(&place, &gate, &decided);
    let approved = place.json(["approvals", "show", &gate])["decision"] == "approve";
    // Whoever denies learns of a failed execution, and whoever contradicts of a conflict.
    let expected = if approved {
        DECIDERS / 2
    } else {
        DECIDERS / 2 - 1
    };
    assert_eq!(agreed, expected, "{decided:?}");
    let ran = usize::from(approved);
    assert_eq!(place.lines("ledger").len(), ran);
    place.run(["db", "check"]).exits(0);
}

#[test]
fn a_decision_waits_for_whoever_has_the_database() {
    let (place, gate) = guarded();
    let (here, go) = crate::crashes::blocking(&place, "");
    let other = place.call(["run", "blocking.yaml"]).start();
    here.line();
    let approving = place.call(["approvals", "approve", &gate]).start();
    approving.says("waiting up to 10 s: the database");
    go.say("on");
    other.end().exits(0);
    approving.end().exits(0).prints(&["completed"]);
    assert!(place.lines("ledger").contains(&"ran".to_owned()));
}

#[test]
fn whoever_gets_the_database_only_after_the_end_changes_nothing() {
    if !strace_is_there() {
        return;
    }
    let place = Place::with(
        "failing.yaml",
        "name: Failing
steps:
  - id: work
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo here > here; read word < go; exit 1']}
    approvalRequired: true
",
    );
    let (here, go) = (
        Fifo::to_test(&place, "here"),
        Fifo::to_command(&place, "go"),
    );
    place.run(["run", "failing.yaml"]).exits(3);
    let gate = place.only_gate_id();
    let approve = |name| place.call(["approvals", "approve", &gate, "--as", name]);
    let first = approve("ann").start();
    here.line();
    // Bob sees an execution that runs, and is held up on his way to the database until it has ended.
    let second = approve("bob").held_up_at("flock", &place.path("calls"));
    let second = second.start();
    while place.lines("calls").is_empty() {}
    go.say("on");
    first.end().exits(1);
    let second = second.end().exits(0);
    second.says(&["approved by ann at", "before; nothing changed"]);
}
