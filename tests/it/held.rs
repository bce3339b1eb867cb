//! A schedule that is held up: what a kill left to ask costs fires, and somebody is told.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::crashes::blocking;
use crate::support::{Fifo, Place, Running, Server, list, word};

/// A place in which something fires every second that may not run twice.
fn place(server: &Server) -> (Place, Fifo, Fifo) {
    let place = Place::new();
    let ends = blocking(&place, "");
    let text = place.read("blocking.yaml");
    place.write("workflows/nightly.yaml", text);
    let config = format!(
        "[alerts.sinks.hook]\nkind = 'webhook'\nurl = '{}'\nsecret_env = 'ALERT_SECRET'\n\
         allow_private_addresses = true\n\n[alerts.sinks.log]\nkind = 'log'\n",
        server.url()
    );
    place.write("agentspace.toml", config);
    place.run(["check"]).exits(0);
    let add = ["schedules", "add", "nightly", "@every 1s", "--workflow"];
    place.run(add.into_iter().chain(["nightly"])).exits(0);
    (place, ends.0, ends.1)
}

fn serve(place: &Place) -> Running {
    let serving = place.call(["serve"]).env("ALERT_SECRET", "open sesame");
    serving.start()
}

#[test]
fn a_schedule_that_a_kill_holds_up_is_told_once_shown_and_over_once_somebody_has_answered() {
    let server = Server::answering(200);
    let (place, here, _go) = place(&server);
    let serving = serve(&place);
    here.line();
    serving.kill();
    let serving = serve(&place);
    let line = serving.says("alert: schedule nightly is held up");
    assert!(line.contains("rerun|done|fail`"), "{line}");
    let raised = server.next_key();
    // What is on its way is still taken.
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    // The fires of another process tell nobody again.
    let serving = serve(&place);
    serving.says("skipped_overlap");
    serving.kill();
    let [alert] = <[Value; 1]>::try_from(list(&place.json(["alerts", "ls"]))).unwrap();
    let gate = place.only_gate_id();
    let execution = word(&place.executions()[0]["id"]).to_owned();
    assert_eq!(
        (&alert["kind"], &alert["item"]),
        (&json!("held_up"), &json!(execution))
    );
    let resolve = format!("agentspace executions resolve {gate} rerun|done|fail");
    let why = format!("execution {execution} waits since");
    for words in [
        ["schedules", "ls"].as_slice(),
        &["schedules", "show", "nightly"],
    ] {
        let shown = place.run(words.iter().copied()).exits(0);
        shown.prints(&["held up", &why, "what became of step `work`", &resolve]);
    }
    let listed = list(&place.json(["schedules", "ls"]));
    let shown = place.json(["schedules", "show", "nightly"]);
    assert_eq!(listed[0]["heldUp"], shown["heldUp"]);
    assert_eq!(shown["heldUp"]["gateId"], json!(gate));
    assert_eq!(shown["heldUp"]["kind"], "interrupted");
    place.run(["alerts", "ls"]).exits(0).prints(&[&resolve]);
    let doctor = place.run(["doctor"]);
    doctor.prints(&["1 schedule is held up", "agentspace schedules ls"]);
    place.run(["db", "check"]).exits(0);
    place.run(["executions", "resolve", &gate, "fail"]).exits(1);
    let listed = list(&place.json(["schedules", "ls"]));
    assert_eq!(listed[0]["heldUp"], Value::Null);
    place.run(["schedules", "ls"]).exits(0).prints(&["active"]);
    let serving = serve(&place);
    // It fires again.
    here.line();
    serving.says("alert is over: schedule nightly is held up");
    assert_ne!(server.next_key(), raised);
    assert_eq!(server.requests(), 2);
    serving.kill();
    let shown = place.json(["alerts", "show", word(&alert["id"])]);
    assert_eq!(list(&shown["notices"]).len(), 2);
    assert_eq!(shown["notices"][0]["id"], raised);
    let reason = word(&shown["cleared"]["reason"]);
    assert!(
        reason.contains("waits no more: resolved as fail by"),
        "{reason}"
    );
}
