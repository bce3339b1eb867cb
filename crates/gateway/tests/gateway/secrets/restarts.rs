//! What a process stores that has been given no secret yet, because it has just started.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use gateway::workflow_types::approval::{GateKind, Resolution};
use gateway::workflow_types::execution::CallState;
use gateway::workflow_types::id::{ExecutionId, ServerName, ToolName};
use gateway::{ErrorKind, ToolSource};

use super::*;
use crate::support::dialogue::{Dialogue, calls, says};
use crate::support::{actor, verdict};

/// The value of the secret `TOKEN`, and what a tool that knows it from elsewhere says.
const VALUE: &str = "steady-TOKEN-7f3a";
/// The key of a model.
const KEY: &str = "sk-steady-91c2";

/// A keeper of values that do not change.
#[derive(Clone, Default)]
struct Steady(Arc<AtomicU8>);

impl Steady {
    const THERE: u8 = 0;
    const DOWN_ONCE: u8 = 1;
    const GONE: u8 = 2;

    fn is(&self, state: u8) {
        self.0.store(state, Ordering::SeqCst);
    }
}

#[async_trait]
impl SecretSource for Steady {
    fn names(&self) -> Option<Vec<SecretName>> {
        None
    }

    async fn reveal(&self, name: &SecretName) -> Result<SecretValue, SecretError> {
        match self.0.load(Ordering::SeqCst) {
            Self::DOWN_ONCE => {
                self.is(Self::THERE);
                Err(SecretError::retryable("the keeper is down"))
            }
            Self::GONE => Err(SecretError::permanent("it was taken away")),
            _ => SecretValue::new(format!("steady-{name}-7f3a")),
        }
    }
}

/// A tool that knows the values from elsewhere. Called to wait, it does so for ever the first time.
#[derive(Clone)]
struct Knows {
    name: &'static str,
    effect: Effect,
    keys: Arc<Mutex<Vec<String>>>,
    has_waited: Arc<AtomicBool>,
    waits: Sender<()>,
}

#[async_trait]
impl Tool for Knows {
    fn spec(&self) -> ToolSpec {
        ToolSpec::new(self.name.parse().unwrap(), "knows it", self.effect)
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        self.keys.lock().unwrap().push(call.idempotency_key);
        if call.args.contains_key("wait") && !self.has_waited.swap(true, Ordering::SeqCst) {
            self.waits.send(()).unwrap();
            std::future::pending::<()>().await;
        }
        let said = format!("Bearer {VALUE} {KEY}");
        match call.args.get("fail") {
            Some(_) => Err(ToolError::permanent(said)),
            None => Ok(json!({ "said": said, VALUE: [format!("{VALUE}-OTHER")] })),
        }
    }
}

/// A model with a key, whose words a test writes.
struct Keyed(Dialogue);

#[async_trait]
impl ModelClient for Keyed {
    async fn ask(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        if request.prompt == "refuse" {
            let message = format!("Incorrect API key provided: {KEY}");
            return Err(ModelError::Permanent { message });
        }
        self.0.ask(&request)
    }

    fn conceal(&self, mask: &Mask) {
        let key = SecretValue::new(KEY).unwrap();
        mask.add(&"KEY".parse().unwrap(), &key);
    }
}

struct Setting {
    world: World,
    keeper: Steady,
    tool: Knows,
    waits: Receiver<()>,
    model: Dialogue,
}

impl Setting {
    fn new(effect: Effect, steps: &str, replies: impl IntoIterator<Item = ModelReply>) -> Self {
        let (sender, waits) = channel();
        Self {
            world: World::with(steps),
            keeper: Steady::default(),
            tool: Knows {
                name: "knows",
                effect,
                keys: Arc::default(),
                has_waited: Arc::default(),
                waits: sender,
            },
            waits,
            model: Dialogue::of(replies),
        }
    }

    fn live(&self) -> Life {
        self.world.live_with(|builder| {
            builder
                .tool(self.tool.clone())
                .model("keyed", Keyed(self.model.clone()))
                .secrets(self.keeper.clone())
        })
    }

