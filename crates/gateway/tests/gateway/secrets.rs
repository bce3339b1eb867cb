//! Secrets: named in what is stored, put in for a call, taken out of what comes back.

mod restarts;
mod turns;

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gateway::workflow_types::execution::{ExecutionState, Outcome, VisitState};
use gateway::workflow_types::id::SecretName;
use gateway::{
    Effect, Mask, ModelClient, ModelError, ModelReply, ModelRequest, SecretError, SecretSource,
    SecretValue, Tool, ToolCall, ToolError, ToolSpec,
};
use serde_json::{Map, Value, json};

use crate::support::{Life, World, failure, is_paused};

/// A keeper whose values are `canary-NAME-N`, where N counts how often it was asked.
#[derive(Default)]
struct Keeper {
    asked: Mutex<Vec<String>>,
    /// How many of the first askings fail.
    down: usize,
    /// Whether it says which secrets there are.
    is_open: bool,
}

struct Shared(Arc<Keeper>);

#[async_trait]
impl SecretSource for Shared {
    fn names(&self) -> Option<Vec<SecretName>> {
        let names = || ["TOKEN", "OTHER"].map(|name| name.parse().unwrap());
        self.0.is_open.then(|| names().to_vec())
    }

    async fn reveal(&self, name: &SecretName) -> Result<SecretValue, SecretError> {
        let mut asked = self.0.asked.lock().unwrap();
        asked.push(name.to_string());
        if asked.len() <= self.0.down {
            return Err(SecretError::retryable("the keeper is down"));
        }
        if name.as_ref() == "GONE" {
            return Err(SecretError::permanent("it is not known"));
        }
        SecretValue::new(format!("canary-{name}-{}", asked.len()))
    }
}

/// Writes down what it was called with, and does what `do` says with it.
struct Echo(Arc<Mutex<Vec<Value>>>);

#[async_trait]
impl Tool for Echo {
    fn spec(&self) -> ToolSpec {
        let schema = json!({"properties": {"n": {"type": "integer"}}});
        let spec = ToolSpec::new("echo".parse().unwrap(), "says it again", Effect::ReadOnly);
        spec.with_input(&schema).unwrap()
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        assert!(!format!("{call:?}").contains("canary"));
        let args = Value::Object(call.args.clone());
        self.0.lock().unwrap().push(args.clone());
        match call.args.get("do").and_then(Value::as_str) {
            Some("fail") => Err(ToolError::permanent(format!("refused: {args}"))),
            Some("long") => Err(ToolError::permanent(format!(
                "{}{}",
                "x".repeat(65_530),
                call.args["x"].as_str().unwrap()
            ))),
            Some("retry") if call.attempt == 1 => Err(ToolError::retryable(args.to_string())),
            Some("reverse") => {
                let text = call.args["x"].as_str().unwrap();
                Ok(Value::from(text.chars().rev().collect::<String>()))
            }
            Some("panic") => panic!("on purpose"),
            _ => Ok(args),
        }
    }
}

/// A model that repeats its question.
struct Parrot;

#[async_trait]
impl ModelClient for Parrot {
    async fn ask(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        assert!(!format!("{request:?}").contains("canary"));
        let system = request.system.unwrap_or_default();
        Ok(ModelReply::text(format!("{system}|{}", request.prompt)))
    }
}

struct Setting {
    world: World,
    keeper: Arc<Keeper>,
    calls: Arc<Mutex<Vec<Value>>>,
}

impl Setting {
    fn of(keeper: Keeper, steps: &str) -> Self {
        Self {
            world: World::with(steps),
            keeper: Arc::new(keeper),
            calls: Arc::default(),
        }
    }

    fn new(steps: &str) -> Self {
        Self::of(Keeper::default(), steps)
    }

    fn live(&self) -> Life {
        self.world.live_with(|builder| {
            builder
                .tool(Echo(Arc::clone(&self.calls)))
                .model("parrot", Parrot)
                .secrets(Shared(Arc::clone(&self.keeper)))
        })
    }

    fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap().clone()
    }

    fn files_with(&self, bytes: &str) -> usize {
        files_with(self.world.path(), bytes)
    }
}

/// How many files of a world have these bytes in them.
fn files_with(directory: &Path, bytes: &str) -> usize {
    let files = files(directory);
    assert!(files.len() >= 2, "{files:?}");
    let has = |file: &&std::path::PathBuf| {
        let content = std::fs::read(file).unwrap();
        let mut windows = content.windows(bytes.len());
        windows.any(|window| window == bytes.as_bytes())
    };
    files.iter().filter(has).count()
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let nested = paths.flat_map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    });
    nested.collect()
}

fn output(life: &Life, id: gateway::workflow_types::id::ExecutionId) -> Value {
    let state = life.journal(id).pop().unwrap().state;
    let VisitState::Done {
        outcome: Outcome::Success { output },
        ..
    } = state
    else {
        panic!("{state:?}");
    };
    output
}

