//! `executions watch` beside the process that runs the execution: live, to its end.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};

use rustix::process::Signal;
use serde_json::Value;

use crate::crashes::blocking;
use crate::support::{Fifo, Place, Running, demonstrated, word};

/// The id of the newest execution.
fn newest(place: &Place) -> String {
    word(&place.executions()[0]["id"]).to_owned()
}

/// An execution of another process that is within a step, and a watcher of it.
fn watched(place: &Place, args: &[&str]) -> Running {
    let id = newest(place);
    let watch = ["executions", "watch", id.as_str()].into_iter();
    place.call(watch.chain(args.iter().copied())).start()
}

#[test]
fn what_another_process_does_is_told_as_it_happens_and_the_watch_ends_with_it() {
    let place = Place::new();
    let (here, go) = blocking(&place, "    approvalRequired: true\n");
    place.run(["run", "blocking.yaml"]).exits(3);
    let watch = watched(&place, &[]);
    watch.prints("execution paused");
    let gate = place.only_gate_id();
    let approving = place.call(["approvals", "approve", &gate]).start();
    here.line();
    // Nothing of this was there when it began, and the step has not ended.
    watch.prints("approved by");
    watch.prints("execution goes on");
    go.say("on");
    watch.prints("work succeeded");
    approving.end().exits(0);
    let told = watch.end().exits(0).stdout;
    assert!(told.trim_end().contains("execution completed"), "{told}");
    demonstrated(&told);
}

#[test]
fn it_goes_on_when_another_process_takes_the_execution_up() {
    let place = Place::new();
    let (here, go) = blocking(&place, "    onInterrupt: rerun\n");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    let watch = watched(&place, &[]);
    watch.prints("work started");
    running.kill();
    let resumed = place.call(["resume"]).start();
    here.line();
    go.say("1");
    go.say("2");
    resumed.end().exits(0);
    watch.end().exits(0).prints(&["execution completed"]);
}

#[test]
fn it_ends_as_the_execution_does() {
    let place = Place::new();
    let (here, go) = blocking(&place, "    onFailure: $fail\n");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    let watch = watched(&place, &["--json"]);
    watch.prints("step_started");
    running.kill();
    place.run(["resume"]).exits(3);
    watch.prints("step_waits");
    let gate = place.only_gate_id();
    place.run(["executions", "resolve", &gate, "fail"]).exits(1);
    watch.end().exits(1).prints(&["execution_failed"]);
    go.say("on");
}

#[test]
fn whoever_remembers_the_last_number_is_told_the_rest_and_nothing_twice() {
    let place = Place::new();
    let (here, go) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    let first = watched(&place, &["--json"]);
    let line = first.prints("\"work\"");
    let event: Value = serde_json::from_str(&line).unwrap();
    let seq = event["data"]["seq"].to_string();
    first.signal(Signal::INT);
    let early = first.end().exits(130).says(&["--after", &seq]);
    let later = watched(&place, &["--json", "--after", &seq]);
    go.say("on");
    running.end().exits(0);
    let later = later.end().exits(0);
    let id = newest(&place);
    let all = place.run(["executions", "watch", &id, "--json"]).exits(0);
    assert_eq!(early.stdout + &later.stdout, all.stdout);
}

#[test]
fn ctrl_c_and_sigterm_end_it_with_130_and_leave_the_execution_alone() {
    let place = Place::new();
    let (here, go) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    for signal in [Signal::INT, Signal::TERM] {
        let watch = watched(&place, &[]);
        watch.prints("work started");
        watch.signal(signal);
        let ran = watch.end().exits(130).says(&["it has not ended"]);
        assert!(!ran.stderr.contains("resume"), "{ran:?}");
    }
    go.say("on");
    running.end().exits(0).prints(&["completed"]);
}

#[test]
fn a_watcher_whom_nobody_reads_holds_up_nobody_stays_small_and_misses_nothing() {
    const VISITS: usize = 5_000;
    let place = Place::with(
        "loop.yaml",
        format!(
            "name: Loop
maxSteps: {VISITS}
steps:
  - {{id: first, action: noop, approvalRequired: true}}
  - {{id: again, action: noop, onSuccess: again}}
"
        ),
    );
    place.run(["run", "loop.yaml"]).exits(3);
    let (id, gate) = (newest(&place), place.only_gate_id());
    // What it holds is far less than what is told.
    let full = Fifo::to_command(&place, "full");
    let stdout = OpenOptions::new().write(true).open(&full.path).unwrap();
    let watch = place.call(["executions", "watch", &id, "--json"]);
    let watch = watch.stdout(stdout).start();
    let mut lines = BufReader::new(File::open(&full.path).unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("execution_started"), "{first}");
    place.run(["approvals", "approve", &gate]).exits(1);

    let status = std::fs::read_to_string(format!("/proc/{}/status", watch.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: usize = peak
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    demonstrated(&format!("{} MB for {VISITS} visits, unread", peak / 1024));
    assert!(peak < 64 * 1024, "{peak} kB");
    let told = lines.map(Result::unwrap);
    let started = told
        .take_while(|line| !line.contains("execution_failed"))
        .filter(|line| line.contains("step_finished"))
        .count();
    assert_eq!(started, VISITS);
    watch.end().exits(1);
}
