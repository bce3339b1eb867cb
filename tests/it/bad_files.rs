//! Files that are refused: with exit code 2, the place and the remedy, and nothing stored.

use std::fmt::Write as _;

use crate::support::{Place, list};

/// Runs a file that must be refused, and asserts that nothing came of it.
fn refused(text: impl AsRef<[u8]>, says: &[&str]) {
    let place = Place::with("bad.yaml", text);
    place.run(["run", "bad.yaml"]).exits(2).says(says);
    assert!(!place.exists(".agentspace"), "a database was created");

    // Nor does it change a database that is there.
    place.write("good.yaml", "name: Good\nsteps: [{id: a, action: noop}]");
    place.run(["run", "good.yaml"]).exits(0);
    place.run(["run", "bad.yaml"]).exits(2).says(says);
    assert_eq!(list(&place.json(["workflows", "ls"])).len(), 1);
    assert_eq!(place.executions().len(), 1);
}

/// A step beside whatever is wrong.
fn with_step(step: &str) -> String {
    format!("name: Bad\nsteps:\n  - {{id: a, {step}}}\n")
}

#[test]
fn an_unknown_key() {
    refused(
        with_step("action: noop, approval_requird: true"),
        &["bad.yaml:3:27", "approval_requird", "did you mean"],
    );
}

#[test]
fn a_wrong_type() {
    refused(
        "name: [x]\nsteps: [{id: a, action: noop}]",
        &["bad.yaml:1:7", "`name` is a list, expected a string"],
    );
}

#[test]
fn a_missing_field() {
    refused(
        "name: x\nsteps: [{id: a}]",
        &["bad.yaml:2:9", "`action` is missing", "tool, model or noop"],
    );
}

#[test]
fn a_duplicate_id() {
    refused(
        "name: x\nsteps: [{id: a, action: noop}, {id: a, action: noop}]",
        &["bad.yaml:2:37", "two steps have the id `a`", "another id"],
    );
}

#[test]
fn an_unknown_target() {
    refused(
        with_step("action: noop, onSuccess: aa"),
        &[
            "bad.yaml:3:38",
            "no step has the id `aa`",
            "did you mean `a`?",
        ],
    );
}

#[test]
fn an_unknown_tool() {
    refused(
        with_step("action: tool, tool: execute_comand, args: {}"),
        &["bad.yaml:3:33", "did you mean `execute_command`?"],
    );
}

#[test]
fn a_prompt_on_a_tool_step() {
    refused(
        with_step("action: tool, tool: execute_command, prompt: hi, args: {command: [ls]}"),
        &[
            "bad.yaml:3:50",
            "`prompt` belongs to a model step",
            "remove it",
        ],
    );
}

#[test]
fn no_steps() {
    refused(
        "name: x\nsteps: []",
        &["bad.yaml:2:8", "at least one step", "add a step"],
    );
}

#[test]
fn a_tab_for_indentation() {
    refused(
        "name: x\nsteps:\n\t- id: a\n\t  action: noop\n",
        &["bad.yaml:3:1", "a tab", "indent with two spaces"],
    );
}

#[test]
fn a_key_that_stands_twice() {
    refused(
        "name: x\nname: y\nsteps: []",
        &["bad.yaml:2:1", "stands twice", "remove or rename"],
    );
}

#[test]
fn nothing_a_scalar_and_two_documents() {
    refused("", &["the text is empty", "agentspace init"]);
    refused("hello", &["bad.yaml:1:1", "expected a mapping"]);
    refused(
        "name: x\n---\nname: y\n",
        &["bad.yaml:2:1", "second document"],
    );
}

#[test]
fn a_file_of_300_kb() {
    let text = format!(
        "name: x\n#{}\nsteps: [{{id: a, action: noop}}]\n",
        "#".repeat(300_000)
    );
    refused(
        text,
        &["bad.yaml:1:1", "larger than 262144 bytes", "split it up"],
    );
}

#[test]
fn an_alias_bomb() {
    let mut text = String::from("name: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        writeln!(
            text,
            "a{level}: &a{level} [{}]",
            alias.trim_end_matches(", ")
        )
        .unwrap();
    }
    text.push_str("steps: [{id: a, action: noop}]\n");
    refused(
        text,
        &[
            "bad.yaml:",
            "once its aliases are expanded",
            "use fewer aliases",
        ],
    );
}

#[test]
fn brackets_without_an_end() {
    refused(
        format!("name: x\na: {}", "[".repeat(100_000)),
        &["bad.yaml:2:"],
    );
}

#[test]
fn bytes_that_are_no_utf_8() {
    refused(
        b"name: \xff\xfe\nsteps: []",
        &["bad.yaml:1:", "not UTF-8", "save the file as UTF-8"],
    );
}

#[test]
fn json_with_a_trailing_comma() {
    let place = Place::with(
        "bad.json",
        r#"{"name": "x", "steps": [{"id":"a","action":"noop",}]}"#,
    );
    place
        .run(["run", "bad.json"])
        .exits(2)
        .says(&["bad.json:1:50", "trailing comma"]);
    assert!(!place.exists(".agentspace"));
}

#[test]
fn no_file_at_all_and_what_is_no_file() {
    let place = Place::with("directory.yaml/x", "");
    place.write("workflow.txt", "");
    std::os::unix::fs::symlink("loop.yaml", place.path("loop.yaml")).unwrap();
    let cases: [(&str, &[&str]); 7] = [
        ("missing.yaml", &["missing.yaml: there is no such file"]),
        ("./missing", &["./missing: there is no such file"]),
        ("directory.yaml", &["directory.yaml: it is a directory"]),
        ("workflow.txt", &["ends in .yaml, .yml or .json"]),
        ("loop.yaml", &["loop.yaml", "symbolic links"]),
        ("/dev/zero", &["/dev/zero"]),
        ("a b.yaml", &["a b.yaml"]),
    ];
    for (name, says) in cases {
        place.run(["run", name]).exits(2).says(says);
    }
    assert!(!place.exists(".agentspace"));
}
