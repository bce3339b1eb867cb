//! How often a step is tried and how long it waits in between.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Most attempts that an author may ask for.
pub const MAX_ATTEMPTS: u32 = 100;
/// What a wait may be multiplied with to make the next.
pub const FACTORS: RangeInclusive<f64> = 1.0..=100.0;
/// The shares by which a wait may be spread.
pub const JITTERS: RangeInclusive<f64> = 0.0..=1.0;

/// The retry rule of a step: attempts and exponential backoff.
///
/// The default tries once. The wait before attempt *n + 1* is
/// `min(initialBackoff * factor^(n - 1), maxBackoff)`, spread by `jitter` to both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: Duration,
    factor: f64,
    max_backoff: Duration,
    jitter: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 1,
            initial_backoff: Duration::from_secs(1),
            factor: 2.0,
            max_backoff: Duration::from_mins(1),
            jitter: 0.1,
        }
    }
}

impl RetryPolicy {
    /// The default rule with other values; the first that is not allowed is named.
    ///
    /// Attempts are 1 to 100, `factor` 1 to 100, `jitter` 0 to 1.
    pub fn try_new(
        max_attempts: u32,
        initial_backoff: Duration,
        factor: f64,
        max_backoff: Duration,
        jitter: f64,
    ) -> Result<Self, RetryError> {
        if !(1..=MAX_ATTEMPTS).contains(&max_attempts) {
            return Err(RetryError("maxAttempts", "a whole number from 1 to 100"));
        }
        if !FACTORS.contains(&factor) {
            return Err(RetryError("factor", "a number from 1 to 100"));
        }
        if !JITTERS.contains(&jitter) {
            return Err(RetryError("jitter", "a number from 0 to 1"));
        }
        Ok(Self {
            max_attempts,
            initial_backoff,
            factor,
            max_backoff,
            jitter,
        })
    }

    /// How often an action is tried at most.
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The wait before the second attempt.
    pub fn initial_backoff(&self) -> Duration {
        self.initial_backoff
    }

    /// What each wait is multiplied with to make the next.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// The longest wait, before jitter.
    pub fn max_backoff(&self) -> Duration {
        self.max_backoff
    }

    /// The share by which a wait is spread to both sides.
    pub fn jitter(&self) -> f64 {
        self.jitter
    }

    /// The wait after `attempt` (from 1) has failed; `spread` in `0.0..1.0` is the caller's
    /// randomness, 0.5 being the middle.
    pub fn backoff(&self, attempt: u32, spread: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let base = self.initial_backoff.as_secs_f64() * self.factor.powi(exponent);
        let capped = base.min(self.max_backoff.as_secs_f64());
        let spread = 1.0 + self.jitter * (spread.clamp(0.0, 1.0) * 2.0 - 1.0);
        Duration::try_from_secs_f64(capped * spread).unwrap_or(self.max_backoff)
    }
}

/// A value that a retry rule cannot have: the key, and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` must be {1}")]
pub struct RetryError(pub(crate) &'static str, pub(crate) &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_jitter_stays_in_its_share() {
        let policy =
            RetryPolicy::try_new(10, Duration::from_secs(1), 2.0, Duration::from_secs(5), 0.1)
                .unwrap();
        let middle: Vec<u64> = (1..=5).map(|n| policy.backoff(n, 0.5).as_secs()).collect();
        assert_eq!(middle, [1, 2, 4, 5, 5]);
        assert_eq!(policy.backoff(1, 0.0), Duration::from_millis(900));
        assert_eq!(policy.backoff(1, 1.0), Duration::from_millis(1100));
        assert_eq!(policy.backoff(u32::MAX, 0.5), Duration::from_secs(5));
    }

    #[test]
    fn impossible_rules_are_refused_by_name() {
        let make = |attempts, factor, jitter| {
            RetryPolicy::try_new(attempts, Duration::ZERO, factor, Duration::ZERO, jitter)
                .unwrap_err()
                .0
        };
        assert_eq!(make(0, 2.0, 0.0), "maxAttempts");
        assert_eq!(make(1, f64::NAN, 0.0), "factor");
        assert_eq!(make(1, 1.0, 1.5), "jitter");
    }
}
