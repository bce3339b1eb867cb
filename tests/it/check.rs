//! `agentspace check`: everything that is wrong at once, each at its place, in three forms.

use serde_json::Value;

use crate::support::{Place, list, word};

/// Eight mistakes.
const EIGHT: &str = r#"name: Eight
colour: red
input:
  n: {type: integer}
steps:
  - id: one
    action: tool
    tool: execute_command
    args: {command: [echo, "{{ input.m }}"]}
  - id: one
    action: noop
  - id: two
    action: noop
    prompt: hi
  - id: three
    action: tool
    tool: execute_command
    args: {command: "echo {{ input.n }}"}
    onSuccess: fore
  - id: four
    action: noop
    timeout: soon
    branches:
      - condition: "result. >= 1"
        goto: $end
"#;

/// Where they are, and their codes.
const PLACES: [(u64, u64, &str); 8] = [
    (2, 1, "WF0101"),
    (9, 38, "WF0203"),
    (10, 9, "WF0105"),
    (14, 5, "WF0106"),
    (18, 21, "WF0206"),
    (19, 16, "WF0107"),
    (22, 14, "WF0104"),
    (24, 29, "WF0201"),
];

const WARNING: &str = "name: Warn\nsteps:\n  - {id: a, action: model, prompt: hi}\n";

