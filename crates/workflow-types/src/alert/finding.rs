//! What a round over a checklist found, and what follows from it for alerts.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::{Alert, AlertChange, AlertKind, AlertSource};
use crate::Timestamp;
use crate::id::ExecutionId;
use crate::words::words;

/// Why an alert ends whose item could be judged.
const JUDGED: &str = "it could be judged again";
/// Why an alert ends whose item is in order.
const CLEAR: &str = "it is clear";
/// Why an alert ends whose item nobody looks at any more.
const GONE: &str = "no longer in the checklist";

/// What one execution found out about all items of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Whose items they are.
    pub source: AlertSource,
    /// What found it. What one execution found counts once.
    pub execution: ExecutionId,
    /// When it was found.
    pub at: Timestamp,
    /// Each item; one that is not named any more is not looked at any more.
    pub findings: Vec<Finding>,
    /// How many times in a row an item cannot be judged before there is an alert.
    pub unknown_after: NonZeroU32,
}

/// What was found out about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The text of the item, which identifies it within its source.
    pub item: String,
    /// What was found.
    pub verdict: Verdict,
}

/// What an item was judged to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody has to act.
    ActionNeeded {
        /// What it is about.
        details: String,
    },
    /// Nothing is to be done.
    Clear,
    /// It could not be judged.
    Unknown {
        /// Why not.
        reason: String,
    },
}

words! {
    /// A verdict without its words.
    VerdictWord {
        /// Somebody has to act.
        ActionNeeded = "action_needed",
        /// Nothing is to be done.
        Clear = "clear",
        /// It could not be judged.
        Unknown = "unknown",
    }
}

/// The last result of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedItem {
    /// The item.
    pub item: String,
    /// What was found.
    pub verdict: Verdict,
    /// How many times in a row it could not be judged.
    pub unknowns: u32,
    /// What found it.
    pub execution: ExecutionId,
    /// When.
    pub at: Timestamp,
}

/// What follows from a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What is known of the item from now on.
    pub item: CheckedItem,
    /// What becomes of alerts.
    pub changes: Vec<AlertChange>,
}

/// What became of findings that were to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundRecorded {
    /// They were recorded, and this is what they changed.
    New(Vec<AlertChange>),
    /// Those of this execution were recorded before; nothing has changed.
    Repeated,
}

impl Verdict {
    /// Its word.
    pub fn word(&self) -> VerdictWord {
        match self {
            Self::ActionNeeded { .. } => VerdictWord::ActionNeeded,
            Self::Clear => VerdictWord::Clear,
            Self::Unknown { .. } => VerdictWord::Unknown,
        }
    }

    /// More of it, if there is more.
    pub fn details(&self) -> Option<&str> {
        match self {
            Self::ActionNeeded { details } => Some(details),
            Self::Clear => None,
            Self::Unknown { reason } => Some(reason),
        }
    }

    /// How much of it has to be told: of an item that is named twice, the worse verdict counts.
    fn weight(&self) -> u8 {
        match self {
            Self::ActionNeeded { .. } => 2,
            Self::Unknown { .. } => 1,
            Self::Clear => 0,
        }
    }
}

impl Findings {
    /// The verdict of each item; of one that is named twice, the worse, and of two that are as bad
    /// the first.
    pub fn verdicts(&self) -> BTreeMap<&str, &Verdict> {
        let mut verdicts: BTreeMap<&str, &Verdict> = BTreeMap::new();
        for Finding { item, verdict } in &self.findings {
            let known = verdicts.entry(item).or_insert(verdict);
            if verdict.weight() > known.weight() {
                *known = verdict;
            }
        }
        verdicts
    }

    /// What follows from the verdict on an item.
    ///
    /// `unknowns` counts how often it could not be judged until now; `open` are its open alerts, of
    /// which there is at most one of each kind: that somebody has to act stays true while nobody
    /// can judge it.
    pub fn judge(&self, item: &str, verdict: &Verdict, unknowns: u32, open: &[Alert]) -> Judged {
        let find = |kind| open.iter().find(move |alert| alert.kind == kind);
        let (action, unknown) = (find(AlertKind::ActionNeeded), find(AlertKind::Unknown));
        let cleared = |alert: &Alert, why| AlertChange::Cleared(alert.cleared(why, self.at));
        let mut changes = Vec::new();
        let unknowns = match verdict {
            Verdict::ActionNeeded { details } => {
                changes.extend(unknown.map(|alert| cleared(alert, JUDGED)));
                changes.push(self.found(item, AlertKind::ActionNeeded, details, action));
                0
            }
            Verdict::Clear => {
                changes.extend(unknown.map(|alert| cleared(alert, JUDGED)));
                changes.extend(action.map(|alert| cleared(alert, CLEAR)));
                0
            }
            Verdict::Unknown { reason } => {
                let count = unknowns.saturating_add(1);
                if count >= self.unknown_after.get() || unknown.is_some() {
                    let details = format!("not judged {count} times in a row: {reason}");
                    changes.push(self.found(item, AlertKind::Unknown, &details, unknown));
                }
                count
            }
        };
        Judged {
            item: CheckedItem {
                item: item.to_owned(),
                verdict: verdict.clone(),
                unknowns,
                execution: self.execution,
                at: self.at,
            },
            changes,
        }
    }

