//! Compares the database with what is known outside of it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use gateway::workflow_types::approval::{Decision, Gate, GateKind, GateState, Resolution};
use gateway::workflow_types::execution::{
    ExecutionState, FailureKind, Outcome, StepFailureKind, Visit, VisitState,
};

use crate::law::{Breach, Law};
use crate::ledger::{Effect, Outside, Promise};
use crate::survey::{Details, Survey};
use crate::workflow::{self, Task};

/// What earlier looks at the same database have shown.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// The keys of visits that a kill found begun.
    interrupted: BTreeSet<String>,
    /// How many effects each visit had when its result was found recorded.
    settled: BTreeMap<String, usize>,
}

impl Past {
    /// Remembers where the visits stand.
    pub(crate) fn remember(&mut self, survey: &Survey, outside: &Outside) {
        let effects = by_key(&outside.effects);
        for visit in survey.details.values().flat_map(|details| &details.journal) {
            let key = visit.idempotency_key();
            match &visit.state {
                VisitState::Begun => {
                    self.interrupted.insert(key);
                }
                VisitState::Done { .. } => {
                    let count = effects.get(key.as_str()).map_or(0, Vec::len);
                    self.settled.entry(key).or_insert(count);
                }
                VisitState::Ready | VisitState::Waiting | VisitState::BackingOff { .. } => {}
            }
        }
    }
}

/// Every law that is broken by what a kill left.
pub(crate) fn at_kill(survey: &Survey, outside: &Outside, past: &Past) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let problems = survey.problems.iter();
    breaches.extend(problems.map(|problem| Breach::new(Law::DatabaseSound, problem)));
    identities(survey, outside, &mut breaches);
    let effects = by_execution(&outside.effects);
    for (id, details) in &survey.details {
        let effects = effects.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        Case { details, effects }.check(past, &mut breaches);
    }
    breaches.extend(strangers(survey, &effects));
    answers(survey, outside, &mut breaches);
    breaches
}

/// Every law that is broken when all is said to be at its end, and these tasks done.
pub(crate) fn at_rest(
    survey: &Survey,
    outside: &Outside,
    past: &Past,
    tasks: &[Task],
) -> Vec<Breach> {
    let mut breaches = at_kill(survey, outside, past);
    let effects = by_execution(&outside.effects);
    for (id, details) in &survey.details {
        let effects = effects.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        Case { details, effects }.check_end(&mut breaches);
    }
    let there: BTreeSet<String> = survey.executions.iter().filter_map(key).collect();
    for task in tasks.iter().filter(|task| !there.contains(&task.key())) {
        breaches.push(Breach::new(
            Law::StartKept,
            format!("{} is not there", task.key()),
        ));
    }
    breaches.extend(mixed(survey, outside));
    breaches
}

fn key(execution: &gateway::workflow_types::execution::Execution) -> Option<String> {
    execution.idempotency_key.as_ref().map(ToString::to_string)
}

/// Which execution belongs to which key, in the database and as it was answered.
fn identities(survey: &Survey, outside: &Outside, breaches: &mut Vec<Breach>) {
    let mut of_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for execution in &survey.executions {
        let key = key(execution).unwrap_or_default();
        of_key
            .entry(key)
            .or_default()
            .push(execution.id.to_string());
    }
    for (key, ids) in of_key.iter().filter(|(_, ids)| ids.len() > 1) {
        let detail = format!("{key} started {}", ids.join(" and "));
        breaches.push(Breach::new(Law::OneForEachKey, detail));
    }
    for promise in &outside.promises {
        let Promise::Started { task, id } = promise else {
            continue;
        };
        if !of_key.get(task).is_some_and(|ids| ids.contains(id)) {
            let detail = format!("{task} was answered {id}, which is not there");
            breaches.push(Breach::new(Law::StartKept, detail));
        }
    }
}

/// Effects of executions that are not there.
fn strangers(survey: &Survey, effects: &BTreeMap<&str, Vec<&Effect>>) -> Vec<Breach> {
    let known: BTreeSet<String> = survey
        .executions
        .iter()
        .map(|execution| execution.id.to_string())
        .collect();
    let unknown = effects.keys().filter(|id| !known.contains(**id));
    unknown
        .map(|id| {
            Breach::new(
                Law::BegunBeforeEffect,
                format!("execution {id} is not there"),
            )
        })
        .collect()
}