    /// Starts the workflow, and ends the process in the middle of the call that waits.
    fn killed(&self) -> ExecutionId {
        let life = self.live();
        let id = life.start("w", json!({}));
        let patience = Duration::from_secs(30);
        self.waits.recv_timeout(patience).expect("it is called");
        life.kill();
        id
    }

    fn keys(&self) -> Vec<String> {
        self.tool.keys.lock().unwrap().clone()
    }

    /// Nothing that is stored holds a value; what stands for one is there.
    fn is_masked(&self, life: Life) {
        life.check(&self.world);
        life.shutdown();
        for value in ["steady", "c3RlYWR5"] {
            assert_eq!(files_with(self.world.path(), value), 0, "{value}");
        }
        assert!(files_with(self.world.path(), "[secret TOKEN]") > 0);
    }
}

/// A model whose first answer calls the tool twice.
fn dialogue() -> [ModelReply; 2] {
    let wait = ("knows", json!({"wait": true}));
    let fail = ("knows", json!({"fail": true}));
    [calls([wait, fail]), says("mended")]
}

fn asks(more: &str) -> String {
    format!(
        "  - {{id: m, action: model, model: keyed, prompt: 'use {{{{ secrets.TOKEN }}}}', \
         tools: [knows]{more}}}\n"
    )
}

/// What became of the first call of the first turn.
fn first_call(life: &Life, id: ExecutionId) -> CallState {
    let turns = life.run(life.gateway.reader().turns(id, 1, 1)).unwrap();
    turns[0].calls[0].state.clone()
}

#[test]
fn a_call_that_is_made_again_before_the_next_question_is_masked() {
    let setting = Setting::new(Effect::ReadOnly, &asks(""), dialogue());
    let id = setting.killed();
    let life = setting.live();
    assert_eq!(verdict(&life.wait(id)), None);
    assert_eq!(setting.keys()[0], setting.keys()[1]);
    let told = format!("{:?}", first_call(&life, id));
    assert!(
        told.contains("Bearer [secret TOKEN] [secret KEY]"),
        "{told}"
    );
    setting.is_masked(life);
}

#[test]
fn a_call_whose_secret_is_gone_is_not_made_and_fails_its_attempt() {
    let more = ", retry: {maxAttempts: 3, initialBackoff: 0}";
    let setting = Setting::new(Effect::ReadOnly, &asks(more), dialogue());
    let id = setting.killed();
    setting.keeper.is(Steady::GONE);
    let life = setting.live();
    let done = life.wait(id);
    let told = &failure(&done).message;
    assert!(
        told.contains("secret `TOKEN` cannot be had: it was taken away"),
        "{told}"
    );
    assert_eq!(setting.keys().len(), 1, "not by the second process");
    let state = first_call(&life, id);
    assert!(matches!(state, CallState::Ready { .. }), "{state:?}");
    setting.is_masked(life);
}

#[test]
fn a_call_whose_secret_comes_back_is_the_same_call_of_the_next_attempt() {
    let more = ", retry: {maxAttempts: 2, initialBackoff: 0}";
    let setting = Setting::new(Effect::ReadOnly, &asks(more), dialogue());
    let id = setting.killed();
    setting.keeper.is(Steady::DOWN_ONCE);
    let life = setting.live();
    assert_eq!(verdict(&life.wait(id)), None);
    let keys = setting.keys();
    assert_eq!((keys.len(), &keys[0]), (3, &keys[1]), "{keys:?}");
    assert_eq!(life.journal(id)[0].attempt, 2);
    setting.is_masked(life);
}

#[test]
fn what_a_later_step_knows_of_an_earlier_one_is_masked() {
    let steps = "  - {id: a, action: tool, tool: knows, args: {x: '{{ secrets.TOKEN }}'}}\n  \
                 - {id: b, action: tool, tool: knows, args: {wait: true}, approvalRequired: true}\n";
    let setting = Setting::new(Effect::ReadOnly, steps, []);
    let life = setting.live();
    let paused = life.settle(json!({}));
    assert!(is_paused(&paused));
    let gate = life.gate(paused.id);
    life.kill();
    // Another process carries the decision out, and is killed; a third one makes the call again.
    let life = setting.live();
    life.approve(&gate, "ann").unwrap();
    setting.waits.recv().unwrap();
    life.kill();
    let life = setting.live();
    assert_eq!(verdict(&life.wait(paused.id)), None);
    assert_eq!(setting.keys().len(), 3);
    setting.is_masked(life);
}

