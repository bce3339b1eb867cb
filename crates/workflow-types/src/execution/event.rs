//! What happened in an execution, one event after the other, derived from what is recorded of it.
//!
//! Nothing is stored for events: the journal, the failed attempts, the gates and their votes tell
//! them, and each has a number that follows from its place alone. What is recorded only grows, and
//! grows at its end, so an event that was told once is told the same ever after.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Execution, ExecutionState, FailedAttempt, Failure, FailureKind};
use super::{StepFailure, StepStatus, TurnPlace};
use crate::Timestamp;
use crate::approval::{Gate, GateKind, GateState, Vote};
use crate::id::{ExecutionId, GateId, StepId};

/// The place of an event within its execution.
///
/// `visit << 32 | attempt << 16 | slot`: numbers strictly increase within an execution, but not one
/// by one. They stay below 2^53, so that every JSON reader has them exactly. Visit 0 is the start of
/// the execution; within an attempt the slots count its events from 0. The end of an execution has
/// the slot after the last event of its last visit.
///
/// ```
/// use workflow_types::execution::EventSeq;
/// let second = EventSeq::new(2, 1, 0);
/// assert!(EventSeq::START < EventSeq::new(1, 3, 9) && EventSeq::new(1, 3, 9) < second);
/// assert_eq!(EventSeq::from_number(second.number()), second);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct EventSeq(u64);

impl EventSeq {
    /// Before every event.
    pub const START: Self = Self(0);

    /// The place of a slot of an attempt of a visit.
    pub fn new(visit: u32, attempt: u16, slot: u16) -> Self {
        Self(u64::from(visit) << 32 | u64::from(attempt) << 16 | u64::from(slot))
    }

    /// The place of a number that was told.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number that is told.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The visit in which it lies.
    pub fn visit(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for EventSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something that happened in an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its place.
    pub seq: EventSeq,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// The execution was started.
    ExecutionStarted,
    /// It arrived at a step, or another attempt was due.
    StepStarted {
        /// The step.
        step: StepId,
        /// Its visit.
        visit: u32,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// A model answered that has tools: it calls some, or its answer was refused.
    ModelAnswered {
        /// The step.
        step: StepId,
        /// Its visit.
        visit: u32,
        /// The turn, from 1.
        turn: u32,
        /// The tools that it calls, in their order.
        tools: Vec<String>,
        /// Why the answer was refused; none if it calls tools.
        refused: Option<String>,
    },
    /// A call that a model asked for has begun.
    CallStarted {
        /// The step.
        step: StepId,
        /// Its visit.
        visit: u32,
        /// Which call.
        place: TurnPlace,
        /// The tool.
        tool: String,
    },
    /// A call is over, or was refused before it began; the model is told.
    CallFinished {
        /// The step.
        step: StepId,
        /// Its visit.
        visit: u32,
        /// Which call.
        place: TurnPlace,
        /// The tool.
        tool: String,
        /// How many milliseconds it took; none if it never began.
        ms: Option<u64>,
        /// Why it failed; none after a success.
        failure: Option<StepFailure>,
    },
    /// An attempt failed and another one follows.
    AttemptFailed {
        /// The step.
        step: StepId,
        /// What became of the attempt.
        failed: FailedAttempt,
    },
    /// A gate opened: somebody is asked.
    StepWaits {
        /// The step.
        step: StepId,
        /// Its visit.
        visit: u32,
        /// The gate.
        gate: GateId,
        /// Why it stands there.
        gate_kind: GateKind,
    },
    /// A vote on the gate was counted.
    VoteCounted {
        /// The gate.
        gate: GateId,
        /// The vote.
        vote: Vote,
    },
    /// A gate was decided or resolved, expired, or was withdrawn.
    GateSettled {
        /// The gate.
        gate: GateId,
        /// What became of it.
        state: GateState,
    },
    /// A visit is over.
    StepFinished {
        /// The step.
        step: StepId,
        /// Its visit.
        visit: u32,
        /// Success or failure.
        status: StepStatus,
        /// Why it failed; none after a success.
        failure: Option<StepFailure>,
    },
    /// The execution stands still until somebody decides.
    ExecutionPaused {
        /// The step that waits.
        step: StepId,
    },
    /// It goes on.
    ExecutionResumed,
    /// It came to its end.
    ExecutionCompleted,
    /// It failed.
    ExecutionFailed {
        /// Why.
        failure: Failure,
    },
    /// Somebody cancelled it.
    ExecutionCancelled {
        /// Who, and why.
        failure: Failure,
    },
}

impl EventKind {
    /// The word for programs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::ExecutionStarted => "execution_started",
            Self::StepStarted { .. } => "step_started",
            Self::ModelAnswered { .. } => "model_answered",
            Self::CallStarted { .. } => "call_started",
            Self::CallFinished { .. } => "call_finished",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::StepWaits { .. } => "step_waits",
            Self::VoteCounted { .. } => "vote_counted",
            Self::GateSettled { .. } => "gate_settled",
            Self::StepFinished { .. } => "step_finished",
            Self::ExecutionPaused { .. } => "execution_paused",
            Self::ExecutionResumed => "execution_resumed",
            Self::ExecutionCompleted => "execution_completed",
            Self::ExecutionFailed { .. } => "execution_failed",
            Self::ExecutionCancelled { .. } => "execution_cancelled",
        }
    }
}

