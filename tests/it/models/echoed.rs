//! A provider that repeats the key it was sent wherever it can: in errors, answers and calls.

use super::*;

/// A model that may call any command without asking.
const JUDGE_WITH_TOOL: &str = "name: Judge
steps:
  - id: judge
    action: model
    prompt: is it well?
    tools: [execute_command]
    withoutApproval: [execute_command]
";

/// The key, without the word that a header has before it.
fn sent(asked: &Asked) -> String {
    let mut headers = asked.headers.iter();
    let (_, value) = headers.find(|(name, _)| name == "authorization").unwrap();
    value.trim_start_matches("Bearer ").to_owned()
}

/// Answers by the key and the number of the question, from 0.
fn echoing(answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> ModelServer {
    let questions = AtomicUsize::new(0);
    ModelServer::deciding("127.0.0.1:0", move |asked| {
        let number = questions.fetch_add(1, Ordering::SeqCst);
        answer(&sent(asked), number)
    })
    .unwrap()
}

fn refused(message: &str) -> Answer {
    let body = json!({"error": {"message": message, "code": "invalid_api_key"}});
    Answer::Status(401, "", body.to_string())
}

/// All that the program says of the only execution, in every way that it has.
fn told(place: &Place) -> String {
    let id = word(&place.executions()[0]["id"]).to_owned();
    let mut told = String::new();
    for args in [
        vec!["executions", "show", &id],
        vec!["executions", "show", &id, "--json"],
        vec!["executions", "watch", &id, "--past", "--json"],
    ] {
        let ran = place.run(args);
        told.push_str(&ran.stdout);
        told.push_str(&ran.stderr);
    }
    told
}

#[test]
fn an_error_that_repeats_the_key_in_any_form_is_stored_without_it() {
    let cut = "x".repeat(240);
    for (form, words) in [
        ("plain", "Incorrect API key provided: [secret STUB_KEY]"),
        ("base64", "Incorrect API key provided: [secret STUB_KEY]"),
        ("encoded", "?key=[secret STUB_KEY]&v=1"),
        // The bound of the words falls within the key.
        ("cut", "[secret ST"),
    ] {
        let cut = cut.clone();
        let server = echoing(move |key, _| {
            assert_eq!(key, KEY);
            refused(&match form {
                "plain" => format!("Incorrect API key provided: {key}. Find yours."),
                "base64" => format!("Incorrect API key provided: {KEY_BASE64}"),
                "encoded" => format!("GET /?key={}&v=1", key.replace('-', "%2D")),
                _ => format!("{cut}{} {key}", "y".repeat(45)),
            })
        });
        let place = place(&server, "openai", "");
        let ran = call(&place, ["run", "judge.yaml", "--json"])
            .env("RUST_LOG", "trace")
            .run()
            .exits(1);
        let told = told(&place) + &ran.stdout + &ran.stderr;
        assert!(told.contains(words), "{form}: {told}");
        for part in ["sk-cana", CANARY, KEY_BASE64] {
            assert!(!told.contains(part), "{form}: {told}");
            stored_without(&place, part);
        }
    }
}

#[test]
fn an_answer_and_the_calls_that_repeat_the_key_are_stored_without_it() {
    let server = echoing(|key, number| match number {
        0 => {
            let args = json!({"command": ["sh", "-c", "printf %s \"$1\"", "sh", key]});
            let calls = vec![("execute_command".to_owned(), args)];
            Answer::Calls(format!("I use {key}."), calls)
        }
        _ => says(&format!("my key is {key}")),
    });
    let place = place(&server, "openai", "");
    place.write("judge.yaml", JUDGE_WITH_TOOL);
    judge(&place).exits(0);
    let told = told(&place);
    for words in ["I use [secret STUB_KEY].", "my key is [secret STUB_KEY]"] {
        assert!(told.contains(words), "{told}");
    }
    assert!(!told.contains(CANARY), "{told}");
    stored_without(&place, CANARY);

    let server = echoing(|key, _| says(&format!("my key is {key}")));
    let place = super::place(&server, "openai", "");
    for args in [vec!["models", "test"], vec!["models", "test", "--json"]] {
        let ran = call(&place, args).run().exits(0);
        ran.prints(&["my key is [secret STUB_KEY]"]);
    }
}

/// A command that prints the key of the model from where it has it, once it is let go.
#[test]
fn a_command_that_knows_the_key_is_masked_when_it_is_run_again_before_the_next_question() {
    let script = "[ -e begun ] && { cat kept; exit; }; touch begun; echo > here; exec sleep 60";
    let server = echoing(move |_, number| match number {
        0 => {
            let args = json!({"command": ["sh", "-c", script]});
            Answer::Calls(String::new(), vec![("execute_command".to_owned(), args)])
        }
        _ => says("done"),
    });
    let place = place(&server, "openai", "");
    place.write("kept", KEY);
    place.write(
        "judge.yaml",
        format!("{JUDGE_WITH_TOOL}    onInterrupt: rerun\n"),
    );
    let here = Fifo::to_test(&place, "here");
    let running = call(&place, ["run", "judge.yaml"]).start();
    here.line();
    running.kill();
    call(&place, ["resume"]).run().exits(0);
    let told = told(&place);
    assert!(told.contains("[secret STUB_KEY]"), "{told}");
    assert!(!told.contains(CANARY), "{told}");
    stored_without(&place, CANARY);
}