#[test]
fn an_earlier_secret_that_is_gone_ends_no_execution() {
    let steps = "  - {id: a, action: tool, tool: knows, args: {x: '{{ secrets.TOKEN }}'}}\n  \
                 - {id: b, action: noop, approvalRequired: true}\n";
    let setting = Setting::new(Effect::ReadOnly, steps, []);
    let life = setting.live();
    let paused = life.settle(json!({}));
    let gate = life.gate(paused.id);
    life.kill();
    setting.keeper.is(Steady::GONE);
    let life = setting.live();
    life.approve(&gate, "ann").unwrap();
    assert_eq!(verdict(&life.wait(paused.id)), None);
    setting.is_masked(life);
}

/// An execution whose destructive call was interrupted, with the gateway that asks about it.
fn asking(setting: &Setting) -> (Life, gateway::workflow_types::approval::Gate) {
    let id = setting.killed();
    let life = setting.live();
    assert!(is_paused(&life.wait(id)));
    let gate = life.gate(id);
    assert_eq!(gate.kind, GateKind::Interrupted);
    (life, gate)
}

fn done(
    life: &Life,
    gate: &gateway::workflow_types::approval::Gate,
    output: Value,
) -> Result<(), gateway::Error> {
    let resolution = Resolution::Done { output };
    let reason = Some(format!("I saw {VALUE} myself"));
    let resolving = life
        .gateway
        .resolve(gate.id, resolution, actor("ann"), reason);
    life.run(resolving).map(drop)
}

#[test]
fn what_a_person_types_about_an_interrupted_step_is_masked() {
    let tool = "  - {id: a, action: tool, tool: knows, args: {wait: '{{ secrets.TOKEN }}'}}\n";
    let model = asks(", withoutApproval: [knows]");
    for steps in [tool, &model] {
        let setting = Setting::new(Effect::Destructive, steps, dialogue());
        let (life, gate) = asking(&setting);
        let typed = json!({"seen": VALUE, VALUE: ["c3RlYWR5LVRPS0VOLTdmM2E="]});
        done(&life, &gate, typed.clone()).unwrap();
        // Once more, as whoever was not answered says it: it is the same.
        done(&life, &gate, typed).unwrap();
        assert_eq!(verdict(&life.wait(gate.execution_id)), None);
        setting.is_masked(life);
    }
}

