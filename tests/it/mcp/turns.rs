//! Tools of MCP servers that a model calls in a loop: what becomes of it when the server dies, is
//! silent or answers nonsense between its turns.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, mpsc};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::nobody_is_left;
use crate::support::{
    Answer, Asked, DEADLINE, ModelServer, Place, list, node_is_there, real_servers, word,
};

/// Adds to a place a model behind this server, and a workflow of steps.
fn with_model(place: &Place, server: &ModelServer, steps: &str) {
    let config = place.read("agentspace.toml");
    let url = server.url();
    let model =
        format!("[models.stub]\nadapter = \"openai\"\nmodel = \"m\"\nbase_url = \"{url}\"\n");
    place.write("agentspace.toml", config + &model);
    place.write("loop.yaml", format!("name: Loop\nsteps:\n{steps}"));
}

/// How many answers a question holds.
fn turns(asked: &Asked) -> usize {
    let messages = list(&asked.body["messages"]);
    let answers = messages.iter().filter(|one| one["role"] == "assistant");
    answers.count()
}

fn calls(tool: &str, args: &Value) -> Answer {
    Answer::Calls("I look.".to_owned(), vec![(tool.to_owned(), args.clone())])
}

fn says(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

/// The calls of the only execution's step, in their order.
fn recorded(place: &Place, step: usize) -> Vec<Value> {
    let turns = list(&place.only_execution()["journal"][step]["turns"]);
    turns.iter().flat_map(|turn| list(&turn["calls"])).collect()
}

/// What the question that ends a conversation says of its calls.
fn told(server: &ModelServer) -> Vec<String> {
    let asked = server.asked();
    let messages = list(&asked.last().unwrap().body["messages"]);
    let results = messages.iter().filter(|one| one["role"] == "tool");
    results
        .map(|one| word(&one["content"]).to_owned())
        .collect()
}

/// Kills the process that a server wrote down last.
fn kill_the_last(pids: &Path) {
    let all = fs::read_to_string(pids).unwrap();
    let pid = all.lines().last().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_real_server_that_is_killed_between_two_calls_is_there_again_for_the_next() {
    let Some(servers) = real_servers() else {
        return;
    };
    let place = Place::new();
    place.write("data/kept.txt", "");
    let program = servers.join("server-filesystem/dist/index.js");
    let script = "echo $$ >> ../pids; touch ../started; exec node \"$0\" .";
    let command = json!(["sh", "-c", script, program]);
    let config = format!("[mcp.servers.files]\ncommand = {command}\ncwd = \"data\"\n");
    place.write("agentspace.toml", config);
    let (pids, killed) = (place.path("pids"), place.path("killed"));
    let (tell, ended) = mpsc::channel();
    let ended = Mutex::new(ended);
    let model = ModelServer::deciding("127.0.0.1:0", move |asked| match turns(asked) {
        0 => calls(
            "files_write_file",
            &json!({"path": "a.txt", "content": "one"}),
        ),
        1 => {
            kill_the_last(&pids);
            fs::write(&killed, "").unwrap();
            ended.lock().unwrap().recv_timeout(DEADLINE).unwrap();
            calls("files_read_text_file", &json!({"path": "a.txt"}))
        }
        2 => calls(
            "files_write_file",
            &json!({"path": "a.txt", "content": "two"}),
        ),
        _ => says("mended"),
    })
    .unwrap();
    let step = "  - {id: m, action: model, prompt: mend it, \
                tools: [files.write_file, files.read_text_file]}\n";
    with_model(&place, &model, step);
    let running = place.call(["run", "loop.yaml"]).env("RUST_LOG", "info");
    let running = running.start();
    running.says("MCP server `files` has ended (signal: 9");
    tell.send(()).unwrap();
    running.end().exits(0);
    let calls = recorded(&place, 0);
    let status: Vec<&str> = calls.iter().map(|call| word(&call["status"])).collect();
    assert_eq!(status, ["success"; 3], "{calls:#?}");
    assert_eq!(calls[1]["output"]["content"], "one");
    assert_eq!(place.read("data/a.txt"), "two");
    assert_eq!(place.lines("pids").len(), 2, "it was started again once");
    let at = |name: &str| fs::metadata(place.path(name)).unwrap().modified().unwrap();
    let wait = at("started").duration_since(at("killed")).unwrap();
    assert!(wait >= std::time::Duration::from_millis(500), "{wait:?}");
    assert!(
        told(&model)[1].contains("\"content\":\"one\""),
        "{:?}",
        told(&model)
    );
    assert_eq!(model.asked().len(), 4);
    nobody_is_left(&place);
}

/// A place with the server that does what its tools are called.
fn rude() -> Option<Place> {
    if !node_is_there() {
        return None;
    }
    let config = "[mcp.servers.rude]\ncommand = [\"node\", \"rude.mjs\"]\n";
    let place = Place::with("agentspace.toml", config);
    place.write("rude.mjs", include_str!("rude.mjs"));
    Some(place)
}

#[test]
fn what_a_server_does_wrong_is_recorded_and_told_and_the_next_call_goes_on() {
    let Some(place) = rude() else { return };
    let tools = ["die", "text", "nonsense", "wrong", "fail", "text"];
    let model = ModelServer::deciding("127.0.0.1:0", move |asked| match tools.get(turns(asked)) {
        Some(tool) => calls(&format!("rude_{tool}"), &json!({})),
        None => says("mended"),
    })
    .unwrap();
    let step = "  - {id: m, action: model, prompt: mend it, \
                tools: [rude.die, rude.text, rude.nonsense, rude.wrong, rude.fail]}\n";
    with_model(&place, &model, step);
    place.run(["run", "loop.yaml"]).exits(0);
    let calls = recorded(&place, 0);
    let words = [
        "MCP server `rude` did not finish the call: it ended (exit status: 7)",
        "{\"a\": 1}",
        "MCP server `rude` gave an answer that is none of a tool, which no workflow can deal with",
        "it refused the request: no such thing",
        "it is broken",
        "{\"a\": 1}",
    ];
    for ((call, words), told) in calls.iter().zip(words).zip(told(&model)) {
        let output = call["error"].as_str().or(call["output"].as_str()).unwrap();
        assert!(output.contains(words), "{call:#}");
        let said = json!(words).to_string();
        assert!(
            told.contains(said.trim_matches('"')) || told == words,
            "{told}"
        );
    }
    assert_eq!(calls.len(), 6);
    assert_eq!(
        place.lines("pids").len(),
        4,
        "two servers with a child each"
    );
    assert_eq!(place.only_execution()["journal"][0]["attempt"], 1);
    nobody_is_left(&place);
}

#[test]
fn a_call_that_is_not_answered_or_with_what_is_no_message_ends_in_time_and_the_model_is_told() {
    for (tool, words) in [
        ("hang", "longer than its timeout of 3s"),
        ("babble", "longer than its timeout of 3s"),
    ] {
        let Some(place) = rude() else { return };
        let model = ModelServer::deciding("127.0.0.1:0", move |asked| match turns(asked) {
            0 => calls(&format!("rude_{tool}"), &json!({})),
            1 => calls("rude_text", &json!({})),
            _ => says("mended"),
        })
        .unwrap();
        // The server is there before, so that the time is for the call alone.
        let steps = format!(
            "  - {{id: s, action: tool, tool: rude.text}}\n  - {{id: m, action: model, prompt: mend \
             it, tools: [rude.{tool}, rude.text], timeout: 3s, \
             retry: {{maxAttempts: 2, initialBackoff: 1ms}}}}\n"
        );
        with_model(&place, &model, &steps);
        place.run(["run", "loop.yaml"]).exits(0);
        let calls = recorded(&place, 1);
        assert!(word(&calls[0]["error"]).contains(words), "{:#}", calls[0]);
        assert_eq!(calls[1]["output"], "{\"a\": 1}");
        assert!(told(&model)[0].contains(words), "{:?}", told(&model));
        let heard = place.lines("heard");
        let count = |name: &str| heard.iter().filter(|line| line.contains(name)).count();
        assert_eq!(
            count(&format!("\"name\":\"{tool}\"")),
            1,
            "it was called once: {heard:?}"
        );
        assert_eq!(count("notifications/cancelled"), 1, "{heard:?}");
        nobody_is_left(&place);
    }
}
