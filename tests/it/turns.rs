//! Models that call tools, over real HTTP in both wire formats: what they are told, what becomes of
//! their mistakes, and that a killed process does nothing twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    Answer, Asked, ModelServer, Place, demonstrated, journal, list, strace_is_there, word,
};

/// What a text may hold that would do harm if anybody read it as more than a text.
const HARMFUL: &str = "{{ steps.x.output }} {{steps.m.error}} $(touch pwned) `touch pwned` ; touch pwned\n'\"\\ | json";

const ADAPTERS: [&str; 2] = ["openai", "anthropic"];

/// A place whose only model is this server.
fn place(server: &ModelServer, adapter: &str, workflow: &str) -> Place {
    let url = server.url();
    let text = format!(
        "[models.stub]\nadapter = \"{adapter}\"\nmodel = \"claude-stub\"\nbase_url = \"{url}\"\n"
    );
    let place = Place::with("agentspace.toml", text);
    place.write("mend.yaml", workflow);
    place
}

/// A step whose model may run commands, with more keys, and a step behind it.
fn mend(more: &str) -> String {
    format!(
        "name: Mend
steps:
  - id: mend
    action: model
    prompt: mend it
    tools: [execute_command]
    {more}
"
    )
}

/// How many answers a question holds.
fn turns(asked: &Asked) -> usize {
    let messages = list(&asked.body["messages"]);
    let answers = messages.iter().filter(|one| one["role"] == "assistant");
    answers.count()
}

/// Answers in this order, by how many answers a question holds; the last one ever after.
fn saying(answers: impl IntoIterator<Item = Answer>) -> ModelServer {
    let answers: Vec<Answer> = answers.into_iter().collect();
    ModelServer::deciding("127.0.0.1:0", move |asked| {
        answers[turns(asked).min(answers.len() - 1)].clone()
    })
    .unwrap()
}

