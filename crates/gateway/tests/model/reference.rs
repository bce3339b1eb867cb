//! The reference: what must become of every execution, by the rules as they are written down.
//!
//! Small, synchronous and in memory. It shares nothing with the engine but the words of the domain,
//! the definition and its expressions. Each of its moves is one transaction, or one call; whatever
//! order the engine makes them in, what is stored must be one of the states between them.

mod attempt;
mod context;
mod gate;
mod operation;
mod run;
mod walk;

use std::collections::BTreeSet;

use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::GateState;
use gateway::workflow_types::execution::{ExecutionState, VisitState};

use crate::plan::{Flow, Plan, Replies};
pub(crate) use operation::{Answer, Begin, Repeat};
pub(crate) use run::{Asked, Run};

/// Stands for a text whose words the rules leave open.
pub(crate) const SOME_TEXT: &str = "(some text)";

/// Everything that is stored, and what is under way.
#[derive(Clone)]
pub(crate) struct Reference {
    pub(crate) now: Timestamp,
    replies: Replies,
    pub(crate) flows: Vec<Registered>,
    /// In the order of their starts.
    pub(crate) runs: Vec<Run>,
    phase: Phase,
    /// What happened in this case, for the account of what is tested at all.
    pub(crate) features: BTreeSet<&'static str>,
}

/// A workflow and how many of its versions have been registered.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) flow: Flow,
    pub(crate) versions: usize,
}

/// What the process is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Works,
    /// It begins nothing more.
    Drains,
    /// What still runs is told to stop.
    Stops,
}

/// What the current moment means for every run.
#[derive(Clone, Copy)]
struct Moment {
    now: Timestamp,
    phase: Phase,
}

impl Reference {
    pub(crate) fn new(plan: &Plan, now: Timestamp) -> Self {
        let registered = |flow: &Flow| Registered {
            flow: flow.clone(),
            versions: 0,
        };
        Self {
            now,
            replies: plan.replies.clone(),
            flows: plan.flows.iter().map(registered).collect(),
            runs: Vec::new(),
            phase: Phase::Works,
            features: BTreeSet::new(),
        }
    }

    /// Everything that goes on by itself, until nothing does.
    pub(crate) fn go_on(&mut self) {
        let mut moved = true;
        while moved {
            moved = false;
            for run in 0..self.runs.len() {
                moved |= self.step(run);
            }
        }
    }

    /// One move of an execution; answers whether there was one.
    pub(crate) fn step(&mut self, place: usize) -> bool {
        let moment = Moment {
            now: self.now,
            phase: self.phase,
        };
        if !self.runs[place].begun && !self.runs[place].is_finished() {
            return self.admit(place);
        }
        let run = &mut self.runs[place];
        let moved = run.step(moment, &self.replies);
        self.features.append(&mut run.features);
        moved
    }

    /// Gives an execution its turn, if it is its turn.
    fn admit(&mut self, place: usize) -> bool {
        let run = &self.runs[place];
        let of_flow = |other: &&Run| other.flow == run.flow && !other.is_finished();
        let places = self
            .runs
            .iter()
            .filter(of_flow)
            .filter(|other| other.begun)
            .count();
        let is_first = self.runs[..place]
            .iter()
            .filter(of_flow)
            .all(|other| other.begun);
        let limit = run
            .edition
            .definition
            .concurrency()
            .map(|it| it.limit.get() as usize);
        let is_turn = is_first && limit.is_none_or(|limit| places < limit);
        if self.phase != Phase::Works || !is_turn {
            return false;
        }
        self.features.insert("had its turn later");
        self.runs[place].begun = true;
        true
    }

    pub(crate) fn drain(&mut self) {
        self.phase = Phase::Drains;
    }

    pub(crate) fn stop(&mut self) {
        self.phase = Phase::Stops;
    }

    /// A new process: whatever had begun was interrupted.
    pub(crate) fn restart(&mut self) {
        self.phase = Phase::Works;
        for run in &mut self.runs {
            run.interrupt();
        }
    }

    /// The next instant, after now, at which something is due by itself.
    pub(crate) fn next_instant(&self) -> Option<Timestamp> {
        let calls = self.runs.iter().filter_map(Run::call_until);
        let stored = self.timers();
        calls.chain(stored).filter(|at| *at > self.now).min()
    }

    /// The next instant at which a call that runs is told to stop, or is given up.
    pub(crate) fn next_end_of_a_call(&self) -> Option<Timestamp> {
        let calls = self.runs.iter().filter_map(Run::call_until);
        calls.filter(|at| *at > self.now).min()
    }

    /// When the next gate expires, or the next attempt is due.
    pub(crate) fn timers(&self) -> impl Iterator<Item = Timestamp> {
        let gates = self.runs.iter().flat_map(|run| &run.gates);
        let gates = gates
            .filter(|asked| asked.gate.state == GateState::Waiting)
            .filter_map(|asked| asked.gate.expiry)
            .map(|expiry| expiry.at);
        let retries = self
            .runs
            .iter()
            .filter_map(|run| match &run.visits.last()?.state {
                VisitState::BackingOff { until, .. } => Some(*until),
                VisitState::Ready
                | VisitState::Waiting
                | VisitState::Begun
                | VisitState::Done { .. } => None,
            });
        gates.chain(retries)
    }

    /// How many executions run by their rows, and how many of them wait for their turn.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let running = self
            .runs
            .iter()
            .filter(|run| run.state == ExecutionState::Running);
        let queued = running.clone().filter(|run| !run.begun);
        (running.count(), queued.count())
    }
}
