//! What happened, in one order: what SQLite did to its files, and what the world saw meanwhile.

use std::sync::Arc;

use gateway::workflow_types::id::{ExecutionId, GateId};

/// The files of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileName {
    /// The database itself.
    Database,
    /// `-wal`: the write-ahead log.
    Log,
    /// `-journal`: the journal of a database that has no log yet.
    Journal,
}

/// One change to the disk, or one thing that the world has seen.
#[derive(Debug, Clone)]
pub enum Event {
    /// A name was given to a new, empty file.
    Create {
        /// The name.
        name: FileName,
        /// The file, whatever its name.
        file: usize,
    },
    /// A name was taken away.
    Delete {
        /// The name.
        name: FileName,
        /// Whether that was made durable with the directory.
        synced: bool,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: usize,
        /// Where.
        offset: usize,
        /// What.
        data: Arc<[u8]>,
    },
    /// A file was cut to a length.
    Truncate {
        /// The file.
        file: usize,
        /// Its new length.
        length: usize,
    },
    /// A file was made durable.
    Sync {
        /// The file.
        file: usize,
        /// Whether the names were, too.
        names: bool,
    },
    /// A file was to be made durable and was not: the operating system thinks now that it is.
    SyncFailed {
        /// The file.
        file: usize,
    },
    /// Something outside of the disk.
    Seen(Seen),
}

/// What the world has seen: from then on it has to stay true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A tool was called.
    Effect(Effect),
    /// A start was answered.
    Started(ExecutionId),
    /// A decision at a gate was answered.
    Decided(GateId),
    /// An execution was read as finished.
    Ended(ExecutionId),
}

/// One call that reached a tool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Effect {
    /// The tool.
    pub tool: String,
    /// The idempotency key of the call.
    pub key: String,
    /// Which attempt it was.
    pub attempt: u32,
}
