//! Gates: who may say what, what it settles, and what happens when nobody does.

use std::num::NonZeroU32;
use std::time::Duration;

use gateway::ErrorKind;
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::approval::{
    Decision, Expiry, Gate, GateKind, GateState, OnExpiry, Resolution, ResolvedBy, Vote,
};
use gateway::workflow_types::definition::Step;
use gateway::workflow_types::execution::{
    ExecutionState, FailureKind, Outcome, StepFailureKind, TriggeredBy, TurnPlace, VisitState,
};

use super::operation::Answer;
use super::run::{Asked, Run};
use super::{Moment, SOME_TEXT};
use crate::seen::no_gate;

/// How long an unattended execution waits for an approval unless its author says otherwise.
const UNATTENDED: Duration = Duration::from_hours(1);

impl Run {
    /// Opens the gate before the open visit, and waits at it.
    pub(super) fn ask(&mut self, now: Timestamp, step: &Step, message: Option<String>) {
        self.features.insert("asked for an approval");
        let policy = step.approval().expect("it has a gate");
        let patience = policy.timeout().or(match self.by {
            TriggeredBy::Manual => None,
            TriggeredBy::Cron | TriggeredBy::Heartbeat => Some(UNATTENDED),
        });
        let gate = Gate {
            message,
            expiry: patience.map(|patience| Expiry {
                at: now.saturating_add(patience),
                then: policy.on_timeout(),
            }),
            approvers: policy.approvers().to_vec(),
            count: policy.count(),
            ..self.gate(now, GateKind::Approval)
        };
        self.pause(gate);
    }

    /// Opens the gate at which somebody says what became of an interrupted call.
    pub(super) fn ask_what_became(&mut self, now: Timestamp) {
        // The latest gate of a visit is the one that counts.
        let number = self.open().number;
        let earlier = self.gates.iter().rfind(|asked| asked.gate.visit == number);
        let later = earlier.map(|asked| {
            let at = asked.gate.requested_at;
            at.saturating_add(Duration::from_millis(1))
        });
        let gate = Gate {
            message: Some(SOME_TEXT.to_owned()),
            ..self.gate(
                later.map_or(now, |later| later.max(now)),
                GateKind::Interrupted,
            )
        };
        self.open().state = VisitState::Waiting;
        self.doing = super::run::Doing::Nothing;
        self.pause(gate);
    }

    fn gate(&self, now: Timestamp, kind: GateKind) -> Gate {
        let open = self.visits.last().expect("it has arrived");
        Gate {
            id: no_gate(),
            kind,
            execution_id: self.id,
            workflow_id: self.flow_id.parse().unwrap(),
            step: open.step.clone(),
            visit: open.number,
            attempt: open.attempt,
            place: TurnPlace::START,
            message: None,
            request: open.request.clone().expect("it is resolved"),
            requested_at: now,
            expiry: None,
            approvers: Vec::new(),
            count: NonZeroU32::MIN,
            state: GateState::Waiting,
        }
    }

    fn pause(&mut self, gate: Gate) {
        self.state = ExecutionState::Paused {
            step: gate.step.clone(),
            at: gate.requested_at,
        };
        let votes = Vec::new();
        self.gates.push(Asked { gate, votes });
    }

    /// Expires the gate at which it waits, if its time has come.
    pub(super) fn expire(&mut self, moment: Moment) -> bool {
        let asked = self.gates.last_mut().expect("it waits at a gate");
        if asked
            .gate
            .expiry
            .is_none_or(|expiry| expiry.at > moment.now)
        {
            return false;
        }
        asked.gate.state = GateState::Expired { at: moment.now };
        self.state = ExecutionState::Running;
        self.features.insert("a gate expired");
        true
    }

    pub(super) fn withdraw(&mut self, at: Timestamp) {
        for asked in &mut self.gates {
            if asked.gate.state == GateState::Waiting {
                asked.gate.state = GateState::Withdrawn { at };
            }
        }
    }

