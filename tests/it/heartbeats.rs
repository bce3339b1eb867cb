//! Heartbeats as the program runs them: with a model over real HTTP, killed, and without a file.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::kills_anywhere::at_every_point;
use crate::support::{
    Answer, ModelServer, Place, answer, demonstrated, list, strace_is_there, word,
};

const TWO: &str =
    "---\nmodel: stub\ninterval: 45\n---\n\n- [ ] The disk has room\n- [ ] Mail flows\n";

/// What the model says of an item.
fn says(act: bool, details: &str) -> Answer {
    Answer::Text(json!({"actionNeeded": act, "details": details}).to_string())
}

/// A model that finds the disk full, until the test says otherwise; mail always flows.
fn watcher() -> ModelServer {
    let decided = ModelServer::deciding("127.0.0.1:0", |asked| {
        let about = asked.body["messages"].to_string();
        if about.contains("The disk has room") {
            says(true, "93 % full")
        } else {
            says(false, "")
        }
    });
    decided.unwrap()
}

/// A place with a heartbeat of two items, whose model is this server.
fn place(server: &ModelServer) -> Place {
    let place = Place::with("HEARTBEAT.md", TWO);
    let url = server.url();
    place.write(
        "agentspace.toml",
        format!(
            "[models.stub]\nadapter = \"openai\"\nmodel = \"stub\"\nbase_url = \"{url}\"\n\
             [heartbeats.ops]\nfile = \"HEARTBEAT.md\"\n"
        ),
    );
    place
}

fn listed(place: &Place) -> Value {
    list(&place.json(["heartbeats", "ls"])).remove(0)
}

/// The items of the only heartbeat as `text: verdict`.
fn verdicts(place: &Place) -> Vec<String> {
    let items = list(&listed(place)["items"]);
    let told = |item: &Value| format!("{}: {}", word(&item["item"]), word(&item["verdict"]));
    items.iter().map(told).collect()
}

#[test]
fn a_run_shows_what_each_item_came_to_and_ends_with_one_if_somebody_has_to_act() {
    let server = watcher();
    let place = place(&server);
    let before = listed(&place);
    assert_eq!(before["words"], "every 45 minutes");
    assert_eq!(
        (&before["lastRun"], &before["served"]),
        (&Value::Null, &json!(false))
    );
    place.run(["heartbeats", "run"]).exits(1).prints(&[
        "act      The disk has room",
        "93 % full",
        "well     Mail flows",
    ]);
    assert_eq!(
        verdicts(&place),
        ["Mail flows: clear", "The disk has room: action_needed"]
    );
    let shown = listed(&place);
    let alerts = list(&shown["alerts"]);
    assert_eq!(alerts.len(), 1);
    assert_eq!(word(&alerts[0]["details"]), "93 % full");
    assert_eq!(word(&shown["lastRun"]["status"]), "completed");
    let execution = place.only_execution();
    assert_eq!(word(&execution["triggeredBy"]), "heartbeat");
    // The file is read again: what is ticked is not asked about, and ends its alert.
    place.write("HEARTBEAT.md", TWO.replace("[ ] The disk", "[x] The disk"));
    let ran = place.run(["heartbeats", "run", "ops", "--json"]).exits(0);
    let items = list(&ran.data()["items"]);
    assert_eq!(
        items,
        [json!({"item": "Mail flows", "verdict": "clear", "details": null})]
    );
    assert_eq!(list(&listed(&place)["alerts"]), Vec::<Value>::new());
    assert_eq!(server.asked().len(), 3);
}

