//! A command that may have happened is not repeated unasked: a person says what became of it.

use std::process::Command;

use crate::crashes::blocking;
use crate::support::{Fifo, Place, journal, list};

/// An execution whose destructive step was killed midway and asks what became of it.
fn asking(more: &str) -> (Place, Fifo, Fifo) {
    let place = Place::new();
    let (here, go) = blocking(&place, more);
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    place.run(["resume"]).exits(3).prints(&["paused"]);
    (place, here, go)
}

fn began(place: &Place) -> usize {
    let ledger = place.lines("ledger");
    ledger.iter().filter(|l| l.starts_with("began")).count()
}

#[test]
fn it_is_listed_with_its_command_and_the_choices() {
    let (place, _here, _go) = asking("");
    place.run(["approvals", "ls"]).exits(0).prints(&[
        "interrupted  blocking › work",
        "would run  execute_command",
        "read word < go",
    ]);
    let gate = place.only_gate();
    assert_eq!(gate["kind"], "interrupted");
    let id = place.only_gate_id();
    place
        .run(["approvals", "show", &id])
        .exits(0)
        .says(&["executions resolve", "rerun|done|fail"]);
    assert_eq!(began(&place), 1, "it is not repeated unasked");
}

#[test]
fn a_command_that_outlived_its_process_is_found_as_it_is_said() {
    let (place, _here, _go) = asking("");
    let id = place.only_gate_id();
    let shown = place.run(["approvals", "show", &id]).exits(0);
    let shown = shown.says(&["its command may still run", "end it before a rerun"]);
    shown.prints(&["its side effect may have happened, or still happen"]);
    let told = place.run(["approvals", "show", &id]).stderr;
    let search = told
        .split('`')
        .find(|words| words.starts_with("grep"))
        .unwrap();
    let found = Command::new("sh").args(["-c", search]).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    // Its shell, and nothing else of this machine.
    let [environment] = <[&str; 1]>::try_from(found.lines().collect::<Vec<_>>()).unwrap();
    let directory = environment.replace("environ", "cwd");
    assert_eq!(std::fs::read_link(directory).unwrap(), place.root());
}

#[test]
fn neither_approve_nor_deny_is_an_answer_to_it() {
    let (place, _here, _go) = asking("");
    let id = place.only_gate_id();
    for verb in ["approve", "deny"] {
        let ran = place.run(["approvals", verb, &id]);
        assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
        ran.says(&["resolve"]);
    }
    assert_eq!(began(&place), 1);
    assert_eq!(place.only_gate_id(), id, "it waits still");
}

#[test]
fn resolved_as_rerun_it_runs_again_under_the_same_key() {
    let (place, here, go) = asking("");
    let id = place.only_gate_id();
    let running = place.call(["executions", "resolve", &id, "rerun"]).start();
    here.line();
    go.say("1");
    go.say("2");
    running.end().exits(0).prints(&["completed"]);
    let ledger = place.lines("ledger");
    let keys: Vec<&String> = ledger.iter().filter(|l| l.starts_with("began")).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
    assert_eq!(
        journal(&place.only_execution()),
        ["before success", "work success", "after success"]
    );
}

#[test]
fn resolved_as_done_it_is_not_run_and_its_output_is_what_was_given() {
    let (place, _here, _go) = asking("");
    let execution = place.executions()[0]["id"].clone();
    // The execution's id will do for its gate's.
    let id = execution.as_str().unwrap();
    place
        .run([
            "executions",
            "resolve",
            id,
            "done",
            "--output",
            r#"{"seen":true}"#,
        ])
        .exits(0);
    assert_eq!(began(&place), 1);
    let execution = place.only_execution();
    assert_eq!(list(&execution["journal"])[1]["output"]["seen"], true);
    assert!(place.lines("ledger").contains(&"after".to_owned()));
}

#[test]
fn resolved_as_failed_the_execution_fails_with_exit_1_or_takes_the_way_of_a_failure() {
    let (place, _here, _go) = asking("");
    let id = place.only_gate_id();
    place
        .run(["executions", "resolve", &id, "fail", "--reason", "seen to"])
        .exits(1)
        .prints(&["failed", "interrupted"]);
    assert_eq!(began(&place), 1);

    let (place, _here, _go) = asking("    onFailure: after\n");
    let id = place.only_gate_id();
    place.run(["executions", "resolve", &id, "fail"]).exits(0);
    assert_eq!(
        journal(&place.only_execution()),
        ["before success", "work failure", "after success"]
    );
}

#[test]
fn a_second_answer_is_a_conflict_and_bad_answers_are_refused() {
    let (place, _here, _go) = asking("");
    let id = place.only_gate_id();
    let usage: [&[&str]; 4] = [
        &["rerun", "--output", "1"],
        &["done", "--output", "{"],
        &["perhaps"],
        &[],
    ];
    for answer in usage {
        let args = ["executions", "resolve", &id].into_iter();
        place.run(args.chain(answer.iter().copied())).exits(2);
    }
    place
        .run(["executions", "resolve", &id, "done", "--as", "grace"])
        .exits(0);
    let before = place.only_execution();
    place
        .run(["executions", "resolve", &id, "fail"])
        .exits(1)
        .says(&["settled already", "resolved as done by grace at"]);
    assert_eq!(place.only_execution(), before);
}

#[test]
fn on_interrupt_fail_fails_it_unasked() {
    let place = Place::new();
    let (here, _go) = blocking(&place, "    onInterrupt: fail\n");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    place
        .run(["resume"])
        .exits(1)
        .prints(&["failed", "interrupted"]);
    assert_eq!(began(&place), 1);
}