    /// What a gate that waits no longer means for the visit behind it.
    pub(super) fn pass(&mut self, moment: Moment) {
        let gate = self.gates.last().expect("it waited at a gate").gate.clone();
        let fails = |kind| Some(Outcome::failure(kind, SOME_TEXT));
        let outcome = match &gate.state {
            GateState::Decided(vote) => match vote.decision {
                Decision::Approve => None,
                Decision::Deny => fails(StepFailureKind::Denied),
            },
            GateState::Resolved(by) => match &by.resolution {
                Resolution::Rerun => None,
                Resolution::Done { output } => Some(Outcome::Success {
                    output: output.clone(),
                }),
                Resolution::Fail => fails(StepFailureKind::Interrupted),
            },
            GateState::Expired { .. } => match gate.expiry.expect("it has expired").then {
                OnExpiry::Approve => None,
                OnExpiry::Deny => fails(StepFailureKind::ApprovalExpired),
                OnExpiry::Fail => {
                    let outcome = Outcome::failure(StepFailureKind::ApprovalExpired, SOME_TEXT);
                    self.close(moment.now, outcome);
                    let kind = FailureKind::ApprovalExpired;
                    return self.fail(moment.now, Some(gate.step), kind);
                }
            },
            GateState::Waiting | GateState::Withdrawn { .. } => panic!("nobody passes {gate:?}"),
        };
        match outcome {
            None => self.open().state = VisitState::Begun,
            Some(outcome) => self.conclude(moment, outcome),
        }
    }

    /// Counts a vote.
    pub(super) fn vote(&mut self, place: usize, vote: Vote) -> Answer {
        let Asked { gate, votes } = &mut self.gates[place];
        let refused = Answer::Refused(ErrorKind::Conflict);
        if gate.kind == GateKind::Interrupted {
            return refused;
        }
        match &gate.state {
            GateState::Waiting => {}
            // The same decision again is a success that changes nothing.
            GateState::Decided(settled) if settled.decision == vote.decision => {
                return Answer::Repeated;
            }
            GateState::Decided(_)
            | GateState::Resolved(_)
            | GateState::Expired { .. }
            | GateState::Withdrawn { .. } => return refused,
        }
        if !gate.approvers.is_empty() && !gate.approvers.contains(&vote.actor) {
            self.features.insert("a stranger voted");
            return Answer::Refused(ErrorKind::Forbidden);
        }
        let has_approved = votes.iter().any(|earlier| earlier.actor == vote.actor);
        if has_approved {
            self.features.insert("somebody voted twice");
            return match vote.decision {
                Decision::Approve => Answer::Repeated,
                Decision::Deny => refused,
            };
        }
        votes.push(vote.clone());
        let approvals = u32::try_from(votes.len()).unwrap();
        if vote.decision == Decision::Approve && approvals < gate.count.get() {
            self.features.insert("an approval of several");
            return Answer::Counted;
        }
        self.features.insert(match vote.decision {
            Decision::Approve => "a gate was approved",
            Decision::Deny => "a gate was denied",
        });
        gate.state = GateState::Decided(vote);
        self.state = ExecutionState::Running;
        Answer::Settled
    }

    /// Says what became of an interrupted call.
    pub(super) fn resolve(&mut self, place: usize, by: ResolvedBy) -> Answer {
        let gate = &mut self.gates[place].gate;
        match &gate.state {
            GateState::Waiting if gate.kind == GateKind::Interrupted => {}
            GateState::Resolved(earlier) if earlier.resolution == by.resolution => {
                return Answer::Repeated;
            }
            GateState::Waiting
            | GateState::Resolved(_)
            | GateState::Decided(_)
            | GateState::Expired { .. }
            | GateState::Withdrawn { .. } => return Answer::Refused(ErrorKind::Conflict),
        }
        self.features.insert("an interruption was resolved");
        gate.state = GateState::Resolved(by);
        self.state = ExecutionState::Running;
        Answer::Settled
    }
}
