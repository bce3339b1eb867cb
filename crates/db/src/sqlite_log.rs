//! The two hooks into SQLite that its safe wrapper does not offer, and the only unsafe code.
//!
//! The error log keeps, per thread, what SQLite said last, because Diesel keeps only the text of
//! an error. Every connection of the process is made defensive when it opens (SQL cannot damage
//! the file on purpose), and its plans stable. Nothing here knows what the statements were about.
#![expect(
    unsafe_code,
    reason = "SQLITE_CONFIG_LOG and sqlite3_auto_extension exist only in C"
)]

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::ptr;
use std::sync::Once;

use libsqlite3_sys as ffi;

/// What SQLite wrote into its error log.
pub(crate) struct Logged {
    /// The extended result code.
    pub(crate) code: i32,
    /// The text, which names the system call and its error where there was one.
    pub(crate) message: String,
}

impl Logged {
    /// The error of the system call that failed, if it was one: `os_unix.c:45123: (28) write(…) - …`.
    pub(crate) fn system_error(&self) -> Option<io::Error> {
        let (_, number) = self.message.strip_prefix("os_")?.split_once(": (")?;
        let (number, _) = number.split_once(')')?;
        number.parse().ok().map(io::Error::from_raw_os_error)
    }
}

thread_local! {
    static LAST: RefCell<Option<Logged>> = const { RefCell::new(None) };
}

/// Installs both hooks; to be called before a connection is opened, as often as one likes.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let log: unsafe extern "C" fn(*mut c_void, c_int, *const c_char) = record;
        // SAFETY: `SQLITE_CONFIG_LOG` takes a function of exactly this type and a pointer that is
        // handed to it unchanged; both live as long as the process. It may be set at any time.
        // A refusal leaves SQLite without a log, which costs detail in messages and nothing else.
        let _ =
            unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_LOG, log, ptr::null_mut::<c_void>()) };
        // SAFETY: the function has the type that SQLite calls and lives as long as the process.
        let _ = unsafe { ffi::sqlite3_auto_extension(Some(harden)) };
    });
}

/// Takes what was logged on this thread since the last call.
pub(crate) fn take() -> Option<Logged> {
    LAST.try_with(|last| last.try_borrow_mut().ok().and_then(|mut last| last.take()))
        .ok()
        .flatten()
}

/// Called by SQLite on the thread on which something failed; may not call SQLite and may not
/// panic.
unsafe extern "C" fn record(_: *mut c_void, code: c_int, message: *const c_char) {
    let primary = code & 0xff;
    let harmless = [
        ffi::SQLITE_NOTICE,
        ffi::SQLITE_WARNING,
        ffi::SQLITE_SCHEMA,
        ffi::SQLITE_CONSTRAINT,
    ];
    if message.is_null() || harmless.contains(&primary) {
        return;
    }
    // SAFETY: SQLite passes a text that ends with NUL and is valid during this call; it is copied.
    let message = unsafe { CStr::from_ptr(message) };
    let logged = Logged {
        code,
        message: message.to_string_lossy().into_owned(),
    };
    // A thread that is ending, or that is reading the log, keeps what it has.
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            // The system call that failed is logged first, the statement that it aborted second.
            let is_cause = last
                .as_ref()
                .is_some_and(|last| last.system_error().is_some());
            if last.is_none() || (!is_cause && !logged.message.contains(" at ")) {
                *last = Some(logged);
            }
        }
    });
}

/// Called by SQLite for every connection that opens.
unsafe extern "C" fn harden(
    db: *mut ffi::sqlite3,
    _: *mut *mut c_char,
    _: *const ffi::sqlite3_api_routines,
) -> c_int {
    let out = ptr::null_mut::<c_int>();
    // Plans do not depend on bound values: a statement that may use a partial index would
    // otherwise be prepared anew whenever a value is bound.
    // SAFETY: SQLite passes the connection that it is opening; both options take an int and a
    // pointer that may be null.
    unsafe {
        ffi::sqlite3_db_config(db, ffi::SQLITE_DBCONFIG_ENABLE_QPSG, 1 as c_int, out);
        ffi::sqlite3_db_config(db, ffi::SQLITE_DBCONFIG_DEFENSIVE, 1 as c_int, out)
    }
}
