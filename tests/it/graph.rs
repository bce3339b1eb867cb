//! `agentspace graph`: pictures of files, of registered workflows and of executions.

use crate::support::{Place, list, word};

const BRANCHES: &str = "name: Branches
steps:
  - {id: first, action: noop, branches: [{condition: 'status === \"success\"', goto: last}]}
  - {id: skipped, action: noop}
  - {id: last, action: noop}
";

#[test]
fn a_file_is_drawn_in_each_form_and_nothing_is_stored() {
    let place = Place::with("w.yaml", BRANCHES);
    for (format, sign) in [
        ("ascii", "( start )"),
        ("mermaid", "flowchart TD"),
        ("dot", "digraph \"Branches\" {"),
        ("svg", "<svg xmlns="),
    ] {
        let ran = place.run(["graph", "w.yaml", "--format", format]).exits(0);
        ran.prints(&[sign, "skipped"]);
    }
    let plain = place.run(["graph", "w.yaml"]).exits(0).stdout;
    assert!(plain.starts_with("  ( start )\n"), "{plain}");
    assert!(!place.exists(".agentspace"), "a picture stores nothing");
}

#[test]
fn a_picture_can_go_to_a_file() {
    let place = Place::with("w.yaml", BRANCHES);
    let ran = place.run(["graph", "w.yaml", "--format", "svg", "-o", "w.svg"]);
    let ran = ran.exits(0);
    assert_eq!(ran.stdout, "");
    ran.says(&["wrote w.svg"]);
    let direct = place.run(["graph", "w.yaml", "--format", "svg"]).exits(0);
    assert_eq!(place.read("w.svg"), direct.stdout);
}

#[test]
fn a_refused_file_is_not_drawn() {
    let place = Place::with(
        "w.yaml",
        "name: W\nsteps: [{id: a, action: noop, onSuccess: b}]\n",
    );
    let ran = place.run(["graph", "w.yaml"]).exits(2);
    assert_eq!(ran.stdout, "");
    ran.says(&["error[WF0107]"]);
    place
        .run(["graph", "missing.yaml"])
        .exits(2)
        .says(&["no such file"]);
    place
        .run(["graph", "no id"])
        .exits(2)
        .says(&["neither a file nor"]);
}

#[test]
fn the_model_is_data_for_those_who_draw_themselves() {
    let place = Place::with("w.yaml", BRANCHES);
    let data = place.json(["graph", "w.yaml"]);
    let ids: Vec<String> = list(&data["nodes"])
        .iter()
        .map(|node| word(&node["id"]).to_owned())
        .collect();
    assert_eq!(ids, ["$start", "first", "skipped", "last", "$end"]);
    let branch = &list(&data["edges"])[1];
    assert_eq!(word(&branch["kind"]), "branch");
    assert_eq!(word(&branch["condition"]), "status === \"success\"");
    assert_eq!(branch["order"], 1);
}

#[test]
fn the_id_of_an_execution_shows_the_way_that_it_took() {
    let place = Place::with("w.yaml", BRANCHES);
    place.run(["run", "w.yaml"]).exits(0);
    let of_workflow = place.run(["graph", "w"]).exits(0);
    assert!(!of_workflow.stdout.contains("passed"));
    let id = word(&place.only_execution()["id"]).to_owned();
    place.write(
        "w.yaml",
        "name: Edited\nsteps: [{id: other, action: noop}]\n",
    );
    place.run(["graph", &id]).exits(0).prints(&[
        "| first (passed)",
        "+== if status === \"success\" ==> last",
        "| last (passed)",
        "( end (passed) )",
    ]);
    let data = place.json(["graph", &id]);
    let taken: Vec<bool> = list(&data["edges"])
        .iter()
        .map(|edge| edge["taken"] == true)
        .collect();
    assert_eq!(taken, [true, true, false, false, true]);
    let shown = place.run(["graph", &id, "--format", "svg"]).exits(0).stdout;
    assert_eq!(shown.matches("class=\"way branch taken\"").count(), 1);
    assert_eq!(shown.matches("class=\"node noop passed\"").count(), 2);
}
