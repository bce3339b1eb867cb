//! Gates: what must be approved before a step runs, and what became of it.
//!
//! A gate belongs to one visit of a step. What it shows is what runs after it is approved. How
//! gates are stored and how their expiry is noticed is decided elsewhere.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use crate::Timestamp;
use crate::action::Text;
use crate::execution::TurnPlace;
use crate::id::{Actor, ExecutionId, GateId, StepId, WorkflowId};
use crate::words::words;

/// What a definition asks of a step's gate.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalPolicy {
    pub(crate) message: Option<Text>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) on_timeout: OnExpiry,
    pub(crate) approvers: Vec<Actor>,
    pub(crate) count: NonZeroU32,
}

impl Default for ApprovalPolicy {
    fn default() -> Self {
        Self {
            message: None,
            timeout: None,
            on_timeout: OnExpiry::Deny,
            approvers: Vec::new(),
            count: NonZeroU32::MIN,
        }
    }
}

impl ApprovalPolicy {
    /// What is said to those who decide.
    pub fn message(&self) -> Option<&Text> {
        self.message.as_ref()
    }

    /// How long the gate waits; none stands for the default of the execution's trigger.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What happens when nobody has decided in time.
    pub fn on_timeout(&self) -> OnExpiry {
        self.on_timeout
    }

    /// Who may decide; empty stands for anyone whom the host lets through.
    pub fn approvers(&self) -> &[Actor] {
        &self.approvers
    }

    /// How many different approvals it takes.
    pub fn count(&self) -> NonZeroU32 {
        self.count
    }
}

words! {
    /// What happens to a gate that nobody has decided in time.
    OnExpiry {
        /// The step fails with kind `approval_expired`; `onFailure` applies.
        Deny = "deny",
        /// The step runs.
        Approve = "approve",
        /// The execution fails with kind `approval_expired`, whatever `onFailure` says.
        Fail = "fail",
    }
}

words! {
    /// What a person says of a gate.
    Decision {
        /// The step may run.
        Approve = "approve",
        /// The step may not run.
        Deny = "deny",
    }
}

words! {
    /// Why a gate stands before a step.
    GateKind {
        /// The definition asks for an approval.
        Approval = "approval",
        /// The step was interrupted, and nobody can know whether its side effect happened.
        Interrupted = "interrupted",
    }
}

/// One gate: what is to be approved, until when, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Its id.
    pub id: GateId,
    /// Why it stands there.
    pub kind: GateKind,
    /// The execution that waits.
    pub execution_id: ExecutionId,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// The step that waits.
    pub step: StepId,
    /// The visit of the step, counted over the execution from 1.
    pub visit: u32,
    /// The attempt of the visit that it stands before, or that was interrupted.
    pub attempt: u32,
    /// Where it stands within the turns of a model with its tools; if that is at a call, it is the
    /// call alone that is asked about.
    pub place: TurnPlace,
    /// What is said to those who decide.
    pub message: Option<String>,
    /// The resolved action: exactly this runs once it is approved.
    pub request: Value,
    /// When it began to wait.
    pub requested_at: Timestamp,
    /// Until when, and what happens then.
    pub expiry: Option<Expiry>,
    /// Who may decide; empty stands for anyone whom the host lets through.
    pub approvers: Vec<Actor>,
    /// How many different approvals it takes.
    pub count: NonZeroU32,
    /// What became of it.
    pub state: GateState,
}

/// The end of a gate's patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// The instant.
    pub at: Timestamp,
    /// What happens then.
    pub then: OnExpiry,
}

/// What became of a gate.
#[derive(Debug, Clone, PartialEq)]
pub enum GateState {
    /// Nobody, or not enough people, have decided yet.
    Waiting,
    /// It was decided; this is final.
    Decided(Vote),
    /// An interrupted step was resolved; this is final.
    Resolved(ResolvedBy),
    /// Nobody decided in time.
    Expired {
        /// When that was noticed.
        at: Timestamp,
    },
    /// The execution ended before anyone decided.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

/// One person's word on a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// What was said.
    pub decision: Decision,
    /// By whom.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

/// What a person decides about an interrupted step.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolution {
    /// The attempt is made again with the same idempotency key.
    Rerun,
    /// The side effect happened; this is its output.
    Done {
        /// The output that is recorded.
        output: Value,
    },
    /// The step fails with kind `interrupted`.
    Fail,
}

impl Resolution {
    /// The word that is written and stored.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Rerun => "rerun",
            Self::Done { .. } => "done",
            Self::Fail => "fail",
        }
    }
}

/// A resolution with who said it, when and why.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedBy {
    /// What was decided.
    pub resolution: Resolution,
    /// By whom.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

/// What a vote does to a gate.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// It counts and settles the gate.
    Settles,
    /// It counts; more approvals are needed.
    Counts,
    /// The same was said before: nothing changes.
    Repeats,
    /// The opposite was said before, or nobody can say anything any more.
    Conflicts(Box<GateState>),
    /// This actor may not decide.
    NotEntitled,
}

/// What a vote did.
#[derive(Debug, Clone, PartialEq)]
pub struct Voted {
    /// What the vote amounts to.
    pub judgement: Judgement,
    /// The gate afterwards.
    pub gate: Gate,
}

