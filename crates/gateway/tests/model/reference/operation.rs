//! What people do to executions, and what they are answered.

use gateway::ErrorKind;
use gateway::workflow_types::action::{Concurrency, OnLimit};
use gateway::workflow_types::approval::{ResolvedBy, Vote};
use gateway::workflow_types::execution::{
    Cancellation, ExecutionState, ExecutionStatus, FailureKind, Outcome, StepFailureKind,
    TriggeredBy, Visit, VisitState,
};
use gateway::workflow_types::id::{ExecutionId, StepId};
use serde_json::{Value, json};

use super::run::{Doing, Run};
use super::{Moment, Reference, SOME_TEXT};

/// What an operation is answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Done,
    /// The execution that was started, now or before.
    Started(ExecutionId),
    Settled,
    Counted,
    Repeated,
    Requested,
    Refused(ErrorKind),
}

/// A new execution, and the id that it has if it is stored.
pub(crate) struct Begin {
    pub(crate) flow: usize,
    pub(crate) input: Value,
    pub(crate) key: Option<u8>,
    pub(crate) by: TriggeredBy,
    pub(crate) id: ExecutionId,
}

/// A repetition of a finished execution, and the id that it has if it is stored.
pub(crate) struct Repeat {
    pub(crate) origin: usize,
    pub(crate) from: Option<StepId>,
    pub(crate) key: Option<u8>,
    pub(crate) id: ExecutionId,
}

/// What a limit says to one more execution.
enum Entry {
    Begins,
    Waits,
    Refused,
}

impl Reference {
    pub(crate) fn edit(&mut self, flow: usize) -> Answer {
        let registered = &mut self.flows[flow];
        if registered.versions == 1 && registered.flow.editions.len() > 1 {
            self.features.insert("a workflow was edited");
        }
        registered.versions = (registered.versions + 1).min(registered.flow.editions.len());
        Answer::Done
    }

    pub(crate) fn start(&mut self, begin: Begin) -> Answer {
        let registered = &self.flows[begin.flow];
        let Some(newest) = registered.versions.checked_sub(1) else {
            return Answer::Refused(ErrorKind::NotFound);
        };
        let edition = registered.flow.editions[newest].clone();
        let mut input = begin.input;
        if edition.written.get("input").is_some() && input.get("n").is_none() {
            input["n"] = json!(1);
        }
        let run = Run {
            id: begin.id,
            flow: begin.flow,
            flow_id: registered.flow.id,
            edition,
            input,
            by: begin.by,
            key: begin.key,
            origin: None,
            started_at: self.now,
            begun: true,
            visits: Vec::new(),
            attempts: Vec::new(),
            gates: Vec::new(),
            cancelled: None,
            state: ExecutionState::Running,
            doing: Doing::Nothing,
            calls: Vec::new(),
            features: std::collections::BTreeSet::new(),
        };
        let first = run.edition.definition.first_step().id().clone();
        self.enter(run, &first)
    }

    pub(crate) fn retry(&mut self, repeat: &Repeat) -> Answer {
        let origin = &self.runs[repeat.origin];
        if !origin.is_finished() {
            return Answer::Refused(ErrorKind::Conflict);
        }
        let first = match &repeat.from {
            Some(step) => origin.visits.iter().rfind(|visit| visit.step == *step),
            None if origin.state.status() == ExecutionStatus::Failed => origin.visits.last(),
            None => origin.visits.first(),
        };
        let Some(first) = first else {
            return Answer::Refused(ErrorKind::Invalid);
        };
        let (first, step) = (first.number, first.step.clone());
        let copies = origin.visits.iter().filter(|visit| visit.number < first);
        let copies = copies.map(|visit| Visit {
            execution_id: repeat.id,
            reused_from: visit.reused_from.or(Some(origin.id)),
            ..visit.clone()
        });
        let failed = origin.attempts.iter().filter(|failed| failed.visit < first);
        let run = Run {
            id: repeat.id,
            by: TriggeredBy::Manual,
            key: repeat.key,
            origin: Some(origin.id),
            started_at: self.now,
            begun: true,
            visits: copies.collect(),
            attempts: failed.cloned().collect(),
            gates: Vec::new(),
            cancelled: None,
            state: ExecutionState::Running,
            doing: Doing::Nothing,
            calls: Vec::new(),
            ..origin.clone()
        };
        self.features.insert("repeated an execution");
        if first > 1 {
            self.features.insert("took over results");
        }
        self.enter(run, &step)
    }

