//! When the database asks for attention by itself: expiries of gates and retries.
//!
//! Timers are columns of what waits, not rows of their own, so none can be left behind. Who wakes
//! up then is decided elsewhere.

use workflow_types::Timestamp;
use workflow_types::id::ExecutionId;

use crate::connection::Connection;
use crate::error::Error;
use crate::{gate, visit};

/// Whose timers are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of all executions.
    All,
    /// Those of these executions; for a gateway that leaves the others alone.
    Of(Vec<ExecutionId>),
}

impl Scope {
    /// The ids as they are stored, if not all are meant.
    pub(crate) fn texts(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Of(ids) => Some(ids.iter().map(ToString::to_string).collect()),
        }
    }
}

/// The next instant at which a gate expires or a retry is due; it may be past.
pub fn next_due(connection: &mut Connection, scope: &Scope) -> Result<Option<Timestamp>, Error> {
    connection.read(|connection| {
        let expiry = gate::next_expiry(connection, scope)?;
        let retry = visit::next_due(connection, scope)?;
        Ok(expiry.into_iter().chain(retry).min())
    })
}
