//! Where AgentSpace keeps what must survive: one SQLite file, typed on the way in and out.
//!
//! Functions take and return domain types of `workflow_types`; rows, SQL and Diesel stay in here.
//! Everything is synchronous and nothing reads a clock. Who calls from which thread, and what is
//! decided, is the business of the callers.
//!
//! Write functions may be called anywhere: inside [`Connection::group`] or [`Connection::write`]
//! they join the transaction that is open, elsewhere each is a transaction of its own.
//!
//! ```
//! use db::{Connection, Durability};
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("agentspace.db");
//! let mut opened = Connection::open_writer(&path, Durability::Full)?;
//! assert_eq!(opened.connection.check()?, Vec::<String>::new());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)]

pub mod alert;
pub mod attempt;
mod backup;
mod bell;
mod call;
pub mod cancellation;
mod check;
mod column;
mod connection;
pub mod definition;
mod error;
pub mod event;
pub mod execution;
mod file;
pub mod gate;
pub mod heartbeat;
pub mod migrate;
mod owner;
#[cfg(test)]
mod plan;
pub mod retention;
pub mod retry;
pub mod schedule;
mod schema;
mod sqlite_log;
mod statement;
pub mod timer;
pub mod turn;
pub mod usage;
pub mod visit;
pub mod workflow;
mod writer;

pub use bell::Listener;
pub use connection::{Connection, Durability, Opened, sqlite_version};
pub use error::{Error, ErrorKind};
pub use owner::{OwnerLock, owner, owner_called};
pub use writer::Job;