    /// Stores a new execution that begins, when it is its turn, at a step.
    fn enter(&mut self, mut run: Run, step: &StepId) -> Answer {
        let same =
            |other: &&Run| other.flow == run.flow && run.key.is_some() && other.key == run.key;
        if let Some(earlier) = self.runs.iter().find(same) {
            self.features.insert("a start was repeated");
            return Answer::Started(earlier.id);
        }
        let moment = Moment {
            now: self.now,
            phase: self.phase,
        };
        match self.entry(&run) {
            Entry::Refused => {
                self.features.insert("a start was skipped");
                return Answer::Refused(ErrorKind::Busy);
            }
            Entry::Waits => {
                self.features.insert("a start had to wait");
                run.begun = false;
                if run.origin.is_some() {
                    self.features.insert("a repetition had to wait");
                    run.leave(moment, step);
                }
            }
            Entry::Begins => run.visit(moment, step),
        }
        let id = run.id;
        self.features.append(&mut run.features);
        self.runs.push(run);
        Answer::Started(id)
    }

    fn entry(&self, run: &Run) -> Entry {
        let Some(Concurrency { limit, on_limit }) = run.edition.definition.concurrency() else {
            return Entry::Begins;
        };
        let of_flow = |other: &&Run| other.flow == run.flow && !other.is_finished();
        let unfinished: Vec<_> = self.runs.iter().filter(of_flow).collect();
        let begun = unfinished.iter().filter(|other| other.begun).count();
        let limit = limit.get() as usize;
        match on_limit {
            OnLimit::Skip if unfinished.len() >= limit => Entry::Refused,
            OnLimit::Queue if begun >= limit || unfinished.len() > begun => Entry::Waits,
            OnLimit::Skip | OnLimit::Queue => Entry::Begins,
        }
    }

    pub(crate) fn cancel(&mut self, place: usize, asked: Cancellation) -> Answer {
        let at = self.now;
        let run = &mut self.runs[place];
        if run.cancelled.is_some() {
            return Answer::Repeated;
        }
        if run.is_finished() {
            return Answer::Refused(ErrorKind::Conflict);
        }
        run.cancelled = Some(asked);
        let open = run.visits.last().map(|open| open.state.clone());
        let (step, feature) = match open {
            // Whoever makes the attempt ends it.
            Some(VisitState::Begun) => return Answer::Requested,
            None => (None, "cancelled before its turn"),
            Some(VisitState::Waiting) => (Some(run.open().step.clone()), "cancelled at a gate"),
            Some(VisitState::BackingOff { .. }) => {
                (Some(run.open().step.clone()), "cancelled before an attempt")
            }
            Some(VisitState::Ready | VisitState::Done { .. }) => {
                (Some(run.open().step.clone()), "cancelled between steps")
            }
        };
        if step.is_some() {
            run.close(at, Outcome::failure(StepFailureKind::Cancelled, SOME_TEXT));
        }
        run.fail(at, step, FailureKind::Cancelled);
        self.features.insert(feature);
        Answer::Requested
    }

    pub(crate) fn vote(&mut self, (run, gate): (usize, usize), vote: Vote) -> Answer {
        let answer = self.runs[run].vote(gate, vote);
        self.collect(run, answer)
    }

    pub(crate) fn resolve(&mut self, (run, gate): (usize, usize), by: ResolvedBy) -> Answer {
        let answer = self.runs[run].resolve(gate, by);
        self.collect(run, answer)
    }

    fn collect(&mut self, run: usize, answer: Answer) -> Answer {
        self.features.append(&mut self.runs[run].features);
        answer
    }
}

impl Run {
    /// Its first own visit is made when it is its turn.
    fn leave(&mut self, moment: Moment, step: &StepId) {
        self.visits.push(Visit {
            execution_id: self.id,
            number: u32::try_from(self.visits.len()).unwrap() + 1,
            step: step.clone(),
            attempt: 1,
            request: None,
            begun_at: moment.now,
            state: VisitState::Ready,
            reused_from: None,
        });
    }
}
