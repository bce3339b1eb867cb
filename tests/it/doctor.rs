//! `agentspace doctor`: what it shows, what it calls broken, and that it changes nothing.

use serde_json::json;

use crate::support::{DATABASE, Place, list, word};

/// What is said, with the test's directory and versions taken out.
fn shown(place: &Place, text: &str) -> String {
    let root = place.root().canonicalize().unwrap();
    let lines = text
        .replace(root.to_str().unwrap(), "DIR")
        .replace(place.root().to_str().unwrap(), "DIR");
    let versions = |line: &str| {
        let (name, value) = line.split_once("  ").unwrap_or((line, ""));
        match name {
            "program" | "SQLite" | "newest schema" => {
                let aligned = value.trim_start();
                let width = line.len() - aligned.len();
                format!("{name:width$}VERSION")
            }
            _ => line.to_owned(),
        }
    };
    let lines: Vec<String> = lines.lines().map(versions).collect();
    lines.join("\n")
}

#[test]
fn it_shows_settings_versions_paths_and_what_is_missing() {
    let place = Place::with("agentspace.toml", "[gateway]\n\ndrain = \"1m\"\n");
    let ran = place
        .call(["doctor", "--max-output-bytes", "2048"])
        .env("AGENTSPACE_INHERIT_ENV", "SSH_AUTH_SOCK")
        .run()
        .exits(0);
    assert_eq!(ran.stderr, "");
    insta::with_settings!({omit_expression => true}, {
        insta::assert_snapshot!(shown(&place, &ran.stdout));
    });
    assert!(!place.exists(".agentspace"), "it stores nothing");
}

#[test]
fn a_sound_place_has_nothing_to_be_noted() {
    let place = Place::new();
    place.run(["init"]).exits(0);
    place.run(["db", "migrate"]).exits(0);
    // Without a model, the heartbeat cannot be judged.
    place.run(["doctor"]).exits(0).prints(&[
        "note: the file of a heartbeat HEARTBEAT.md has 1 warning",
        "nothing is broken, 1 note",
    ]);
    let model = "[models.near]\nadapter = \"ollama\"\nmodel = \"x\"\n";
    let settings = place.read("agentspace.toml");
    place.write("agentspace.toml", format!("{settings}\n{model}"));
    let data = place.json(["doctor"]);
    assert_eq!((&data["broken"], &data["notes"]), (&json!([]), &json!([])));
    assert_eq!(data["databaseDirectoryMode"], "0700");
    assert_eq!(data["schema"], data["newestSchema"]);
    assert_eq!(data["owner"], json!(null));
    assert!(word(&data["configuration"]).ends_with("agentspace.toml"));
}

#[test]
fn what_is_no_database_of_ours_is_broken() {
    let place = Place::with(DATABASE, "this is no database, whatever its name says");
    let ran = place.run(["doctor"]).exits(1);
    ran.prints(&["broken: ", "is not a database"]);
    let data = place.run(["doctor", "--json"]).exits(1).data();
    assert_eq!(list(&data["broken"]).len(), 1);
}

#[test]
fn a_database_of_a_newer_program_is_broken() {
    let place = Place::new();
    place.run(["db", "migrate"]).exits(0);
    // The version of the schema stands at this place of the file.
    let mut bytes = std::fs::read(place.path(DATABASE)).unwrap();
    bytes[60..64].copy_from_slice(&999_u32.to_be_bytes());
    place.write(DATABASE, bytes);
    let ran = place.run(["doctor"]).exits(1);
    ran.prints(&["broken: ", "was written by a newer program"]);
}

#[test]
fn the_process_that_owns_the_database_is_named() {
    let place = Place::new();
    place.run(["db", "migrate"]).exits(0);
    let lock = std::fs::File::create(place.path(&format!("{DATABASE}.lock"))).unwrap();
    std::io::Write::write_all(&mut &lock, b"4711\nthe other\n").unwrap();
    lock.lock().unwrap();
    let data = place.json(["doctor"]);
    assert_eq!(data["owner"], "process 4711 (the other)");
    drop(lock);
    assert_eq!(place.json(["doctor"])["owner"], json!(null));
}

const REFUSED: &str =
    "name: x\nsteps:\n  - {id: a, action: tool, tool: nothing}\n  - {id: a, action: noop}\n";
const WARNED: &str = "name: x\nsteps: [{id: a, action: model, prompt: hi}]\n";

#[test]
fn a_workflow_that_a_check_refuses_is_broken_and_one_with_a_warning_is_noted() {
    let place = Place::with("workflows/bad.yaml", REFUSED);
    place.write("workflows/warned.yaml", WARNED);
    place.write(
        "workflows/good.yaml",
        "name: x\nsteps: [{id: a, action: noop}]\n",
    );
    place.write("my beats/x.md", "---\nintervall: 5\n---\n- [ ] a\n");
    let settings = "[heartbeats.ops]\nfile = \"my beats/x.md\"\n";
    place.write("agentspace.toml", settings);
    place.run(["db", "migrate"]).exits(0);
    place.run(["check", "workflows/bad.yaml"]).exits(2);
    place.run(["check", "my beats/x.md"]).exits(2);
    let ran = place.run(["doctor"]).exits(1);
    assert_eq!(ran.stderr, "");
    let said: Vec<&str> = ran.stdout.rsplit("\n\n").next().unwrap().lines().collect();
    assert_eq!(
        said,
        [
            "broken: the workflow file workflows/bad.yaml is refused with 2 errors; `agentspace \
             check workflows/bad.yaml` shows more",
            "broken: heartbeat `ops` checks nothing: my beats/x.md is refused with 1 error; \
             `agentspace check 'my beats/x.md'` shows more",
            "note: the workflow file workflows/warned.yaml has 1 warning; `agentspace check \
             workflows/warned.yaml` shows more",
            "2 things are broken, 1 note",
        ]
    );
    let data = place.run(["doctor", "--json"]).exits(1).data();
    assert_eq!(list(&data["broken"]).len(), 2);
    assert_eq!(list(&data["notes"]).len(), 1);
    assert_eq!(
        (&data["workflowFiles"], &data["heartbeatFiles"]),
        (&json!("3, 1 refused"), &json!("1, 1 refused"))
    );
}

#[test]
fn what_is_known_to_serve_is_known_to_it() {
    // A tool of a server that is configured, a heartbeat whose file is called as a workflow's, and
    // two files that would be one workflow.
    let place = Place::with(
        "agentspace.toml",
        "[mcp.servers.near]\ncommand = [\"sh\", \"-c\", \"touch started\"]\n\
         [heartbeats.ops]\nfile = \"workflows/ops.yaml\"\n",
    );
    place.write(
        "workflows/near.yaml",
        "name: x\nsteps: [{id: a, action: tool, tool: near.x}]\n",
    );
    place.write("workflows/ops.yaml", "- [ ] a\n");
    place.write(
        "workflows/near.yml",
        "name: x\nsteps: [{id: a, action: noop}]\n",
    );
    let ran = place.run(["doctor"]).exits(1).prints(&[
        "near.yaml: 2 files have the stem `near`",
        "near.yml: 2 files have the stem `near`",
        "2 things are broken",
    ]);
    assert!(
        !ran.stdout.contains("ops.yaml is refused"),
        "{}",
        ran.stdout
    );
    std::fs::remove_file(place.path("workflows/near.yml")).unwrap();
    place
        .run(["doctor"])
        .exits(0)
        .prints(&["nothing is broken"]);
    assert!(!place.exists("started"));
}
