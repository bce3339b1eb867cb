//! Each law can be broken: what a life has left is altered, and the law says so.

use std::collections::BTreeSet;

use gateway::workflow_types::execution::{ExecutionState, Outcome, StepFailureKind, VisitState};
use tempfile::TempDir;

use super::*;
use crate::live::{self, Sync};
use crate::survey::{self, Closely};

/// What a life has left that nobody killed.
struct Left {
    survey: Survey,
    outside: Outside,
    past: Past,
    tasks: Vec<Task>,
}

impl Left {
    fn by(scenario: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let options = live::Options {
            directory: directory.path().to_owned(),
            scenario: scenario.to_owned(),
            first: 0,
            count: 0,
            sync: Sync::Normal,
            mutation: None,
        };
        live::run(&options).unwrap();
        let survey = survey::take(directory.path(), &Closely::All).unwrap();
        Self {
            survey: survey.unwrap(),
            outside: Outside::read(directory.path()).unwrap(),
            past: Past::default(),
            tasks: workflow::tasks(scenario).unwrap(),
        }
    }

    fn broken(&self) -> BTreeSet<Law> {
        let breaches = at_rest(&self.survey, &self.outside, &self.past, &self.tasks);
        breaches.into_iter().map(|breach| breach.law).collect()
    }

    /// The execution of a task.
    fn of(&mut self, task: &str) -> &mut Details {
        let mut all = self.survey.details.values_mut();
        all.find(|it| key(&it.execution).as_deref() == Some(task))
            .unwrap()
    }

    /// The key of the visit of a step.
    fn key(&mut self, task: &str, step: &str) -> String {
        let mut journal = self.of(task).journal.iter();
        let visit = journal.find(|visit| visit.step.as_ref() == step).unwrap();
        visit.idempotency_key()
    }

    /// One more effect of a visit.
    fn effect(&mut self, task: &str, step: &str, attempt: u32) {
        let key = self.key(task, step);
        let (at, _) = key.rsplit_once('/').unwrap();
        let at = at.to_owned();
        self.outside.effects.push(Effect { at, key, attempt });
    }

    fn id(&mut self, task: &str) -> String {
        self.of(task).execution.id.to_string()
    }
}

/// Which laws an alteration breaks.
fn check(scenario: &str, alter: impl FnOnce(&mut Left), expect: &[Law]) {
    let mut left = Left::by(scenario);
    assert_eq!(left.broken(), BTreeSet::new(), "before it was altered");
    alter(&mut left);
    assert_eq!(left.broken(), expect.iter().copied().collect());
}

#[test]
fn an_effect_that_is_missing_is_noticed() {
    let alter = |left: &mut Left| {
        left.outside.effects.pop();
    };
    check("plain", alter, &[Law::EffectHappened]);
}

#[test]
fn an_effect_that_is_repeated_is_noticed_if_it_may_not_be() {
    check("plain", |left| left.effect("plain.0", "one", 1), &[]);
    let alter = |left: &mut Left| left.effect("fail.0", "risky", 1);
    check("fail", alter, &[Law::AtMostOnce]);
}

#[test]
fn an_effect_after_its_result_is_noticed_whatever_may_be_repeated() {
    let alter = |left: &mut Left| {
        left.past.remember(&left.survey, &left.outside);
        left.effect("plain.0", "one", 1);
    };
    check("plain", alter, &[Law::NotAfterItsResult]);
}

#[test]
fn an_effect_of_what_has_not_begun_is_noticed() {
    let alter = |left: &mut Left| left.effect("plain.0", "one", 2);
    check("plain", alter, &[Law::BegunBeforeEffect]);
    let stranger = |left: &mut Left| {
        let (at, key) = ("x/one".to_owned(), "x/one/1".to_owned());
        left.outside.effects.push(Effect {
            at,
            key,
            attempt: 1,
        });
    };
    check("plain", stranger, &[Law::BegunBeforeEffect]);
}

#[test]
fn an_effect_that_was_denied_is_noticed() {
    let alter = |left: &mut Left| left.effect("gated.2", "publish", 1);
    check("gated", alter, &[Law::ApprovedBeforeEffect]);
}

#[test]
fn a_repetition_under_another_key_is_noticed() {
    let alter = |left: &mut Left| {
        let other = left.outside.effects[1].key.clone();
        left.outside.effects[0].key = other;
    };
    check("plain", alter, &[Law::SameKey, Law::EffectHappened]);
}

#[test]
fn executions_that_are_mixed_are_noticed() {
    check(
        "queued",
        |left| left.outside.effects.swap(1, 2),
        &[Law::NotMixed],
    );
}

#[test]
fn what_was_answered_and_is_not_so_is_noticed() {
    let started = |left: &mut Left| {
        let (task, id) = ("plain.0".to_owned(), "another".to_owned());
        left.outside.promises.push(Promise::Started { task, id });
    };
    check("plain", started, &[Law::StartKept]);
    let ended = |left: &mut Left| {
        let (id, status) = (left.id("plain.0"), "failed".to_owned());
        left.outside.promises.push(Promise::Ended { id, status });
    };
    check("plain", ended, &[Law::AnswerKept]);
    let cancelled = |left: &mut Left| {
        let id = left.id("plain.0");
        left.outside.promises.push(Promise::Cancelled { id });
    };
    check("plain", cancelled, &[Law::AnswerKept]);
    let decided = |left: &mut Left| {
        let gate = left.of("gated.2").gates[0].id.to_string();
        let word = "approve".to_owned();
        left.outside.promises.push(Promise::Decided { gate, word });
    };
    check("gated", decided, &[Law::AnswerKept]);
}

#[test]
fn a_task_that_is_not_there_and_one_that_is_there_twice_are_noticed() {
    let lost = |left: &mut Left| left.tasks.extend(workflow::tasks("rerun").unwrap());
    check("plain", lost, &[Law::StartKept]);
    let twice = |left: &mut Left| {
        let again = left.survey.executions[0].clone();
        left.survey.executions.push(again);
    };
    check("plain", twice, &[Law::OneForEachKey]);
}

#[test]
fn an_end_that_is_none_or_another_is_noticed() {
    let runs = |left: &mut Left| {
        // What its client was told of its end is another matter.
        left.outside.promises.clear();
        left.of("plain.0").execution.state = ExecutionState::Running;
    };
    check("plain", runs, &[Law::ComesToRest]);
    let shorter = |left: &mut Left| {
        left.of("plain.0").journal.remove(1);
    };
    check("plain", shorter, &[Law::EndAsDefined]);
}

#[test]
fn an_interruption_that_no_kill_explains_is_noticed() {
    let alter = |left: &mut Left| {
        for visit in &mut left.of("fail.0").journal {
            if let VisitState::Done { outcome, .. } = &mut visit.state {
                *outcome = Outcome::failure(StepFailureKind::Interrupted, "");
            }
        }
    };
    check(
        "fail",
        alter,
        &[Law::InterruptedByKillOnly, Law::EndAsDefined],
    );
}

#[test]
fn damage_is_noticed() {
    let alter = |left: &mut Left| left.survey.problems.push("a hole".to_owned());
    check("plain", alter, &[Law::DatabaseSound]);
}
