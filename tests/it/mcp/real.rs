//! `@modelcontextprotocol/server-everything` and `server-filesystem`, as npm has them.

use serde_json::{Value, json};

use super::http;
use crate::support::{Place, journal, list, real_servers, word};

/// A place with both servers; none where they cannot be had.
fn place() -> Option<Place> {
    let servers = real_servers()?;
    let place = Place::new();
    place.write("data/hello.txt", "hello\n");
    let program = |name: &str| json!(["node", servers.join(name).join("dist/index.js")]);
    let everything = program("server-everything");
    let mut files = program("server-filesystem");
    files.as_array_mut().unwrap().push(json!("."));
    place.write(
        "agentspace.toml",
        format!(
            "[mcp.servers.all]\ncommand = {everything}\n\
             [mcp.servers.files]\ncommand = {files}\ncwd = \"data\"\n"
        ),
    );
    Some(place)
}

fn call(place: &Place, name: &str, args: &Value) -> Value {
    let data = place.json(["tools", "call", name, "--args", &args.to_string()]);
    assert_eq!(data["tool"], name);
    data["output"].clone()
}

#[test]
fn tools_are_listed_with_the_effect_that_their_hints_give() {
    let Some(place) = place() else { return };
    let data = place.json(["tools", "ls"]);
    assert_eq!(data["unavailable"], json!([]));
    let tools = list(&data["tools"]);
    let effect = |name: &str| {
        let found = tools.iter().find(|tool| tool["name"] == name);
        word(&found.unwrap_or_else(|| panic!("no {name} in {tools:#?}"))["effect"]).to_owned()
    };
    assert_eq!(effect("execute_command"), "destructive");
    assert_eq!(effect("all.echo"), "readOnly");
    assert_eq!(effect("all.toggle-simulated-logging"), "destructive");
    assert_eq!(effect("files.read_text_file"), "readOnly");
    assert_eq!(effect("files.write_file"), "idempotent");
    assert_eq!(effect("files.move_file"), "destructive");
    let human = place.run(["tools", "ls"]).exits(0);
    human.prints(&["all.get-sum", "files.edit_file", "http_request"]);
    let shown = place.json(["tools", "show", "files.write_file"]);
    assert_eq!(shown["inputSchema"]["required"], json!(["path", "content"]));
    let human = place.run(["tools", "show", "files.write_file"]).exits(0);
    human.prints(&["files.write_file  idempotent", "\"content\""]);
}

#[test]
fn structured_results_come_as_they_are_and_text_stays_text() {
    let Some(place) = place() else { return };
    let echo = call(&place, "all.echo", &json!({"message": "hi"}));
    assert_eq!(echo, "Echo: hi");
    let weather = json!({"location": "New York"});
    let weather = call(&place, "all.get-structured-content", &weather);
    assert!(weather["temperature"].is_number(), "{weather}");
    let image = call(&place, "all.get-tiny-image", &json!({}));
    let content = list(&image["content"]);
    assert!(
        content.iter().any(|block| block["type"] == "image"),
        "{content:?}"
    );
    let file = call(
        &place,
        "files.read_text_file",
        &json!({"path": "hello.txt"}),
    );
    assert_eq!(file["content"], "hello\n");
}

#[test]
fn arguments_are_checked_before_the_call_and_failures_of_a_tool_are_told() {
    let Some(place) = place() else { return };
    let args = json!({"path": 5}).to_string();
    place
        .run(["tools", "call", "files.read_text_file", "--args", &args])
        .exits(2)
        .says(&["`args.path` is a number, expected a string"]);
    let args = json!({"path": "gone.txt"}).to_string();
    place
        .run(["tools", "call", "files.read_text_file", "--args", &args])
        .exits(1)
        .says(&["ENOENT"]);
    place
        .run(["tools", "call", "files.raed_text_file"])
        .exits(1)
        .says(&[
            "MCP server `files` has no tool",
            "did you mean `files.read_text_file`?",
        ]);
}

#[test]
fn what_is_destructive_is_not_called_without_a_yes() {
    let Some(place) = place() else { return };
    let args = json!({"source": "hello.txt", "destination": "moved.txt"}).to_string();
    let words = ["tools", "call", "files.move_file", "--args", &args];
    place.run(words).exits(2).says(&[
        "`files.move_file` does something new to the world every time",
        "--yes",
    ]);
    assert!(place.exists("data/hello.txt"));
    place.call(words).arg("--yes").run().exits(0);
    assert!(place.exists("data/moved.txt") && !place.exists("data/hello.txt"));
}

#[test]
fn a_call_that_takes_too_long_is_over_when_its_time_is() {
    let Some(place) = place() else { return };
    let args = json!({"duration": 50, "steps": 50}).to_string();
    let name = "all.trigger-long-running-operation";
    place
        .call(["tools", "call", name, "--args", &args, "--timeout", "2s"])
        .env("RUST_LOG", "debug")
        .run()
        .exits(1)
        .says(&["took longer than its --timeout", "MCP server `all` goes on"]);
}

const WORKFLOW: &str = r#"
name: Rewrite
input: {name: string}
steps:
  - {id: list, action: tool, tool: files.list_directory, args: {path: "."}}
  - id: write
    action: tool
    tool: files.write_file
    args: {path: "{{ input.name }}", content: "{{ steps.list.output.content }}"}
    approvalRequired: {message: "Write {{ input.name }}?"}
  - {id: read, action: tool, tool: files.read_text_file, args: {path: "{{ input.name }}"}}
"#;

#[test]
fn a_workflow_lists_writes_behind_a_gate_and_reads_what_was_written() {
    let Some(place) = place() else { return };
    place.write("rewrite.yaml", WORKFLOW);
    // No server is started for a check; their tools are taken on trust.
    place
        .run(["check", "rewrite.yaml", "--deny-warnings"])
        .exits(0);
    place
        .run(["run", "rewrite.yaml", "-i", "name=list.txt"])
        .exits(3)
        .says(&["Write list.txt?"]);
    assert!(!place.exists("data/list.txt"), "nothing is written yet");
    let gate = place.only_gate();
    assert_eq!(gate["request"]["tool"], "files.write_file");
    let id = place.only_gate_id();
    place.run(["approvals", "approve", &id]).exits(0);
    assert_eq!(place.read("data/list.txt"), "[FILE] hello.txt");
    let execution = place.only_execution();
    let steps = ["list success", "write success", "read success"];
    assert_eq!(journal(&execution), steps);
    let read = &list(&execution["journal"])[2];
    assert_eq!(read["output"]["content"], "[FILE] hello.txt");
}

#[test]
fn a_server_with_an_address_is_spoken_to_over_http() {
    let Some(servers) = real_servers() else {
        return;
    };
    let program = servers.join("server-everything/dist/index.js");
    let (server, port) = http::start(&program);
    let place = Place::new();
    let url = format!("http://127.0.0.1:{port}/mcp");
    let config = format!("[mcp.servers.far]\nurl = \"{url}\"\nheaders = {{X-Key = \"k\"}}\n");
    place.write("agentspace.toml", config);
    let args = json!({"a": 2, "b": 3});
    let sum = call(&place, "far.get-sum", &args);
    assert_eq!(sum, "The sum of 2 and 3 is 5.");
    drop(server);
    place
        .run(["tools", "call", "far.get-sum", "--args", &args.to_string()])
        .exits(1)
        .says(&["MCP server `far`", "onnect"]);
}