fn says(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

/// A call of a command.
fn runs(command: &[&str]) -> (String, Value) {
    ("execute_command".to_owned(), json!({"command": command}))
}

/// A call of a command that writes a line to the ledger, with its key.
fn notes(line: &str) -> (String, Value) {
    let script = format!("echo \"{line} $AGENTSPACE_IDEMPOTENCY_KEY\" >> ledger; echo {line}");
    runs(&["sh", "-c", &script])
}

fn calls<const N: usize>(calls: [(String, Value); N]) -> Answer {
    Answer::Calls("I look.".to_owned(), calls.into())
}

/// The turns of the only step of the only execution.
fn recorded(place: &Place) -> Vec<Value> {
    list(&place.only_execution()["journal"][0]["turns"])
}

/// The call and its result, as chat completions have them.
fn is_told_as_chat(asked: &[Asked]) {
    let messages = list(&asked[1].body["messages"]);
    let last = messages.last().unwrap();
    assert_eq!(
        asked[0].body["tools"][0]["function"]["name"],
        "execute_command"
    );
    let said = &messages[messages.len() - 3];
    assert_eq!(said["tool_calls"][0]["id"], "call_1");
    let args = word(&said["tool_calls"][0]["function"]["arguments"]);
    assert_eq!(serde_json::from_str::<Value>(args).unwrap(), notes("a").1);
    let result = &messages[messages.len() - 2];
    assert_eq!(
        (&result["role"], &result["tool_call_id"]),
        (&json!("tool"), &json!("call_1"))
    );
    assert!(
        word(&result["content"]).contains("\"stdout\":\"a\\n\""),
        "{result}"
    );
    assert!(
        word(&last["content"]).contains("there is no tool `look up`"),
        "{last}"
    );
}

/// The same, as Anthropic's messages have it.
fn is_told_as_messages(asked: &[Asked]) {
    let messages = list(&asked[1].body["messages"]);
    let last = messages.last().unwrap();
    assert_eq!(asked[0].body["tools"][0]["name"], "execute_command");
    let said = &messages[messages.len() - 2]["content"];
    assert_eq!(
        (&said[0]["text"], &said[1]["id"]),
        (&json!("I look."), &json!("toolu_1"))
    );
    assert_eq!(said[1]["input"], notes("a").1);
    assert_eq!(last["role"], "user");
    let results = &last["content"];
    assert_eq!(results[0]["tool_use_id"], "toolu_1");
    assert!(
        word(&results[0]["content"]).contains("\"stdout\":\"a\\n\""),
        "{results}"
    );
    assert!(
        word(&results[1]["content"]).contains("there is no tool"),
        "{results}"
    );
}

#[test]
fn a_conversation_is_told_in_the_words_of_each_provider() {
    for adapter in ADAPTERS {
        let server = saying([
            calls([notes("a"), ("look up".to_owned(), json!({"n": 1}))]),
            says("mended"),
        ]);
        let place = place(
            &server,
            adapter,
            &mend("withoutApproval: [execute_command]"),
        );
        place.run(["run", "mend.yaml"]).exits(0);
        let asked = server.asked();
        assert_eq!(asked.len(), 2, "{adapter}");
        if adapter == "openai" {
            is_told_as_chat(&asked);
        } else {
            is_told_as_messages(&asked);
        }
        let turns = recorded(&place);
        let execution = place.only_execution();
        let id = word(&execution["id"]).to_owned();
        assert_eq!(
            turns[0]["calls"][0]["idempotencyKey"],
            json!(format!("{id}/mend/1/1.1"))
        );
        assert_eq!(place.lines("ledger"), [format!("a {id}/mend/1/1.1")]);
        assert_eq!(execution["usage"]["inputTokens"], 40);
        let shown = place.run(["executions", "show", &id]);
        shown.prints(&[
            "turn 1",
            "1.1 execute_command",
            "1.2 look up",
            "there is no tool",
        ]);
        let told = place.run(["executions", "watch", &id]);
        told.prints(&[
            "mend calls execute_command, look up in turn 1",
            "mend call 1.1 of execute_command started",
            "mend call 1.1 of execute_command succeeded",
            "mend call 1.2 of look up failed",
        ]);
        place.run(["db", "check"]).exits(0);
    }
}

#[test]
fn whatever_a_provider_does_wrong_the_calls_before_are_not_repeated() {
    let wrongs = [
        (
            "429",
            Answer::Status(
                429,
                "retry-after: 0\r\n",
                "{\"error\": {\"message\": \"slow\"}}".to_owned(),
            ),
        ),
        (
            "500",
            Answer::Status(500, "", "{\"error\": {\"message\": \"oops\"}}".to_owned()),
        ),
        ("prose", says("It is well.")),
        ("malformed", Answer::Body("{\"choices\": [{]".to_owned())),
        ("truncated", Answer::BreaksOff),
    ];
    for adapter in ADAPTERS {
        for (name, wrong) in wrongs.clone() {
            // Wrong once, in the third turn.
            let failed = std::sync::atomic::AtomicBool::new(false);
            let server = ModelServer::deciding("127.0.0.1:0", move |asked| match turns(asked) {
                0 => calls([notes("a")]),
                1 => calls([notes("b")]),
                _ if !failed.swap(true, std::sync::atomic::Ordering::SeqCst) => wrong.clone(),
                _ => says("{\"ok\": true}"),
            })
            .unwrap();
            let place = place(
                &server,
                adapter,
                &mend(
                    "withoutApproval: [execute_command]
    outputSchema: {ok: boolean}
    retry: {maxAttempts: 3, initialBackoff: 1ms}",
                ),
            );
            place.run(["run", "mend.yaml"]).exits(0);
            let visit = place.only_execution()["journal"][0].clone();
            assert_eq!(visit["output"], json!({"ok": true}), "{adapter} {name}");
            assert_eq!(visit["attempt"], 2, "{adapter} {name}");
            assert_eq!(place.lines("ledger").len(), 2, "{adapter} {name}");
            assert_eq!(server.asked().len(), 4, "{adapter} {name}");
            if name == "prose" {
                let told = server.asked()[3].body["messages"].to_string();
                assert!(
                    told.contains("Your answer was refused: the answer is not JSON"),
                    "{told}"
                );
                assert!(told.contains("It is well."), "{told}");
            }
        }
    }
}

#[test]
fn a_model_that_calls_for_ever_is_stopped_and_the_failure_says_so() {
    for adapter in ADAPTERS {
        let server = saying([calls([notes("again")])]);
        let more = "withoutApproval: [execute_command]\n    maxTurns: 4";
        let place = place(&server, adapter, &mend(more));
        place
            .run(["run", "mend.yaml"])
            .exits(1)
            .says(&["still called tools in turn 4, its last one (`maxTurns`)"]);
        assert_eq!(place.lines("ledger").len(), 3);
        assert_eq!(server.asked().len(), 4);
    }
}

#[test]
fn a_model_that_becomes_too_dear_is_asked_no_more() {
    for adapter in ADAPTERS {
        let server = saying([calls([notes("again")])]);
        let more = "withoutApproval: [execute_command]\n    maxTurns: 40";
        let workflow = mend(more).replace("steps:", "maxCost: 0.0001\nsteps:");
        let place = place(&server, adapter, &workflow);
        let config = place.read("agentspace.toml") + "input_price = 1.0\noutput_price = 4.0\n";
        place.write("agentspace.toml", config);
        // 20 tokens of the question and 5 of the answer: 0.00004 each time.
        place.run(["run", "mend.yaml"]).exits(1).says(&[
            "the models of this execution have cost 0.00012, its limit is 0.0001 (`maxCost`)",
        ]);
        assert_eq!(server.asked().len(), 3);
        assert_eq!(place.only_execution()["usage"]["cost"], 0.00012);
    }
}

#[test]
fn a_destructive_call_waits_for_an_approval_that_shows_it() {
    for (decision, ran) in [("approve", 1), ("deny", 0)] {
        let server = saying([calls([notes("a")]), says("mended")]);
        let place = place(&server, "anthropic", &mend("description: mends"));
        place.run(["run", "mend.yaml"]).exits(3);
        assert_eq!(place.lines("ledger"), [""; 0]);
        let gate = place.only_gate();
        assert_eq!(gate["request"]["tool"], "execute_command");
        assert_eq!(gate["request"]["args"], notes("a").1);
        assert_eq!((&gate["turn"], &gate["call"]), (&json!(1), &json!(1)));
        let id = place.only_gate_id();
        let words = [
            "approvals",
            decision,
            &id,
            "--as",
            "ann",
            "--reason",
            "so be it",
        ];
        place.run(words).exits(0);
        assert_eq!(place.lines("ledger").len(), ran);
        let told = server.asked()[1].body["messages"].to_string();
        assert_eq!(told.contains("denied by ann: so be it"), ran == 0, "{told}");
        assert_eq!(journal(&place.only_execution()), ["mend success"]);
    }
}

#[test]
fn what_a_model_says_is_never_read_as_anything_but_a_text() {
    for adapter in ADAPTERS {
        let server = saying([
            calls([runs(&["printf", "%s", HARMFUL]), notes("a")]),
            says(HARMFUL),
        ]);
        let workflow = format!(
            "{}  - id: print
    action: tool
    tool: execute_command
    args: {{command: [printf, '%s|%s', '{{{{ steps.mend.output }}}}', 'a{{{{ steps.mend.output }}}}b']}}
",
            mend("withoutApproval: [execute_command]")
        );
        let place = place(&server, adapter, &workflow);
        place.run(["run", "mend.yaml"]).exits(0);
        let execution = place.only_execution();
        let call = &recorded(&place)[0]["calls"][0];
        assert_eq!(call["args"]["command"][2], HARMFUL, "{adapter}");
        assert_eq!(call["output"]["stdout"], HARMFUL, "{adapter}");
        let printed = word(&execution["journal"][1]["output"]["stdout"]).to_owned();
        assert_eq!(printed, format!("{HARMFUL}|a{HARMFUL}b"), "{adapter}");
        assert_eq!(
            execution["journal"][1]["request"]["args"]["command"][2],
            HARMFUL
        );
        assert!(!place.exists("pwned"), "{adapter}");
        demonstrated(&format!(
            "{adapter}: {} bytes went into argv as they were, and nothing was touched",
            HARMFUL.len()
        ));
    }
}

#[test]
fn a_template_in_a_shell_string_is_refused_before_anything_runs() {
    let server = saying([says(HARMFUL)]);
    let workflow = "name: Mend
steps:
  - {id: mend, action: model, prompt: mend it}
  - id: print
    action: tool
    tool: execute_command
    args: {command: 'printf {{ steps.mend.output }}'}
";
    let place = place(&server, "openai", workflow);
    place.run(["run", "mend.yaml"]).exits(2).says(&["WF0206"]);
    assert_eq!(server.asked().len(), 0);
    assert!(!place.exists("pwned"));
}

/// A run of two turns with three commands that must not run twice is killed at a point, and carried
/// on.
fn a_run_killed_at(call: &str, point: usize) -> (Option<i32>, &'static str) {
    let server = saying([
        calls([notes("one"), notes("two")]),
        calls([notes("three")]),
        says("mended"),
    ]);
    let place = place(
        &server,
        "openai",
        &mend("withoutApproval: [execute_command]"),
    );
    place.run(["db", "migrate"]).exits(0);
    let running = place
        .call(["run", "mend.yaml"])
        .killed_at(call, point)
        .run();
    let at = format!("{call} {point}");
    let what = match place.executions().first() {
        None => {
            assert_eq!(place.lines("ledger"), [""; 0], "{at}");
            return (running.code, "not begun");
        }
        Some(found) if found["status"] == "completed" => "completed before",
        Some(_) => carried_on(&place),
    };
    let execution = place.only_execution();
    assert_eq!(journal(&execution), ["mend success"], "{at}");
    let ledger = place.lines("ledger");
    let id = word(&execution["id"]);
    for (line, key) in [("one", "1.1"), ("two", "1.2"), ("three", "2.1")] {
        let expected = format!("{line} {id}/mend/1/{key}");
        let found: Vec<_> = ledger.iter().filter(|one| one.starts_with(line)).collect();
        let is_right = found.len() <= 1 && found.iter().all(|one| **one == expected);
        assert!(is_right, "{at}: {ledger:?}");
    }
    // What a person said of the one that had begun may be all that there is of it.
    assert!(
        ledger.len() >= if what == "asked" { 2 } else { 3 },
        "{at}: {ledger:?}"
    );
    assert_eq!(recorded(&place).len(), 2, "{at}");
    assert!(
        server.asked().len() <= 4,
        "{at}: one question more, at most"
    );
    place.run(["db", "check"]).exits(0);
    (running.code, what)
}

/// Goes on until the only execution has completed; what is asked on the way was done.
fn carried_on(place: &Place) -> &'static str {
    let mut what = "went on";
    loop {
        let resumed = place.run(["resume"]);
        match resumed.code {
            Some(0) => return what,
            Some(3) => {
                what = "asked";
                let gate = place.only_gate();
                assert_eq!(gate["kind"], "interrupted");
                assert_eq!(gate["request"]["tool"], "execute_command");
                let id = place.only_gate_id();
                place.run(["executions", "resolve", &id, "done"]);
            }
            _ => panic!("{resumed:?}"),
        }
    }
}