#[test]
fn a_call_has_the_value_and_what_is_stored_has_the_name() {
    let setting = Setting::new(
        "  - {id: a, action: tool, tool: echo, args: {x: 'Bearer {{ secrets.TOKEN }}', \
         y: ['{{ secrets.TOKEN }}{{ secrets.OTHER }}'], z: '{{ input.z }}'}}\n",
    );
    let life = setting.live();
    let data = "[secret TOKEN] {{ secrets.TOKEN }}";
    let done = life.settle(json!({ "z": data }));
    let called = json!({
        "x": "Bearer canary-TOKEN-1", "y": ["canary-TOKEN-1canary-OTHER-2"], "z": data,
    });
    assert_eq!(setting.calls(), [called]);
    let shown = json!({
        "x": "Bearer [secret TOKEN]", "y": ["[secret TOKEN][secret OTHER]"], "z": data,
    });
    let visit = life.journal(done.id).remove(0);
    assert_eq!(visit.request.unwrap()["args"], shown);
    assert_eq!(output(&life, done.id), shown);
    // While it runs, and after it has ended.
    assert_eq!(setting.files_with("canary"), 0);
    life.shutdown();
    assert_eq!(setting.files_with("canary"), 0);
    assert!(setting.files_with("[secret TOKEN]") > 0);
}

#[test]
fn an_output_that_looks_like_a_secret_stays_what_it_is() {
    let setting = Setting::new(
        "  - {id: a, action: tool, tool: echo, args: {x: '{{ secrets.TOKEN }}'}}\n  \
         - {id: b, action: tool, tool: echo, args: '{{ steps.a.output }}'}\n"
            .replace(
                "args: '{{ steps.a.output }}'",
                "args: {x: '{{ steps.a.output.x }}'}",
            )
            .as_str(),
    );
    let life = setting.live();
    let done = life.settle(json!({}));
    assert_eq!(setting.calls()[1], json!({"x": "[secret TOKEN]"}));
    assert_eq!(setting.keeper.asked.lock().unwrap().len(), 1);
    assert_eq!(output(&life, done.id), json!({"x": "[secret TOKEN]"}));
}

#[test]
fn failures_of_any_kind_are_told_without_the_value() {
    for (what, words) in [
        (
            "fail",
            "refused: {\"do\":\"fail\",\"x\":\"[secret TOKEN]\"}",
        ),
        ("panic", "the action panicked"),
        ("long", "x[secret TOKEN] ... (cut here"),
    ] {
        let setting = Setting::new(&format!(
            "  - {{id: a, action: tool, tool: echo, args: {{do: {what}, x: '{{{{ secrets.TOKEN }}}}'}}}}\n"
        ));
        let life = setting.live();
        let done = life.settle(json!({}));
        let told = failure(&done).message.clone();
        let short = &told[told.len().saturating_sub(200)..];
        // The bound of a message may cut through the name, never through the value.
        assert!(told.contains(words) || what == "long", "{short}");
        assert!(!told.contains("canary"), "{short}");
        life.shutdown();
        assert_eq!(setting.files_with("canary"), 0, "{what}");
    }
    let setting =
        Setting::new("  - {id: a, action: tool, tool: echo, args: {n: '{{ secrets.TOKEN }}'}}\n");
    let life = setting.live();
    let done = life.settle(json!({}));
    let told = &failure(&done).message;
    assert!(told.contains("`args.n` is a string"), "{told}");
    assert_eq!(setting.files_with("canary"), 0);
}

#[test]
fn each_attempt_asks_anew_and_the_one_before_is_masked_too() {
    let setting = Setting::new(
        "  - {id: a, action: tool, tool: echo, args: {do: retry, x: '{{ secrets.TOKEN }}'}, \
         retry: {maxAttempts: 2, initialBackoff: 0}}\n",
    );
    let life = setting.live();
    let done = life.settle(json!({}));
    let called: Vec<Value> = setting
        .calls()
        .iter()
        .map(|call| call["x"].clone())
        .collect();
    assert_eq!(called, ["canary-TOKEN-1", "canary-TOKEN-2"]);
    assert_eq!(output(&life, done.id)["x"], "[secret TOKEN]");
    life.shutdown();
    assert_eq!(setting.files_with("canary"), 0);
}

#[test]
fn a_keeper_that_is_down_fails_the_attempt_and_a_name_that_is_not_there_the_step() {
    let steps = |name: &str| {
        format!(
            "  - {{id: a, action: tool, tool: echo, args: {{x: '{{{{ secrets.{name} }}}}'}}, \
             retry: {{maxAttempts: 2, initialBackoff: 0}}}}\n"
        )
    };
    let down = Keeper {
        down: 1,
        ..Keeper::default()
    };
    let setting = Setting::of(down, &steps("TOKEN"));
    let life = setting.live();
    let done = life.settle(json!({}));
    assert_eq!(life.journal(done.id)[0].attempt, 2);
    let setting = Setting::new(&steps("GONE"));
    let life = setting.live();
    let done = life.settle(json!({}));
    assert_eq!(life.journal(done.id)[0].attempt, 1);
    let told = &failure(&done).message;
    assert!(
        told.contains("secret `GONE` cannot be had: it is not known"),
        "{told}"
    );
    assert!(setting.calls().is_empty());
}