/// Some events of an execution, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events.
    pub items: Vec<Event>,
    /// Whether none will ever follow these.
    pub is_last: bool,
}

/// What events need to know of a visit.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitTrace {
    /// Its number.
    pub number: u32,
    /// The step.
    pub step: StepId,
    /// The attempt that runs or ran last.
    pub attempt: u32,
    /// When the execution arrived.
    pub begun_at: Timestamp,
    /// When it was over, and why it failed if it did; none while it is open.
    pub end: Option<(Timestamp, Option<StepFailure>)>,
}

/// What events need to know of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnTrace {
    /// The visit.
    pub visit: u32,
    /// Its number within the visit.
    pub number: u32,
    /// The attempt in which the model was asked.
    pub attempt: u32,
    /// When it answered.
    pub answered_at: Timestamp,
    /// Why the answer was refused.
    pub refused: Option<String>,
    /// Its calls.
    pub calls: Vec<CallTrace>,
}

/// What events need to know of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallTrace {
    /// Its number within the turn.
    pub number: u32,
    /// The tool.
    pub tool: String,
    /// The attempt in which it began or ended.
    pub attempt: u32,
    /// When it began, if it did.
    pub begun_at: Option<Timestamp>,
    /// When it was over, and why it failed if it did; none while it is not.
    pub end: Option<(Timestamp, Option<StepFailure>)>,
}

/// A gate with its votes in the order in which they were counted.
#[derive(Debug, Clone, PartialEq)]
pub struct GateTrace {
    /// The gate.
    pub gate: Gate,
    /// Its votes.
    pub votes: Vec<Vote>,
}

/// What is recorded of a stretch of an execution: consecutive visits of its own, and what belongs
/// to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The execution.
    pub execution: Execution,
    /// The visits, without those that a retry has taken over.
    pub visits: Vec<VisitTrace>,
    /// Their attempts that were followed by another one.
    pub attempts: Vec<FailedAttempt>,
    /// Their gates, those of a visit in the order in which they opened.
    pub gates: Vec<GateTrace>,
    /// The turns of their models, in their order.
    pub turns: Vec<TurnTrace>,
    /// Whether the last of the visits is the last of the journal.
    pub is_whole: bool,
}

impl Trace {
    /// At most `limit` events after a place.
    pub fn events(&self, after: EventSeq, limit: usize) -> EventPage {
        let mut told = Telling {
            execution_id: self.execution.id,
            after,
            place: (0, 0, 1),
            items: Vec::new(),
        };
        told.tell(self.execution.started_at, EventKind::ExecutionStarted);
        for visit in &self.visits {
            self.tell_visit(visit, &mut told);
        }
        let is_over = self.is_whole && self.tell_end(&mut told);
        let mut items = told.items;
        let is_last = is_over && items.len() <= limit;
        items.truncate(limit);
        EventPage { items, is_last }
    }

    fn tell_visit(&self, visit: &VisitTrace, told: &mut Telling) {
        let attempts = self.attempts.iter();
        let failed: Vec<_> = attempts.filter(|one| one.visit == visit.number).collect();
        let mut begins = visit.begun_at;
        for attempt in 1..=visit.attempt {
            told.place = (visit.number, attempt, 0);
            let step = visit.step.clone();
            let started = EventKind::StepStarted {
                step: step.clone(),
                visit: visit.number,
                attempt,
            };
            told.tell(begins, started);
            self.tell_gates((visit.number, attempt), TurnPlace::START, told);
            for turn in self.turns.iter().filter(|one| one.visit == visit.number) {
                self.tell_turn(&visit.step, attempt, turn, told);
            }
            if let Some(&failed) = failed.iter().find(|one| one.attempt == attempt) {
                begins = failed.due_at;
                let failed = failed.clone();
                told.tell(failed.failed_at, EventKind::AttemptFailed { step, failed });
            }
        }
        if let Some((at, failure)) = &visit.end {
            let status = match failure {
                None => StepStatus::Success,
                Some(_) => StepStatus::Failure,
            };
            let finished = EventKind::StepFinished {
                step: visit.step.clone(),
                visit: visit.number,
                status,
                failure: failure.clone(),
            };
            told.tell(*at, finished);
        }
    }

    /// Tells of the gates at a place within an attempt of a visit.
    fn tell_gates(&self, of: (u32, u32), place: TurnPlace, told: &mut Telling) {
        for gate in self.gates_at(of, place) {
            tell_gate(gate, told);
        }
    }

