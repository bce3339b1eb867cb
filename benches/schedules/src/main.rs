//! Measures how soon it is known when a schedule fires next, as ratios of one run.
//!
//! Nothing here passes or fails by the clock: the tables are for a person, who reads them beside
//! the goals.

mod many;
mod never;
mod next;
// The same clock and the same tables as beside definitions.
#[path = "../../definitions/src/stopwatch.rs"]
mod stopwatch;
#[path = "../../definitions/src/table.rs"]
#[expect(dead_code, reason = "no bytes are measured here")]
mod table;

fn main() {
    // First, while no zone has been looked at.
    many::measure();
    next::measure();
    never::measure();
}
