//! Alerts: what somebody has to look at, from when it is found until it is over.
//!
//! An alert says one thing ([`AlertKind`]) of one item of one source, and is not made twice while it
//! is open. Whatever happens to it that somebody has to be told is a [`Notice`]. How notices are
//! kept and delivered is the business of others.

mod delivery;
mod finding;
mod notice;
mod page;

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid, Variant, Version};

use crate::Timestamp;
use crate::id::{Actor, AlertId, HeartbeatName, ScheduleId};
use crate::words::words;

pub use delivery::{Delivery, DeliveryEnd, DeliveryOutcome, Receipt, ReceiptState};
pub use finding::{CheckedItem, Finding, Findings, Judged, RoundRecorded, Verdict, VerdictWord};
pub use notice::{Notice, NoticeEvent, NoticePage, PlacedNotice};
pub use page::{AlertFilter, AlertKey, AlertPage};

/// The longest text of details in characters; what is longer is cut.
pub const MAX_DETAILS: usize = 4_000;

/// Something that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// What found it.
    pub source: AlertSource,
    /// What it is about, in the words of its source.
    pub item: String,
    /// What it says.
    pub kind: AlertKind,
    /// More of it, as it was found last.
    pub details: String,
    /// When it was raised.
    pub first_raised_at: Timestamp,
    /// When it was found last.
    pub last_seen_at: Timestamp,
    /// How often it was found.
    pub times_seen: u32,
    /// When it was last told of: when it was raised, or somebody was reminded.
    pub told_at: Timestamp,
    /// Who has read it; unread if nobody has.
    pub acknowledged: Option<Acknowledged>,
    /// How it ended; open if it has not.
    pub cleared: Option<Cleared>,
}

/// What finds alerts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AlertSource {
    /// A heartbeat.
    Heartbeat(HeartbeatName),
    /// A schedule.
    Schedule(ScheduleId),
}

words! {
    /// What kinds of sources there are.
    AlertSourceKind {
        /// A heartbeat.
        Heartbeat = "heartbeat",
        /// A schedule.
        Schedule = "schedule",
    }
}

words! {
    /// What an alert says of its item.
    AlertKind {
        /// Somebody has to act.
        ActionNeeded = "action_needed",
        /// It could not be judged so many times in a row.
        Unknown = "unknown",
        /// A schedule was paused, because so many of its executions failed in a row.
        Paused = "paused",
        /// The fires of a schedule do not start, because an execution of it waits for a person.
        HeldUp = "held_up",
    }
}

/// That somebody has read an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// That an alert is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What became of an alert, each as it is afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertChange {
    /// It was raised.
    Raised(Alert),
    /// It was found again.
    Seen(Alert),
    /// It is over.
    Cleared(Alert),
}

impl Alert {
    /// A new alert. `cause` tells it from others that say the same of the item at other times.
    pub fn raise(
        source: AlertSource,
        item: String,
        kind: AlertKind,
        (at, cause): (Timestamp, &str),
        details: &str,
    ) -> Self {
        Self {
            id: AlertId::new(derived(&[
                "alert",
                source.kind().as_str(),
                source.name(),
                &item,
                kind.as_str(),
                cause,
            ])),
            source,
            item,
            kind,
            details: cut(details),
            first_raised_at: at,
            last_seen_at: at,
            times_seen: 1,
            told_at: at,
            acknowledged: None,
            cleared: None,
        }
    }

    /// Whether it is not over.
    pub fn is_open(&self) -> bool {
        self.cleared.is_none()
    }

    /// Whether nobody has acknowledged it.
    pub fn is_unread(&self) -> bool {
        self.acknowledged.is_none()
    }

    /// When somebody was last reminded of it, if ever.
    pub fn reminded_at(&self) -> Option<Timestamp> {
        (self.told_at != self.first_raised_at).then_some(self.told_at)
    }

    /// Found again.
    #[must_use]
    pub fn seen(&self, details: &str, at: Timestamp) -> Self {
        Self {
            details: cut(details),
            last_seen_at: self.last_seen_at.max(at),
            times_seen: self.times_seen.saturating_add(1),
            ..self.clone()
        }
    }

    /// Somebody is reminded of it.
    #[must_use]
    pub fn reminded(&self, at: Timestamp) -> Self {
        Self {
            told_at: at,
            ..self.clone()
        }
    }

    /// Over.
    #[must_use]
    pub fn cleared(&self, reason: &str, at: Timestamp) -> Self {
        Self {
            cleared: Some(Cleared {
                at,
                reason: cut(reason),
            }),
            ..self.clone()
        }
    }
}

impl AlertSource {
    /// What kind of source it is.
    pub fn kind(&self) -> AlertSourceKind {
        match self {
            Self::Heartbeat(_) => AlertSourceKind::Heartbeat,
            Self::Schedule(_) => AlertSourceKind::Schedule,
        }
    }

    /// Its name among those of its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Heartbeat(name) => name.as_ref(),
            Self::Schedule(id) => id.as_ref(),
        }
    }

    /// The source of a kind and a name; none if nothing of the kind can have the name.
    pub fn named(kind: AlertSourceKind, name: &str) -> Option<Self> {
        match kind {
            AlertSourceKind::Heartbeat => name.parse().ok().map(Self::Heartbeat),
            AlertSourceKind::Schedule => name.parse().ok().map(Self::Schedule),
        }
    }
}

impl fmt::Display for AlertSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind(), self.name())
    }
}

impl AlertChange {
    /// The alert as it is afterwards.
    pub fn alert(&self) -> &Alert {
        match self {
            Self::Raised(alert) | Self::Seen(alert) | Self::Cleared(alert) => alert,
        }
    }
}

/// A UUID that follows from these parts, and practically from no others.
pub(crate) fn derived(parts: &[&str]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        // With its length, so that no two lists of parts are one text.
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_bytes(bytes)
        .with_variant(Variant::RFC4122)
        .with_version(Version::Custom)
        .into_uuid()
}

/// A text that is not too long.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_DETAILS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_make_the_same_id_and_no_others_do() {
        assert_eq!(derived(&["a", "bc"]), derived(&["a", "bc"]));
        assert_ne!(derived(&["a", "bc"]), derived(&["ab", "c"]));
        assert_ne!(derived(&["a"]), derived(&["a", ""]));
        assert_eq!(derived(&["a"]).get_version_num(), 8);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "ä".repeat(MAX_DETAILS + 1);
        assert_eq!(cut(&long).chars().count(), MAX_DETAILS + 1);
        assert!(cut(&long).ends_with("ä…"));
        let whole = "ä".repeat(MAX_DETAILS);
        assert_eq!(cut(&whole), whole);
    }

    #[test]
    fn a_source_is_named_as_it_was() {
        for kind in AlertSourceKind::ALL {
            let source = AlertSource::named(*kind, "nightly").unwrap();
            assert_eq!((source.kind(), source.name()), (*kind, "nightly"));
        }
        assert_eq!(AlertSource::named(AlertSourceKind::Schedule, "a b"), None);
    }
}