/// An item whose model runs a command, if it makes the calls that the question spells out.
const CALLS: &str = "\
---
model: stub
tools: [execute_command]
---
- [ ] All is noted: call execute_command {\"command\": [\"sh\", \"-c\", \"echo ran >> ledger\"]}
";

#[test]
fn a_command_waits_for_an_approval_unless_the_front_matter_lets_it_be_called_without() {
    let server = ModelServer::deciding("127.0.0.1:0", answer).unwrap();
    let place = place(&server);
    place.write("HEARTBEAT.md", CALLS);
    place
        .run(["heartbeats", "run"])
        .exits(3)
        .says(&["waits for a decision", "agentspace executions watch"]);
    assert!(!place.exists("ledger"));
    let gate = place.only_gate_id();
    place.run(["approvals", "approve", &gate]).exits(0);
    assert_eq!(place.lines("ledger"), ["ran"]);

    let unasked = "tools: [execute_command]\nwithoutApproval: [execute_command]";
    let text = CALLS.replace("tools: [execute_command]", unasked);
    place.write("HEARTBEAT.md", text);
    place
        .run(["heartbeats", "run"])
        .exits(1)
        .prints(&["act      All is noted"]);
    assert_eq!(place.lines("ledger"), ["ran", "ran"]);
    assert_eq!(list(&place.json(["approvals", "ls"])), Vec::<Value>::new());
}

#[test]
fn a_model_that_is_down_is_an_unknown_result_and_an_alert_after_three() {
    let server = ModelServer::saying([Answer::Status(400, "", "{}".to_owned())]).unwrap();
    let place = place(&server);
    for _ in 0..3 {
        place
            .run(["heartbeats", "run"])
            .exits(1)
            .prints(&["unknown  Mail flows"]);
    }
    let alerts = list(&listed(&place)["alerts"]);
    let kinds: Vec<&str> = alerts.iter().map(|alert| word(&alert["kind"])).collect();
    assert_eq!(kinds, ["unknown", "unknown"]);
}

#[test]
fn a_file_with_a_mistake_is_told_at_its_place_wherever_it_is_met() {
    let server = watcher();
    let place = place(&server);
    place.write("HEARTBEAT.md", TWO.replace("interval", "intervall"));
    place.run(["heartbeats", "check"]).exits(2);
    place.run(["heartbeats", "run"]).exits(2).says(&[
        "HEARTBEAT.md:3:1: the key `intervall` is not known",
        "did you mean `interval`?",
    ]);
    place.write("HEARTBEAT.md", TWO.replace("model: stub", "model: stubb"));
    place
        .run(["heartbeats", "check"])
        .exits(0)
        .says(&["did you mean `stub`?"]);
    assert_eq!(server.asked().len(), 0);
    // Without a configuration, the file of the directory is the heartbeat; `init` makes one.
    let bare = Place::new();
    bare.run(["heartbeats", "ls"])
        .exits(0)
        .says(&["heartbeats init"]);
    bare.run(["heartbeats", "run"]).exits(2);
    bare.run(["heartbeats", "init"])
        .exits(0)
        .says(&["wrote HEARTBEAT.md"]);
    assert_eq!(word(&listed(&bare)["name"]), "heartbeat");
}

#[test]
fn served_it_has_a_schedule_that_nobody_edits_and_a_broken_file_stops_nobody() {
    let server = watcher();
    let place = place(&server);
    place.write("HEARTBEAT.md", "- [ ]no blank\n");
    let serving = place.call(["serve"]).start();
    serving.says("serving: 0 workflows, 1 active schedule");
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    place.write("HEARTBEAT.md", TWO);
    let serving = place.call(["serve"]).start();
    serving.says("serving: 1 workflow, 1 active schedule");
    let shown = place.json(["schedules", "show", "ops"]);
    assert_eq!(word(&shown["heartbeat"]), "ops");
    assert_eq!(word(&shown["rule"]), "@every 45m");
    let next = word(&listed(&place)["nextRun"]).to_owned();
    assert_eq!(word(&shown["nextRun"]), next);
    serving.signal(Signal::TERM);
    serving.end().exits(0);
    place
        .run(["schedules", "edit", "ops", "--name", "mine"])
        .exits(1)
        .says(&["follows the file of heartbeat `ops`"]);
}

#[test]
fn one_that_is_paused_switched_off_or_not_configured_for_a_while_is_listed_as_that() {
    let server = watcher();
    let place = place(&server);
    let settings = place.read("agentspace.toml");
    let ls = || place.run(["heartbeats", "ls"]).exits(0);
    ls().prints(&["ops  not served yet  HEARTBEAT.md"]);
    let serve_with = |settings: &str| {
        place.write("agentspace.toml", settings);
        let serving = place.call(["serve"]).start();
        serving.says("serving:");
        serving.signal(Signal::TERM);
        serving.end().exits(0);
    };
    serve_with(&settings);
    ls().prints(&["ops  active  HEARTBEAT.md"]);
    assert_eq!(listed(&place)["offReason"], Value::Null);

    place.run(["schedules", "pause", "ops"]).exits(0);
    let since = word(&listed(&place)["offSince"]).to_owned();
    let off = format!("  off        since {since}; `agentspace schedules resume ops` lets it run");
    ls().prints(&["ops  paused  HEARTBEAT.md", &off]);
    assert_eq!(word(&listed(&place)["offReason"]), "paused");
    place.write(
        "HEARTBEAT.md",
        TWO.replace("interval", "enabled: false\ninterval"),
    );
    ls().prints(&["ops  switched off  HEARTBEAT.md", &off]);
    place.write("HEARTBEAT.md", TWO);
    place.run(["schedules", "resume", "ops"]).exits(0);
    ls().prints(&["ops  active  HEARTBEAT.md"]);

    serve_with(&settings.replace("heartbeats.ops", "heartbeats.other"));
    place.write("agentspace.toml", &settings);
    ls().prints(&[
        "ops  not served any more  HEARTBEAT.md",
        "the next `agentspace serve` lets it run again",
    ]);
    serve_with(&settings);
    ls().prints(&["ops  active  HEARTBEAT.md"]);
}

/// A run is killed at a point; the next process judges what there is, once.
fn a_run_killed_at(call: &str, point: usize) -> (Option<i32>, &'static str) {
    let server = watcher();
    let place = place(&server);
    place.run(["db", "migrate"]).exits(0);
    let run = place
        .call(["heartbeats", "run"])
        .killed_at(call, point)
        .run();
    let judged_before = !verdicts(&place).is_empty();
    let left = place.executions();
    let what = match left.first() {
        None => "not begun",
        Some(found) if found["status"] == "completed" && judged_before => "judged before",
        Some(found) if found["status"] == "completed" => "ended, and not judged",
        Some(_) => "in the middle",
    };
    for _ in 0..2 {
        place.run(["resume"]).exits(0);
    }
    let expected = usize::from(!left.is_empty());
    let at = format!("{call} {point}: {what}");
    assert_eq!(place.executions().len(), expected, "{at}");
    assert_eq!(verdicts(&place).len(), 2 * expected, "{at}");
    let alerts = list(&listed(&place)["alerts"]);
    assert_eq!(alerts.len(), expected, "{at}");
    for alert in &alerts {
        assert_eq!(alert["timesSeen"], 1, "{at}");
    }
    // Each item is asked about once, but for the one in which the process died.
    assert!(server.asked().len() <= 3, "{at}");
    place.run(["db", "check"]).exits(0);
    (run.code, what)
}

#[test]
fn a_run_that_is_killed_at_any_write_is_judged_once_and_nothing_is_lost() {
    if strace_is_there() {
        let became = at_every_point(a_run_killed_at);
        demonstrated(&format!("heartbeats run, killed: {became:?}"));
        let met = |what| became.contains_key(what);
        assert!(
            met("in the middle") && met("ended, and not judged"),
            "{became:?}"
        );
    }
}
