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
