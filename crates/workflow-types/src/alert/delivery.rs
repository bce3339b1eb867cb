//! Deliveries: how far each sink has been told each notice.

use super::Notice;
use crate::Timestamp;
use crate::id::{NoticeId, SinkName};

/// A notice that a sink is to be told next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The notice.
    pub notice: Notice,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Timestamp,
}

/// How an attempt to tell a sink a notice ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryEnd {
    /// The sink.
    pub sink: SinkName,
    /// The notice.
    pub notice: NoticeId,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub outcome: DeliveryOutcome,
}

/// Whether a sink has taken a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// It has.
    Delivered,
    /// It has not.
    Failed {
        /// When it is tried again.
        next_attempt_at: Timestamp,
        /// Why.
        error: String,
    },
}

/// How far a sink has been told a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The sink.
    pub sink: SinkName,
    /// How often it was tried, whether or not in vain.
    pub attempts: u32,
    /// Whether it has it.
    pub state: ReceiptState,
}

/// Whether a sink has a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptState {
    /// It has taken it.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It has not.
    Waiting {
        /// When it is tried next, at the earliest.
        next_attempt_at: Timestamp,
        /// Why it was not taken last, if it was tried.
        error: Option<String>,
    },
}
