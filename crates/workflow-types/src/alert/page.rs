//! Lists of alerts, newest first, page by page.

use super::Alert;
use crate::damage::Damaged;

/// Which alerts are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only those that are open, or only those that are over.
    pub open: Option<bool>,
    /// Only those that nobody has acknowledged, or only those that somebody has.
    pub unread: Option<bool>,
}

/// Where a page ends: the place of its last row in the order of all, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AlertKey {
    first_raised_at: String,
    id: String,
}

impl AlertKey {
    /// The place of the alert of this id that was raised then.
    pub fn new(first_raised_at: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            first_raised_at: first_raised_at.into(),
            id: id.into(),
        }
    }

    /// When the last alert of the page was raised.
    pub fn first_raised_at(&self) -> &str {
        &self.first_raised_at
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertPage {
    /// The alerts, newest first.
    pub items: Vec<Alert>,
    /// Those of this part that cannot be read.
    pub damaged: Vec<Damaged>,
    /// Where the next page begins; none after the last one.
    pub next: Option<AlertKey>,
}
