//! When the database asks for attention by itself: expiries of gates and retries.
//!
//! Timers are columns of what waits, not rows of their own, so none can be left behind. Who wakes
//! up then is decided elsewhere.

use workflow_types::Timestamp;

use crate::connection::Connection;
use crate::error::Error;
use crate::{gate, visit};

/// The next instant at which a gate expires or a retry is due; it may be past.
pub fn next_due(connection: &mut Connection) -> Result<Option<Timestamp>, Error> {
    connection.read(|connection| {
        let expiry = gate::next_expiry(connection)?;
        let retry = visit::next_due(connection)?;
        Ok(expiry.into_iter().chain(retry).min())
    })
}