    /// What becomes of the alerts of an item that is not looked at any more.
    pub fn gone(&self, open: &[Alert]) -> Vec<AlertChange> {
        let cleared = |alert: &Alert| AlertChange::Cleared(alert.cleared(GONE, self.at));
        open.iter().map(cleared).collect()
    }

    fn found(
        &self,
        item: &str,
        kind: AlertKind,
        details: &str,
        open: Option<&Alert>,
    ) -> AlertChange {
        match open {
            Some(alert) => AlertChange::Seen(alert.seen(details, self.at)),
            None => AlertChange::Raised(Alert::raise(
                self.source.clone(),
                item.to_owned(),
                kind,
                (self.at, &self.execution.to_string()),
                details,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
        let one = prop_oneof![
            Just(Verdict::Clear),
            "[a-z]{1,3}".prop_map(|details| Verdict::ActionNeeded { details }),
            "[a-z]{1,3}".prop_map(|reason| Verdict::Unknown { reason }),
        ];
        proptest::collection::vec(one, 0..30)
    }

    /// What execution `number` found at the second of that number.
    fn round(number: usize, unknown_after: u32, findings: Vec<Finding>) -> Findings {
        let seconds = i64::try_from(number).unwrap();
        Findings {
            source: AlertSource::Heartbeat("ops".parse().unwrap()),
            execution: format!("01890a5d-ac96-774b-bcce-{number:012}")
                .parse()
                .unwrap(),
            at: Timestamp::from_millis(seconds * 1_000).unwrap(),
            findings,
            unknown_after: NonZeroU32::new(unknown_after).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn what_is_open_follows_from_the_last_verdicts(
            verdicts in verdicts(),
            unknown_after in 1_u32..5,
        ) {
            let mut open: Vec<Alert> = Vec::new();
            let mut unknowns = 0;
            let mut raised = std::collections::BTreeSet::new();
            for (number, verdict) in verdicts.iter().enumerate() {
                let judged = round(number, unknown_after, Vec::new())
                    .judge("disk", verdict, unknowns, &open);
                unknowns = judged.item.unknowns;
                for change in judged.changes {
                    open.retain(|alert| alert.id != change.alert().id);
                    match change {
                        AlertChange::Raised(alert) => {
                            prop_assert!(raised.insert(alert.id), "two have one id");
                            open.push(alert);
                        }
                        AlertChange::Seen(alert) => open.push(alert),
                        AlertChange::Cleared(alert) => prop_assert!(!alert.is_open()),
                    }
                }
                let past = &verdicts[..=number];
                let is_unknown = |verdict: &&Verdict| verdict.word() == VerdictWord::Unknown;
                let trailing = past.iter().rev().take_while(is_unknown).count();
                let known = past.iter().rev().find(|verdict| !is_unknown(verdict));
                let acts = known.is_some_and(|it| it.word() == VerdictWord::ActionNeeded);
                let unknown = trailing >= usize::try_from(unknown_after).unwrap();
                let kinds = |kind| open.iter().filter(|alert| alert.kind == kind).count();
                prop_assert_eq!(kinds(AlertKind::ActionNeeded), usize::from(acts));
                prop_assert_eq!(kinds(AlertKind::Unknown), usize::from(unknown));
                prop_assert_eq!(open.len(), usize::from(acts) + usize::from(unknown));
            }
        }
    }

    #[test]
    fn of_an_item_that_is_named_twice_the_worse_verdict_counts() {
        let unknown = Verdict::Unknown {
            reason: "x".to_owned(),
        };
        let act = |details: &str| Verdict::ActionNeeded {
            details: details.to_owned(),
        };
        let all = [
            Verdict::Clear,
            act("first"),
            unknown,
            act("second"),
            Verdict::Clear,
        ];
        let findings = all.map(|verdict| Finding {
            item: "disk".to_owned(),
            verdict,
        });
        let round = round(1, 3, findings.to_vec());
        let verdicts: Vec<_> = round.verdicts().into_iter().collect();
        assert_eq!(verdicts, [("disk", &act("first"))]);
    }
}