#[test]
fn what_a_person_types_is_refused_where_nobody_knows_what_it_may_hold() {
    let tool = "  - {id: a, action: tool, tool: knows, args: {wait: '{{ secrets.TOKEN }}'}}\n";
    let setting = Setting::new(Effect::Destructive, tool, []);
    let (life, gate) = asking(&setting);
    setting.keeper.is(Steady::GONE);
    let error = done(&life, &gate, json!(VALUE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.to_string(),
        "what was typed may hold a secret and is not stored: secret `TOKEN` cannot be had: it was \
         taken away; see that it can be had, or give no output"
    );
    setting.keeper.is(Steady::DOWN_ONCE);
    let error = done(&life, &gate, json!(VALUE)).unwrap_err();
    assert!(error.is_transient(), "{error}");
    done(&life, &gate, json!(VALUE)).unwrap();
    assert_eq!(verdict(&life.wait(gate.execution_id)), None);
    assert_eq!(output(&life, gate.execution_id), "[secret TOKEN]");
    setting.is_masked(life);

    let setting = Setting::new(Effect::Destructive, tool, []);
    let (life, gate) = asking(&setting);
    setting.keeper.is(Steady::GONE);
    let resolution = Resolution::Done {
        output: Value::Null,
    };
    let resolving = life
        .gateway
        .resolve(gate.id, resolution, actor("ann"), None);
    life.run(resolving).unwrap();
    assert_eq!(verdict(&life.wait(gate.execution_id)), None);
}

/// A source of one tool that fails at some askings, and says what it was started with.
struct Broken {
    name: ServerName,
    tool: Knows,
    asked: Arc<AtomicUsize>,
    fails: fn(usize) -> bool,
}

impl Broken {
    fn new(setting: &Setting, asked: &Arc<AtomicUsize>, fails: fn(usize) -> bool) -> Arc<Self> {
        let tool = Knows {
            name: "broken.x",
            ..setting.tool.clone()
        };
        Arc::new(Self {
            name: "broken".parse().unwrap(),
            tool,
            asked: Arc::clone(asked),
            fails,
        })
    }
}

#[async_trait]
impl ToolSource for Broken {
    fn name(&self) -> &ServerName {
        &self.name
    }

    async fn find(&self, _: &ToolName) -> Result<Arc<dyn Tool>, ToolError> {
        if (self.fails)(self.asked.fetch_add(1, Ordering::SeqCst)) {
            return Err(ToolError::permanent(format!("it said: {VALUE}")));
        }
        Ok(Arc::new(self.tool.clone()))
    }

    async fn all(&self) -> Result<Vec<Arc<dyn Tool>>, ToolError> {
        Ok(Vec::new())
    }
}

#[test]
fn what_a_source_of_tools_says_of_its_failure_is_masked() {
    let tool = "  - {id: a, action: tool, tool: broken.x, args: {x: '{{ secrets.TOKEN }}'}}\n";
    let model = asks("").replace("[knows]", "[broken.x]");
    for steps in [tool, &model] {
        let setting = Setting::new(Effect::ReadOnly, steps, []);
        let life = setting.world.live_with(|builder| {
            builder
                .tool_source(Broken::new(&setting, &Arc::default(), |_| true))
                .model("keyed", Keyed(Dialogue::of(dialogue())))
                .secrets(setting.keeper.clone())
        });
        let done = life.settle(json!({}));
        let told = &failure(&done).message;
        assert!(told.contains("it said: [secret TOKEN]"), "{told}");
        setting.is_masked(life);
    }
}

#[test]
fn a_source_that_is_asked_before_the_next_question_is_masked() {
    let steps = asks("").replace("[knows]", "[knows, broken.x]");
    let replies = [
        calls([("knows", json!({})), ("broken.x", json!({}))]),
        says("mended"),
    ];
    let setting = Setting::new(Effect::Destructive, &steps, replies);
    // Asked by both questions, and by the second process in between.
    let asked = Arc::default();
    let begin = || {
        setting.world.live_with(|builder| {
            builder
                .tool_source(Broken::new(&setting, &asked, |asking| asking == 1))
                .tool(setting.tool.clone())
                .model("keyed", Keyed(setting.model.clone()))
                .secrets(setting.keeper.clone())
        })
    };
    let life = begin();
    let paused = life.settle(json!({}));
    assert!(is_paused(&paused));
    life.kill();
    // A denied call is behind it, and the tool of the next one is looked for.
    let life = begin();
    let gate = life.gate(paused.id).id;
    life.run(life.gateway.deny(gate, actor("ann"), None))
        .unwrap();
    assert_eq!(verdict(&life.wait(paused.id)), None);
    let turns = life
        .run(life.gateway.reader().turns(paused.id, 1, 1))
        .unwrap();
    let told = format!("{:?}", turns[0].calls[1].state);
    assert!(told.contains("it said: [secret TOKEN]"), "{told}");
    setting.is_masked(life);
}

#[test]
fn the_key_of_a_model_is_masked_in_all_that_its_attempts_produce() {
    let steps = "  - {id: a, action: model, model: keyed, prompt: refuse, onFailure: b}\n  \
                 - {id: b, action: model, model: keyed, prompt: say, onFailure: c}\n  \
                 - {id: c, action: tool, tool: knows, args: {x: '{{ secrets.TOKEN }}'}}\n";
    let setting = Setting::new(Effect::ReadOnly, steps, [says(&format!("my key is {KEY}"))]);
    let life = setting.live();
    let done = life.settle(json!({}));
    let told = format!("{:?}", life.journal(done.id));
    assert!(
        told.contains("Incorrect API key provided: [secret KEY]"),
        "{told}"
    );
    assert!(told.contains("my key is [secret KEY]"), "{told}");
    setting.is_masked(life);
}
