//! Tools that a source has: found when a step needs one, and not before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use gateway::workflow_types::id::{ServerName, ToolName};
use gateway::{Effect, Tool, ToolCall, ToolError, ToolSource, ToolSpec};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{Life, World, failure, is_paused};

/// A source whose tools are called as they are: `ask` is asked about, `look` may be repeated.
struct Source {
    name: ServerName,
    /// How often it was asked.
    asked: watch::Sender<usize>,
    /// How many of these fail.
    down: usize,
    closed: AtomicUsize,
}

impl Source {
    fn down(times: usize) -> Arc<Self> {
        Arc::new(Self {
            name: "far".parse().unwrap(),
            asked: watch::Sender::new(0),
            down: times,
            closed: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until it was asked so often.
    fn until_asked(&self, life: &Life, times: usize) {
        let mut asked = self.asked.subscribe();
        life.run(async { asked.wait_for(|asked| *asked >= times).await.map(|_| ()) })
            .unwrap();
    }
}

#[async_trait]
impl ToolSource for Source {
    fn name(&self) -> &ServerName {
        &self.name
    }

    async fn find(&self, name: &ToolName) -> Result<Arc<dyn Tool>, ToolError> {
        self.asked.send_modify(|asked| *asked += 1);
        if self.asked() <= self.down {
            return Err(ToolError::retryable("the source is down"));
        }
        let effect = match name.as_ref() {
            "far.look" => Effect::ReadOnly,
            "far.ask" => Effect::Destructive,
            _ => return Err(ToolError::permanent(format!("far has no {name}"))),
        };
        let name = name.clone();
        Ok(Arc::new(Remote { name, effect }))
    }

    async fn all(&self) -> Result<Vec<Arc<dyn Tool>>, ToolError> {
        Ok(Vec::new())
    }

    async fn close(&self) {
        self.closed.fetch_add(1, Ordering::SeqCst);
    }
}

/// A tool that waits for its end if it is told to.
struct Remote {
    name: ToolName,
    effect: Effect,
}

#[async_trait]
impl Tool for Remote {
    fn spec(&self) -> ToolSpec {
        ToolSpec::new(self.name.clone(), "", self.effect)
            .with_input(&json!({"type": "object", "properties": {"n": {"type": "integer"}}}))
            .unwrap()
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        // An attempt that is interrupted stays in the middle of its first call.
        if call.args.contains_key("hang") {
            std::future::pending::<()>().await;
        }
        Ok(call.args.get("n").cloned().unwrap_or_default())
    }
}

fn step(rest: &str) -> World {
    World::with(&format!("  - {{id: a, action: tool, {rest}}}\n"))
}

fn live(world: &World, source: &Arc<Source>) -> Life {
    let shared: Arc<Source> = Arc::clone(source);
    world.live_with(|builder| builder.tool_source(Arc::clone(&shared) as Arc<dyn ToolSource>))
}

#[test]
fn a_source_is_asked_when_a_step_needs_it_and_closed_at_the_end() {
    let world = step("tool: far.look, args: {n: 3}");
    let source = Source::down(0);
    let life = live(&world, &source);
    assert_eq!(
        source.asked(),
        0,
        "a workflow that is registered asks nothing"
    );
    let done = life.settle(json!({}));
    assert_eq!(life.trail(done.id), ["a 3"]);
    assert_eq!(source.asked(), 1);
    life.shutdown();
    assert_eq!(source.closed.load(Ordering::SeqCst), 1);
}

#[test]
fn a_source_that_is_down_fails_the_attempt_and_not_the_next_one() {
    let world = step("tool: far.look, args: {n: 3}, retry: {maxAttempts: 2, initialBackoff: 0}");
    let source = Source::down(1);
    let life = live(&world, &source);
    let done = life.settle(json!({}));
    assert_eq!(life.trail(done.id), ["a 3"]);
    assert_eq!(life.journal(done.id)[0].attempt, 2);
}

#[test]
fn what_a_source_does_not_have_or_refuses_is_a_failure_of_the_step() {
    for (rest, words) in [
        ("tool: far.gone", "far has no far.gone"),
        (
            "tool: far.look, args: {n: x}",
            "`args.n` is a string, expected a whole number",
        ),
    ] {
        let world = step(rest);
        let life = live(&world, &Source::down(0));
        let done = life.settle(json!({}));
        let told = &failure(&done).message;
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_name_that_no_source_can_have_is_refused_with_its_file() {
    let world = step("tool: near.look");
    let life = live(&world, &Source::down(0));
    let report = &life.gateway.started().files[0];
    assert!(
        report
            .diagnostics
            .to_string()
            .contains("there is no tool `near.look`")
    );
}

#[test]
fn an_interrupted_call_is_repeated_if_its_source_says_that_it_may_be() {
    for (tool, down, repeated) in [("look", 0, true), ("ask", 0, false), ("look", 1, false)] {
        let world = step(&format!("tool: far.{tool}, args: {{hang: true}}"));
        let source = Source::down(0);
        let life = live(&world, &source);
        let id = life.start("w", json!({}));
        source.until_asked(&life, 1);
        life.kill();
        let source = Source::down(down);
        let life = live(&world, &source);
        if repeated {
            // Once for its effect, and once for the attempt.
            source.until_asked(&life, 2);
        } else {
            assert!(is_paused(&life.wait(id)));
        }
        life.kill();
    }
}

#[test]
fn two_sources_of_one_name_are_a_mistake_of_the_host() {
    let builder = gateway::Gateway::builder()
        .tool_source(Source::down(0))
        .tool_source(Source::down(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = runtime.block_on(builder.start()).err().unwrap();
    assert!(
        refused
            .to_string()
            .contains("two sources of tools have the name `far`")
    );
}
