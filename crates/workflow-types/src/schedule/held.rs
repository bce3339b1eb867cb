//! Schedules that are held up: an execution of them waits for a person, and no fire starts before.
//!
//! Words and rules only; where what waits is found, and who is told, is the business of others.

use super::policy::Overlap;
use super::record::{Off, Schedule, Standing};
use crate::Timestamp;
use crate::approval::{Expiry, GateKind, OnExpiry};
use crate::id::{ExecutionId, GateId, ScheduleId, StepId};

/// What holds the fires of a schedule up: of all the gates at which its executions wait, the one
/// that has waited longest.
///
/// It says nothing of what is asked about, which is anybody's data: that is shown with the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldUp {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The execution that waits.
    pub execution: ExecutionId,
    /// The gate at which it waits.
    pub gate: GateId,
    /// What is asked there.
    pub kind: GateKind,
    /// The step that it is asked about.
    pub step: StepId,
    /// Since when it waits.
    pub since: Timestamp,
    /// Until when, and what happens then.
    pub expiry: Option<Expiry>,
}

impl HeldUp {
    /// Which execution waits, since when, and for what.
    pub fn why(&self) -> String {
        let Self {
            execution,
            since,
            step,
            ..
        } = self;
        let asked = match self.kind {
            GateKind::Interrupted => {
                format!("for somebody to say what became of step `{step}`, which was interrupted")
            }
            GateKind::Approval => {
                format!("for an approval of step `{step}`{}", self.until())
            }
        };
        format!("execution {execution} waits since {since} {asked}")
    }

    /// How it is answered.
    pub fn remedy(&self) -> String {
        let gate = self.gate;
        match self.kind {
            GateKind::Interrupted => format!(
                "see whether its side effect happened, then `agentspace executions resolve {gate} \
                 rerun|done|fail`"
            ),
            GateKind::Approval => {
                format!(
                    "`agentspace approvals approve {gate}` or `agentspace approvals deny {gate}`"
                )
            }
        }
    }

    fn until(&self) -> String {
        let Some(Expiry { at, then }) = self.expiry else {
            return String::new();
        };
        let then = match then {
            OnExpiry::Deny => "the step fails",
            OnExpiry::Approve => "the step runs",
            OnExpiry::Fail => "the execution fails",
        };
        format!(" (until {at}, then {then})")
    }
}

impl Schedule {
    /// Whether an execution of it that waits for a person keeps others from starting.
    pub fn can_be_held_up(&self) -> bool {
        let policies = &self.spec.policies;
        let buffers = match policies.overlap {
            Overlap::Skip => false,
            Overlap::BufferOne | Overlap::BufferAll => true,
            Overlap::CancelOther | Overlap::Allow => return false,
        };
        let has_fires_to_come = match self.standing {
            Standing::Active(_) => true,
            // What is buffered runs yet.
            Standing::Off {
                why: Off::Completed,
                ..
            } => buffers && !self.is_exhausted(),
            Standing::Off {
                why: Off::Paused | Off::Failing | Off::Detached,
                ..
            } => false,
        };
        has_fires_to_come && !policies.overlap_ignores_paused
    }

    /// Everything that an alert says of what holds it up.
    pub fn held_up_words(&self, by: &HeldUp) -> String {
        let meanwhile = match self.spec.policies.overlap {
            Overlap::BufferOne => "one fire waits behind it, and what comes meanwhile is skipped",
            Overlap::BufferAll => "the fires that come meanwhile wait behind it",
            Overlap::Skip | Overlap::CancelOther | Overlap::Allow => {
                "the fires that come meanwhile are skipped"
            }
        };
        format!("{}; {meanwhile}: {}", by.why(), by.remedy())
    }