    fn gates_at(&self, of: (u32, u32), place: TurnPlace) -> impl Iterator<Item = &GateTrace> {
        let is_there = move |one: &&GateTrace| {
            let gate = &one.gate;
            (gate.visit, gate.attempt) == of && gate.place == place
        };
        self.gates.iter().filter(is_there)
    }

    /// Tells what happened of a turn within an attempt, which may be a later one than that in which
    /// the model was asked.
    fn tell_turn(&self, step: &StepId, attempt: u32, turn: &TurnTrace, told: &mut Telling) {
        let visit = turn.visit;
        if turn.attempt == attempt {
            let tools = turn.calls.iter().map(|call| call.tool.clone());
            let answered = EventKind::ModelAnswered {
                step: step.clone(),
                visit,
                turn: turn.number,
                tools: tools.collect(),
                refused: turn.refused.clone(),
            };
            told.tell(turn.answered_at, answered);
        }
        let at = |call| TurnPlace {
            turn: turn.number,
            call,
        };
        for call in turn.calls.iter().filter(|call| call.attempt == attempt) {
            self.tell_call((step, visit), at(call.number), call, told);
        }
        self.tell_gates((visit, attempt), at(0), told);
    }

    /// Tells of a call: who was asked before, that it began, who was asked what became of it.
    fn tell_call(
        &self,
        (step, visit): (&StepId, u32),
        place: TurnPlace,
        call: &CallTrace,
        told: &mut Telling,
    ) {
        let gates = |kind| {
            let gates = self.gates_at((visit, call.attempt), place);
            gates.filter(move |one| one.gate.kind == kind)
        };
        for gate in gates(GateKind::Approval) {
            tell_gate(gate, told);
        }
        if let Some(begun_at) = call.begun_at {
            let (step, tool) = (step.clone(), call.tool.clone());
            let started = EventKind::CallStarted {
                step,
                visit,
                place,
                tool,
            };
            told.tell(begun_at, started);
        }
        for gate in gates(GateKind::Interrupted) {
            tell_gate(gate, told);
        }
        if let Some((at, failure)) = &call.end {
            let took = |begun: Timestamp| u64::try_from(at.since(begun).as_millis());
            let finished = EventKind::CallFinished {
                step: step.clone(),
                visit,
                place,
                tool: call.tool.clone(),
                ms: call.begun_at.and_then(|begun| took(begun).ok()),
                failure: failure.clone(),
            };
            told.tell(*at, finished);
        }
    }

    /// Tells how the execution ended; answers whether it has.
    fn tell_end(&self, told: &mut Telling) -> bool {
        let (at, end) = match &self.execution.state {
            ExecutionState::Running | ExecutionState::Paused { .. } => return false,
            ExecutionState::Completed { at } => (at, EventKind::ExecutionCompleted),
            ExecutionState::Failed { at, failure, .. } => {
                let failure = failure.clone();
                let end = if failure.kind == FailureKind::Cancelled {
                    EventKind::ExecutionCancelled { failure }
                } else {
                    EventKind::ExecutionFailed { failure }
                };
                (at, end)
            }
        };
        told.tell(*at, end);
        true
    }
}

fn tell_gate(of: &GateTrace, told: &mut Telling) {
    let GateTrace { gate, votes } = of;
    let waits = EventKind::StepWaits {
        step: gate.step.clone(),
        visit: gate.visit,
        gate: gate.id,
        gate_kind: gate.kind,
    };
    told.tell(gate.requested_at, waits);
    let step = gate.step.clone();
    told.tell(gate.requested_at, EventKind::ExecutionPaused { step });
    for vote in votes {
        let counted = EventKind::VoteCounted {
            gate: gate.id,
            vote: vote.clone(),
        };
        told.tell(vote.at, counted);
    }
    let (at, goes_on) = match &gate.state {
        GateState::Waiting => return,
        GateState::Decided(vote) => (vote.at, true),
        GateState::Resolved(by) => (by.at, true),
        GateState::Expired { at } => (*at, true),
        GateState::Withdrawn { at } => (*at, false),
    };
    let state = gate.state.clone();
    let gate = gate.id;
    told.tell(at, EventKind::GateSettled { gate, state });
    if goes_on {
        told.tell(at, EventKind::ExecutionResumed);
    }
}

/// Numbers events as they are told.
struct Telling {
    execution_id: ExecutionId,
    after: EventSeq,
    /// Where the next event stands: visit, attempt, slot.
    place: (u32, u32, u32),
    items: Vec<Event>,
}

impl Telling {
    fn tell(&mut self, at: Timestamp, kind: EventKind) {
        let (visit, attempt, slot) = self.place;
        self.place.2 += 1;
        // An attempt has a few events; a gate that 60,000 people vote on loses the last of them.
        let (Ok(attempt), Ok(slot)) = (u16::try_from(attempt), u16::try_from(slot)) else {
            return;
        };
        let seq = EventSeq::new(visit, attempt, slot);
        if seq > self.after {
            self.items.push(Event {
                execution_id: self.execution_id,
                seq,
                at,
                kind,
            });
        }
    }
}
