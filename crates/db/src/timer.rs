//! When the database asks for attention by itself: expiries of gates and retries.
//!
//! Timers are columns of what waits, not rows of their own, so none can be left behind. Who wakes
//! up then is decided elsewhere.

use workflow_types::Timestamp;
use workflow_types::execution::Scope;

use crate::connection::Connection;
use crate::error::Error;
use crate::{gate, visit};

/// The ids of a scope as they are stored, if not all are meant.
pub(crate) fn texts(scope: &Scope) -> Option<Vec<String>> {
    match scope {
        Scope::All => None,
        Scope::Of(ids) => Some(ids.iter().map(ToString::to_string).collect()),
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
