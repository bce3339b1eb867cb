//! `agentspace init`: what it writes works as it is.

use std::fs;

use crate::support::{Place, journal, list};

#[test]
fn what_init_writes_passes_the_check_and_runs() {
    let place = Place::new();
    place.run(["init"]).exits(0).says(&[
        "workflows/hello.yaml",
        "HEARTBEAT.md",
        "agentspace.toml",
        "next:",
    ]);
    let settings = place.read("schemas/config.schema.json");
    assert_eq!(place.run(["schema", "config"]).exits(0).stdout, settings);
    let front = place.read("schemas/heartbeat.schema.json");
    assert_eq!(place.run(["schema", "heartbeat"]).exits(0).stdout, front);
    let schema = place.read("schemas/workflow.schema.json");
    assert_eq!(place.run(["schema", "workflow"]).exits(0).stdout, schema);
    let head = place.read("workflows/hello.yaml");
    assert!(
        head.starts_with("# yaml-language-server: $schema=../schemas/workflow.schema.json\n"),
        "{head}"
    );
    place
        .run(["check"])
        .exits(0)
        // No model is configured.
        .says(&["3 files checked, good: 0 errors, 1 warning", "WF0209"]);
    assert!(!place.exists(".agentspace"), "a check stores nothing");
    place
        .run(["run", "hello", "--approve", "farewell"])
        .exits(0);
    assert_eq!(
        journal(&place.only_execution()),
        ["greet success", "farewell success", "done success"]
    );
}

#[test]
fn init_keeps_the_files_that_are_there() {
    let place = Place::new();
    place.write("HEARTBEAT.md", "mine");
    place.run(["init"]).exits(0).says(&["kept  ./HEARTBEAT.md"]);
    place.write("workflows/hello.yaml", "mine too");
    place
        .run(["init", "."])
        .exits(0)
        .says(&["kept  ./workflows/hello.yaml"]);
    assert_eq!(place.read("HEARTBEAT.md"), "mine");
    assert_eq!(place.read("workflows/hello.yaml"), "mine too");
}

#[test]
fn init_makes_the_directory_whatever_its_name() {
    let place = Place::new();
    place.run(["init", "a b/größe"]).exits(0);
    place
        .call(["check"])
        .within(place.path("a b/größe"))
        .run()
        .exits(0);
}

#[test]
fn init_on_a_file_says_what_is_in_the_way() {
    let place = Place::with("taken", "");
    place
        .run(["init", "taken"])
        .exits(1)
        .says(&["taken/workflows/hello.yaml", "Not a directory"]);
}

#[test]
fn the_configuration_of_init_says_what_holds_without_it() {
    let place = Place::new();
    let values = |place: &Place| {
        let data = place.json(["doctor"]);
        let all = list(&data["settings"]);
        let pairs = all
            .iter()
            .map(|one| (one["name"].clone(), one["value"].clone()));
        pairs.collect::<Vec<_>>()
    };
    let bare = values(&place);
    place.run(["init"]).exits(0);
    // It would be one setting more.
    fs::remove_file(place.path("HEARTBEAT.md")).unwrap();
    assert_eq!(values(&place), bare);
    let text = place.read("agentspace.toml");
    assert!(
        text.starts_with("#:schema ./schemas/config.schema.json\n"),
        "{text}"
    );

    // With every line that it offers, but those that have no default.
    let without_default = ["allow_programs", "older_than", "keep_per_workflow"];
    let has_default = |line: &&str| !without_default.iter().any(|name| line.contains(name));
    let offers = |line: &&str| line.starts_with("# ") && line.contains(" = ");
    assert_eq!(text.lines().filter(offers).count(), bare.len());
    let every: String = text
        .lines()
        .filter(has_default)
        .map(|line| match line.strip_prefix("# ") {
            Some(offered) if offered.contains(" = ") => format!("{offered}\n"),
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    place.write("agentspace.toml", every);
    assert_eq!(values(&place), bare);
    let data = place.json(["doctor"]);
    let settings = list(&data["settings"]);
    let of_file = settings
        .iter()
        .filter(|one| one["origin"]["kind"] == "file");
    assert_eq!(of_file.count(), bare.len() - without_default.len());
}
