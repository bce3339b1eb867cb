//! Files of heartbeats that change while `serve` runs, and those that lie among workflows.

use serde_json::{Value, json};

use crate::reloading::{save, serve, stop};
use crate::support::{Place, list, word};

const EVERY_45: &str = "---\ninterval: 45\n---\n- [ ] Mail flows\n";

/// A place with one heartbeat, `ops`, in this file.
fn place(file: &str) -> Place {
    let place = Place::with(file, EVERY_45);
    let config = format!("[heartbeats.ops]\nfile = '{file}'\n");
    place.write("agentspace.toml", config);
    place
}

/// The rule and the next run of the heartbeat's schedule.
fn cadence(place: &Place) -> (String, String) {
    let shown = place.json(["schedules", "show", "ops"]);
    let text = |key: &str| word(&shown[key]).to_owned();
    (text("rule"), text("nextRun"))
}

#[test]
fn another_cadence_is_in_force_as_soon_as_it_is_saved() {
    let place = place("HEARTBEAT.md");
    let serving = serve(&place);
    let (rule, _) = cadence(&place);
    assert_eq!(rule, "@every 45m");
    place.write("HEARTBEAT.md", EVERY_45.replace("45", "2h"));
    let told = serving.says("heartbeat ops: read anew, it runs next at");
    let (rule, next) = cadence(&place);
    assert!(rule.starts_with("0 0,2,4,"), "{rule}");
    assert!(told.contains(&next[..16]), "{told} {next}");
    save(&place, "HEARTBEAT.md", EVERY_45);
    serving.says("heartbeat ops: read anew");
    assert_eq!(cadence(&place).0, "@every 45m");
    stop(serving);
    // Nothing of it was a run.
    assert_eq!(place.executions(), Vec::<Value>::new());
}

#[test]
fn a_broken_edit_is_told_with_its_place_and_costs_nothing_that_is_stored() {
    let place = place("HEARTBEAT.md");
    let serving = serve(&place);
    let before = (cadence(&place), place.json(["workflows", "show", "ops"]));
    let broken = EVERY_45.replace("interval", "intervall");
    save(&place, "HEARTBEAT.md", &broken);
    serving.says("WF0101");
    serving.says("HEARTBEAT.md:2:1");
    serving.says("heartbeat ops: its file is refused");
    std::fs::remove_file(place.path("HEARTBEAT.md")).unwrap();
    serving.says("there is no such file");
    serving.says("heartbeat ops: its file is refused");
    let after = (cadence(&place), place.json(["workflows", "show", "ops"]));
    assert_eq!(after, before);
    assert_eq!(list(&place.json(["alerts", "ls"])), Vec::<Value>::new());
    save(&place, "HEARTBEAT.md", &EVERY_45.replace("45", "60"));
    serving.says("heartbeat ops: read anew");
    assert_eq!(cadence(&place).0, "0 * * * *");
    stop(serving);
}

#[test]
fn one_that_lies_among_workflows_is_none_of_them() {
    for name in ["HEARTBEAT.md", "ops.yaml", "checks.md"] {
        let file = format!("workflows/{name}");
        let place = place(&file);
        place.write(
            "workflows/w.yaml",
            "name: W\nsteps: [{id: a, action: noop}]\n",
        );
        let check = place.run(["check"]).exits(0);
        assert!(!check.stderr.contains("not read"), "{}", check.stderr);
        let checked = place.json(["check"])["files"].clone();
        let kinds: Vec<Value> = list(&checked)
            .iter()
            .map(|file| file["kind"].clone())
            .collect();
        assert_eq!(kinds, ["config", "workflow", "heartbeat"], "{name}");
        let serving = place.call(["serve", "--json"]).start();
        serving.says("serving: 2 workflows, 1 active schedule");
        place.write(&file, EVERY_45.replace("45", "1h"));
        let told = serving.prints("workflows.reloaded");
        let told: Value = serde_json::from_str(&told).unwrap();
        let told = &told["data"];
        let quiet = json!([]);
        assert_eq!(
            (&told["registered"], &told["gone"]),
            (&quiet, &quiet),
            "{name}"
        );
        assert_eq!(told["heartbeats"][0]["name"], "ops");
        assert_eq!(list(&told["files"]).len(), 1, "{told}");
        // A workflow beside it that goes is the only one that is gone.
        std::fs::remove_file(place.path("workflows/w.yaml")).unwrap();
        let told = serving.prints("workflows.reloaded");
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["data"]["gone"], json!(["w"]), "{name}");
        assert_eq!(cadence(&place).0, "0 * * * *");
        stop(serving);
    }
}

#[test]
fn reload_has_them_read_by_whoever_serves_or_at_once() {
    let place = place("HEARTBEAT.md");
    // Nobody serves, and there are no workflows.
    let ran = place.run(["reload"]).exits(0);
    ran.prints(&["0 of 0 workflow files and 1 of 1 heartbeats registered"]);
    assert_eq!(cadence(&place).0, "@every 45m");
    let serving = serve(&place);
    place.write("HEARTBEAT.md", EVERY_45.replace("45", "15"));
    let told = place.json(["reload"]);
    assert_eq!(told["server"], serving.pid());
    assert_eq!(cadence(&place).0, "*/15 * * * *");
    place.write("HEARTBEAT.md", "nothing\n");
    let refused = place.run(["reload"]).exits(2);
    let refused = refused.says(&["HEARTBEAT.md", "the checklist has no items"]);
    refused.prints(&["0 of 1 heartbeats registered by process"]);
    assert_eq!(cadence(&place).0, "*/15 * * * *");
    stop(serving);
}
