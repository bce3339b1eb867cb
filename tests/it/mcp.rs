//! MCP servers as tools: real ones from npm, and one without manners.

mod http;
mod real;
mod rude;
mod secrets;
mod turns;

use std::fs;

use rustix::process::{Pid, test_kill_process};
use serde_json::json;

use crate::support::{Place, list, word};

/// The failure of the only execution.
fn failure(place: &Place) -> String {
    let execution = place.only_execution();
    word(&execution["error"]).to_owned()
}

/// How often the only step of the only execution was tried.
fn attempts(place: &Place) -> u64 {
    let execution = place.only_execution();
    let visits = list(&execution["journal"]);
    visits[0]["attempt"].as_u64().unwrap()
}

/// Asserts that no process lives whose id a server wrote down.
fn nobody_is_left(place: &Place) {
    let pids = fs::read_to_string(place.path("pids")).unwrap();
    assert!(!pids.is_empty());
    for pid in pids.lines() {
        let id = Pid::from_raw(pid.parse().unwrap()).unwrap();
        // What a zombie was is gone; whoever inherited it has yet to look.
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let is_zombie = state.contains(") Z ");
        assert!(
            is_zombie || test_kill_process(id).is_err(),
            "{pid} lives: {state}"
        );
    }
}

/// A place with servers that would leave a file behind if they were started.
fn guarded() -> Place {
    let place = Place::new();
    place.write(
        "agentspace.toml",
        r#"
[mcp.servers.near]
command = ["sh", "-c", "touch started"]
env = {TOKEN = "hunter2"}
inherit_env = ["PATH"]
[mcp.servers.far]
url = "https://ann:hunter2@mcp.example.com/mcp?key=hunter2"
headers = {Authorization = "Bearer hunter2"}
"#,
    );
    place
}

#[test]
fn a_check_takes_the_names_of_a_server_on_trust_and_starts_none() {
    let place = guarded();
    let step = |tool: &str| format!("name: W\nsteps: [{{id: a, action: tool, tool: {tool}}}]\n");
    place.write("good.yaml", step("near.anything"));
    place
        .run(["check", "good.yaml", "--deny-warnings"])
        .exits(0);
    place.write("bad.yaml", step("neer.anything"));
    let refused = place.run(["check", "bad.yaml"]).exits(2);
    assert!(
        refused.stdout.contains("there is no tool `neer.anything`")
            || refused.stderr.contains("there is no tool `neer.anything`")
    );
    assert!(!place.exists("started"));
}

#[test]
fn doctor_shows_servers_without_their_secrets_and_starts_none() {
    let place = guarded();
    let human = place.run(["doctor"]).exits(0);
    let human = human.prints(&[
        "mcp.servers.near ",
        r#" ["sh","-c","touch started"] with env TOKEN  (agentspace.toml:2)"#,
        " https://mcp.example.com/mcp with headers Authorization  (agentspace.toml:6)",
    ]);
    let data = place.json(["doctor"]);
    let servers = list(&data["mcpServers"]);
    assert_eq!(servers.len(), 2);
    assert_eq!(servers[0]["headers"], json!(["Authorization"]));
    assert_eq!(servers[1]["timeout"], "30s");
    assert!(!format!("{}{data}", human.stdout).contains("hunter2"));
    assert!(!place.exists("started"));
}

#[test]
fn an_address_that_nobody_answers_at_is_told_without_what_it_holds() {
    let place = Place::with(
        "agentspace.toml",
        "[mcp.servers.far]\nurl = \"http://ann:hunter2@127.0.0.1:1/mcp?key=hunter2\"\n",
    );
    let ran = place.run(["tools", "ls"]).exits(1).says(&[
        "MCP server `far` did not begin to speak MCP: connecting to it failed: connection refused",
    ]);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));
}

#[test]
fn mistakes_in_a_server_are_told_at_their_place() {
    let place = Place::with(
        "agentspace.toml",
        "[mcp.servers.a]\ncomand = [\"x\"]\n[mcp.servers.\"b.c\"]\ncommand = []\n",
    );
    place.run(["check"]).exits(2).says(&[
        "the key `comand` is not known in `mcp.servers.a`",
        "--> agentspace.toml:2:1",
        "did you mean `command`?",
        "`.` may not stand in a name",
        "--> agentspace.toml:3:",
    ]);
    let place = Place::with(
        "agentspace.toml",
        "[secrets]\nTOKEN = { env = \"TOKEN\" }\n[mcp.servers.a]\nurl = \"https://a.example/\"\n\
         headers = { Authorization = \"Bearer {{ secrets.TOKNE }}\" }\n",
    );
    place.run(["check"]).exits(2).says(&[
        "there is no secret `TOKNE`",
        "--> agentspace.toml:5:",
        "did you mean `TOKEN`?",
    ]);
}
