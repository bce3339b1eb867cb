//! `agentspace alerts`: what somebody has to look at is told until it is taken, whatever dies between.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Place, Running, Server, list, word};

/// Every second something that fails, until it is paused.
const FAILING: &str = "\
name: Failing
steps: [{id: fail, action: tool, tool: execute_command, args: {command: ['false']}}]
";

/// A place with a schedule that is paused as soon as it has fired once.
fn failing() -> Place {
    let place = Place::with("workflows/failing.yaml", FAILING);
    place.run(["check"]).exits(0);
    let add = [
        "schedules",
        "add",
        "failing",
        "@every 1s",
        "--workflow",
        "failing",
    ];
    place
        .run(add.into_iter().chain(["--pause-after-failures", "1"]))
        .exits(0);
    place
}

/// A place whose alerts are posted to a server.
fn place(server: &Server) -> Place {
    let place = failing();
    let config = format!(
        "[alerts.sinks.hook]\nkind = 'webhook'\nurl = '{}'\nsecret_env = 'ALERT_SECRET'\n\
         allow_private_addresses = true\n\n[alerts.sinks.log]\nkind = 'log'\n",
        server.url()
    );
    place.write("agentspace.toml", config);
    place
}

fn serve(place: &Place) -> Running {
    let serving = place.call(["serve"]).env("ALERT_SECRET", "open sesame");
    serving.start()
}

fn alerts(place: &Place, which: &[&str]) -> Vec<Value> {
    let words = [&["alerts", "ls"], which].concat();
    list(&place.json(words))
}

/// To whom the notice of this place was told.
fn told(alert: &Value, at: usize) -> Vec<String> {
    let deliveries = list(&alert["notices"][at]["deliveries"]);
    let told = deliveries
        .iter()
        .filter(|one| one["deliveredAt"].is_string());
    told.map(|one| word(&one["sink"]).to_owned()).collect()
}

#[test]
fn an_alert_is_told_after_a_kill_with_the_same_id_and_until_it_is_over() {
    let server = Server::holding();
    let place = place(&server);
    let serving = serve(&place);
    // Raised and on its way: nobody knows whether it arrived.
    let id = server.next_key();
    serving.kill();
    let [alert] = <[Value; 1]>::try_from(alerts(&place, &["--unread"])).unwrap();
    assert_eq!(
        (&alert["kind"], &alert["source"], &alert["open"]),
        (
            &json!("paused"),
            &json!({"kind": "schedule", "name": "failing"}),
            &json!(true)
        )
    );
    let alert = word(&alert["id"]);
    // Back, but not well; then well.
    server.answer(500);
    let serving = serve(&place);
    assert_eq!(server.next_key(), id);
    server.answer(200);
    assert_eq!(server.next_key(), id);
    // What is on its way is still taken.
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    let shown = place.json(["alerts", "show", alert]);
    assert_eq!(told(&shown, 0), ["hook", "log"]);
    assert_eq!(shown["notices"][0]["id"], id);
    assert_eq!(shown["notices"][0]["event"], "raised");
    // Read, it is not to be seen any more once it is over.
    let read = place.json(["alerts", "ack", alert, "--by", "ann"]);
    assert_eq!(read["acknowledged"]["by"], "ann");
    assert_eq!(alerts(&place, &["--unread"]), Vec::<Value>::new());
    assert_eq!(alerts(&place, &[]).len(), 1);
    place.write(
        "workflows/failing.yaml",
        FAILING.replace("'false'", "'true'"),
    );
    let resumed = place.run(["schedules", "resume", "failing"]);
    resumed.exits(0);
    assert_eq!(alerts(&place, &[]), Vec::<Value>::new());
    assert_eq!(alerts(&place, &["--all"])[0]["open"], json!(false));
    // Nobody served when it ended: it is told now.
    let serving = serve(&place);
    serving.says("alert is over");
    let over = server.next_key();
    assert_ne!(over, id);
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    let shown = place.json(["alerts", "show", alert]);
    assert_eq!(told(&shown, 1), ["hook", "log"]);
    assert_eq!(shown["notices"][1]["id"], over);
    assert_eq!(shown["cleared"]["reason"], "the schedule fires again");
    place.run(["db", "check"]).exits(0);
}

#[test]
fn without_a_sink_alerts_are_kept_unread_until_somebody_has_read_them() {
    let place = failing();
    let serving = place.call(["serve"]).start();
    serving.says("is paused");
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    let ls = place.run(["alerts", "ls"]).exits(0);
    ls.prints(&[
        "open, unread",
        "schedule failing is paused",
        "its last execution failed",
    ]);
    let all = place.json(["alerts", "ack", "--all"]);
    assert_eq!(all, json!({"count": 1}));
    let all = place.json(["alerts", "ack", "--all"]);
    assert_eq!(all, json!({"count": 0}));
    assert_eq!(alerts(&place, &["--unread"]), Vec::<Value>::new());
    assert_eq!(alerts(&place, &["--open"]).len(), 1);
    place
        .run(["alerts", "ack", "no-id"])
        .exits(2)
        .says(&["is no id"]);
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    place
        .run(["alerts", "show", unknown])
        .exits(2)
        .says(&["there is no alert"]);
}

#[test]
fn a_sink_without_its_secret_is_named_before_anything_happens() {
    let server = Server::answering(200);
    let place = place(&server);
    let doctor = place.run(["doctor"]);
    let hidden = server.url().replace("/health", "/…");
    let doctor = doctor.prints(&["alert sink `hook`", "ALERT_SECRET", &hidden]);
    let data = place.json(["doctor"]).to_string();
    assert!(data.contains(&hidden), "{data}");
    assert!(!format!("{}{data}", doctor.stdout).contains("health"));
    let serving = place.call(["serve"]).start();
    serving.says("alert sink `hook` is told nothing");
    // The others are told all the same.
    serving.says("alert: schedule failing is paused");
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    assert_eq!(server.requests(), 0);
}
