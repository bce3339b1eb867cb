//! Schedules at their public boundary: fires around clock changes, active hours, the
//! published JSON shapes, and the texts that authors see.

#![expect(clippy::unwrap_used, reason = "test helpers fail loudly")]

mod schedule {
    mod active_hours;
    mod clock_changes;
    mod json;
    mod laws;
    mod texts;
    mod words;
}