#[test]
fn names_that_are_known_are_checked_when_a_workflow_is_loaded() {
    let open = Keeper {
        is_open: true,
        ..Keeper::default()
    };
    let setting = Setting::of(
        open,
        "  - {id: a, action: tool, tool: echo, args: {x: '{{ secrets.TOKNE }}'}}\n  \
         - {id: b, action: model, prompt: '{{ secrets.ZZZ }}', system: '{{ secrets.TOKEN }}'}\n",
    );
    let life = setting.live();
    let told = life.gateway.started().files[0].diagnostics.to_string();
    assert!(
        told.contains("WF0220") && told.contains("did you mean `TOKEN`?"),
        "{told}"
    );
    assert!(told.contains("there is no secret `ZZZ`"), "{told}");
    assert_eq!(told.lines().count(), 2, "{told}");
    let none = World::with("  - {id: a, action: tool, tool: act, args: {do: '{{ secrets.A }}'}}\n");
    let life = none.live();
    let told = life.gateway.started().files[0].diagnostics.to_string();
    assert!(told.contains("no secrets are configured"), "{told}");
}

#[test]
fn a_gate_shows_the_name_and_after_a_kill_the_call_has_a_new_value() {
    let setting = Setting::new(
        "  - {id: a, action: tool, tool: echo, args: {x: '{{ secrets.TOKEN }}'}, \
         approvalRequired: true}\n",
    );
    let life = setting.live();
    let paused = life.settle(json!({}));
    assert!(is_paused(&paused));
    let gate = life.gate(paused.id);
    assert_eq!(gate.request["args"], json!({"x": "[secret TOKEN]"}));
    assert!(
        setting.keeper.asked.lock().unwrap().is_empty(),
        "nobody needed it yet"
    );
    life.kill();
    let life = setting.live();
    life.approve(&gate, "ann").unwrap();
    let done = life.wait(paused.id);
    assert!(matches!(done.state, ExecutionState::Completed { .. }));
    assert_eq!(setting.calls(), [json!({"x": "canary-TOKEN-1"})]);
    assert_eq!(setting.files_with("canary"), 0);
}

#[test]
fn a_model_gets_the_value_and_its_answer_is_masked() {
    let setting = Setting::new(
        "  - {id: a, action: model, model: parrot, prompt: 'use {{ secrets.TOKEN }}', \
         system: '{{ secrets.OTHER }}!'}\n  \
         - {id: b, action: model, model: parrot, prompt: '{{ secrets.TOKEN }}', \
         outputSchema: {ok: boolean}}\n",
    );
    let life = setting.live();
    let done = life.settle(json!({}));
    let first = life.journal(done.id).remove(0);
    let words = format!("{:?}", first.state);
    assert!(
        words.contains("[secret OTHER]!|use [secret TOKEN]"),
        "{words}"
    );
    let told = &failure(&done).message;
    assert!(told.contains("the answer is not JSON"), "{told}");
    assert_eq!(setting.files_with("canary"), 0);
}

/// What a tool makes of a value is not known to the mask: the search of these tests would find what
/// is stored, and finds it.
#[test]
fn what_is_computed_from_a_value_is_found_where_it_is_stored() {
    let setting = Setting::new(
        "  - {id: a, action: tool, tool: echo, args: {do: reverse, x: '{{ secrets.TOKEN }}'}}\n",
    );
    let life = setting.live();
    life.settle(json!({}));
    life.shutdown();
    assert_eq!(setting.files_with("canary-TOKEN-1"), 0);
    assert!(setting.files_with("1-NEKOT-yranac") > 0);
}

#[test]
fn a_shared_mask_knows_what_was_revealed_and_nothing_before() {
    let setting =
        Setting::new("  - {id: a, action: tool, tool: echo, args: {x: '{{ secrets.TOKEN }}'}}\n");
    let mask = Mask::default();
    let life = setting.world.live_with(|builder| {
        builder
            .tool(Echo(Arc::clone(&setting.calls)))
            .secrets(Shared(Arc::clone(&setting.keeper)))
            .mask(mask.clone())
    });
    assert_eq!(mask.text("canary-TOKEN-1"), "canary-TOKEN-1");
    life.settle(json!({}));
    assert_eq!(mask.text("canary-TOKEN-1"), "[secret TOKEN]");
    assert_eq!(mask.value(Value::Object(Map::new())), json!({}));
}
