//! Writes who must approve a step, and how often it is tried.

use std::time::Duration;

use serde_json::Value;

use super::{Draft, texts};
use crate::approval::{ApprovalPolicy, OnExpiry};
use crate::duration;
use crate::retry::RetryPolicy;
use crate::shape::step::{APPROVAL, RETRY};

/// Writes who must approve before a step runs.
#[derive(Debug, Clone)]
#[must_use = "an approval does nothing before it is added to a step"]
pub struct ApprovalBuilder(Draft);

impl ApprovalPolicy {
    /// Writes who must approve before a step runs: anyone, once, unless it says more.
    pub fn builder() -> ApprovalBuilder {
        ApprovalBuilder(Draft::new(&APPROVAL))
    }
}

impl ApprovalBuilder {
    /// What is said to those who decide; `{{ … }}` may stand in it.
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.0.set("message", text.into());
        self
    }

    /// How long it is waited for, in whole milliseconds: what is less is cut off.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.set("timeout", duration::format(timeout));
        self
    }

    /// What happens if nobody decides in time.
    pub fn on_timeout(mut self, what: OnExpiry) -> Self {
        self.0.set("onTimeout", what.as_str());
        self
    }

    /// Who may decide.
    pub fn approvers<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.0.set("approvers", texts(names));
        self
    }

    /// How many different people must approve.
    pub fn count(mut self, count: u32) -> Self {
        self.0.set("count", count);
        self
    }

    pub(super) fn into_value(self) -> Value {
        self.0.into_value()
    }
}

/// Writes how often a step is tried.
#[derive(Debug, Clone)]
#[must_use = "a retry rule does nothing before it is added to a step"]
pub struct RetryBuilder(Draft);

impl RetryPolicy {
    /// Writes how often a step is tried, and how long it waits in between.
    pub fn builder() -> RetryBuilder {
        RetryBuilder(Draft::new(&RETRY))
    }
}

impl RetryBuilder {
    /// How often it is tried at most.
    pub fn max_attempts(mut self, most: u32) -> Self {
        self.0.set("maxAttempts", most);
        self
    }

    /// The wait before the second attempt, in whole milliseconds: what is less is cut off.
    pub fn initial_backoff(mut self, wait: Duration) -> Self {
        self.0.set("initialBackoff", duration::format(wait));
        self
    }

    /// What each wait is multiplied with to make the next.
    pub fn factor(mut self, factor: f64) -> Self {
        self.0.set("factor", factor);
        self
    }

    /// The longest wait, in whole milliseconds: what is less is cut off.
    pub fn max_backoff(mut self, wait: Duration) -> Self {
        self.0.set("maxBackoff", duration::format(wait));
        self
    }

    /// The share by which a wait is spread by chance.
    pub fn jitter(mut self, share: f64) -> Self {
        self.0.set("jitter", share);
        self
    }

    pub(super) fn into_value(self) -> Value {
        self.0.into_value()
    }
}
