//! Servers that misbehave: the step fails and says why, the next one has a new server.

use serde_json::json;

use super::{attempts, failure, nobody_is_left};
use crate::support::{Place, Ran, node_is_there};

/// A place with a server, and a workflow of one step that calls a tool of it.
fn place(server: &str, step: &str) -> Place {
    let place = Place::new();
    place.write("agentspace.toml", format!("[mcp.servers.rude]\n{server}\n"));
    place.write("rude.mjs", include_str!("rude.mjs"));
    let step = format!("name: W\nsteps:\n  - {{id: a, action: tool, {step}}}\n");
    place.write("w.yaml", step);
    place
}

/// The same with the server that does what its tools are called.
fn rude(step: &str) -> Option<Place> {
    node_is_there().then(|| place("command = [\"node\", \"rude.mjs\"]", step))
}

/// A step that hangs, after one that has its server started: a short timeout is for the call alone.
fn after_its_start(hang: &str) -> String {
    format!("tool: rude.text}}\n  - {{id: h, action: tool, tool: rude.hang, {hang}")
}

fn run(place: &Place) -> Ran {
    place.run(["run", "w.yaml"])
}

#[test]
fn a_server_that_exits_at_once_fails_the_step_with_its_status_and_its_last_words() {
    let place = place(
        "command = [\"sh\", \"-c\", \"echo x >> starts; echo no key given >&2; exit 3\"]",
        "tool: rude.x, retry: {maxAttempts: 3, initialBackoff: 1ms}",
    );
    run(&place).exits(1);
    let failure = failure(&place);
    assert!(
        failure.contains("MCP server `rude` ended before it answered (exit status: 3)")
            && failure.contains("its last words: `no key given`"),
        "{failure}"
    );
    assert_eq!(attempts(&place), 3, "it can be tried again");
    assert_eq!(place.lines("starts").len(), 3);
}

#[test]
fn a_server_that_prints_garbage_or_nothing_is_given_up_when_its_timeout_is_over() {
    let garbage = place(
        "command = [\"sh\", \"-c\", \"echo Hello, I am no server; cat > /dev/null\"]\ntimeout = 300",
        "tool: rude.x",
    );
    run(&garbage).exits(1);
    let told = failure(&garbage);
    assert!(
        told.contains("did not start within 300ms (its `timeout`)"),
        "{told}"
    );
    assert!(
        told.contains("it printed what is no MCP message: `Hello, I am no server`"),
        "{told}"
    );
    let silent = place(
        "command = [\"sleep\", \"1000\"]\ntimeout = 300",
        "tool: rude.x",
    );
    run(&silent).exits(1);
    assert!(failure(&silent).ends_with("did not start within 300ms (its `timeout`)"));
}

#[test]
fn a_program_that_is_not_there_is_told_and_not_tried_again() {
    let place = place(
        "command = [\"no-such-server\"]",
        "tool: rude.x, retry: {maxAttempts: 3}",
    );
    run(&place).exits(1);
    assert!(failure(&place).contains("`no-such-server`: no such program in PATH"));
    assert_eq!(attempts(&place), 1);
    let data = place.json(["doctor"]);
    let notes = data["notes"].to_string();
    assert!(
        notes.contains("there is no program `no-such-server`"),
        "{notes}"
    );
}

#[test]
fn a_server_that_dies_in_a_call_is_started_again_for_the_next_attempt() {
    let Some(place) = rude("tool: rude.dieOnce, retry: {maxAttempts: 2, initialBackoff: 1ms}")
    else {
        return;
    };
    run(&place).exits(0);
    assert_eq!(attempts(&place), 2);
    assert_eq!(
        place.lines("pids").len(),
        4,
        "two servers with a child each"
    );
    nobody_is_left(&place);
}

#[test]
fn a_server_that_always_dies_says_how() {
    let Some(place) = rude("tool: rude.die") else {
        return;
    };
    run(&place).exits(1);
    let told = failure(&place);
    assert!(
        told.contains("did not finish the call: it ended (exit status: 7)"),
        "{told}"
    );
    nobody_is_left(&place);
}

