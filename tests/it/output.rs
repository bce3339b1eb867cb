//! stdout is data and stderr is talk: one JSON document, no escape codes, and readers that leave.

use std::fs::OpenOptions;

use crate::support::{Place, list, word};

fn with_a_gate() -> (Place, String) {
    let place = Place::new();
    place.example("hello.yaml");
    place.run(["run", "hello.yaml"]).exits(3);
    let gate = place.only_gate_id();
    (place, gate)
}

#[test]
fn every_command_with_json_prints_one_document_in_the_envelope() {
    let (place, gate) = with_a_gate();
    let execution = place.only_execution()["id"].clone();
    let execution = word(&execution);
    let cases: [(&[&str], i32, &str); 14] = [
        (&["run", "hello.yaml"], 3, "execution"),
        (&["run", "hello", "--approve", "farewell"], 0, "execution"),
        (&["workflows", "ls"], 0, "workflows"),
        (&["workflows", "show", "hello"], 0, "workflow"),
        (&["executions", "ls"], 0, "executions"),
        (&["executions", "show", execution], 0, "execution"),
        (&["approvals", "ls"], 0, "approvals"),
        (&["approvals", "show", &gate], 0, "approval"),
        (&["approvals", "approve", &gate], 0, "execution"),
        (&["resume"], 0, "executions"),
        (&["check", "hello.yaml"], 0, "check"),
        (&["schema", "heartbeat"], 0, "schema"),
        (&["db", "migrate"], 0, "db.migrate"),
        (&["db", "check"], 0, "db.check"),
    ];
    for (args, code, kind) in cases {
        let ran = place
            .run(args.iter().copied().chain(["--json"]))
            .exits(code);
        let envelope = ran.envelope();
        assert_eq!(envelope["kind"], kind, "{args:?}");
        // Their order is that of the text where a dependency makes JSON keep it.
        let mut keys: Vec<&String> = envelope.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["data", "kind", "v"], "{args:?}");
        assert_eq!(ran.stdout.lines().count(), 1, "{args:?}");
    }
}

#[test]
fn a_decision_that_changes_nothing_has_an_answer_in_json_too() {
    let (place, gate) = with_a_gate();
    place.run(["approvals", "approve", &gate]).exits(0);
    let ran = place
        .run(["approvals", "approve", &gate, "--json"])
        .exits(0);
    assert_eq!(ran.envelope()["kind"], "execution");
    assert_eq!(ran.data()["status"], "completed");
}

#[test]
fn data_goes_to_stdout_and_talk_to_stderr() {
    let place = Place::new();
    place.example("hello.yaml");
    let ran = place
        .run(["run", "hello.yaml", "--approve", "farewell"])
        .exits(0);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.starts_with("execution ") && ran.stdout.contains(" completed in "));
    ran.says(&["✓ greet", "⏸ farewell", "✓ done"]);
    let ran = place.run(["executions", "ls"]).exits(0);
    assert_eq!((ran.stdout.lines().count(), ran.stderr.as_str()), (1, ""));
    let ran = place.run(["approvals", "ls"]).exits(0);
    assert_eq!(ran.stdout, "");
    ran.says(&["nothing waits"]);
    let ran = place.run(["run", "missing.yaml"]).exits(2);
    assert_eq!(ran.stdout, "");
}

#[test]
fn what_is_piped_has_no_escape_codes() {
    let (place, gate) = with_a_gate();
    place.write("bad.yaml", "name: x\nsteps: []");
    let commands: [&[&str]; 6] = [
        &["run", "hello.yaml"],
        &["executions", "ls"],
        &["approvals", "show", &gate],
        &["check", "bad.yaml"],
        &["run", "bad.yaml"],
        &["frobnicate"],
    ];
    for args in commands {
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color")] {
            let ran = place.call(args.iter().copied()).env(name, value).run();
            assert!(!ran.stdout.contains('\u{1b}'), "{args:?} {name}");
            assert!(!ran.stderr.contains('\u{1b}'), "{args:?} {name}");
        }
    }
}

#[test]
fn colours_that_are_forced_are_there_and_never_in_json() {
    let (place, _gate) = with_a_gate();
    let call = |args: &[&'static str]| {
        place
            .call(args.iter().copied())
            .env("CLICOLOR_FORCE", "1")
            .run()
            .exits(0)
    };
    assert!(call(&["executions", "ls"]).stdout.contains("\u{1b}["));
    let ran = call(&["executions", "ls", "--json"]);
    assert!(!ran.stdout.contains('\u{1b}'));
    assert_eq!(list(&ran.data()).len(), 1);
}

#[test]
fn json_keeps_every_character() {
    let place = Place::new();
    place.example("hello.yaml");
    let name = "del \u{7f} csi \u{9b}31m esc \u{1b}[31m rtl \u{202e} line \u{2028} 😀 \t\r\n\\\"";
    place
        .run(["run", "hello.yaml", "-i", &format!("name={name}")])
        .exits(3);
    assert_eq!(place.only_execution()["input"]["name"], name);
    let gate = place.only_gate();
    assert_eq!(
        gate["request"]["args"]["command"][1],
        format!("After: Hello, {name}!\n")
    );
}

#[test]
fn a_reader_that_leaves_early_is_no_error_of_the_program() {
    let (place, _gate) = with_a_gate();
    for args in [&["executions", "ls"][..], &["executions", "ls", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        place
            .call(args.iter().copied())
            .stdout(writer)
            .run()
            .exits(0);
    }
}

#[test]
fn data_that_cannot_be_written_is_said_and_exits_with_1() {
    let (place, _gate) = with_a_gate();
    for args in [&["executions", "ls"][..], &["executions", "ls", "--json"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        place
            .call(args.iter().copied())
            .stdout(full)
            .run()
            .exits(1)
            .says(&["stdout cannot be written", "No space left"]);
    }
}

#[test]
fn talk_that_nobody_can_hear_stops_no_work() {
    let place = Place::new();
    place.example("hello.yaml");
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = ["run", "hello.yaml", "--approve", "farewell"];
    place.call(run).stderr(full()).run().exits(0);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    place.call(run).stderr(writer).run().exits(0);
    let statuses = place.executions();
    assert!(statuses.iter().all(|one| one["status"] == "completed"));
}

#[test]
fn help_and_version_are_data() {
    let place = Place::new();
    place.run(["--version"]).exits(0).prints(&["agentspace 0."]);
    place
        .run(["help", "run"])
        .exits(0)
        .prints(&["--approve", "--input"]);
    for command in [
        "init",
        "check",
        "run",
        "resume",
        "workflows",
        "executions",
        "approvals",
        "db",
    ] {
        place
            .run([command, "--help"])
            .exits(0)
            .prints(&["Usage: agentspace"]);
    }
}
