//! The law of the walk: whatever the definition and whatever its tools answer, the journal is that
//! of a tiny interpreter; and a sudden end at any point changes nothing of it.

use gateway::workflow_types::WorkflowDefinition;
use gateway::workflow_types::execution::{ExecutionState, FailureKind};
use gateway::workflow_types::id::ExecutionId;
use gateway::{Event, EventSeq};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Life, World, verdict, workflow};

/// A workflow with what its tools will answer and what the people at its gates will say.
#[derive(Debug, Clone)]
struct Plan {
    steps: Vec<Step>,
    max_steps: u32,
    /// What the tool answers: a number, or that it fails for now (-1) or for good (-2).
    dice: Vec<i64>,
    /// Every gate of a visit whose number this divides is denied.
    denied: u32,
}

#[derive(Debug, Clone)]
struct Step {
    is_tool: bool,
    is_gated: bool,
    attempts: u32,
    branches: Vec<(i64, Goto)>,
    on_success: Option<Goto>,
    on_failure: Option<Goto>,
}

#[derive(Debug, Clone, Copy)]
enum Goto {
    /// A step, by its position modulo their number.
    Step(usize),
    End,
    Fail,
}

/// Which answer the tool gives at an attempt of a visit; the same after a restart.
pub(crate) fn throw(dice: &[i64], visit: u32, attempt: u32) -> i64 {
    dice[(visit as usize * 3 + attempt as usize) % dice.len()]
}

fn plans() -> impl Strategy<Value = Plan> {
    let goto = || {
        prop_oneof![
            6 => (0_usize..5).prop_map(Goto::Step),
            1 => Just(Goto::End),
            1 => Just(Goto::Fail),
        ]
    };
    let step = (
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.25),
        1_u32..4,
        prop::collection::vec((0_i64..4, goto()), 0..3),
        prop::option::of(goto()),
        prop::option::of(goto()),
    );
    let step = step.prop_map(
        |(is_tool, is_gated, attempts, branches, on_success, on_failure)| Step {
            is_tool,
            is_gated,
            attempts,
            branches,
            on_success,
            on_failure,
        },
    );
    (
        prop::collection::vec(step, 1..6),
        1_u32..14,
        prop::collection::vec(-2_i64..6, 1..8),
        2_u32..6,
    )
        .prop_map(|(steps, max_steps, dice, denied)| Plan {
            steps,
            max_steps,
            dice,
            denied,
        })
}

impl Plan {
    fn target(&self, goto: Goto) -> String {
        match goto {
            Goto::Step(position) => format!("s{}", position % self.steps.len()),
            Goto::End => "$end".to_owned(),
            Goto::Fail => "$fail".to_owned(),
        }
    }

    fn definition(&self) -> WorkflowDefinition {
        let steps = self.steps.iter().enumerate().map(|(position, step)| {
            let mut written = json!({"id": format!("s{position}"), "action": "noop"});
            if step.is_tool {
                written["action"] = json!("tool");
                written["tool"] = json!("put");
                written["args"] = json!({"do": "throw"});
                written["retry"] = json!({"maxAttempts": step.attempts, "initialBackoff": 0});
            }
            if step.is_gated {
                written["approvalRequired"] = json!(true);
            }
            if !step.branches.is_empty() {
                let branch = |(above, goto): &(i64, Goto)| {
                    json!({"condition": format!("result > {above}"), "goto": self.target(*goto)})
                };
                written["branches"] = step.branches.iter().map(branch).collect();
            }
            for (key, goto) in [("onSuccess", step.on_success), ("onFailure", step.on_failure)] {
                if let Some(goto) = goto {
                    written[key] = json!(self.target(goto));
                }
            }
            written
        });
        let steps: Vec<Value> = steps.collect();
        let written = json!({"name": "law", "maxSteps": self.max_steps, "steps": steps});
        WorkflowDefinition::from_json(&written).unwrap()
    }

    /// What the journal and the verdict must be, by the rules as they are written down.
    fn expected(&self) -> (Vec<String>, Option<FailureKind>) {
        let mut trail = Vec::new();
        let mut position = 0;
        for visit in 1.. {
            if visit > self.max_steps {
                return (trail, Some(FailureKind::StepLimit));
            }
            let step = &self.steps[position];
            let (word, went) = self.outcome(step, visit);
            trail.push(format!("s{position} {word}"));
            let goto = match went {
                Ok(value) => step
                    .branches
                    .iter()
                    .find(|(above, _)| value.is_some_and(|value| value > *above))
                    .map(|(_, goto)| *goto)
                    .or(step.on_success)
                    .unwrap_or(if position + 1 < self.steps.len() {
                        Goto::Step(position + 1)
                    } else {
                        Goto::End
                    }),
                Err(kind) => match step.on_failure {
                    Some(goto) => goto,
                    None => return (trail, Some(kind)),
                },
            };
            match goto {
                Goto::Step(next) => position = next % self.steps.len(),
                Goto::End => return (trail, None),
                Goto::Fail => return (trail, Some(FailureKind::StepFailed)),
            }
        }
        unreachable!("the limit of visits comes first")
    }

