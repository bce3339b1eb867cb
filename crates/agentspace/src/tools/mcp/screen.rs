//! Takes the values of secrets out of all that a server says, before anybody sees, cuts or keeps it.
//!
//! A server has its secrets for as long as it lives, however many others are revealed meanwhile, so
//! what it was given is remembered here besides.

use std::fmt;

use gateway::workflow_types::id::SecretName;
use gateway::{Mask, SecretValue, ToolError};
use serde_json::Value;

/// What everything passes that a server says; clones share it.
#[derive(Clone)]
pub(super) struct Screen {
    /// What this server was given.
    given: Mask,
    /// What anybody was given.
    all: Mask,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").finish_non_exhaustive()
    }
}

impl Screen {
    /// Of a server that was given nothing yet.
    pub(super) fn new(all: Mask) -> Self {
        Self {
            given: Mask::default(),
            all,
        }
    }

    /// Remembers a value that the server is about to be given.
    pub(super) fn add(&self, name: &SecretName, value: &SecretValue) {
        self.given.add(name, value);
    }

    /// A text without the values.
    pub(super) fn text(&self, text: &str) -> String {
        self.all.text(&self.given.text(text)).into_owned()
    }

    /// A value without the values.
    pub(super) fn value(&self, value: Value) -> Value {
        self.all.value(self.given.value(value))
    }

    /// An error without the values.
    pub(super) fn error(&self, error: &ToolError) -> ToolError {
        let message = self.text(&error.to_string());
        if error.is_retryable() {
            ToolError::retryable(message)
        } else {
            ToolError::permanent(message)
        }
    }
}
