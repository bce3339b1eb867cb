//! Notices: what somebody is to be told of an alert, as it was then.

use super::{Alert, AlertKind, AlertSource, derived};
use crate::Timestamp;
use crate::id::{AlertId, NoticeId};
use crate::words::words;

words! {
    /// What happened to an alert.
    NoticeEvent {
        /// It was raised.
        Raised = "raised",
        /// It is still there, and nobody has acknowledged it.
        Reminded = "reminded",
        /// It is over.
        Cleared = "cleared",
    }
}

/// What is told of an alert; it never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id, the same however often it is delivered.
    pub id: NoticeId,
    /// What happened.
    pub event: NoticeEvent,
    /// When.
    pub at: Timestamp,
    /// The alert.
    pub alert: AlertId,
    /// What found it.
    pub source: AlertSource,
    /// What it is about.
    pub item: String,
    /// What it says.
    pub kind: AlertKind,
    /// More of it, as it was then.
    pub details: String,
    /// When it was raised.
    pub first_raised_at: Timestamp,
    /// How often it had been found.
    pub times_seen: u32,
    /// Why it is over, if it is.
    pub reason: Option<String>,
}

/// A notice, and its place among all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedNotice {
    /// Its place: later ones have a greater one, and none is used twice.
    pub place: u64,
    /// The notice.
    pub notice: Notice,
}

/// Notices in the order in which they came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticePage {
    /// The notices, each with its place.
    pub items: Vec<PlacedNotice>,
    /// The place after which the next page begins, whether or not there is one yet.
    pub next: u64,
}

impl Notice {
    /// What is told of an alert, as it is now.
    pub fn of(alert: &Alert, event: NoticeEvent, at: Timestamp) -> Self {
        let id = derived(&[
            "notice",
            &alert.id.to_string(),
            event.as_str(),
            &at.to_string(),
        ]);
        Self {
            id: NoticeId::new(id),
            event,
            at,
            alert: alert.id,
            source: alert.source.clone(),
            item: alert.item.clone(),
            kind: alert.kind,
            details: alert.details.clone(),
            first_raised_at: alert.first_raised_at,
            times_seen: alert.times_seen,
            reason: alert.cleared.as_ref().map(|cleared| cleared.reason.clone()),
        }
    }
}
