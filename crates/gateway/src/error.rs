//! Why an operation of the gateway failed: one opaque error, branched on by kind.

use std::error::Error as StdError;
use std::fmt;

use crate::store::{StoreError, StoreErrorKind};

/// Why an operation failed. Callers branch on [`Error::kind`], never on the text.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    /// Whether the cause may go away by itself.
    transient: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of failed operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was named does not exist.
    NotFound,
    /// It was decided, or changed, by somebody else before.
    Conflict,
    /// The actor may not do this.
    Forbidden,
    /// What was given is not valid.
    Invalid,
    /// The limit of the workflow is reached, and its author wants no other execution to wait.
    Busy,
    /// The gateway is shutting down.
    Stopping,
    /// Another process owns the database.
    Owned,
    /// There is no database where one was expected.
    Missing,
    /// The database cannot be used: not a database, newer, older, read-only or damaged.
    Unusable,
    /// The database does not answer for now: busy, disk full, input or output error.
    Unavailable,
    /// A fault of the program.
    Internal,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
            transient: kind == ErrorKind::Unavailable,
            source: None,
        }
    }

    pub(crate) fn caused(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// An error of the store, in the course of doing `context`.
    fn store(context: impl Into<String>, source: StoreError) -> Self {
        // A file system that is read-only for now may be written again, though nobody can open it.
        let transient = source.is_transient();
        Self {
            transient,
            ..Self::new(kind_of(source.kind()), context).caused(source)
        }
    }

    /// An error of opening a database, which says itself what was to be opened.
    pub(crate) fn opening(source: StoreError) -> Self {
        let context = source.to_string();
        Self::new(kind_of(source.kind()), context).caused(source)
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same operation may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

/// Says what was being done when the store failed.
pub(crate) trait During<T> {
    /// The gateway's error for `doing`, as in `reading a journal`.
    fn during(self, doing: impl fmt::Display) -> Result<T, Error>;
}

impl<T> During<T> for Result<T, StoreError> {
    fn during(self, doing: impl fmt::Display) -> Result<T, Error> {
        self.map_err(|error| Error::store(format!("{doing} failed"), error))
    }
}

fn kind_of(kind: StoreErrorKind) -> ErrorKind {
    match kind {
        StoreErrorKind::Busy | StoreErrorKind::Unavailable | StoreErrorKind::Full => {
            ErrorKind::Unavailable
        }
        StoreErrorKind::Conflict | StoreErrorKind::Fenced => ErrorKind::Conflict,
        StoreErrorKind::NotFound => ErrorKind::NotFound,
        StoreErrorKind::Missing => ErrorKind::Missing,
        StoreErrorKind::Owned => ErrorKind::Owned,
        StoreErrorKind::Closed => ErrorKind::Stopping,
        StoreErrorKind::ReadOnly | StoreErrorKind::Incompatible | StoreErrorKind::Corrupt => {
            ErrorKind::Unusable
        }
        StoreErrorKind::Internal => ErrorKind::Internal,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
