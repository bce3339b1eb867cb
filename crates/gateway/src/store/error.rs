//! Why a store did not do what it was asked: one opaque error, branched on by kind.

use std::error::Error as StdError;
use std::fmt;

/// Why a verb of a store failed. Callers branch on [`StoreError::kind`], never on the text.
///
/// ```
/// use gateway::store::{StoreError, StoreErrorKind};
/// let error = StoreError::new(StoreErrorKind::Full, "recording a visit failed");
/// assert!(error.is_transient());
/// assert_eq!(error.to_string(), "recording a visit failed");
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a failed verb means for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Another process held the store for too long.
    Busy,
    /// The store does not answer: input or output failed.
    Unavailable,
    /// There is no room for more.
    Full,
    /// The store may not be written.
    ReadOnly,
    /// What is stored contradicts what was asked; nothing was changed.
    Conflict,
    /// The execution has changed hands since the writer took it up; nothing was changed.
    Fenced,
    /// What was named does not exist.
    NotFound,
    /// What is stored is damaged.
    Corrupt,
    /// What is there was written by another program, or by another version of this one.
    Incompatible,
    /// Another process owns the store.
    Owned,
    /// There is no store where one was expected.
    Missing,
    /// The store was closed.
    Closed,
    /// A fault of the program.
    Internal,
}

impl StoreError {
    /// An error that says what was done to what; its cause is added by [`StoreError::caused`].
    pub fn new(kind: StoreErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
            source: None,
        }
    }

    /// With what led to it.
    #[must_use]
    pub fn caused(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the failure means for its caller.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later without being changed, once the cause is gone.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            StoreErrorKind::Busy
            | StoreErrorKind::Unavailable
            | StoreErrorKind::Full
            | StoreErrorKind::ReadOnly => true,
            StoreErrorKind::Conflict
            | StoreErrorKind::Fenced
            | StoreErrorKind::NotFound
            | StoreErrorKind::Corrupt
            | StoreErrorKind::Incompatible
            | StoreErrorKind::Owned
            | StoreErrorKind::Missing
            | StoreErrorKind::Closed
            | StoreErrorKind::Internal => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
