//! Reads how often a step is tried; each value on its own, so that every one that is wrong is told.

use std::time::Duration;

use crate::definition::fields::Fields;
use crate::duration::unit;
use crate::retry::{FACTORS, JITTERS, RetryPolicy};
use crate::shape::step as shape;

/// The rule under `retry`; the default one if its key is absent.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> RetryPolicy {
    let default = RetryPolicy::default();
    let Some(field) = fields.take("retry") else {
        return default;
    };
    let Some(mut inner) = Fields::open(field.value, &field.at, &shape::RETRY, fields.report) else {
        return default;
    };
    let attempts = inner
        .positive("maxAttempts")
        .map(|(number, _)| number.get());
    let initial = wait(&mut inner, "initialBackoff");
    let factor = inner.number("factor", &FACTORS);
    let max = wait(&mut inner, "maxBackoff");
    let jitter = inner.number("jitter", &JITTERS);
    let policy = RetryPolicy::try_new(
        attempts.unwrap_or(default.max_attempts()),
        initial.unwrap_or(default.initial_backoff()),
        factor.unwrap_or(default.factor()),
        max.unwrap_or(default.max_backoff()),
        jitter.unwrap_or(default.jitter()),
    );
    if let Err(error) = &policy {
        inner.report.invalid(&field.at.key(error.0), error);
    }
    inner.finish();
    policy.unwrap_or(default)
}

/// A time to wait, doubted where a plain number looks like seconds.
fn wait(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Duration> {
    let (duration, field) = fields.duration(name)?;
    unit::doubt(field.value, &field.at, fields.report);
    Some(duration)
}
