//! Reads how often a step is tried; each value on its own, so that every one that is wrong is told.

use crate::definition::fields::Fields;
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
    let initial = inner
        .duration("initialBackoff")
        .map(|(duration, _)| duration);
    let factor = inner.number("factor", &FACTORS);
    let max = inner.duration("maxBackoff").map(|(duration, _)| duration);
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
