//! The environment of a command: what it inherits and what it learns about its call.
//!
//! The host's own variables hold secrets (model keys, tokens) that no command asked for, so by
//! default only those pass that make programs find their files and speak the user's language.

use std::ffi::OsString;

use gateway::ToolCall;

/// The same for every call that repeats this one.
const IDEMPOTENCY_KEY: &str = "AGENTSPACE_IDEMPOTENCY_KEY";
/// Which attempt this is, from 1.
const ATTEMPT: &str = "AGENTSPACE_ATTEMPT";

/// Names that always pass; besides them everything that begins with `LC_` or `XDG_`.
const BASICS: [&str; 12] = [
    "HOME",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
];

/// What a command sees of the host's environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inherit {
    /// Paths, user, locale and zone: `PATH`, `HOME`, `USER`, `LANG`, `LC_*`, `TZ`, `XDG_*` …
    Basics,
    /// The basics and these names.
    BasicsAnd(Vec<String>),
    /// Everything, the host's secrets included.
    Everything,
}

/// The part of the host's environment that a command gets.
pub(in crate::tools) fn inherited(inherit: &Inherit) -> Vec<(OsString, OsString)> {
    std::env::vars_os()
        .filter(|(name, _)| {
            let name = name.to_string_lossy();
            match inherit {
                Inherit::Everything => true,
                Inherit::Basics => is_basic(&name),
                Inherit::BasicsAnd(more) => is_basic(&name) || more.iter().any(|m| *m == name),
            }
        })
        .collect()
}

/// What a command may know about the call that runs it.
pub(super) fn of_call(call: &ToolCall) -> [(OsString, OsString); 2] {
    [
        (IDEMPOTENCY_KEY.into(), call.idempotency_key.clone().into()),
        (ATTEMPT.into(), call.attempt.to_string().into()),
    ]
}

/// Whether a variable can put another program behind the name of an allowed one.
pub(super) fn chooses_program(name: &str) -> bool {
    name == "PATH" || name.starts_with("LD_") || name.starts_with("DYLD_")
}

fn is_basic(name: &str) -> bool {
    BASICS.contains(&name) || name.starts_with("LC_") || name.starts_with("XDG_")
}
