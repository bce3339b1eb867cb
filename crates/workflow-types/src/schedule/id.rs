//! Names and numbers of a schedule that only a validating constructor can build.
//!
//! Knows nothing of what they name.

use nutype::nutype;

/// Why a schedule's name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleNameError {
    /// Nothing, or blanks only.
    #[error("found an empty schedule name, expected 1 to 200 characters")]
    Empty,
    /// More than 200 characters.
    #[error("found a schedule name of {length} characters, expected 1 to 200")]
    TooLong {
        /// Its length in characters.
        length: usize,
    },
    /// A line break or another control character.
    #[error("found a control character in schedule name {found:?}, expected one line of text")]
    ControlCharacter {
        /// The name.
        found: String,
    },
}

fn check_name(name: &str) -> Result<(), ScheduleNameError> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        Err(ScheduleNameError::Empty)
    } else if length > 200 {
        Err(ScheduleNameError::TooLong { length })
    } else if name.chars().any(char::is_control) {
        Err(ScheduleNameError::ControlCharacter {
            found: name.to_owned(),
        })
    } else {
        Ok(())
    }
}

/// What people call a schedule: one line of 1 to 200 characters, not only blanks.
#[nutype(
    validate(with = check_name, error = ScheduleNameError),
    derive(
        Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, AsRef, Deref, FromStr, TryFrom,
        Into, Serialize, Deserialize
    )
)]
pub struct ScheduleName(String);

/// Why a limit of runs was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found `maxRuns` {found}, expected 1 or more; leave it out for no limit")]
pub struct MaxRunsError {
    found: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "nutype passes a reference"
)]
fn check_max_runs(runs: &i64) -> Result<(), MaxRunsError> {
    if *runs >= 1 {
        Ok(())
    } else {
        Err(MaxRunsError { found: *runs })
    }
}

/// After how many started fires a schedule completes (rule F2); 1 makes it one-shot.
#[nutype(
    validate(with = check_max_runs, error = MaxRunsError),
    derive(
        Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, TryFrom, Into,
        Serialize, Deserialize
    )
)]
pub struct MaxRuns(i64);

/// The longest interval of a heartbeat in minutes: a week.
pub const LONGEST_INTERVAL: i64 = 7 * 24 * 60;

/// Why a heartbeat's interval was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found `interval` {found}, expected 1 to {LONGEST_INTERVAL} minutes (a week)")]
pub struct HeartbeatIntervalError {
    found: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "nutype passes a reference"
)]
fn check_interval(minutes: &i64) -> Result<(), HeartbeatIntervalError> {
    if (1..=LONGEST_INTERVAL).contains(minutes) {
        Ok(())
    } else {
        Err(HeartbeatIntervalError { found: *minutes })
    }
}

/// Minutes between two runs of a heartbeat, 1 to 10,080; 30 unless said otherwise.
#[nutype(
    validate(with = check_interval, error = HeartbeatIntervalError),
    default = 30,
    derive(
        Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, Default, TryFrom,
        Into, Serialize, Deserialize
    )
)]
pub struct HeartbeatInterval(i64);
