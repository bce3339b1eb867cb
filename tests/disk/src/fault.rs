//! Faults of the disk: which operation fails, how, and for how long.

use std::fmt;

use libsqlite3_sys as ffi;

/// What SQLite does to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Opening a file, or giving a name to a new one.
    Open,
    /// Reading bytes.
    Read,
    /// Writing bytes.
    Write,
    /// Cutting a file.
    Truncate,
    /// Making a file durable.
    Sync,
    /// Taking a name away.
    Delete,
    /// Mapping memory that the connections share.
    Map,
}

/// Why it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The device does not answer as it should.
    Device,
    /// There is no room left.
    Full,
    /// There is no memory left.
    Memory,
}

/// How long it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// Once.
    Once,
    /// So often, counting every operation of the kind; then the disk is well again.
    Times(u64),
    /// For good: the process is killed in the end, and then the power fails.
    Forever,
}

/// One fault: the `nth` operation of its kind fails, and perhaps those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What fails.
    pub operation: Operation,
    /// Which one is the first, from 1.
    pub nth: u64,
    /// Why.
    pub cause: Cause,
    /// How long.
    pub lasts: Lasts,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {} fails ({:?}, {:?})",
            self.operation, self.nth, self.cause, self.lasts
        )
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Open,
        Self::Read,
        Self::Write,
        Self::Truncate,
        Self::Sync,
        Self::Delete,
        Self::Map,
    ];

    /// What SQLite is answered.
    fn code(self, cause: Cause) -> i32 {
        match (cause, self) {
            (Cause::Memory, _) => ffi::SQLITE_IOERR_NOMEM,
            (Cause::Full, _) => ffi::SQLITE_FULL,
            (Cause::Device, Self::Open) => ffi::SQLITE_CANTOPEN,
            (Cause::Device, Self::Read) => ffi::SQLITE_IOERR_READ,
            (Cause::Device, Self::Write) => ffi::SQLITE_IOERR_WRITE,
            (Cause::Device, Self::Truncate) => ffi::SQLITE_IOERR_TRUNCATE,
            (Cause::Device, Self::Sync) => ffi::SQLITE_IOERR_FSYNC,
            (Cause::Device, Self::Delete) => ffi::SQLITE_IOERR_DELETE,
            (Cause::Device, Self::Map) => ffi::SQLITE_IOERR_SHMMAP,
        }
    }
}

/// Counts operations, and fails those that are to fail.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    counts: [u64; Operation::ALL.len()],
    planned: Option<Fault>,
    /// How many operations have failed.
    pub(crate) failed: u64,
}

impl Faults {
    pub(crate) fn of(planned: Option<Fault>) -> Self {
        Self {
            planned,
            ..Self::default()
        }
    }

    pub(crate) fn heal(&mut self) {
        self.planned = None;
    }

    pub(crate) fn counts(&self) -> [u64; Operation::ALL.len()] {
        self.counts
    }

    /// Counts an operation; the error is what SQLite is to be answered.
    pub(crate) fn pass(&mut self, operation: Operation) -> Result<(), i32> {
        let count = &mut self.counts[operation as usize];
        *count += 1;
        let Some(fault) = self.planned.filter(|fault| fault.operation == operation) else {
            return Ok(());
        };
        let times = match fault.lasts {
            Lasts::Once => 1,
            Lasts::Times(times) => times,
            Lasts::Forever => u64::MAX,
        };
        if *count < fault.nth || *count - fault.nth >= times {
            return Ok(());
        }
        self.failed += 1;
        Err(operation.code(fault.cause))
    }
}
