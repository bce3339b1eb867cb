//! The life of a secret in the question of a model with tools, whose process is killed in the middle.

use super::canary::{ENV, FILE, hits};
use super::{call, traces};
use crate::support::{Answer, Asked, Fifo, ModelServer, Place, Ran, list, word};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// What the tool does at its first call, and when that is made again: it waits for its end, and then
/// says what it knows from elsewhere in every form, on both of its streams.
const KNOWS: &str = r#"[ -e begun.once ] || { : > begun.once; echo $$ > begun; exec sleep 60; }
cat kept/token.txt kept/key.txt; cat kept/key.txt >&2
base64 -w 20 < kept/token.txt; printf 'user:%s' "$(cat kept/key.txt)" | base64
od -An -tx1 < kept/token.txt | tr -d ' \n'"#;

/// A tool that fails with it.
const FAILS: &str = "cat kept/token.txt >&2; exit 7";

/// A model with tools whose question names both secrets, and a step that a person resolves.
const WORKFLOW: &str = "name: Turns
input: {text: string}
steps:
  - id: ask
    action: model
    prompt: 'mend {{ secrets.TOKEN }}'
    system: 'you are {{ secrets.KEY }}'
    tools: [execute_command]
    withoutApproval: [execute_command]
    onInterrupt: rerun
    outputSchema: {answer: string}
    retry: {maxAttempts: 2, initialBackoff: 1ms}
  - id: work
    action: tool
    tool: execute_command
    args: {command: [sh, -c, 'echo $$ > begun; exec sleep 60']}
";

fn runs(script: &str, arg: &str) -> (String, Value) {
    let command = json!({"command": ["sh", "-c", script, "sh", arg]});
    ("execute_command".to_owned(), command)
}

/// What a model was asked, with all that it was told before.
fn said(asked: &Asked) -> String {
    let messages = list(&asked.body["messages"]);
    let texts = messages.iter().filter(|one| one["role"] != "assistant");
    let texts = texts.filter_map(|one| one["content"].as_str());
    texts.collect::<Vec<_>>().join("|")
}

fn answers(asked: &Asked) -> usize {
    let messages = list(&asked.body["messages"]);
    let answers = messages.iter().filter(|one| one["role"] == "assistant");
    answers.count()
}

/// A model that says again what it is told, in its answers and in the arguments of its calls.
fn parrot() -> ModelServer {
    ModelServer::deciding("127.0.0.1:0", |asked| {
        let said = said(asked);
        match answers(asked) {
            0 => Answer::Calls(said.clone(), vec![runs(KNOWS, &said), runs(FAILS, &said)]),
            1 => Answer::Text(format!("no JSON: {said}")),
            2 => Answer::Calls(String::new(), vec![runs("printf %s \"$1\"", &said)]),
            _ => Answer::Text(json!({ "answer": said }).to_string()),
        }
    })
    .unwrap()
}

fn place(server: &ModelServer, workflow: &str) -> Place {
    let place = super::place(workflow);
    let config = place.read("agentspace.toml");
    let model = format!(
        "[models.stub]\nadapter = \"openai\"\nmodel = \"m\"\nbase_url = \"{}\"\n",
        server.url()
    );
    place.write("agentspace.toml", config + &model);
    place.write("kept/token.txt", ENV);
    place
}

/// Ends a run that has begun a command, and the command, as a power cut would.
fn kill(running: crate::support::Running, begun: &Fifo) -> Ran {
    let child = begun.line();
    running.signal(Signal::KILL);
    let ran = running.end();
    assert_eq!(ran.code, None);
    let child = Pid::from_raw(child.parse().unwrap()).unwrap();
    let _ = kill_process(child, Signal::KILL);
    ran
}

fn shown(place: &Place, id: &str, runs: &mut Vec<Ran>) {
    for args in [
        vec!["executions", "show", id, "--json"],
        vec!["executions", "show", id],
        vec!["executions", "watch", id, "--past", "--json"],
        vec!["executions", "watch", id, "--past"],
        vec!["approvals", "ls", "--json"],
        vec!["db", "backup", "backup.db", "--force"],
        vec!["doctor"],
    ] {
        runs.push(call(place, args).run());
    }
}

/// A kill in the first call, a kill in the last step, and what a person types about that one.
fn live(place: &Place) -> Vec<Ran> {
    let begun = Fifo::to_test(place, "begun");
    let text = ["run", "leaky.yaml", "--json", "-i", "text=plain"];
    let mut runs = vec![kill(call(place, text).start(), &begun)];
    let id = word(&place.executions()[0]["id"]).to_owned();
    // The call is made again before the model is asked anything: the first thing that this process
    // hears of the values is what the tool says.
    runs.push(kill(call(place, ["resume"]).start(), &begun));
    shown(place, &id, &mut runs);
    runs.push(call(place, ["resume"]).run());
    assert_eq!(runs.last().unwrap().code, Some(3), "{runs:?}");
    let typed = json!({"seen": ENV, FILE: [ENV]}).to_string();
    let reason = format!("it said {ENV}");
    let resolve = [
        "executions",
        "resolve",
        &id,
        "done",
        "--output",
        &typed,
        "--reason",
        &reason,
    ];
    runs.push(call(place, resolve).run().exits(0));
    shown(place, &id, &mut runs);
    runs
}

/// All traces of a life but the files that hold the secrets.
fn left(place: &Place, runs: &[Ran]) -> Vec<(String, Vec<u8>)> {
    let mut left = traces(place, runs);
    left.retain(|(name, _)| !name.contains("/kept/"));
    left
}

#[test]
fn a_model_with_tools_that_is_killed_midway_leaves_its_secrets_nowhere() {
    let server = parrot();
    let place = place(&server, WORKFLOW);
    let runs = live(&place);
    let asked = server.asked();
    assert!(said(&asked[0]).contains(ENV) && said(&asked[0]).contains(FILE));
    let execution = place.only_execution();
    let journal = list(&execution["journal"]);
    let turns = list(&journal[0]["turns"]);
    let first = &turns[0]["calls"][0]["output"];
    let stdout = word(&first["stdout"]);
    assert!(stdout.matches("[secret TOKEN]").count() >= 3, "{stdout}");
    assert!(stdout.contains("[secret KEY]"), "{stdout}");
    assert_eq!(first["stderr"], "[secret KEY]\n");
    assert_eq!(
        journal[1]["output"],
        json!({"seen": "[secret TOKEN]", "[secret KEY]": ["[secret TOKEN]"]})
    );
    let gates = execution["approvals"].to_string();
    assert!(gates.contains("it said [secret TOKEN]"), "{execution}");
    let left = left(&place, &runs);
    for file in ["agentspace.db", "backup.db", "stdout 2", "stderr 0"] {
        assert!(left.iter().any(|(name, _)| name.ends_with(file)), "{file}");
    }
    assert_eq!(hits(&left), [] as [String; 0]);
}

#[test]
fn the_same_life_with_a_value_that_is_no_secret_is_found_everywhere() {
    let server = parrot();
    let input = "{text: string, token: {type: string, default: 'cAnary-7f3a/\"x+y=&z w\\q!'}}";
    let workflow = WORKFLOW
        .replace("{text: string}", input)
        .replace("secrets.TOKEN", "input.token")
        .replace("secrets.KEY", "input.text");
    let place = place(&server, &workflow);
    let runs = live(&place);
    let found = hits(&left(&place, &runs));
    for wanted in ["agentspace.db", "backup.db", "stdout 2", "stdout 3"] {
        let is_there = found.iter().any(|hit| hit.ends_with(wanted));
        assert!(is_there, "{wanted} is not in {found:#?}");
    }
}