/// What a resolution of an interrupted step did.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// It settled the gate; the execution runs again.
    Settled,
    /// The same was said before: nothing changed.
    Repeated,
    /// Something else was said before, or nobody can say anything any more.
    Conflicts(GateState),
}

/// Who settled it, how and when, as in `approved by ann at 2026-01-31T09:00:00.000Z`.
impl fmt::Display for GateState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("it still waits"),
            Self::Decided(vote) => {
                let word = match vote.decision {
                    Decision::Approve => "approved",
                    Decision::Deny => "denied",
                };
                write!(f, "{word} by {} at {}", vote.actor, vote.at)
            }
            Self::Resolved(by) => {
                let word = by.resolution.as_str();
                write!(f, "resolved as {word} by {} at {}", by.actor, by.at)
            }
            Self::Expired { at } => write!(f, "expired at {at}"),
            Self::Withdrawn { at } => {
                write!(f, "withdrawn at {at}, because the execution ended")
            }
        }
    }
}

impl Gate {
    /// What a vote does to this gate, given the votes that were counted before.
    ///
    /// A decision is final: the same one again repeats it, the opposite one conflicts with it. One
    /// denial settles a gate; approvals settle it when there are `count` of different actors.
    pub fn judge(&self, votes: &[Vote], vote: &Vote) -> Judgement {
        match &self.state {
            GateState::Waiting => self.judge_waiting(votes, vote),
            GateState::Decided(settled) if settled.decision == vote.decision => Judgement::Repeats,
            GateState::Decided(_)
            | GateState::Resolved(_)
            | GateState::Expired { .. }
            | GateState::Withdrawn { .. } => Judgement::Conflicts(Box::new(self.state.clone())),
        }
    }

    fn judge_waiting(&self, votes: &[Vote], vote: &Vote) -> Judgement {
        if !self.approvers.is_empty() && !self.approvers.contains(&vote.actor) {
            return Judgement::NotEntitled;
        }
        let approved_before = votes.iter().any(|earlier| earlier.actor == vote.actor);
        match vote.decision {
            Decision::Deny if approved_before => votes
                .iter()
                .find(|earlier| earlier.actor == vote.actor)
                .map_or(Judgement::Settles, |earlier| {
                    Judgement::Conflicts(Box::new(GateState::Decided(earlier.clone())))
                }),
            Decision::Deny => Judgement::Settles,
            Decision::Approve if approved_before => Judgement::Repeats,
            Decision::Approve if votes.len() + 1 >= self.count.get() as usize => Judgement::Settles,
            Decision::Approve => Judgement::Counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(approvers: &[&str], count: u32) -> Gate {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        Gate {
            id: id.parse().unwrap(),
            kind: GateKind::Approval,
            execution_id: id.parse().unwrap(),
            workflow_id: "w".parse().unwrap(),
            step: "s".parse().unwrap(),
            visit: 1,
            attempt: 1,
            place: TurnPlace::START,
            message: None,
            request: Value::Null,
            requested_at: Timestamp::from_millis(0).unwrap(),
            expiry: None,
            approvers: approvers.iter().map(|name| name.parse().unwrap()).collect(),
            count: NonZeroU32::new(count).unwrap(),
            state: GateState::Waiting,
        }
    }

    fn vote(decision: Decision, actor: &str) -> Vote {
        Vote {
            decision,
            actor: actor.parse().unwrap(),
            at: Timestamp::from_millis(1).unwrap(),
            reason: None,
        }
    }

    #[test]
    fn one_approval_settles_and_repeating_it_changes_nothing() {
        let mut gate = gate(&[], 1);
        let first = vote(Decision::Approve, "ann");
        assert_eq!(gate.judge(&[], &first), Judgement::Settles);
        gate.state = GateState::Decided(first.clone());
        assert_eq!(
            gate.judge(
                std::slice::from_ref(&first),
                &vote(Decision::Approve, "bob")
            ),
            Judgement::Repeats
        );
        let opposite = gate.judge(&[first], &vote(Decision::Deny, "bob"));
        assert!(matches!(opposite, Judgement::Conflicts(_)));
    }

    #[test]
    fn two_approvals_need_two_people_and_one_denial_suffices() {
        let gate = gate(&["ann", "bob", "cid"], 2);
        let ann = vote(Decision::Approve, "ann");
        assert_eq!(gate.judge(&[], &ann), Judgement::Counts);
        assert_eq!(
            gate.judge(std::slice::from_ref(&ann), &ann),
            Judgement::Repeats
        );
        assert_eq!(
            gate.judge(std::slice::from_ref(&ann), &vote(Decision::Approve, "bob")),
            Judgement::Settles
        );
        assert_eq!(
            gate.judge(std::slice::from_ref(&ann), &vote(Decision::Deny, "bob")),
            Judgement::Settles
        );
        assert_eq!(
            gate.judge(&[], &vote(Decision::Approve, "eve")),
            Judgement::NotEntitled
        );
        assert!(matches!(
            gate.judge(std::slice::from_ref(&ann), &vote(Decision::Deny, "ann")),
            Judgement::Conflicts(_)
        ));
    }
}
