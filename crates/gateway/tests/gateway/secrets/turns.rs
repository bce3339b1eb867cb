//! Secrets in the question of a model with tools, which says them again wherever it can.

use gateway::workflow_types::execution::EventSeq;
use gateway::workflow_types::id::ExecutionId;
use gateway::{ModelReply, WantedCall};

use super::*;
use crate::support::dialogue::Dialogue;
use crate::support::verdict;

/// A destructive tool that says what it is called with.
struct Act(Arc<Mutex<Vec<Value>>>);

#[async_trait]
impl Tool for Act {
    fn spec(&self) -> ToolSpec {
        let name = "change".parse().unwrap();
        ToolSpec::new(name, "changes it", Effect::Destructive)
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let args = Value::Object(call.args);
        self.0.lock().unwrap().push(args.clone());
        Ok(args)
    }
}

/// A tool that knows the first value from elsewhere: it answers with it, or fails with it.
struct Leak;

#[async_trait]
impl Tool for Leak {
    fn spec(&self) -> ToolSpec {
        ToolSpec::new("leak".parse().unwrap(), "says too much", Effect::ReadOnly)
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        match call.args.get("fail") {
            Some(_) => Err(ToolError::permanent(format!(
                "{}canary-TOKEN-1",
                "x".repeat(65_530)
            ))),
            None => Ok(json!({"canary-TOKEN-1": ["Y2FuYXJ5LVRPS0VOLTE"]})),
        }
    }
}

/// Calls every tool with what it was asked, is wrong once, and ends with what it was asked.
fn parrot() -> Dialogue {
    Dialogue::by(|request| {
        let said = format!("{}|{}", request.system.as_ref().unwrap(), request.prompt);
        assert!(said.contains("canary-OTHER-") && said.contains("canary-TOKEN-"));
        let call = |tool: &str, args| WantedCall::new(format!("id {said}"), tool, args);
        Ok(match request.turns.len() {
            0 => ModelReply::text(said.clone()).with_calls([
                call("echo", json!({"x": said, said.as_str(): [said]})),
                call("echo", json!({"n": said})),
                call(&said, json!({})),
                call("leak", json!({})),
                call("leak", json!({"fail": true})),
                call("change", json!({"x": said})),
            ]),
            1 => ModelReply::text(format!("not JSON: {said}")),
            _ => ModelReply::text(json!({"answer": said}).to_string()),
        })
    })
}

fn live(setting: &Setting, model: &Dialogue) -> Life {
    setting.world.live_with(|builder| {
        let builder = model.add_to(builder, &setting.world.ledger);
        builder
            .tool(Echo(Arc::clone(&setting.calls)))
            .tool(Act(Arc::clone(&setting.calls)))
            .tool(Leak)
            .secrets(Shared(Arc::clone(&setting.keeper)))
    })
}

/// All that a reader is told of an execution.
fn told(life: &Life, id: ExecutionId) -> String {
    let reader = life.gateway.reader();
    life.run(async move {
        let turns = reader.turns(id, 1, 99).await.unwrap();
        let journal = reader.journal(id, 1, 99).await.unwrap();
        let events = reader.events(id, EventSeq::default(), 999).await.unwrap();
        let gates = reader.gates(id).await.unwrap();
        format!("{turns:?}{journal:?}{events:?}{gates:?}")
    })
}

#[test]
fn a_model_with_tools_has_the_value_and_neither_its_turns_nor_its_calls_keep_it() {
    let setting = Setting::new(
        "  - {id: a, action: model, model: dialogue, prompt: 'use {{ secrets.TOKEN }}', \
         system: '{{ secrets.OTHER }}', tools: [echo, leak, change], \
         outputSchema: {answer: string}, retry: {maxAttempts: 2, initialBackoff: 0}}\n",
    );
    let model = parrot();
    let life = live(&setting, &model);
    let paused = life.settle(json!({}));
    assert!(is_paused(&paused), "{paused:?}");
    // Asked about as it is called, without the value.
    let gate = life.gate(paused.id);
    let masked = "[secret OTHER]|use [secret TOKEN]";
    assert_eq!(gate.request["args"], json!({ "x": masked }));
    assert_eq!(setting.keeper.asked.lock().unwrap().len(), 2);
    assert_eq!(setting.files_with("canary"), 0);
    life.kill();

    let life = live(&setting, &model);
    life.approve(&gate, "ann").unwrap();
    let done = life.wait(paused.id);
    assert_eq!(verdict(&done), None);
    assert_eq!(output(&life, done.id), json!({ "answer": masked }));
    let called = [json!({"x": masked, masked: [masked]}), json!({"x": masked})];
    assert_eq!(setting.calls(), called);
    // Each question has the values as they are then; 3 and 4 were asked for by the second process
    // before it made the call that had waited.
    let asked = model.asked();
    let prompts: Vec<&str> = asked
        .iter()
        .map(|request| request.prompt.as_str())
        .collect();
    let expected = [
        "use canary-TOKEN-1",
        "use canary-TOKEN-5",
        "use canary-TOKEN-7",
    ];
    assert_eq!(prompts, expected);
    // What it said and was told before, it is told without them.
    assert!(!format!("{:?}", asked[2].turns).contains("canary"));
    let results = model.told();
    assert_eq!(results[0], format!("echo: {}", called[0]));
    assert!(results[1].contains("[secret TOKEN]"), "{}", results[1]);
    assert!(
        results[2].contains("there is no tool `[secret OTHER]|use"),
        "{}",
        results[2]
    );
    assert_eq!(results[3], r#"leak: {"[secret TOKEN]":["[secret TOKEN]"]}"#);
    let told = told(&life, done.id);
    assert!(told.contains(masked) && told.contains("not JSON"));
    assert!(!told.contains("canary"));
    life.shutdown();
    for form in ["canary", "Y2FuYXJ5", "yanac"] {
        assert_eq!(setting.files_with(form), 0, "{form}");
    }
    assert!(setting.files_with(masked) > 0);
}
