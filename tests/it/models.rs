//! Models over real HTTP: what each answer of a provider becomes, and that the key is told to nobody.

mod echoed;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway::workflow_types::Timestamp;
use serde_json::{Value, json};

use crate::support::{Answer, Asked, Call, Fifo, ModelServer, Place, Ran, list, word};

/// The variable that holds the key, and the key.
const VARIABLE: &str = "STUB_KEY";
const KEY: &str = "sk-canary-7f3a91";
/// What is looked for, wherever the key could have got to.
const CANARY: &str = "canary-7f3a91";
/// The key in another alphabet.
const KEY_BASE64: &str = "c2stY2FuYXJ5LTdmM2E5MQ";

/// A step that asks for JSON, three times at most.
const JUDGE: &str = r"name: Judge
steps:
  - id: judge
    action: model
    prompt: is it well?
    outputSchema: {ok: boolean}
    retry: {maxAttempts: 3, initialBackoff: 1ms}
";

fn says(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

fn status(status: u16, headers: &'static str, body: &str) -> Answer {
    Answer::Status(status, headers, body.to_owned())
}

/// A place whose model `stub` is this server, with more keys of its own.
fn place(server: &ModelServer, adapter: &str, more: &str) -> Place {
    let url = server.url();
    let text = format!(
        "[models.stub]\nadapter = \"{adapter}\"\nmodel = \"claude-stub\"\nbase_url = \"{url}\"\n\
         key_env = \"{VARIABLE}\"\n{more}"
    );
    let place = Place::with("agentspace.toml", text);
    place.write("judge.yaml", JUDGE);
    place
}

fn server(answers: impl IntoIterator<Item = Answer>) -> ModelServer {
    ModelServer::saying(answers).unwrap()
}

/// The program with the key in its environment.
fn call<'a>(place: &Place, words: impl IntoIterator<Item = &'a str>) -> Call {
    place.call(words).env(VARIABLE, KEY)
}

fn judge(place: &Place) -> Ran {
    call(place, ["run", "judge.yaml"]).run()
}

/// What the only step of the only execution has in the journal.
fn visit(place: &Place) -> Value {
    place.only_execution()["journal"][0].clone()
}

/// The texts of the last request's messages, one after another.
fn words_of(server: &ModelServer) -> String {
    let asked = server.asked();
    asked.last().unwrap().body["messages"].to_string()
}

/// No file of the database holds the key.
fn stored_without_key(place: &Place) {
    stored_without(place, CANARY);
}

fn stored_without(place: &Place, text: &str) {
    let mut files = 0;
    for entry in fs::read_dir(place.path(".agentspace")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let found = bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes());
        assert!(!found, "{}", path.display());
        files += 1;
    }
    assert!(files > 0);
}

