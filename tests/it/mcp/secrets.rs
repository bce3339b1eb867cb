//! Secrets of MCP servers: given at every start, and found nowhere else.

use serde_json::json;

use super::{attempts, failure, http};
use crate::secrets::canary::{self, ENV, FILE};
use crate::support::{Call, Place, Ran, journal, node_is_there, real_servers};

/// A run as talkative as can be, with the variable that holds a secret.
fn call<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> Call {
    let call = place.call(args).env("RUST_LOG", "trace");
    call.env("CANARY", ENV)
}

/// Asserts that neither the runs have said nor any file holds a value, but those that are meant to.
fn told_nobody(place: &Place, runs: &[Ran]) {
    let mut traces = canary::files(place.root());
    traces.retain(|(name, _)| !name.ends_with("key.txt") && !name.ends_with("accepted"));
    for (index, run) in runs.iter().enumerate() {
        traces.push((format!("stdout {index}"), run.stdout.clone().into_bytes()));
        traces.push((format!("stderr {index}"), run.stderr.clone().into_bytes()));
    }
    assert_eq!(canary::hits(&traces), [] as [String; 0]);
}

const SECRETS: &str = "[secrets]\nTOKEN = { env = \"CANARY\" }\nKEY = { file = \"key.txt\" }\n";

/// A place with a server that prints its environment, in answers and on stderr.
fn printing() -> Option<Place> {
    let program = real_servers()?.join("server-everything/dist/index.js");
    let place = Place::new();
    let script = "printf %s \"$TOKEN\" | cut -c4-10 > proof; printf %s \"$TOKEN\" | wc -c >> proof; \
                  printf %s \"$KEY\" | wc -c >> proof; env >&2; exec node \"$0\"";
    let command = json!(["sh", "-c", script, program]);
    place.write(
        "agentspace.toml",
        format!(
            "[mcp.servers.all]\ncommand = {command}\n\
             env = {{ TOKEN = \"{{{{ secrets.TOKEN }}}}\", KEY = \"<{{{{secrets.KEY}}}}>\" }}\n{SECRETS}"
        ),
    );
    place.write("key.txt", format!("{FILE}\n"));
    place.write(
        "w.yaml",
        "name: W\nsteps: [{id: a, action: tool, tool: all.get-env, retry: {maxAttempts: 2, initialBackoff: 1ms}}]\n",
    );
    Some(place)
}

#[test]
fn a_program_is_given_its_secrets_and_whatever_it_prints_they_are_found_nowhere() {
    let Some(place) = printing() else { return };
    let runs = [
        vec!["run", "w.yaml", "--json"],
        vec!["executions", "ls", "--json"],
        vec!["tools", "call", "all.get-env"],
        vec!["tools", "call", "all.get-env", "--json"],
        vec!["tools", "show", "all.get-env"],
        vec!["tools", "ls", "--json"],
        vec!["doctor"],
        vec!["doctor", "--json"],
        vec!["secrets", "ls"],
        vec!["db", "backup", "backup.db"],
    ];
    let runs = runs.map(|args| call(&place, args).run().exits(0));
    let proof = [
        &ENV[3..10],
        &ENV.len().to_string(),
        &(FILE.len() + 2).to_string(),
    ];
    assert_eq!(place.lines("proof"), proof);
    let execution = place.only_execution();
    let printed = execution["journal"][0]["output"].as_str().unwrap();
    assert!(
        printed.contains("\"TOKEN\": \"[secret TOKEN]\"")
            && printed.contains("\"KEY\": \"<[secret KEY]>\""),
        "{printed}"
    );
    assert!(
        runs[2].stdout.contains("[secret TOKEN]"),
        "{}",
        runs[2].stdout
    );
    assert!(
        runs[0]
            .stderr
            .contains("MCP server `all`: TOKEN=[secret TOKEN]")
    );
    assert!(runs[6].stdout.contains(" with env KEY, TOKEN"));
    told_nobody(&place, &runs);
}

#[test]
fn the_last_words_of_a_server_that_ends_are_told_without_its_secrets() {
    let place = Place::new();
    let script = "echo \"x$TOKEN$TOKEN\" >&2; echo \"$TOKEN\"; exit 3";
    let command = json!(["sh", "-c", script]);
    let env = "env = { TOKEN = \"{{ secrets.TOKEN }}\" }";
    place.write(
        "agentspace.toml",
        format!("[mcp.servers.all]\ncommand = {command}\n{env}\n{SECRETS}"),
    );
    place.write(
        "w.yaml",
        "name: W\nsteps: [{id: a, action: tool, tool: all.x}]\n",
    );
    let runs = [
        call(&place, ["run", "w.yaml"]).run().exits(1),
        call(&place, ["tools", "ls"]).run().exits(1),
        call(&place, ["tools", "call", "all.x", "--json"])
            .run()
            .exits(1),
    ];
    let told = failure(&place);
    assert!(
        told.contains("no MCP message: `[secret TOKEN]`")
            && told.contains("its last words: `x[secret TOKEN][secret TOKEN]`"),
        "{told}"
    );
    told_nobody(&place, &runs);
}

