//! Speaks up where a number of milliseconds was most likely meant as seconds.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};

/// Plain numbers below this are more likely seconds.
const SUSPICIOUS_MS: u64 = 100;

/// Warns of a time that is a small plain number; 0 is nothing in every unit.
pub(crate) fn doubt(written: &Value, at: &Pointer, report: &mut Report) {
    let Some(ms) = written
        .as_u64()
        .filter(|ms| (1..SUSPICIOUS_MS).contains(ms))
    else {
        return;
    };
    report.push(
        Diagnostic::new(
            Code::TimeoutUnit,
            Place::value(at),
            format!("`{at}` is {ms} milliseconds"),
        )
        .help(format!(
            "write \"{ms}s\" for seconds, or \"{ms}ms\" if it is meant"
        ))
        .fix_value(format!("{ms}s")),
    );
}
