//! What becomes of fire times that were missed, or that come too soon (rules F2 to F6).
//!
//! Values only: what follows from them is decided by the plan.

use std::num::NonZeroU32;
use std::time::Duration;

use super::id::MaxRuns;
use crate::duration;
use crate::id::ScheduleId;
use crate::words::words;

/// The longest that a missed fire is caught up after, unless a schedule says otherwise.
pub const LONGEST_CATCH_UP: Duration = Duration::from_hours(12);
/// The most fire times of one schedule that are caught up, and the most that wait in its buffer.
pub const MOST_CAUGHT_UP: usize = 1_000;
/// The longest that a schedule may be spread by.
pub const LONGEST_JITTER: Duration = Duration::from_hours(24);

words! {
    /// What becomes of fire times that passed while nobody could act (rule F3).
    Misfire {
        /// The most recent one runs, if it is not too old.
        Latest = "latest",
        /// Each runs, the oldest first.
        All = "all",
        /// None runs.
        Skip = "skip",
    }
}

words! {
    /// What becomes of a fire time that comes while an execution of the schedule is not finished
    /// (rule F4).
    Overlap {
        /// It does not run.
        Skip = "skip",
        /// It runs when the other has ended, unless one waits already.
        BufferOne = "buffer_one",
        /// It runs when all before it have ended.
        BufferAll = "buffer_all",
        /// The other is cancelled.
        CancelOther = "cancel_other",
        /// Both run.
        Allow = "allow",
    }
}

/// What becomes of fire times that were missed or that overlap, and when a schedule ends.
///
/// ```
/// use workflow_types::schedule::{Misfire, Overlap, Policies};
///
/// let policies = Policies::default();
/// assert_eq!((policies.misfire, policies.overlap), (Misfire::Latest, Overlap::Skip));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    /// What becomes of missed fire times.
    pub misfire: Misfire,
    /// How old a missed fire time may be to be caught up. None means half the distance to the next
    /// one, at most twelve hours, where the latest is caught up, and any age where all are.
    pub catch_up: Option<Duration>,
    /// What becomes of fire times that overlap.
    pub overlap: Overlap,
    /// Whether an execution that waits for a person is passed over when overlap is decided.
    pub overlap_ignores_paused: bool,
    /// How far the schedule is moved away from others that fire at the same time, at most.
    pub jitter: Duration,
    /// After how many started fires it completes; none means never.
    pub max_runs: Option<MaxRuns>,
    /// After how many failed executions in a row it is paused; none means never.
    pub pause_after_failures: Option<NonZeroU32>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            misfire: Misfire::Latest,
            catch_up: None,
            overlap: Overlap::Skip,
            overlap_ignores_paused: false,
            jitter: Duration::ZERO,
            max_runs: None,
            pause_after_failures: None,
        }
    }
}

impl Policies {
    /// How much later than its fire times a schedule acts: the same for good (rule F5).
    pub fn delay(&self, id: &ScheduleId) -> Duration {
        let most = u64::try_from(self.jitter.as_millis()).unwrap_or(u64::MAX);
        match hash(id.as_ref()).checked_rem(most) {
            None => Duration::ZERO,
            Some(delay) => Duration::from_millis(delay),
        }
    }
}

/// A jitter that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found a jitter of {}, expected at most {}", duration::format(*.found), duration::format(LONGEST_JITTER))]
pub struct JitterError {
    found: Duration,
}

/// A jitter that is allowed.
///
/// ```
/// use std::time::Duration;
/// use workflow_types::schedule::check_jitter;
///
/// assert!(check_jitter(Duration::from_hours(24)).is_ok());
/// assert_eq!(
///     check_jitter(Duration::from_hours(36)).unwrap_err().to_string(),
///     "found a jitter of 36h, expected at most 1d"
/// );
/// ```
///
/// # Errors
/// If it is longer than a day.
pub fn check_jitter(found: Duration) -> Result<Duration, JitterError> {
    if found > LONGEST_JITTER {
        return Err(JitterError { found });
    }
    Ok(found)
}

/// FNV-1a, finished as in `MurmurHash3`, so that ids that differ in their last letter spread, too;
/// the same in every build, because delays must outlive one.
fn hash(text: &str) -> u64 {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_spread_over_their_jitter_and_each_stays_where_it_is() {
        let policies = Policies {
            jitter: Duration::from_secs(100),
            ..Policies::default()
        };
        let delay = |number: u32| {
            let id = ScheduleId::try_new(format!("schedule-{number}")).unwrap();
            policies.delay(&id)
        };
        let mut tenths = [0; 10];
        for number in 0..1_000 {
            assert_eq!(delay(number), delay(number));
            tenths[usize::try_from(delay(number).as_secs() / 10).unwrap()] += 1;
        }
        assert!(
            tenths.iter().all(|count| (60..140).contains(count)),
            "{tenths:?}"
        );
        assert_eq!(
            Policies::default().delay(&"a".parse().unwrap()),
            Duration::ZERO
        );
    }
}