/// What clients were answered, beside what became of it.
fn answers(survey: &Survey, outside: &Outside, breaches: &mut Vec<Breach>) {
    let all = survey.details.values();
    let gates: BTreeMap<String, &Gate> = all
        .flat_map(|details| &details.gates)
        .map(|gate| (gate.id.to_string(), gate))
        .collect();
    for promise in &outside.promises {
        let kept = match promise {
            Promise::Started { .. } => true,
            Promise::Decided { gate, word } => {
                gates.get(gate).is_none_or(|gate| decided(gate) == *word)
            }
            Promise::Cancelled { id } => survey.details.get(id).is_none_or(is_cancelled),
            Promise::Ended { id, status } => survey
                .details
                .get(id)
                .is_none_or(|details| details.execution.state.status().to_string() == *status),
        };
        if !kept {
            breaches.push(Breach::new(Law::AnswerKept, format!("{promise:?}")));
        }
    }
}

/// What was said of a gate.
fn decided(gate: &Gate) -> &'static str {
    match &gate.state {
        GateState::Decided(vote) => vote.decision.as_str(),
        GateState::Resolved(by) => by.resolution.as_str(),
        GateState::Waiting => "waiting",
        GateState::Expired { .. } => "expired",
        GateState::Withdrawn { .. } => "withdrawn",
    }
}

fn is_cancelled(details: &Details) -> bool {
    match &details.execution.state {
        ExecutionState::Running => details.cancellation.is_some(),
        ExecutionState::Failed { failure, .. } => failure.kind == FailureKind::Cancelled,
        ExecutionState::Paused { .. } | ExecutionState::Completed { .. } => false,
    }
}

/// One execution with its effects.
struct Case<'a> {
    details: &'a Details,
    effects: &'a [&'a Effect],
}

impl Case<'_> {
    fn check(&self, past: &Past, breaches: &mut Vec<Breach>) {
        for effect in self.effects {
            let visit = self.visit(&effect.key);
            if !visit.is_some_and(|visit| self.has_begun(visit, effect.attempt)) {
                let found = visit.map(|visit| visit.state.status().to_string());
                let found = found.unwrap_or_else(|| "not there".to_owned());
                let detail = format!("{} attempt {}: {found}", effect.key, effect.attempt);
                breaches.push(Breach::new(Law::BegunBeforeEffect, detail));
            }
        }
        for visit in &self.details.journal {
            self.check_visit(visit, past, breaches);
        }
        self.check_keys(breaches);
    }

    fn check_visit(&self, visit: &Visit, past: &Past, breaches: &mut Vec<Breach>) {
        let key = visit.idempotency_key();
        let count = self.effects.iter().filter(|it| it.key == key).count();
        let mut broken = |law, detail: String| breaches.push(Breach::new(law, detail));
        if let Some(settled) = past.settled.get(&key)
            && *settled != count
        {
            let detail = format!("{key}: {settled} effects when it was over, now {count}");
            broken(Law::NotAfterItsResult, detail);
        }
        if count > 0 && !self.is_approved(visit) {
            broken(Law::ApprovedBeforeEffect, key.clone());
        }
        let workflow = self.details.execution.workflow_id.as_ref();
        if workflow::is_at_most_once(workflow, visit.step.as_ref()) {
            let allowed = 1 + self.reruns(visit);
            if count > allowed {
                broken(
                    Law::AtMostOnce,
                    format!("{key}: {count} times, allowed {allowed}"),
                );
            }
        }
        if self.is_interrupted(visit) && !past.interrupted.contains(&key) {
            broken(Law::InterruptedByKillOnly, key);
        }
    }

    /// The arguments tell the execution and the step apart from the key: each arrival at a step has
    /// one key, and no effect has another.
    fn check_keys(&self, breaches: &mut Vec<Breach>) {
        for effect in self.effects {
            let belongs = effect.key.strip_prefix(effect.at.as_str());
            if belongs.is_none_or(|rest| !rest.starts_with('/')) {
                let detail = format!("{} under the key {}", effect.at, effect.key);
                breaches.push(Breach::new(Law::SameKey, detail));
            }
        }
    }

    fn visit(&self, key: &str) -> Option<&Visit> {
        let mut journal = self.details.journal.iter();
        journal.find(|visit| visit.idempotency_key() == key)
    }

    /// Whether the journal says of an attempt that it has begun.
    fn has_begun(&self, visit: &Visit, attempt: u32) -> bool {
        match &visit.state {
            VisitState::Ready => visit.attempt > attempt,
            VisitState::Waiting => self
                .gates(visit)
                .any(|gate| gate.kind == GateKind::Interrupted),
            VisitState::Begun | VisitState::BackingOff { .. } | VisitState::Done { .. } => {
                visit.attempt >= attempt
            }
        }
    }

    fn gates(&self, visit: &Visit) -> impl Iterator<Item = &Gate> {
        let number = visit.number;
        let gates = self.details.gates.iter();
        gates.filter(move |gate| gate.visit == number)
    }

    fn is_approved(&self, visit: &Visit) -> bool {
        let mut approvals = self.gates(visit).filter(|it| it.kind == GateKind::Approval);
        approvals.all(|gate| match &gate.state {
            GateState::Decided(vote) => vote.decision == Decision::Approve,
            GateState::Waiting
            | GateState::Resolved(_)
            | GateState::Expired { .. }
            | GateState::Withdrawn { .. } => false,
        })
    }

    /// How often a person said that the step is to be run again.
    fn reruns(&self, visit: &Visit) -> usize {
        let resolved = self.gates(visit).filter(|gate| match &gate.state {
            GateState::Resolved(by) => by.resolution == Resolution::Rerun,
            GateState::Waiting
            | GateState::Decided(_)
            | GateState::Expired { .. }
            | GateState::Withdrawn { .. } => false,
        });
        resolved.count()
    }

    fn is_interrupted(&self, visit: &Visit) -> bool {
        let failed = match &visit.state {
            VisitState::Done {
                outcome: Outcome::Failure(failure),
                ..
            } => failure.kind == StepFailureKind::Interrupted,
            VisitState::Done {
                outcome: Outcome::Success { .. },
                ..
            }
            | VisitState::Ready
            | VisitState::Waiting
            | VisitState::Begun
            | VisitState::BackingOff { .. } => false,
        };
        failed
            || self
                .gates(visit)
                .any(|gate| gate.kind == GateKind::Interrupted)
    }

    fn check_end(&self, breaches: &mut Vec<Breach>) {
        let execution = &self.details.execution;
        let name = key(execution).unwrap_or_default();
        let words = self.details.words();
        if !execution.state.status().is_finished() {
            let detail = format!("{name}: {words}");
            breaches.push(Breach::new(Law::ComesToRest, detail));
            return;
        }
        let ends = Task::parse(&name).map_or(&[][..], Task::ends);
        if !ends.contains(&words.as_str()) {
            let detail = format!("{name}: {words}");
            breaches.push(Breach::new(Law::EndAsDefined, detail));
        }
        for visit in &self.details.journal {
            for attempt in self.missing(visit) {
                let detail = format!("{} attempt {attempt}", visit.idempotency_key());
                breaches.push(Breach::new(Law::EffectHappened, detail));
            }
        }
    }

    /// The attempts of a visit whose results are recorded, though they had no effect.
    fn missing(&self, visit: &Visit) -> Vec<u32> {
        let workflow = self.details.execution.workflow_id.as_ref();
        if !workflow::has_effect(workflow, visit.step.as_ref()) {
            return Vec::new();
        }
        let is_resolved = self.gates(visit).any(|gate| decided(gate) == "done");
        let last = match &visit.state {
            VisitState::Done {
                outcome: Outcome::Success { .. },
                ..
            } if !is_resolved => visit.attempt,
            VisitState::Done {
                outcome: Outcome::Failure(failure),
                ..
            } if failure.kind == StepFailureKind::Error => visit.attempt,
            VisitState::Done { .. }
            | VisitState::Ready
            | VisitState::Waiting
            | VisitState::Begun
            | VisitState::BackingOff { .. } => visit.attempt - 1,
        };
        let key = visit.idempotency_key();
        let happened = |attempt: &u32| {
            let mut effects = self.effects.iter();
            effects.any(|effect| effect.key == key && effect.attempt == *attempt)
        };
        (1..=last).filter(|attempt| !happened(attempt)).collect()
    }
}

