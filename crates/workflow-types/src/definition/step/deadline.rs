//! Reads how long a gate waits, and speaks up where nobody could answer in time.

use std::time::Duration;

use crate::definition::fields::Fields;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::duration;

/// Within less than this nobody reads a question and answers it.
const SHORTEST: Duration = Duration::from_secs(1);

/// The `timeout` of a gate, if its key is there and it is more than nothing.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<Duration> {
    let (timeout, field) = fields.duration("timeout")?;
    let at = &field.at;
    if timeout.is_zero() {
        // To some it means "at once", to others "never": neither is guessed.
        fields.report.push(
            Diagnostic::new(
                Code::InvalidValue,
                Place::value(at),
                format!("`{at}` is 0, expected a time in which somebody can answer"),
            )
            .help("remove it to wait for an answer, or write for example \"1h\""),
        );
        return None;
    }
    if timeout < SHORTEST {
        let shown = duration::format(timeout);
        let diagnostic = Diagnostic::new(
            Code::ZeroDeadline,
            Place::value(at),
            format!("`{at}` is {shown}, so the approval expires before anybody can answer"),
        );
        fields.report.push(match field.value.as_u64() {
            Some(number) => diagnostic
                .help(format!(
                    "a number is in milliseconds; write \"{number}s\" for seconds"
                ))
                .fix(format!("\"{number}s\"")),
            None => diagnostic.help("give people minutes or hours, for example \"1h\""),
        });
    }
    Some(timeout)
}