#[test]
fn killed_at_any_write_of_its_turns_a_run_does_nothing_twice() {
    if !strace_is_there() {
        return;
    }
    let every = std::env::var_os("AGENTSPACE_EVERY_WRITE").is_some();
    let mut became: BTreeMap<&str, usize> = BTreeMap::new();
    for (call, stride) in [("fsync", 1), ("pwrite64", if every { 1 } else { 7 })] {
        for point in (1..).step_by(stride) {
            let (code, what) = a_run_killed_at(call, point);
            if code.is_some() {
                break;
            }
            *became.entry(what).or_default() += 1;
        }
    }
    demonstrated(&format!("killed in the turns of a model: {became:?}"));
    assert!(became.contains_key("asked"), "{became:?}");
    assert!(became.contains_key("went on"), "{became:?}");
}

/// An answer in a provider's own words whose call has these arguments.
fn calls_with(adapter: &str, arguments: &str) -> Answer {
    let document = if adapter == "openai" {
        let function = json!({"name": "execute_command", "arguments": arguments});
        json!({
            "choices": [{
                "message": {
                    "role": "assistant", "content": "I look.",
                    "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
                },
                "finish_reason": "tool_calls",
            }],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
        })
    } else {
        json!({
            "id": "resp_1", "model": "stub", "status": "completed", "created_at": 1,
            "object": "response",
            "output": [{
                "type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed",
                "name": "execute_command", "arguments": arguments,
            }],
            "usage": {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25},
        })
    };
    Answer::Body(document.to_string())
}

