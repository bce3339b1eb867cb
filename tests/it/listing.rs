//! What is listed and shown, by filters and by id; and that what runs is what was started.

use crate::support::{Place, journal, list, word};

fn ids(place: &Place, filter: &[&str]) -> Vec<String> {
    let args = ["executions", "ls"]
        .into_iter()
        .chain(filter.iter().copied());
    let all = list(&place.json(args));
    all.iter()
        .map(|one| word(&one["workflowId"]).to_owned())
        .collect()
}

#[test]
fn executions_are_listed_newest_first_and_filtered() {
    let place = Place::new();
    place.example("hello.yaml");
    place.write("good.yaml", "name: Good\nsteps: [{id: a, action: noop}]");
    place.write(
        "bad.yaml",
        "name: Bad\nsteps: [{id: a, action: noop, onSuccess: $fail}]",
    );
    place.run(["run", "hello.yaml"]).exits(3);
    place.run(["run", "good.yaml"]).exits(0);
    place.run(["run", "bad.yaml"]).exits(1);
    place.run(["run", "good.yaml"]).exits(0);

    assert_eq!(ids(&place, &[]), ["good", "bad", "good", "hello"]);
    assert_eq!(ids(&place, &["--status", "completed"]), ["good", "good"]);
    assert_eq!(ids(&place, &["--status", "failed"]), ["bad"]);
    assert_eq!(ids(&place, &["--status", "paused"]), ["hello"]);
    assert!(ids(&place, &["--status", "running"]).is_empty());
    assert_eq!(ids(&place, &["--workflow", "hello"]), ["hello"]);
    assert_eq!(
        ids(&place, &["--workflow", "good", "--status", "failed"]).len(),
        0
    );
    assert_eq!(ids(&place, &["--limit", "2"]), ["good", "bad"]);

    place
        .run(["executions", "ls", "--limit", "3"])
        .exits(0)
        .says(&["there are more", "--limit 6"]);
    let ran = place.run(["executions", "ls"]).exits(0);
    assert_eq!(ran.stdout.lines().count(), 4);
}

#[test]
fn a_registered_workflow_is_listed_shown_and_run_by_its_id() {
    let place = Place::new();
    place.example("hello.yaml");
    place
        .run(["run", "hello.yaml", "--approve", "farewell"])
        .exits(0);
    place
        .run(["workflows", "ls"])
        .exits(0)
        .prints(&["hello  Hello  ", &place.text("hello.yaml")]);
    let source = place.read("hello.yaml");
    place
        .run(["workflows", "show", "hello"])
        .exits(0)
        .prints(&["hello  Hello", source.trim_end()]);
    let shown = place.json(["workflows", "show", "hello"]);
    assert_eq!(
        (&shown["id"], &shown["source"]),
        (&"hello".into(), &source.into())
    );
    assert_eq!(list(&shown["canonical"]["definition"]["steps"]).len(), 4);
    place
        .run(["run", "hello", "--approve", "farewell", "-i", "name=Ada"])
        .exits(0);
    assert_eq!(place.executions()[0]["input"]["name"], "Ada");
}

#[test]
fn one_execution_is_shown_with_its_input_its_journal_and_its_gate() {
    let place = Place::new();
    place.example("hello.yaml");
    place.run(["run", "hello.yaml", "-i", "name=Ada"]).exits(3);
    let id = place.executions()[0]["id"].clone();
    place
        .run(["executions", "show", word(&id)])
        .exits(0)
        .prints(&[
            "waits at `farewell`",
            r#"input       {"name":"Ada"}"#,
            "1  ✓ greet",
            "2  ⏸ farewell  waits at its gate",
            "would run  execute_command",
        ]);
    let shown = place.only_execution();
    assert_eq!(shown["stepResults"]["greet"]["status"], "success");
    assert_eq!(list(&shown["approvals"])[0]["state"], "waiting");
}

#[test]
fn the_votes_on_a_gate_are_shown_with_it() {
    let text = "name: Two
steps:
  - {id: both, action: noop, approvalRequired: {count: 2}}
";
    let place = Place::with("two.yaml", text);
    place.run(["run", "two.yaml"]).exits(3);
    let gate = place.only_gate_id();
    let votes = |place: &Place| list(&place.json(["approvals", "show", &gate])["votes"]);
    assert_eq!(votes(&place).len(), 0);
    place
        .run([
            "approvals",
            "approve",
            &gate,
            "--as",
            "ann",
            "--reason",
            "read it",
        ])
        .exits(3);
    place
        .run(["approvals", "show", &gate])
        .exits(0)
        .prints(&["vote       approved by ann at ", ": read it"]);
    place
        .run(["approvals", "approve", &gate, "--as", "bob"])
        .exits(0);
    let votes = votes(&place);
    assert_eq!(votes.len(), 2);
    assert_eq!(
        (&votes[0]["actor"], &votes[0]["decision"]),
        (&"ann".into(), &"approve".into())
    );
    assert_eq!(
        (&votes[0]["reason"], &votes[1]["actor"]),
        (&"read it".into(), &"bob".into())
    );
}

#[test]
fn an_execution_runs_what_it_was_started_with_whatever_becomes_of_the_file() {
    let text = |word: &str| {
        format!(
            "name: Pinned
steps:
  - {{id: wait, action: noop, approvalRequired: true}}
  - id: say
    action: tool
    tool: execute_command
    args: {{command: [sh, -c, 'echo {word} >> said']}}
"
        )
    };
    let place = Place::with("pinned.yaml", text("old"));
    place.run(["run", "pinned.yaml"]).exits(3);
    place.write("pinned.yaml", text("new"));
    place
        .run(["run", "pinned.yaml", "--approve", "wait"])
        .exits(0);
    assert_eq!(place.lines("said"), ["new"]);
    std::fs::remove_file(place.path("pinned.yaml")).unwrap();
    let gate = place.only_gate_id();
    place.run(["approvals", "approve", &gate]).exits(0);
    assert_eq!(place.lines("said"), ["new", "old"]);
    let digests: Vec<String> = place
        .executions()
        .iter()
        .map(|one| word(&one["definition"]).to_owned())
        .collect();
    assert_ne!(digests[0], digests[1]);
}

#[test]
fn migrating_a_database_twice_changes_nothing_and_the_check_finds_it_sound() {
    let place = Place::new();
    place.run(["db", "migrate"]).exits(0).prints(&["applied "]);
    place
        .run(["db", "migrate"])
        .exits(0)
        .prints(&["has the newest schema"]);
    place.run(["db", "check"]).exits(0).prints(&["is sound"]);
    place.example("hello.yaml");
    place.run(["run", "hello.yaml"]).exits(3);
    place.run(["db", "check"]).exits(0).prints(&["is sound"]);
    assert!(list(&place.json(["db", "check"])["problems"]).is_empty());
    assert!(list(&place.json(["db", "migrate"])["migrated"]).is_empty());
}

#[test]
fn the_same_idempotency_key_answers_the_same_execution() {
    let place = Place::new();
    place.example("hello.yaml");
    for _ in 0..2 {
        place
            .run(["run", "hello.yaml", "--idempotency-key", "once"])
            .exits(3);
    }
    let execution = place.only_execution();
    assert_eq!(journal(&execution), ["greet success", "farewell waiting"]);
}
