//! Rows that cannot be read: they are named, and hide nothing else.

use std::fs;

use crate::support::{DATABASE, Place, list, word};

/// Overwrites the end of a text wherever it stands in the database, as a failing disk would.
fn spoil(place: &Place, text: &str) {
    let mut bytes = fs::read(place.path(DATABASE)).unwrap();
    let text = text.as_bytes();
    let found: Vec<usize> = (0..bytes.len() - text.len())
        .filter(|start| bytes[*start..].starts_with(text))
        .collect();
    assert!(!found.is_empty());
    for start in found {
        bytes[start + text.len() - 1] = b'?';
    }
    place.write(DATABASE, bytes);
}

/// Two executions that wait, the first of Ada, the second of Bob.
fn place() -> Place {
    let place = Place::new();
    place.example("hello.yaml");
    for name in ["name=Ada", "name=Bob"] {
        place.run(["run", "hello.yaml", "-i", name]).exits(3);
    }
    place
}

#[test]
fn a_damaged_execution_is_named_beside_the_others() {
    let place = place();
    let ids = place.executions();
    let (bob, ada) = (word(&ids[0]["id"]), word(&ids[1]["id"]));
    spoil(&place, r#"{"name":"Ada"}"#);
    place
        .run(["executions", "ls"])
        .exits(0)
        .prints(&[
            &format!("{bob}  paused"),
            &format!("{ada}  damaged"),
            "its column input cannot be read",
        ])
        .says(&["`agentspace db check`"]);
    let ran = place.run(["executions", "ls", "--json"]).exits(0);
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(list(&shown["data"]).len(), 1);
    assert_eq!(shown["damaged"][0]["id"], *ada);
    place.run(["db", "check"]).exits(1).prints(&[ada]);
    place
        .run(["executions", "show", ada])
        .exits(1)
        .says(&[ada, "damaged"]);
}

#[test]
fn a_damaged_gate_is_named_beside_the_others() {
    let place = place();
    let gates = list(&place.json(["approvals", "ls"]));
    let (ada, bob) = (word(&gates[0]["id"]), word(&gates[1]["id"]));
    spoil(&place, &gates[0]["request"].to_string());
    place
        .run(["approvals", "ls"])
        .exits(0)
        .prints(&[&format!("{bob}  approval"), &format!("{ada}  damaged")]);
    place.run(["approvals", "approve", bob]).exits(0);
}
