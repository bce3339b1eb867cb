//! SIGINT, SIGTERM and SIGHUP stop the program with exit code 130, and `serve` with 0; the work is
//! kept.

use rustix::process::Signal;

use crate::crashes::blocking;
use crate::support::{Call, Fifo, Place, journal};

/// Asks the program to stop while a command runs, lets the command end, and goes on.
fn stopped_and_resumed(signal: Signal) {
    let place = Place::new();
    let (here, go) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]);
    let running = heeding_hangups(running).start();
    here.line();
    running.signal(signal);
    running.says("the work is kept, `agentspace resume` goes on");
    // The shutdown lets a running command finish.
    go.say("in peace");
    let ran = running.end().exits(130);
    assert_eq!(ran.stdout, "", "nothing came to its end");

    place
        .run(["executions", "ls", "--status", "running"])
        .exits(0)
        .prints(&["blocking"]);
    place.run(["resume"]).exits(0).prints(&["completed"]);
    let ledger = place.lines("ledger");
    let began = ledger.iter().filter(|l| l.starts_with("began")).count();
    assert_eq!((began, ledger.len()), (1, 4), "{ledger:?}");
    assert_eq!(ledger[2..], ["ended in peace", "after"]);
    assert_eq!(
        journal(&place.only_execution()),
        ["before success", "work success", "after success"]
    );
}

#[test]
fn sigint_lets_the_command_finish_and_resume_goes_on() {
    stopped_and_resumed(Signal::INT);
}

#[test]
fn sigterm_lets_the_command_finish_and_resume_goes_on() {
    stopped_and_resumed(Signal::TERM);
}

#[test]
#[cfg(target_os = "linux")]
fn a_hangup_lets_the_command_finish_and_resume_goes_on() {
    stopped_and_resumed(Signal::HUP);
}

/// Started as from a terminal, whatever started the tests.
fn heeding_hangups(call: Call) -> Call {
    if cfg!(target_os = "linux") {
        call.started_by(["env", "--default-signal=HUP"])
    } else {
        call
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_hangup_ends_serve_in_order_however_often_it_comes() {
    let place = Place::new();
    let (here, go) = blocking(&place, "");
    let once = "trigger: {cron: '* * * * * *', maxRuns: 1}\n";
    let text = format!("{once}{}", place.read("blocking.yaml"));
    place.write("workflows/blocking.yaml", text);
    let serving = heeding_hangups(place.call(["serve"])).start();
    here.line();
    serving.signal(Signal::HUP);
    serving.says("the work is kept");
    // A shell that ends hands on what the system has told already.
    serving.signal(Signal::HUP);
    go.say("in peace");
    serving.end().exits(0);
    let ledger = place.lines("ledger");
    assert_eq!(ledger[2..], ["ended in peace"], "{ledger:?}");
    place.run(["resume"]).exits(0).prints(&["completed"]);
    assert_eq!(
        journal(&place.only_execution()),
        ["before success", "work success", "after success"]
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_hangup_is_nothing_to_who_was_started_by_nohup() {
    let tick = "name: Tick\ntrigger: '* * * * * *'\nsteps: [{id: tick, action: noop}]\n";
    let place = Place::with("workflows/tick.yaml", tick);
    let serving = place.call(["serve"]).started_by(["nohup"]).start();
    serving.says("serving:");
    serving.signal(Signal::HUP);
    serving.says("tick  started");
    serving.signal(Signal::HUP);
    serving.says("tick  started");
    serving.signal(Signal::TERM);
    let ran = serving.end().exits(0);
    assert_eq!(ran.stderr.matches("stopping").count(), 1, "{}", ran.stderr);
}

#[test]
fn resume_can_be_stopped_too() {
    let place = Place::new();
    let (here, go) = blocking(&place, "    onInterrupt: rerun\n");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.kill();
    let resuming = place.call(["resume"]).start();
    here.line();
    resuming.signal(Signal::INT);
    resuming.says("the work is kept");
    go.say("1");
    go.say("2");
    resuming.end().exits(130);
    place.run(["resume"]).exits(0);
    assert_eq!(place.only_execution()["status"], "completed");
}

#[test]
fn a_signal_while_an_approved_step_runs_loses_neither() {
    let place = Place::new();
    let (here, go): (Fifo, Fifo) = blocking(&place, "    approvalRequired: true\n");
    place.run(["run", "blocking.yaml"]).exits(3);
    let gate = place.only_gate_id();
    let approving = place.call(["approvals", "approve", &gate]).start();
    here.line();
    approving.signal(Signal::TERM);
    approving.says("the work is kept");
    go.say("on");
    approving.end().exits(130);
    place.run(["resume"]).exits(0);
    place
        .run(["approvals", "approve", &gate])
        .exits(0)
        .says(&["nothing changed"]);
    assert_eq!(
        journal(&place.only_execution()),
        ["before success", "work success", "after success"]
    );
}

#[test]
fn a_second_signal_stops_the_running_command_too() {
    let place = Place::new();
    let (here, _go) = blocking(&place, "");
    let running = place.call(["run", "blocking.yaml"]).start();
    here.line();
    running.signal(Signal::INT);
    running.says("again to stop at once");
    // Nobody lets the command go on; it ends because it is stopped.
    running.signal(Signal::INT);
    running.end().exits(130);
    place.run(["resume"]).exits(3);
    assert_eq!(place.only_gate()["kind"], "interrupted");
    let ledger = place.lines("ledger");
    assert_eq!(ledger.len(), 2, "{ledger:?}");
}