#[test]
fn eight_mistakes_are_shown_to_people_with_their_lines() {
    let place = Place::with("eight.yaml", EIGHT);
    let ran = place.run(["check", "eight.yaml"]).exits(2);
    assert_eq!(ran.stdout, "", "talk is no data");
    for (line, column, code) in PLACES {
        let place = format!("--> eight.yaml:{line}:{column}\n");
        assert!(ran.stderr.contains(&place), "{place} {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("error[{code}]: ")));
    }
    ran.says(&[
        "prompt: hi",
        "known here: n",
        "1 refused: 8 errors, 0 warnings",
    ]);
    assert!(!place.exists(".agentspace"), "a check stores nothing");
}

#[test]
fn eight_mistakes_are_one_json_document() {
    let place = Place::with("eight.yaml", EIGHT);
    let by_format = place
        .run(["check", "eight.yaml", "--format", "json"])
        .exits(2);
    let by_flag = place.run(["check", "eight.yaml", "--json"]).exits(2);
    assert_eq!(by_format.stdout, by_flag.stdout);
    assert_eq!(by_format.stderr, "");
    assert_eq!(by_format.envelope()["kind"], "check");
    let data = by_format.data();
    assert_eq!((&data["errors"], &data["warnings"]), (&8.into(), &0.into()));
    let file = &list(&data["files"])[0];
    assert_eq!(
        (&file["path"], &file["refused"]),
        (&"eight.yaml".into(), &true.into())
    );
    let found: Vec<(u64, u64, String)> = list(&file["diagnostics"])
        .iter()
        .map(|one| {
            let number = |key: &str| one[key].as_u64().unwrap();
            (
                number("line"),
                number("column"),
                word(&one["code"]).to_owned(),
            )
        })
        .collect();
    let expected = PLACES.map(|(line, column, code)| (line, column, code.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn eight_mistakes_are_eight_github_commands() {
    let place = Place::with("eight.yaml", EIGHT);
    let ran = place
        .run(["check", "eight.yaml", "--format", "github"])
        .exits(2);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), PLACES.len(), "{lines:?}");
    for (found, (line, column, code)) in lines.iter().zip(PLACES) {
        let start = format!("::error file=eight.yaml,line={line},col={column},");
        assert!(found.starts_with(&start), "{found}");
        assert!(found.contains(&format!(",title={code}::")), "{found}");
    }
}

#[test]
fn a_file_name_cannot_break_a_github_command() {
    let place = Place::with("a,line=1: 100%.yaml", "x");
    place
        .run(["check", "a,line=1: 100%.yaml", "--format", "github"])
        .exits(2)
        .prints(&["::error file=a%2Cline=1%3A 100%25.yaml"]);
}

#[test]
fn warnings_inform_and_are_denied_only_on_request() {
    let place = Place::with("warn.yaml", WARNING);
    place
        .run(["check", "warn.yaml"])
        .exits(0)
        .says(&["warning[WF0209]", "good: 0 errors, 1 warning"]);
    let denied = place
        .run(["check", "warn.yaml", "--deny-warnings"])
        .exits(2);
    let denied = denied.says(&["1 warning", "--deny-warnings"]);
    assert!(!denied.stderr.contains("good"), "{}", denied.stderr);
}

#[test]
fn a_directory_is_checked_as_a_whole_and_good_files_do_not_hide_bad_ones() {
    let place = Place::new();
    place.example("hello.yaml");
    place.write("eight.yaml", EIGHT);
    place.write("warn.yml", WARNING);
    place.write("notes.txt", "no workflow");
    place
        .run(["check", "."])
        .exits(2)
        .says(&["3 files checked", "1 refused: 8 errors, 1 warning"]);
    place.run(["check", "hello.yaml", "warn.yml"]).exits(0);
}

#[test]
fn two_files_with_one_stem_are_both_refused() {
    let place = Place::new();
    place.example("hello.yaml");
    place.write("hello.yml", "name: x\nsteps: [{id: a, action: noop}]");
    place
        .run(["check", "."])
        .exits(2)
        .says(&["2 files have the stem `hello`", "2 refused"]);
}

#[test]
fn two_paths_with_one_stem_are_both_refused_and_one_path_twice_is_one_file() {
    let place = Place::new();
    place.example("hello.yaml");
    place.example("deploy-check.yaml");
    place.write("hello.YML", "name: x\nsteps: [{id: a, action: noop}]");
    let two = place.run(["check", "hello.yaml", "hello.YML"]).exits(2);
    two.says(&["2 files have the stem `hello`", "2 refused"]);
    place
        .run(["check", "hello.yaml", "./hello.yaml", "deploy-check.yaml"])
        .exits(0)
        .says(&["2 files checked, good"]);
    place.write("elsewhere/hello.yaml", place.read("hello.YML"));
    place
        .run(["check", "hello.yaml", "elsewhere/hello.yaml"])
        .exits(0);
}

#[test]
fn what_init_writes_is_checked_with_and_without_paths() {
    let place = Place::new();
    place.run(["init"]).exits(0);
    place.write("HEARTBEAT.md", "---\nintervall: 5\n---\n- [ ] a\n");
    let of = |words: &[&str]| {
        let data = place.run(words.iter().copied()).exits(2).data();
        let mut kinds: Vec<String> = list(&data["files"])
            .iter()
            .map(|file| word(&file["kind"]).to_owned())
            .collect();
        kinds.sort();
        kinds
    };
    let all = ["config", "heartbeat", "workflow"];
    assert_eq!(of(&["check", "--json"]), all);
    assert_eq!(of(&["check", ".", "--json"]), all);
    let dir = place.path(".");
    assert_eq!(of(&["check", dir.to_str().unwrap(), "--json"]), all);
    place.write("below/x", "");
    let below = place.call(["check", "--json"]).within(place.path("below"));
    assert_eq!(list(&below.run().exits(2).data()["files"]).len(), 3);
}

#[test]
fn nothing_is_skipped_silently() {
    let place = Place::new();
    place.write("BAD.YAML", WARNING);
    place.write("c.Yml", WARNING);
    place.write("inner/b.yaml", WARNING);
    place.write("d.yaml.bak", "");
    place.write("workflows/w.yaml", WARNING);
    let ran = place.run(["check", "."]).exits(0).says(&[
        "3 files checked",
        "not read: ./inner, a directory",
        "not read: ./d.yaml.bak;",
    ]);
    assert_eq!(ran.stderr.matches("not read").count(), 2, "{}", ran.stderr);
}

#[test]
fn programs_are_told_labels_other_places_and_why_it_is_refused() {
    let twice = "name: w\nname: v\nsteps: [{id: a, action: noop}]\n";
    let place = Place::with("twice.yaml", twice);
    place.write("warn.yaml", WARNING);
    let json = place
        .run(["check", "twice.yaml", "--format", "json"])
        .exits(2);
    let data = json.data();
    assert_eq!(data["denied"], false);
    let one = list(&list(&data["files"])[0]["diagnostics"])[0].clone();
    assert!(!word(&one["label"]).is_empty());
    let related = &list(&one["related"])[0];
    assert_eq!(
        (&related["line"], &related["column"], &related["endColumn"]),
        (&1.into(), &1.into(), &5.into())
    );
    let github = place
        .run(["check", "twice.yaml", "--format", "github"])
        .exits(2);
    github.prints(&[
        &format!("%0Ahere: {}", word(&one["label"])),
        &format!("%0Aline 1: {}", word(&related["text"])),
    ]);
    let denied = place
        .run(["check", "warn.yaml", "--json", "--deny-warnings"])
        .exits(2);
    assert_eq!(denied.data()["denied"], true);
}

#[test]
fn json_and_another_format_contradict_each_other() {
    let place = Place::with("warn.yaml", WARNING);
    for format in ["human", "github"] {
        let ran = place.run(["check", "warn.yaml", "--json", "--format", format]);
        ran.exits(2).says(&["--json and another --format"]);
    }
    let words = ["check", "warn.yaml", "--json", "--format", "json"];
    place.run(words).exits(0).data();
}

#[test]
fn where_there_is_nothing_to_check_it_says_so() {
    let place = Place::new();
    let empty = [
        "error: workflows: there is no such directory, and no heartbeat: no \
         HEARTBEAT.md beside it, and no [heartbeats.NAME] in agentspace.toml; `agentspace init` \
         writes them, or name the files to check",
        "1 file checked, 1 refused",
    ];
    let ran = place.run(["check"]).exits(2).says(&empty);
    assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
    let ran = place.run(["check", "--json"]).exits(2);
    assert!(list(&ran.data()["files"])[0]["unreadable"].is_string());
    // Settings alone do nothing.
    let place = Place::with("agentspace.toml", "");
    place.run(["check"]).exits(2).says(&empty[..1]);
    let place = Place::new();
    place
        .run(["check", "missing"])
        .exits(2)
        .says(&["missing", "no such file or directory"]);
    place.write("workflows/notes.txt", "");
    place
        .run(["check"])
        .exits(0)
        .says(&["no workflow files in workflows"]);
}

#[test]
fn a_project_of_heartbeats_alone_is_checked() {
    let place = Place::with("HEARTBEAT.md", "- [ ] a\n");
    place.run(["check"]).exits(0).says(&[
        "there is no workflow directory workflows; `agentspace init` makes one",
        "1 file checked, good",
    ]);
    place.write("HEARTBEAT.md", "---\nintervall: 5\n---\n- [ ] a\n");
    place.run(["check"]).exits(2).says(&["1 refused: 1 error"]);
    let settings = "[heartbeats.ops]\nfile = \"beats/ops.md\"\n";
    let named = Place::with("agentspace.toml", settings);
    named.write("beats/ops.md", "- [ ] a\n");
    named
        .run(["check"])
        .exits(0)
        .says(&["2 files checked, good"]);
    // A directory that somebody names has to be there.
    for call in [
        named.call(["check", "--workflows", "flows"]),
        named.call(["check"]).env("AGENTSPACE_WORKFLOWS", "flows"),
    ] {
        call.run()
            .exits(2)
            .says(&["error: flows: there is no such file", "1 refused"]);
    }
    named.write(
        "agentspace.toml",
        format!("workflows = \"flows\"\n{settings}"),
    );
    named
        .run(["check"])
        .exits(2)
        .says(&["error: flows: there is no such file", "1 refused"]);
}

#[test]
fn every_example_passes_without_a_warning() {
    let place = Place::new();
    for name in ["hello.yaml", "deploy-check.yaml", "backup-rotate.yaml"] {
        place.example(name);
    }
    let data: Value = place
        .run(["check", ".", "--json", "--deny-warnings"])
        .exits(0)
        .data();
    assert_eq!(list(&data["files"]).len(), 3);
    assert_eq!((&data["errors"], &data["warnings"]), (&0.into(), &0.into()));
}