#[test]
fn an_answer_is_the_output_of_its_step_and_what_it_cost_is_shown_with_it() {
    for (adapter, path, header) in [
        ("openai", "/v1/chat/completions", "authorization"),
        ("anthropic", "/v1/messages", "x-api-key"),
    ] {
        let server = server([says(r#"{"ok": true}"#)]);
        let place = place(&server, adapter, "max_tokens = 321\ntemperature = 0.25\n");
        judge(&place).exits(0);
        let asked = &server.asked()[0];
        assert_eq!(asked.path, path);
        let sent = asked.headers.iter().find(|(name, _)| name == header);
        assert!(sent.unwrap().1.ends_with(KEY));
        assert_eq!(asked.body["max_tokens"], 321, "{}", asked.body);
        assert_eq!(asked.body["temperature"], 0.25);
        // It is held to the schema by its provider, and told in words.
        assert!(words_of(&server).contains("fits this JSON Schema"));
        let format = ["response_format", "output_format", "output_config"];
        assert!(
            format.iter().any(|key| asked.body.get(key).is_some()),
            "{}",
            asked.body
        );

        let visit = visit(&place);
        assert_eq!(visit["output"], json!({"ok": true}));
        let used = json!([{
            "attempt": 1, "inputTokens": 20, "outputTokens": 5, "finishReason": "stop",
        }]);
        assert_eq!(visit["usage"], used);
        let execution = place.only_execution();
        assert_eq!(
            execution["usage"],
            json!({"inputTokens": 20, "outputTokens": 5})
        );
        place
            .run(["executions", "show", word(&execution["id"])])
            .exits(0)
            .prints(&["attempt 1: 20 tokens in, 5 out (stop)"]);
    }
}

#[test]
fn prose_instead_of_json_is_asked_again_with_the_reason_and_both_answers_count() {
    let server = server([says("All is well."), says("```json\n{\"ok\": false}\n```")]);
    let place = place(&server, "openai", "");
    judge(&place).exits(0);
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(!asked[0].body.to_string().contains("refused"));
    let words = words_of(&server);
    assert!(
        words.contains("Your last answer to this was refused: the answer is not JSON"),
        "{words}"
    );
    let visit = visit(&place);
    assert_eq!(visit["output"], json!({"ok": false}));
    assert_eq!(visit["failedAttempts"][0]["errorKind"], "bad_answer");
    assert_eq!(list(&visit["usage"]).len(), 2);
    assert_eq!(place.only_execution()["usage"]["inputTokens"], 40);
}

#[test]
fn a_model_that_never_fits_the_schema_is_asked_as_often_as_the_step_allows() {
    let server = server([says(r#"{"ok": "perhaps"}"#)]);
    let place = place(&server, "openai", "");
    judge(&place)
        .exits(1)
        .prints(&["does not fit the schema", "`answer.ok` is the string"]);
    assert_eq!(server.asked().len(), 3);
    assert_eq!(visit(&place)["errorKind"], "bad_answer");
}

#[test]
fn a_server_that_fails_is_asked_again_and_the_model_hears_nothing_of_it() {
    for failure in [
        status(500, "", r#"{"error": {"message": "overloaded"}}"#),
        Answer::Body("{\"id\": ".to_owned()),
        Answer::Body("{}".to_owned()),
        Answer::BreaksOff,
    ] {
        let server = server([failure.clone(), says(r#"{"ok": true}"#)]);
        let place = place(&server, "openai", "");
        judge(&place).exits(0);
        assert_eq!(server.asked().len(), 2, "{failure:?}");
        assert!(!words_of(&server).contains("refused"), "{failure:?}");
        let visit = visit(&place);
        assert_eq!(visit["failedAttempts"][0]["errorKind"], "error");
        assert_eq!(list(&visit["usage"]).len(), 1, "{failure:?}");
    }
}

#[test]
fn a_provider_that_asks_for_patience_gets_it_in_seconds_and_as_a_date() {
    // The date has passed: it asks for no wait, and is no reason to fail.
    for (headers, least) in [
        ("Retry-After: 1\r\n", 1_000),
        ("retry-after-ms: 700\r\n", 700),
        ("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0),
    ] {
        let busy = status(429, headers, r#"{"error": {"message": "slow down"}}"#);
        let server = server([busy, says(r#"{"ok": true}"#)]);
        let place = place(&server, "openai", "");
        judge(&place).exits(0);
        let failed = &visit(&place)["failedAttempts"][0];
        let at = |key: &str| -> Timestamp { word(&failed[key]).parse().unwrap() };
        let wait = at("dueAt").since(at("failedAt"));
        assert!(wait >= Duration::from_millis(least), "{headers}");
        assert!(
            word(&failed["error"]).contains("429 Too Many Requests: slow down"),
            "{failed}"
        );
    }
}

#[test]
fn a_refusal_that_stays_one_is_told_once_with_what_to_do() {
    let quota = r#"{"error": {"message": "no money", "code": "insufficient_quota"}}"#;
    for (code, body, told) in [
        (
            401,
            "{}",
            "the key in the environment variable STUB_KEY is not accepted",
        ),
        (
            403,
            "{}",
            "the key in the environment variable STUB_KEY is not accepted",
        ),
        (
            404,
            "{}",
            "see whether `model` (claude-stub) and `base_url` of [models.stub] are right",
        ),
        (
            400,
            r#"{"error": {"message": "no such parameter"}}"#,
            "no such parameter; see `model`",
        ),
        (307, "", "redirects are not followed"),
        (429, quota, "see what the provider's account has left"),
    ] {
        let server = server([status(code, "", body)]);
        let place = place(&server, "openai", "");
        judge(&place).exits(1).prints(&[
            &format!("asking model `stub` failed: it answered {code}"),
            told,
        ]);
        assert_eq!(server.asked().len(), 1, "{code}");
    }
}

#[test]
fn a_server_that_is_silent_or_gone_is_told_with_what_it_was_waited_for() {
    let server = server([Answer::Silence]);
    let place = place(&server, "openai", "timeout = \"50ms\"\n");
    judge(&place)
        .exits(1)
        .prints(&["model `stub` did not answer within its timeout of 50ms"]);
    assert_eq!(server.asked().len(), 3);

    place.write(
        "judge.yaml",
        JUDGE.replace("    retry", "    timeout: 60ms\n    retry"),
    );
    let text = place.read("agentspace.toml").replace("50ms", "1h");
    place.write("agentspace.toml", text);
    judge(&place)
        .exits(1)
        .prints(&["the attempt took longer than its timeout of 60ms"]);

    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    place.write(
        "agentspace.toml",
        format!("[models.stub]\nadapter = 'openai'\nmodel = 'm'\nbase_url = 'http://{address}'\n"),
    );
    judge(&place)
        .exits(1)
        .prints(&["connecting to it failed: connection refused"]);
}

#[test]
fn a_cut_off_answer_is_a_failure_that_says_so_and_its_tokens_count() {
    let server = server([Answer::CutOff("{\"ok\": tr".to_owned())]);
    let place = place(&server, "anthropic", "");
    judge(&place)
        .exits(1)
        .prints(&["cut off at the most tokens that it may have"]);
    assert_eq!(server.asked().len(), 1);
    assert_eq!(visit(&place)["usage"][0]["finishReason"], "length");
}

#[test]
fn a_key_that_is_missing_is_told_by_its_variable_before_anything_is_sent() {
    let server = server([says("{}")]);
    let place = place(&server, "openai", "");
    let told = "model `stub` has no key: ";
    place
        .run(["run", "judge.yaml"])
        .exits(1)
        .prints(&[told, "set the environment variable STUB_KEY"]);
    place.run(["models", "test"]).exits(1).says(&[told]);
    place
        .run(["models", "ls"])
        .exits(0)
        .prints(&["no key in STUB_KEY", "(agentspace.toml:2)"]);
    place.run(["doctor"]).exits(0).prints(&[
        "models.stub.key_env",
        "note: model `stub` has no key: the environment variable STUB_KEY is not set",
    ]);
    assert!(server.asked().is_empty());
}

#[test]
fn models_are_listed_with_whether_their_key_is_there_and_tested_with_a_question() {
    let server = server([says("ready")]);
    let place = place(&server, "openai", "");
    let listed = call(&place, ["models", "ls", "--json"])
        .run()
        .exits(0)
        .data();
    let expected = json!([{
        "name": "stub", "adapter": "openai", "model": "claude-stub", "baseUrl": server.url(),
        "keyEnv": VARIABLE, "keyPresent": true, "default": true,
        "origin": {"path": "agentspace.toml", "line": 2},
    }]);
    assert_eq!(listed, expected);

    let words = [
        "models",
        "test",
        "stub",
        "--prompt",
        "are you there?",
        "--json",
    ];
    let tested = call(&place, words).run().exits(0).data();
    assert!(words_of(&server).contains("are you there?"));
    assert_eq!(
        (&tested["name"], &tested["answer"]),
        (&json!("stub"), &json!("ready"))
    );
    assert_eq!(tested["usage"]["outputTokens"], 5);
    assert!(tested["latencyMs"].is_u64());
    call(&place, ["models", "test"]).run().exits(0).prints(&[
        "answered",
        "20 tokens in, 5 out (stop)",
        "ready",
    ]);
    call(&place, ["models", "test", "gone"])
        .run()
        .exits(2)
        .says(&["there is no model `gone`", "agentspace models ls"]);
    place
        .run(["models", "test", "--no-config"])
        .exits(2)
        .says(&["no model is configured"]);
}

#[test]
fn a_key_in_the_file_is_refused_before_anything_runs() {
    let place = Place::with(
        "agentspace.toml",
        "[models.stub]\nadapter = 'openai'\nmodel = 'm'\napi_key = 'x'\nkey_env = 'sk-1'\n",
    );
    place.run(["models", "ls"]).exits(2).says(&[
        "a key does not stand in this file, so `api_key` is not known",
        "--> agentspace.toml:4:1",
        "the key itself may not stand in this file",
        "--> agentspace.toml:5:",
    ]);
}

#[test]
fn the_key_stands_nowhere_but_in_the_request() {
    // A provider that repeats the key in what it says, as some do.
    let echo = format!(r#"{{"error": {{"message": "incorrect key: {KEY}"}}}}"#);
    let server = server([
        status(500, "", &echo),
        says("no JSON"),
        status(401, "", &echo),
    ]);
    let place = place(&server, "openai", "");
    let mut said = String::new();
    let mut hear = |ran: Ran| {
        said.push_str(&ran.stdout);
        said.push_str(&ran.stderr);
    };
    let logged = |words: &[&str]| {
        let words = words.iter().copied();
        call(&place, words).env("RUST_LOG", "trace").run()
    };
    hear(logged(&["run", "judge.yaml"]).exits(1));
    hear(logged(&["models", "test"]).exits(1));
    hear(logged(&["models", "ls"]).exits(0));
    hear(logged(&["doctor", "--json"]).exits(0));
    let execution = place.only_execution();
    hear(logged(&["executions", "show", word(&execution["id"]), "--json"]).exits(0));
    hear(logged(&["executions", "watch", word(&execution["id"]), "--json"]).exits(1));
    assert!(said.contains("incorrect key: [secret STUB_KEY]"), "{said}");
    assert!(!said.contains(CANARY), "{said}");

    stored_without_key(&place);
    assert!(
        server.asked()[0]
            .headers
            .iter()
            .any(|(_, value)| value.contains(CANARY))
    );
}

#[test]
fn an_attempt_that_was_killed_while_it_waited_for_its_answer_asks_again() {
    let server = server([Answer::Silence, says(r#"{"ok": true}"#)]);
    let place = place(&server, "openai", "");
    let running = call(&place, ["run", "judge.yaml"]).start();
    running.says("judge");
    while server.asked().is_empty() {
        std::thread::yield_now();
    }
    running.kill();
    // With what the process had not yet moved out of the log.
    assert!(place.exists(".agentspace/agentspace.db-wal"));
    stored_without_key(&place);
    call(&place, ["resume"]).run().exits(0);
    assert_eq!(visit(&place)["output"], json!({"ok": true}));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn the_example_runs_against_its_stub() {
    let server = server([says(r#"{"urgency": "high", "reason": "all is down"}"#)]);
    let place = Place::new();
    for name in ["model/triage.yaml", "model/agentspace.toml"] {
        place.example(name);
    }
    let text = place.read("model/agentspace.toml");
    let stub = "http://127.0.0.1:8787/v1/";
    assert!(text.contains(stub));
    place.write("model/agentspace.toml", text.replace(stub, &server.url()));
    let within = |words: &[&str]| {
        let call = place.call(words.iter().copied());
        call.within(place.path("model")).run()
    };
    within(&["check", "triage.yaml", "--deny-warnings"]).exits(0);
    within(&["run", "triage.yaml"])
        .exits(3)
        .says(&["Urgent: all is down"]);
    assert!(words_of(&server).contains("The shop answers every order with an error."));
}
