//! `agentspace tools`: what is built in, shown and called without a workflow.

use serde_json::json;

use crate::support::{Place, list, word};

#[test]
fn the_built_in_tools_are_listed_without_any_configuration() {
    let data = Place::new().json(["tools", "ls"]);
    let tools = list(&data["tools"]);
    let names: Vec<&str> = tools.iter().map(|tool| word(&tool["name"])).collect();
    assert_eq!(names, ["execute_command", "http_request"]);
    assert!(
        tools
            .iter()
            .all(|tool| tool["inputSchema"]["type"] == "object")
    );
}

#[test]
fn a_name_that_is_misspelt_is_answered_with_the_one_that_was_meant() {
    let place = Place::new();
    for command in ["show", "call"] {
        place
            .run(["tools", command, "http_requst"])
            .exits(2)
            .says(&["there is no tool `http_requst`; did you mean `http_request`?"]);
    }
}

#[test]
fn a_call_obeys_the_schema_the_limits_and_the_need_of_a_yes() {
    let place = Place::with("args.json", r#"{"command": ["echo", "hi"]}"#);
    let call = ["tools", "call", "execute_command", "--args", "@args.json"];
    place.run(call).exits(2).says(&["--yes"]);
    let data = place
        .call(call)
        .arg("--yes")
        .arg("--json")
        .run()
        .exits(0)
        .data();
    assert_eq!(
        (&data["output"]["stdout"], &data["tool"]),
        (&json!("hi\n"), &json!("execute_command"))
    );
    place
        .call(call)
        .arg("--yes")
        .arg("--max-output-bytes=10")
        .run()
        .exits(1)
        .says(&["at most 10 are kept"]);
    place
        .run([
            "tools",
            "call",
            "execute_command",
            "--yes",
            "--args",
            "{\"comand\": 1}",
        ])
        .exits(2)
        .says(&["did you mean `command`?"]);
    place
        .run(["tools", "call", "execute_command", "--yes", "--args", "[]"])
        .exits(2)
        .says(&["--args is no JSON object"]);
    let slow = "{\"command\": [\"sleep\", \"1000\"]}";
    place
        .run([
            "tools",
            "call",
            "execute_command",
            "--yes",
            "--timeout",
            "200ms",
            "--args",
            slow,
        ])
        .exits(1)
        .says(&["took longer than its --timeout"]);
}