    fn outcome(&self, step: &Step, visit: u32) -> (String, Result<Option<i64>, FailureKind>) {
        if step.is_gated && visit.is_multiple_of(self.denied) {
            return ("denied".to_owned(), Err(FailureKind::Denied));
        }
        if !step.is_tool {
            return ("null".to_owned(), Ok(None));
        }
        for attempt in 1..=step.attempts {
            match throw(&self.dice, visit, attempt) {
                -1 => {}
                -2 => break,
                value => return (value.to_string(), Ok(Some(value))),
            }
        }
        ("error".to_owned(), Err(FailureKind::StepFailed))
    }

    /// Answers the gate at which an execution waits; whether it is at its end.
    fn answer(&self, life: &Life, id: ExecutionId) -> bool {
        let execution = life.wait(id);
        if !matches!(execution.state, ExecutionState::Paused { .. }) {
            return true;
        }
        let gate = life.gate(id);
        if gate.visit.is_multiple_of(self.denied) {
            life.deny(&gate, "ann").unwrap();
        } else {
            life.approve(&gate, "ann").unwrap();
        }
        false
    }
}

fn start(life: &Life, world: &World, plan: &Plan) -> ExecutionId {
    world.ledger.load(&plan.dice);
    let registering = life
        .gateway
        .register_definition(workflow("law"), plan.definition(), "test");
    life.run(registering).unwrap();
    life.start("law", json!({}))
}

fn check<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    if let Err(error) = TestRunner::new(config).run(strategy, test) {
        panic!("{error}");
    }
}

fn finish(life: &Life, plan: &Plan, id: ExecutionId) -> Result<(), TestCaseError> {
    while !plan.answer(life, id) {}
    let (trail, kind) = plan.expected();
    prop_assert_eq!(life.trail(id), trail);
    prop_assert_eq!(verdict(&life.wait(id)), kind);
    Ok(())
}

/// The events of an execution are what was told of them before, and more after it, wherever the
/// reading begins and however much is read at once.
fn grows(life: &Life, id: ExecutionId, told: &mut Vec<Event>) -> Result<(), TestCaseError> {
    let now = read(life, id, EventSeq::START, 1_000);
    prop_assert!(now.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    prop_assert!(now.len() >= told.len());
    prop_assert_eq!(&now[..told.len()], &told[..]);
    // More may have happened meanwhile, but only after it.
    for (place, limit) in [(0, 1), (told.len() / 2, 2), (told.len(), 5)] {
        let after = place
            .checked_sub(1)
            .map_or(EventSeq::START, |last| now[last].seq);
        let rest = read(life, id, after, limit);
        prop_assert!(rest.len() >= now.len() - place);
        prop_assert_eq!(&rest[..now.len() - place], &now[place..]);
    }
    *told = now;
    Ok(())
}

/// Every event after a place that there is now, read so many at once.
fn read(life: &Life, id: ExecutionId, mut after: EventSeq, limit: usize) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let page = life.run(life.gateway.reader().events(id, after, limit));
        let page = page.unwrap();
        let Some(last) = page.items.last() else {
            return events;
        };
        after = last.seq;
        events.extend(page.items);
    }
}

/// What a watcher of a finished execution is told.
fn watched(life: &Life, id: ExecutionId) -> Vec<Event> {
    let mut watch = life.gateway.watch(id, EventSeq::START);
    std::iter::from_fn(|| life.run(watch.next()))
        .map(Result::unwrap)
        .collect()
}

#[test]
fn every_walk_is_that_of_the_reference() {
    let world = World::new();
    let life = world.live();
    check(150, &plans(), |plan| {
        let id = start(&life, &world, &plan);
        finish(&life, &plan, id)
    });
    life.check(&world);
}

#[test]
fn a_sudden_end_at_any_point_changes_nothing_of_the_walk() {
    let points = prop::collection::vec(0_usize..12, 1..4);
    check(40, &(plans(), points), |(plan, points)| {
        let world = World::new();
        let mut life = world.live();
        let id = start(&life, &world, &plan);
        let mut follower = life.gateway.follow(id);
        let mut told = Vec::new();
        for point in points {
            for _ in 0..point {
                grows(&life, id, &mut told)?;
                if plan.answer_if_asked(&life, id) {
                    break;
                }
                life.run(follower.changed());
            }
            life.kill();
            life = world.live();
            follower = life.gateway.follow(id);
            grows(&life, id, &mut told)?;
        }
        finish(&life, &plan, id)?;
        grows(&life, id, &mut told)?;
        prop_assert_eq!(watched(&life, id), told);
        life.check(&world);
        Ok(())
    });
}

impl Plan {
    /// Answers a gate, if the execution waits at one now; whether it is at its end.
    fn answer_if_asked(&self, life: &Life, id: ExecutionId) -> bool {
        let execution = life.run(life.gateway.reader().execution(id)).unwrap();
        execution.state.status().is_at_rest() && self.answer(life, id)
    }
}