#[test]
fn arguments_that_are_no_json_are_told_to_the_model_and_the_attempt_goes_on() {
    for adapter in ["openai", "openai_responses"] {
        let good = notes("mended").1.to_string();
        let bads = [
            &good[..good.len() - 1],
            "{'command': ['ls']}",
            "ls -l",
            "[\"ls\"]",
        ];
        let mut answers: Vec<Answer> = bads.iter().map(|bad| calls_with(adapter, bad)).collect();
        answers.push(calls_with(adapter, &good));
        let ends = json!({
            "id": "resp_2", "model": "stub", "status": "completed", "object": "response",
            "created_at": 1,
            "choices": [{"message": {"role": "assistant", "content": "mended"}, "finish_reason": "stop"}],
            "output": [{"type": "message", "role": "assistant", "status": "completed", "id": "m",
                "content": [{"type": "output_text", "text": "mended", "annotations": []}]}],
        });
        answers.push(Answer::Body(ends.to_string()));
        let server = ModelServer::saying(answers).unwrap();
        let place = place(
            &server,
            adapter,
            &mend("withoutApproval: [execute_command]"),
        );
        place.run(["run", "mend.yaml"]).exits(0);
        assert_eq!(
            place.lines("ledger").len(),
            1,
            "{adapter}: the good one alone was called"
        );
        let visit = place.only_execution()["journal"][0].clone();
        assert_eq!(
            (&visit["attempt"], &visit["output"]),
            (&json!(1), &json!("mended"))
        );
        let turns = recorded(&place);
        let told: Vec<&str> = turns[..4]
            .iter()
            .map(|turn| word(&turn["calls"][0]["error"]))
            .collect();
        assert!(
            told[0].starts_with("the arguments are not valid JSON: EOF while parsing an object")
        );
        assert!(
            told[0].ends_with(&format!("found: {}", bads[0])),
            "{}",
            told[0]
        );
        assert!(told[1].starts_with("the arguments are not valid JSON: key must be a string"));
        assert!(told[2].starts_with("the arguments are not valid JSON: expected value at line 1"));
        assert_eq!(told[3], "the arguments are a list, expected a JSON object");
        // What was told is what the next question says, under the name of the call.
        let asked = server.asked();
        for (asked, told) in asked[1..].iter().zip(&told) {
            let said = asked.body.to_string();
            let told = json!({"error": told}).to_string();
            let inner = json!(told).to_string();
            assert!(said.contains(&inner) && said.contains("call_1"), "{said}");
        }
        assert_eq!(
            place.only_execution()["usage"]["inputTokens"],
            100,
            "{adapter}"
        );
    }
}

#[test]
fn a_call_that_was_cut_off_with_its_arguments_is_not_made() {
    let server = ModelServer::deciding("127.0.0.1:0", |_| {
        let Answer::Body(body) = calls_with("openai", "{\"command\": [\"touch\", \"pw") else {
            unreachable!("it is one");
        };
        Answer::Body(body.replace(
            "\"finish_reason\":\"tool_calls\"",
            "\"finish_reason\":\"length\"",
        ))
    })
    .unwrap();
    let place = place(
        &server,
        "openai",
        &mend("withoutApproval: [execute_command]"),
    );
    place.run(["run", "mend.yaml"]).exits(1);
    let error = word(&place.only_execution()["error"]).to_owned();
    assert!(error.contains("cut off"), "{error}");
}
