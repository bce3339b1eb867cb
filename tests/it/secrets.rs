//! Secrets end to end: named in files, there for a call, and nowhere afterwards.

pub(crate) mod canary;
mod turns;
mod written;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{Fifo, Place, Ran, list, word};
use canary::{ENV, EchoServer, FILE, hits, reversed};

/// All that a workflow may do with two secrets.
fn leaky(server: &EchoServer) -> String {
    include_str!("secrets/leaky.yaml").replace("http://localhost:80", &server.url())
}

fn place(workflow: &str) -> Place {
    let place = Place::with("leaky.yaml", workflow);
    place.write(
        "agentspace.toml",
        "[tools.http_request]\nallow_private_addresses = true\n[secrets]\n\
         TOKEN = { env = \"CANARY\" }\nKEY = { file = \"kept/key.txt\" }\n",
    );
    place.write("kept/key.txt", format!("{FILE}\n"));
    place
}

/// A run of the program as talkative as can be; what a tool leaves behind lands in the place.
fn call<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> crate::support::Call {
    std::fs::create_dir_all(place.path("tmp")).unwrap();
    let call = place.call(args).env("RUST_LOG", "trace");
    call.env("CANARY", ENV).env("TMPDIR", place.path("tmp"))
}

/// What the runs of a place have said, and all files that it has now but the one with the secret.
fn traces(place: &Place, runs: &[Ran]) -> Vec<(String, Vec<u8>)> {
    let mut traces = canary::files(place.root());
    traces.retain(|(name, _)| !name.ends_with("key.txt"));
    for (index, run) in runs.iter().enumerate() {
        traces.push((format!("stdout {index}"), run.stdout.clone().into_bytes()));
        traces.push((format!("stderr {index}"), run.stderr.clone().into_bytes()));
    }
    traces
}

/// The whole life of an execution: a command, requests, failures, an approval, a kill in the middle.
fn live(place: &Place) -> Vec<Ran> {
    let begun = Fifo::to_test(place, "begun");
    let mut runs = vec![call(place, ["run", "leaky.yaml", "--json", "-i", "text=plain"]).run()];
    assert_eq!(runs[0].code, Some(3), "{}", runs[0].stdout);
    let gate = place.only_gate_id();
    let id = word(&place.executions()[0]["id"]).to_owned();
    let shown = |runs: &mut Vec<Ran>| {
        for args in [
            vec!["executions", "show", &id, "--json"],
            vec!["executions", "show", &id],
            vec!["executions", "ls", "--json"],
            vec!["approvals", "ls", "--json"],
            vec!["approvals", "show", &gate],
            vec!["executions", "watch", &id, "--past", "--json"],
            vec!["db", "backup", "backup.db", "--force"],
            vec!["doctor"],
            vec!["secrets", "ls", "--json"],
        ] {
            runs.push(call(place, args).run());
        }
    };
    shown(&mut runs);
    let running = call(place, ["approvals", "approve", &gate]).start();
    let child = begun.line();
    running.signal(Signal::KILL);
    runs.push(running.end());
    let child = Pid::from_raw(child.parse().unwrap()).unwrap();
    let _ = kill_process(child, Signal::KILL);
    runs.push(call(place, ["resume"]).run());
    shown(&mut runs);
    runs
}

#[test]
fn a_secret_goes_everywhere_in_calls_and_is_found_nowhere_afterwards() {
    let server = EchoServer::start();
    let place = place(&leaky(&server));
    let runs = live(&place);
    // The calls had it: as header and body, as argument, variable and input.
    let told = server.told();
    let sent = [
        format!("Bearer {ENV}"),
        json!(ENV).to_string(),
        FILE.to_owned(),
    ];
    for sent in sent {
        assert!(told.contains(&sent), "{sent} is not in {told}");
    }
    assert!(place.exists("proof"), "the command has compared them");
    let execution = place.only_execution();
    let journal = list(&execution["journal"]);
    assert_eq!(
        journal[0]["output"]["stdout"]
            .as_str()
            .unwrap()
            .matches("[secret TOKEN]")
            .count(),
        6
    );
    let text = execution.to_string();
    assert!(
        text.contains("Bearer [secret TOKEN]") && text.contains("[secret KEY]"),
        "{text}"
    );
    let traces = traces(&place, &runs);
    let is_database = |name: &str| {
        ["agentspace.db", "backup.db"]
            .iter()
            .any(|db| name.ends_with(db))
    };
    let files = traces.iter().filter(|(name, _)| is_database(name)).count();
    assert!(files >= 2 && traces.len() > 30, "{}", traces.len());
    assert_eq!(hits(&traces), [] as [String; 0]);
    // A trace was asked for, and is there.
    let log = traces.iter().find(|(name, _)| name == "stderr 0").unwrap();
    assert!(String::from_utf8_lossy(&log.1).contains("TRACE"));
    // What the mask cannot know is found, so it would be seen.
    assert!(!reversed(&traces).is_empty());
}