#[test]
fn a_secret_that_cannot_be_had_fails_the_call_and_is_tried_again() {
    let Some(place) = printing() else { return };
    std::fs::remove_file(place.path("key.txt")).unwrap();
    let runs = [
        call(&place, ["run", "w.yaml"]).run().exits(1),
        call(&place, ["tools", "show", "all.get-env"])
            .run()
            .exits(1),
    ];
    let told = failure(&place);
    assert!(
        told.contains("MCP server `all` did not start: secret `KEY` cannot be had: the file ")
            && told.contains("key.txt cannot be read: No such file"),
        "{told}"
    );
    assert_eq!(attempts(&place), 2, "it can be tried again");
    assert!(!place.exists("proof"), "nothing is started without it");
    // The same process has it as soon as it is there.
    let step = "{id: b, action: tool, tool: execute_command, \
                args: {command: [sh, -c, 'printf later-key > key.txt']}}";
    place.write(
        "late.yaml",
        format!(
            "name: Late\nsteps:\n  - {{id: a, action: tool, tool: all.get-env, onFailure: b}}\n  \
             - {step}\n  - {{id: c, action: tool, tool: all.get-env}}\n"
        ),
    );
    call(&place, ["run", "late.yaml"]).run().exits(0);
    assert_eq!(place.lines("proof")[2], (9 + 2).to_string());
    told_nobody(&place, &runs);
}

/// A place with a real server behind a door that wants a header, and both of them.
fn behind_a_door() -> Option<(Place, [http::Running; 2])> {
    if !node_is_there() {
        return None;
    }
    let (server, port) = http::start(&real_servers()?.join("server-everything/dist/index.js"));
    let place = Place::new();
    place.write("accepted", format!("Bearer {FILE}"));
    let (door, port) = http::locked(&place, port);
    place.write(
        "agentspace.toml",
        format!(
            "[mcp.servers.far]\nurl = \"http://127.0.0.1:{port}/mcp\"\n\
             headers = {{ Authorization = \"Bearer {{{{ secrets.KEY }}}}\" }}\n{SECRETS}"
        ),
    );
    place.write("key.txt", format!("{FILE}\n"));
    Some((place, [server, door]))
}

const SUM: [&str; 5] = [
    "tools",
    "call",
    "far.get-sum",
    "--args",
    "{\"a\": 2, \"b\": 3}",
];

#[test]
fn a_server_that_wants_a_header_is_sent_its_secret_and_nobody_else_sees_it() {
    let Some((place, _servers)) = behind_a_door() else {
        return;
    };
    let served = [
        call(&place, SUM)
            .run()
            .exits(0)
            .prints(&["The sum of 2 and 3 is 5."]),
        call(&place, ["doctor", "--json"]).run().exits(0),
        call(&place, ["tools", "show", "far.get-sum", "--json"])
            .run()
            .exits(0),
    ];
    told_nobody(&place, &served);
    place.write("accepted", "Bearer another");
    let refused = [
        call(&place, SUM).run().exits(1).says(&[
            "MCP server `far`",
            "401",
            "not accepted: Bearer [secret KEY]",
        ]),
        call(&place, ["tools", "ls", "--json"]).run().exits(1),
    ];
    told_nobody(&place, &refused);
    // A header is one line.
    place.write("key.txt", format!("two\nlines of {FILE}"));
    let broken = [call(&place, SUM).run().exits(1).says(&[
        "cannot be sent its header `Authorization`: the value of the secret in it has a line break",
    ])];
    told_nobody(&place, &broken);
}

#[test]
fn a_secret_that_was_renewed_meanwhile_is_sent_with_the_next_attempt() {
    let Some((place, _servers)) = behind_a_door() else {
        return;
    };
    let sum = "action: tool, tool: far.get-sum, args: {a: 2, b: 3}";
    let renew = "printf 'Bearer renewed-key' > accepted; printf renewed-key > key.txt";
    place.write(
        "w.yaml",
        format!(
            "name: W\nsteps:\n  - {{id: a, {sum}}}\n  - id: b\n    action: tool\n    \
             tool: execute_command\n    args: {{command: [sh, -c, \"{renew}\"]}}\n  \
             - {{id: c, {sum}, retry: {{maxAttempts: 2, initialBackoff: 1ms}}}}\n"
        ),
    );
    let runs = [call(&place, ["run", "w.yaml"]).run().exits(0)];
    let execution = place.only_execution();
    assert_eq!(journal(&execution), ["a success", "b success", "c success"]);
    assert_eq!(execution["journal"][2]["attempt"], 2);
    told_nobody(&place, &runs);
}