#[test]
fn a_call_that_is_never_answered_is_cancelled_and_its_server_kept_if_it_still_answers() {
    let hang = "timeout: 500ms, retry: {maxAttempts: 2, initialBackoff: 1ms}";
    let Some(place) = rude(&after_its_start(hang)) else {
        return;
    };
    run(&place).exits(1);
    assert!(failure(&place).contains("longer than its timeout of 500ms"));
    let heard = place.lines("heard");
    let cancelled = heard
        .iter()
        .filter(|line| line.contains("notifications/cancelled"));
    assert_eq!(cancelled.count(), 2, "{heard:?}");
    let pings = heard.iter().filter(|line| line.contains("\"ping\""));
    assert_eq!(pings.count(), 1, "it answered and was kept: {heard:?}");
    assert_eq!(place.lines("pids").len(), 2);
    nobody_is_left(&place);
}

#[test]
fn a_server_that_is_deaf_after_a_call_is_replaced() {
    let hang = "timeout: 500ms, onFailure: b}\n  - {id: b, action: tool, tool: rude.text, \
                retry: {maxAttempts: 3}";
    let Some(place) = rude(&after_its_start(hang)) else {
        return;
    };
    place.write("deaf", "");
    run(&place).exits(0);
    let execution = place.only_execution();
    assert_eq!(execution["journal"][2]["output"], "{\"a\": 1}");
    assert_eq!(
        place.lines("pids").len(),
        4,
        "two servers with a child each"
    );
    nobody_is_left(&place);
}

#[test]
fn the_key_and_the_attempt_go_with_the_call() {
    let Some(place) = rude("tool: rude.meta") else {
        return;
    };
    run(&place).exits(0);
    let execution = place.only_execution();
    let meta = &execution["journal"][0]["output"];
    let key = meta["agentspace/idempotencyKey"].as_str().unwrap();
    assert!(key.ends_with("/a/1"), "{key}");
    assert_eq!(meta["agentspace/attempt"], json!(1));
}

#[test]
fn what_a_tool_refuses_is_told_and_only_a_failure_of_its_own_is_tried_again() {
    for (tool, words, tries) in [
        ("wrong", "it refused the request: no such thing", 1),
        ("fail", "it is broken", 2),
        ("flood", "it sent a message of more than 16777216 bytes", 1),
        (
            "big",
            "the output has 2097154 bytes, at most 1048576 are kept",
            1,
        ),
        ("gone", "MCP server `rude` has no tool `rude.gone`", 1),
    ] {
        let step = format!("tool: rude.{tool}, retry: {{maxAttempts: 2, initialBackoff: 1ms}}");
        let Some(place) = rude(&step) else { return };
        run(&place).exits(1);
        let told = failure(&place);
        assert!(told.contains(words), "{tool}: {told}");
        assert_eq!(attempts(&place), tries, "{tool}");
        nobody_is_left(&place);
    }
}

#[test]
fn a_tool_that_no_step_can_name_is_left_out_with_a_warning() {
    let Some(place) = rude("tool: rude.text") else {
        return;
    };
    let ran = place.run(["tools", "ls"]).exits(0);
    assert!(!ran.stdout.contains("bad/name"));
    ran.says(&["is left out, as no step can name it"]);
}

#[test]
fn one_server_that_is_down_hides_no_tools_of_others() {
    let place = place("command = [\"false\"]", "tool: rude.x");
    let data = place.run(["tools", "ls", "--json"]).exits(1).data();
    assert_eq!(data["unavailable"][0]["server"], "rude");
    assert_eq!(data["tools"].as_array().unwrap().len(), 2);
}

#[test]
fn nobody_is_left_when_the_program_is_stopped_in_a_call() {
    let Some(place) = rude("tool: rude.hang") else {
        return;
    };
    let running = place
        .call(["run", "w.yaml", "--drain", "0s"])
        .env("RUST_LOG", "info")
        .start();
    running.says("MCP server `rude` is there");
    running.signal(rustix::process::Signal::TERM);
    running.end().exits(130);
    nobody_is_left(&place);
}
