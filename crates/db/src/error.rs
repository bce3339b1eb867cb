//! The one error of this crate, and how SQLite's words become its kinds.
//!
//! Callers branch on [`ErrorKind`], never on text. No foreign error type leaves the crate.

use std::fmt;
use std::io;
use std::sync::Arc;

use diesel::result::DatabaseErrorKind;

use crate::sqlite_log::{self, Logged};

/// Why an operation of the database failed.
///
/// The text names what was being done and to what; the source holds the cause.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    context: String,
    cause: Option<Cause>,
}

/// What a failed operation means for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Another process held the database for too long.
    Busy,
    /// What is stored contradicts what was asked; nothing was changed.
    Conflict,
    /// The execution has changed hands since the writer took it up; nothing was changed.
    Fenced,
    /// What was named does not exist.
    NotFound,
    /// The file, or a row in it, is damaged.
    Corrupt,
    /// The disk, or the space that the database may use, is full.
    Full,
    /// The operating system could not read or write.
    Io,
    /// The file, or the connection, does not allow writing.
    ReadOnly,
    /// The database was written by a newer program.
    Newer,
    /// The database has an older schema, and this connection may not migrate it.
    Older,
    /// The file is no database, or the database of another program.
    NotADatabase,
    /// Another process owns the database.
    Owned,
    /// There is no such file.
    Missing,
    /// A fault of the program.
    Internal,
}

/// What SQLite or the operating system said.
#[derive(Debug, Clone)]
struct Cause(String);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Cause {}

impl Error {
    /// What the failure means for its caller.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed later without being changed, once the cause is gone.
    pub fn retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Busy | ErrorKind::Full | ErrorKind::Io | ErrorKind::ReadOnly => true,
            ErrorKind::Conflict
            | ErrorKind::Fenced
            | ErrorKind::NotFound
            | ErrorKind::Corrupt
            | ErrorKind::Newer
            | ErrorKind::Older
            | ErrorKind::NotADatabase
            | ErrorKind::Owned
            | ErrorKind::Missing
            | ErrorKind::Internal => false,
        }
    }

    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            context: context.into(),
            cause: None,
        }))
    }

    pub(crate) fn because(
        kind: ErrorKind,
        context: impl Into<String>,
        cause: impl fmt::Display,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            context: context.into(),
            cause: Some(Cause(cause.to_string())),
        }))
    }

    /// The same failure in the words of a caller that knows more.
    pub(crate) fn said_as(&self, context: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind: self.0.kind,
            context: context.into(),
            cause: self.0.cause.clone(),
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.context)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("context", &self.0.context)
            .field("cause", &self.0.cause.as_ref().map(|cause| &cause.0))
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

/// Gives a foreign error its kind and its context.
pub(crate) trait Context<T> {
    fn context<S: Into<String>>(self, context: impl FnOnce() -> S) -> Result<T, Error>;
}

impl<T> Context<T> for Result<T, diesel::result::Error> {
    fn context<S: Into<String>>(self, context: impl FnOnce() -> S) -> Result<T, Error> {
        self.map_err(|error| from_diesel(&error, context().into()))
    }
}

/// What a migration fails with.
impl<T> Context<T> for Result<T, Box<dyn std::error::Error + Send + Sync>> {
    fn context<S: Into<String>>(self, context: impl FnOnce() -> S) -> Result<T, Error> {
        self.map_err(|error| {
            let text = error.to_string();
            let kind = of_text(&text).unwrap_or(ErrorKind::Internal);
            Error::because(kind, context(), text)
        })
    }
}

impl<T> Context<T> for io::Result<T> {
    fn context<S: Into<String>>(self, context: impl FnOnce() -> S) -> Result<T, Error> {
        self.map_err(|error| {
            let kind = of_io(error.kind());
            Error::because(kind, context(), with_remedy(kind, error.to_string()))
        })
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum that grows: what is not named needs no special treatment"
)]
fn from_diesel(error: &diesel::result::Error, context: String) -> Error {
    // Whatever SQLite logged belongs to this failure: the log is emptied by every failure.
    let logged = sqlite_log::take();
    let text = error.to_string();
    let kind = match error {
        diesel::result::Error::DatabaseError(kind, _) => match kind {
            DatabaseErrorKind::UniqueViolation => ErrorKind::Conflict,
            DatabaseErrorKind::ForeignKeyViolation => ErrorKind::NotFound,
            _ => of_text(&text)
                .or_else(|| logged.as_ref().and_then(|logged| of_code(logged.code)))
                .unwrap_or(ErrorKind::Internal),
        },
        diesel::result::Error::NotFound => ErrorKind::NotFound,
        diesel::result::Error::DeserializationError(_) => ErrorKind::Corrupt,
        _ => ErrorKind::Internal,
    };
    // SQLite calls a full disk so only where it grows the database or its log.
    let cause = logged.as_ref().and_then(Logged::system_error);
    let is_full = cause.is_some_and(|cause| of_io(cause.kind()) == ErrorKind::Full);
    let kind = if is_full { ErrorKind::Full } else { kind };
    let said = match logged {
        Some(logged) if !text.contains(&logged.message) => format!("{text} ({})", logged.message),
        Some(_) | None => text,
    };
    Error::because(kind, context, with_remedy(kind, said))
}

/// What a person can do about a full disk is always the same.
fn with_remedy(kind: ErrorKind, cause: String) -> String {
    if kind == ErrorKind::Full {
        format!("{cause}: free some space there")
    } else {
        cause
    }
}

/// SQLite's fixed texts, which Diesel keeps; the code it does not keep.
fn of_text(text: &str) -> Option<ErrorKind> {
    const TEXTS: [(&str, ErrorKind); 12] = [
        ("database is locked", ErrorKind::Busy),
        ("table is locked", ErrorKind::Busy),
        ("locking protocol", ErrorKind::Busy),
        ("disk is full", ErrorKind::Full),
        ("disk I/O error", ErrorKind::Io),
        ("unable to open database file", ErrorKind::Io),
        ("out of memory", ErrorKind::Io),
        ("readonly database", ErrorKind::ReadOnly),
        ("is not a database", ErrorKind::NotADatabase),
        ("is malformed", ErrorKind::Corrupt),
        ("malformed database schema", ErrorKind::Corrupt),
        ("no such savepoint", ErrorKind::Internal),
    ];
    TEXTS
        .iter()
        .find(|(known, _)| text.contains(known))
        .map(|(_, kind)| *kind)
}

/// The low byte of an extended result code is its primary code.
fn of_code(code: i32) -> Option<ErrorKind> {
    match code & 0xff {
        libsqlite3_sys::SQLITE_BUSY | libsqlite3_sys::SQLITE_LOCKED => Some(ErrorKind::Busy),
        libsqlite3_sys::SQLITE_FULL => Some(ErrorKind::Full),
        libsqlite3_sys::SQLITE_IOERR
        | libsqlite3_sys::SQLITE_CANTOPEN
        | libsqlite3_sys::SQLITE_NOMEM => Some(ErrorKind::Io),
        libsqlite3_sys::SQLITE_READONLY => Some(ErrorKind::ReadOnly),
        libsqlite3_sys::SQLITE_CORRUPT => Some(ErrorKind::Corrupt),
        libsqlite3_sys::SQLITE_NOTADB => Some(ErrorKind::NotADatabase),
        _ => None,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum that grows: what is not named needs no special treatment"
)]
fn of_io(kind: io::ErrorKind) -> ErrorKind {
    match kind {
        io::ErrorKind::NotFound => ErrorKind::Missing,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
        _ => ErrorKind::Io,
    }
}
