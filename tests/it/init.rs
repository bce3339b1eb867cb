//! `agentspace init`: what it writes works as it is.

use crate::support::{Place, journal};

#[test]
fn what_init_writes_passes_the_check_and_runs() {
    let place = Place::new();
    place
        .run(["init"])
        .exits(0)
        .says(&["workflows/hello.yaml", "HEARTBEAT.md", "next:"]);
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
        .says(&["good: 0 errors, 0 warnings"]);
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