/// Under a limit of one, the effects of an execution stand together.
fn mixed(survey: &Survey, outside: &Outside) -> Vec<Breach> {
    let limited: BTreeSet<String> = survey
        .executions
        .iter()
        .filter(|execution| execution.workflow_id.as_ref() == "queued")
        .map(|execution| execution.id.to_string())
        .collect();
    let ids = outside
        .effects
        .iter()
        .filter_map(|effect| owner(&effect.key));
    let mut order: Vec<&str> = ids.filter(|id| limited.contains(*id)).collect();
    order.dedup();
    let mut seen = BTreeSet::new();
    let again = order.into_iter().filter(|id| !seen.insert(*id));
    again
        .map(|id| Breach::new(Law::NotMixed, format!("execution {id} was interleaved")))
        .collect()
}

/// The execution of a key.
pub(crate) fn owner(key: &str) -> Option<&str> {
    key.split('/').next()
}

fn by_key(effects: &[Effect]) -> BTreeMap<&str, Vec<&Effect>> {
    let mut by_key: BTreeMap<&str, Vec<&Effect>> = BTreeMap::new();
    for effect in effects {
        by_key.entry(&effect.key).or_default().push(effect);
    }
    by_key
}

/// The effects of each execution, in their order.
pub(crate) fn by_execution(effects: &[Effect]) -> BTreeMap<&str, Vec<&Effect>> {
    let mut by_execution: BTreeMap<&str, Vec<&Effect>> = BTreeMap::new();
    for effect in effects {
        let id = owner(&effect.key).unwrap_or_default();
        by_execution.entry(id).or_default().push(effect);
    }
    by_execution
}
