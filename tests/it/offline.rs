//! `examples/offline`: a model with the tools of an MCP server, a gate, a command and a heartbeat,
//! whole, and killed in the middle of what the model does.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::support::{
    Answer, Asked, Call, DEADLINE, ModelServer, Place, answer, demonstrated, journal, list,
    real_servers, word,
};

/// The example, with a model of its own; none where its server cannot be had.
fn place(decide: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Option<Place> {
    let servers = real_servers()?;
    let place = Place::new();
    for name in [
        "agentspace.toml",
        "workflows/restock.yaml",
        "HEARTBEAT.md",
        "folder/orders.txt",
        "folder/stock.txt",
    ] {
        place.example(&format!("offline/{name}"));
    }
    let server = ModelServer::deciding("127.0.0.1:0", decide).unwrap();
    let text = place.read("offline/agentspace.toml");
    let program = "../../../tests/mcp/node_modules/@modelcontextprotocol";
    let stub = "http://127.0.0.1:8787/v1/";
    assert!(text.contains(program) && text.contains(stub));
    let text = text.replace(program, servers.to_str().unwrap());
    place.write("offline/agentspace.toml", text.replace(stub, &server.url()));
    Some(place)
}

fn within<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> Call {
    place.call(args).within(place.path("offline"))
}

/// The only execution of the workflow, with its journal.
fn execution(place: &Place) -> Value {
    let all = within(place, ["executions", "ls", "--json"]).run().data();
    let all = list(&all);
    assert_eq!(all.len(), 1, "{all:#?}");
    let id = word(&all[0]["id"]).to_owned();
    within(place, ["executions", "show", &id, "--json"])
        .run()
        .data()
}

/// Says yes to the only gate, and lets the execution go on to its end.
fn approve(place: &Place) {
    let gates = within(place, ["approvals", "ls", "--json"]).run().data();
    let gates = list(&gates);
    assert_eq!(gates.len(), 1, "{gates:#?}");
    let gate = word(&gates[0]["id"]);
    within(place, ["approvals", "approve", gate, "--as", "grace"])
        .run()
        .exits(0);
    let resumed = within(place, ["resume"]).run();
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
}

/// The calls of the model as `turn.call tool attempt`.
fn calls(execution: &Value) -> Vec<String> {
    let turns = list(&execution["journal"][0]["turns"]);
    let told = |turn: &Value| {
        let (number, calls) = (turn["turn"].clone(), list(&turn["calls"]));
        calls.into_iter().map(move |call| {
            let (place, tool) = (&call["call"], word(&call["tool"]));
            format!("{number}.{place} {tool} {}", call["attempt"])
        })
    };
    turns.iter().flat_map(told).collect()
}

const THREE_CALLS: [&str; 3] = [
    "1.1 files.read_text_file 1",
    "2.1 files.read_text_file 1",
    "3.1 files.write_file 1",
];

#[test]
fn the_example_runs_to_its_gate_and_to_its_end_and_its_heartbeat_finds_something() {
    let Some(place) = place(answer) else { return };
    within(&place, ["check", "--deny-warnings"]).run().exits(0);
    within(&place, ["run", "restock"])
        .run()
        .exits(3)
        .says(&["Order 3 boxes of tea?"]);
    approve(&place);
    let found = execution(&place);
    assert_eq!(calls(&found), THREE_CALLS);
    assert_eq!(
        journal(&found),
        ["note success", "read success", "file success"]
    );
    let ordered = format!("offline/folder/ordered-{}.txt", word(&found["id"]));
    assert_eq!(place.read(&ordered), "3 boxes of tea");
    within(&place, ["heartbeats", "run"]).run().exits(1);
    let alerts = within(&place, ["alerts", "ls", "--json"]).run().data();
    let alerts = list(&alerts);
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    assert!(word(&alerts[0]["item"]).starts_with("Everything that was noted has been ordered."));
}

#[test]
fn killed_before_its_last_question_the_model_repeats_no_call() {
    let is_held = AtomicBool::new(false);
    let (held, holding) = mpsc::channel();
    let decide = move |asked: &Asked| {
        let messages = list(&asked.body["messages"]);
        let answered = messages.iter().filter(|one| one["role"] == "assistant");
        // The question after the file was written is never answered, the first time.
        if answered.count() == 3 && !is_held.swap(true, Ordering::SeqCst) {
            held.send(()).unwrap();
            return Answer::Silence;
        }
        answer(asked)
    };
    let Some(place) = place(decide) else { return };
    let running = within(&place, ["run", "restock"]).start();
    let note = place.path("offline/folder/note.txt");
    let wrote = || -> Option<SystemTime> { fs::metadata(&note).ok()?.modified().ok() };
    holding.recv_timeout(DEADLINE).unwrap();
    running.kill();
    let before = wrote().unwrap();
    let resumed = within(&place, ["resume"]).run();
    assert_eq!(resumed.code, Some(3), "{resumed:?}");
    assert_eq!(wrote(), Some(before), "the note was written once");
    approve(&place);
    let found = execution(&place);
    assert_eq!(calls(&found), THREE_CALLS);
    assert_eq!(found["status"], json!("completed"));
    demonstrated(&format!(
        "killed before the fourth question: {:?}, the note as it was",
        calls(&found)
    ));
}
