//! The law of admission: whatever is started, finished and killed when, no limit is ever passed,
//! everything is carried to its end, and executions of a workflow begin in their order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gateway::{Effect, Tool, ToolCall, ToolError, ToolSpec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{Life, World, verdict};

/// A tool that measures how many of its calls run at once, of each group and of all.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<Mutex<Measured>>);

#[derive(Default)]
struct Measured {
    calls: Vec<String>,
    running: HashMap<String, usize>,
    most: HashMap<String, usize>,
    /// What the calls wait for; none if they do not.
    leave: Option<Arc<Semaphore>>,
}

/// A call that runs, until it is dropped.
struct Running(Gauge, String);

impl Gauge {
    fn waiting() -> (Self, Arc<Semaphore>) {
        let leave = Arc::new(Semaphore::new(0));
        let gauge = Self::default();
        gauge.0.lock().unwrap().leave = Some(Arc::clone(&leave));
        (gauge, leave)
    }

    /// The keys of all calls, in their order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }

    /// The most calls that ran at once.
    pub(crate) fn most(&self) -> usize {
        self.most_of("")
    }

    fn most_of(&self, group: &str) -> usize {
        *self.0.lock().unwrap().most.get(group).unwrap_or(&0)
    }

    fn enter(&self, group: &str, key: String) -> Running {
        let mut measured = self.0.lock().unwrap();
        measured.calls.push(key);
        for name in ["", group] {
            let running = measured.running.entry(name.to_owned()).or_default();
            *running += 1;
            let running = *running;
            let most = measured.most.entry(name.to_owned()).or_default();
            *most = running.max(*most);
        }
        Running(self.clone(), group.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self(gauge, group) = self;
        let mut measured = gauge.0.lock().unwrap();
        for name in ["", group] {
            *measured.running.get_mut(name).unwrap() -= 1;
        }
    }
}

#[async_trait]
impl Tool for Gauge {
    fn spec(&self) -> ToolSpec {
        ToolSpec::new("gauged".parse().unwrap(), "measures", Effect::Idempotent)
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let group = call.args.get("group").and_then(Value::as_str);
        let running = self.enter(group.unwrap_or("all"), call.idempotency_key.clone());
        let leave = self.0.lock().unwrap().leave.clone();
        match leave {
            Some(leave) => leave.acquire().await.unwrap().forget(),
            None => tokio::task::yield_now().await,
        }
        drop(running);
        Ok(Value::Null)
    }
}

/// What happens to the gateway.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// One more execution of a workflow, by its number.
    Start(usize),
    /// So many calls may end.
    LetGo(usize),
    Kill,
}

/// The workflows: their limits, and the gateway's own.
const LIMITS: [(&str, Option<usize>); 3] = [("one", Some(1)), ("two", Some(2)), ("any", None)];
const SLOTS: usize = 3;

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (0..LIMITS.len()).prop_map(Event::Start),
        4 => (1_usize..4).prop_map(Event::LetGo),
        1 => Just(Event::Kill),
    ];
    prop::collection::vec(event, 1..40)
}

fn world() -> World {
    let world = World::new();
    for (id, limit) in LIMITS {
        let limit = limit.map_or_else(String::new, |limit| {
            format!("concurrency: {{limit: {limit}}}\n")
        });
        let step = |name| {
            format!(
                "  - {{id: {name}, action: tool, tool: gauged, args: {{group: {id}}}, timeout: 7d}}\n"
            )
        };
        world.write(id, &format!("{limit}steps:\n{}{}", step("a"), step("b")));
    }
    world
}

fn live(world: &World, gauge: &Gauge) -> Life {
    world.live_with(|builder| {
        builder
            .max_concurrent_executions(SLOTS)
            .durability(gateway::store::Durability::Normal)
            .tool(gauge.clone())
    })
}

/// Whether the first calls of executions came in the order of their starts: exactly, if one runs
/// at a time, and among those that are taken up together as it happens.
fn in_order(calls: &[String], started: &[String], at_once: usize) -> bool {
    let mut missing: Vec<&String> = started.iter().collect();
    for call in calls {
        let id = call.split('/').next().unwrap();
        if let Some(place) = missing.iter().position(|one| *one == id) {
            if place >= at_once {
                return false;
            }
            missing.remove(place);
        }
    }
    missing.is_empty()
}

fn check(events: &[Event]) {
    let world = world();
    let (gauge, leave) = Gauge::waiting();
    let mut life = live(&world, &gauge);
    let mut started: HashMap<usize, Vec<String>> = HashMap::new();
    let mut ids = Vec::new();
    for event in events {
        match event {
            Event::Start(number) => {
                world.clock.advance(Duration::from_millis(1));
                let id = life.start(LIMITS[*number].0, json!({}));
                started.entry(*number).or_default().push(id.to_string());
                ids.push(id);
            }
            Event::LetGo(calls) => leave.add_permits(*calls),
            Event::Kill => {
                life.kill();
                life = live(&world, &gauge);
            }
        }
    }
    leave.add_permits(100_000);
    for id in ids {
        assert_eq!(verdict(&life.wait(id)), None);
    }
    life.check(&world);
    assert!(gauge.most() <= SLOTS, "{} ran at once", gauge.most());
    for (number, started) in started {
        let (id, limit) = LIMITS[number];
        let most = gauge.most_of(id);
        assert!(most <= limit.unwrap_or(SLOTS), "{most} of {id} ran at once");
        let calls = gauge.calls();
        let at_once = limit.unwrap_or(SLOTS);
        assert!(
            in_order(&calls, &started, at_once),
            "{id}: {calls:?} {started:?}"
        );
    }
}

#[test]
fn no_limit_is_passed_and_everything_ends_in_order_whatever_happens() {
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&events(), |events| {
            check(&events);
            Ok(())
        })
        .unwrap();
}