    /// Why it is not held up any more by what somebody still waits for.
    pub fn let_go_words(&self) -> &'static str {
        match self.standing {
            Standing::Active(_) if self.can_be_held_up() => "nobody is waited for any more",
            Standing::Active(_) => "its overlap policy lets it fire beside what waits",
            Standing::Off { why, .. } => match why {
                Off::Paused => "somebody has paused the schedule",
                Off::Completed => "the schedule has completed",
                Off::Failing => "the schedule was paused, because its executions failed",
                Off::Detached => "the schedule follows no file any more",
            },
        }
    }

    fn is_exhausted(&self) -> bool {
        self.is_exhausted_by(usize::try_from(self.runs).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Keeper, Policies, ScheduleSpec, Timing};

    const NOON: &str = "2026-02-02T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(policies: Policies) -> Schedule {
        let rule = "0 * * * *".parse().unwrap();
        let spec = ScheduleSpec {
            id: "hourly".parse().unwrap(),
            name: "Hourly".parse().unwrap(),
            workflow: None,
            input: serde_json::json!({}),
            timing: Timing::resolve(rule, "UTC".parse().unwrap(), None, at(NOON)).unwrap(),
            policies,
        };
        Schedule::create(spec, Keeper::People, at(NOON)).unwrap()
    }

    fn by(kind: GateKind, expiry: Option<Expiry>) -> HeldUp {
        HeldUp {
            schedule: "hourly".parse().unwrap(),
            execution: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            gate: "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap(),
            kind,
            step: "charge".parse().unwrap(),
            since: at(NOON),
            expiry,
        }
    }

    #[test]
    fn what_waits_holds_up_those_alone_whose_policy_waits_for_it() {
        for overlap in Overlap::ALL {
            let policies = Policies {
                overlap: *overlap,
                ..Policies::default()
            };
            let waits = !matches!(overlap, Overlap::CancelOther | Overlap::Allow);
            assert_eq!(schedule(policies.clone()).can_be_held_up(), waits);
            let ignores = Policies {
                overlap_ignores_paused: true,
                ..policies
            };
            assert!(!schedule(ignores).can_be_held_up());
        }
    }

    #[test]
    fn whoever_is_off_is_held_up_only_if_something_is_buffered_yet() {
        for why in Off::ALL {
            for (overlap, runs_yet) in [(Overlap::Skip, false), (Overlap::BufferAll, true)] {
                let policies = Policies {
                    overlap,
                    ..Policies::default()
                };
                let off = schedule(policies).stopped(*why, at(NOON)).schedule;
                let expected = runs_yet && *why == Off::Completed;
                assert_eq!(off.can_be_held_up(), expected, "{why} {overlap}");
            }
        }
    }

    #[test]
    fn an_alert_says_who_waits_since_when_for_what_and_how_it_is_answered() {
        let of = |overlap| {
            schedule(Policies {
                overlap,
                ..Policies::default()
            })
        };
        let interrupted = by(GateKind::Interrupted, None);
        assert_eq!(
            of(Overlap::Skip).held_up_words(&interrupted),
            "execution 01890a5d-ac96-774b-bcce-b302099a8057 waits since 2026-02-02T12:00:00.000Z \
             for somebody to say what became of step `charge`, which was interrupted; the fires \
             that come meanwhile are skipped: see whether its side effect happened, then \
             `agentspace executions resolve 01890a5d-ac96-774b-bcce-b302099a8058 rerun|done|fail`"
        );
        let expiry = Expiry {
            at: at("2026-02-02T13:00:00Z"),
            then: OnExpiry::Deny,
        };
        let approval = by(GateKind::Approval, Some(expiry));
        assert_eq!(
            of(Overlap::BufferAll).held_up_words(&approval),
            "execution 01890a5d-ac96-774b-bcce-b302099a8057 waits since 2026-02-02T12:00:00.000Z \
             for an approval of step `charge` (until 2026-02-02T13:00:00.000Z, then the step \
             fails); the fires that come meanwhile wait behind it: `agentspace approvals approve \
             01890a5d-ac96-774b-bcce-b302099a8058` or `agentspace approvals deny \
             01890a5d-ac96-774b-bcce-b302099a8058`"
        );
    }
}