#[test]
fn the_same_life_with_a_value_that_is_no_secret_leaves_it_everywhere() {
    let server = EchoServer::start();
    let input = "{text: string, token: {type: string, default: 'cAnary-7f3a/\"x+y=&z w\\q!'}}";
    let workflow = leaky(&server)
        .replace("{text: string}", input)
        .replace("secrets.TOKEN", "input.token")
        .replace("secrets.KEY", "input.text");
    let place = place(&workflow);
    let runs = live(&place);
    let found = hits(&traces(&place, &runs));
    for wanted in [
        "agentspace.db",
        "backup.db",
        "stdout 0",
        "stdout 1",
        "stderr 0",
    ] {
        let is_there = found.iter().any(|hit| hit.contains(wanted));
        assert!(is_there, "{wanted} is not in {found:#?}");
    }
}

#[test]
fn secrets_ls_says_where_each_is_and_whether_it_is_there() {
    let place = Place::new();
    place.write(
        "agentspace.toml",
        "[secrets]\nA = { env = \"A_VALUE\" }\nB = { file = \"b\" }\nC = { env = \"C\" }\n",
    );
    place.write("b", "cAnary-7f3a\n");
    let list = |args: &[&str]| {
        let call = place
            .call(args.iter().copied())
            .env("A_VALUE", "cAnary-7f3a");
        call.env("C", "x").run().exits(0)
    };
    let human = list(&["secrets", "ls"]).prints(&[
        "A  env A_VALUE  there  (agentspace.toml:2)",
        "B  file b  there  (agentspace.toml:3)",
        "C  env C  the environment variable C does not do: its value has 1 bytes",
    ]);
    let data = list(&["secrets", "ls", "--json"]).data();
    assert_eq!(data[1]["present"], json!(true));
    assert_eq!(data[2]["present"], json!(false));
    assert!(!format!("{}{data}", human.stdout).contains("cAnary"));
    place
        .run(["doctor"])
        .exits(0)
        .prints(&["secret `A` is not there"]);
    place.write("agentspace.toml", "");
    place
        .run(["secrets", "ls"])
        .exits(0)
        .says(&["no secrets are configured"]);
}

#[test]
fn a_name_that_is_not_configured_is_told_when_the_workflow_is_checked() {
    let place = Place::with(
        "w.yaml",
        "name: W\nsteps:\n  - id: a\n    action: tool\n    tool: execute_command\n    \
         args: {command: [echo, \"{{ secrets.TOKNE }}\"]}\n",
    );
    place.write("agentspace.toml", "[secrets]\nTOKEN = { env = \"T\" }\n");
    place.run(["check", "w.yaml"]).exits(2).says(&[
        "there is no secret `TOKNE`",
        "did you mean `TOKEN`?",
        "WF0220",
    ]);
    let workflow = place.read("w.yaml").replace("TOKNE", "TOKEN");
    place.write("w.yaml", workflow);
    place.run(["check", "w.yaml"]).exits(0);
    // Only the call needs the value.
    place
        .run(["run", "w.yaml"])
        .exits(1)
        .says(&["secret `TOKEN` cannot be had: the environment variable T is not set"]);
}

#[test]
fn a_value_in_the_file_is_told_and_never_shown() {
    for text in [
        "[secrets]\nA = \"cAnary-7f3a\"\n",
        "[secrets]\nA = { value = \"cAnary-7f3a\" }\n",
        "[secrets]\nA = cAnary-7f3a\n",
        "[secrets]\nA = 'cAnary-7f3a\n",
        "[secrets.A]\nenv = \"cAnary-7f3a\"\n",
        "[secrets]\nA = { env = \"A\", file = \"cAnary-7f3a\" }\n",
        "secrets = \"cAnary-7f3a\"\n",
        "[secrets]\nA = 2026-11-23T10:00:00Z\n",
        "[secrets]\nA = { env = \"X\" }\nA = \"cAnary-7f3a\"\n",
    ] {
        let place = Place::with("agentspace.toml", text);
        for args in [
            vec!["check"],
            vec!["check", "--json"],
            vec!["check", "--format=github"],
        ] {
            let ran = place.run(args).exits(2);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(
                !said.contains("cAnary") && !said.contains("10:00"),
                "{text}: {said}"
            );
            assert!(said.contains("agentspace.toml"), "{text}: {said}");
        }
    }
}
