//! How long some work takes: the median of many rounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long all rounds together should take.
const PATIENCE: Duration = Duration::from_millis(400);
const LEAST_ROUNDS: usize = 5;
const MOST_ROUNDS: usize = 2_000;
/// A round shorter than this is made of many repetitions, or the clock itself would be measured.
const SHORTEST_ROUND: Duration = Duration::from_micros(50);

/// The median time of one repetition.
pub fn median<T>(mut work: impl FnMut() -> T) -> Duration {
    let first = round(1, &mut work);
    let repetitions = SHORTEST_ROUND.as_nanos().div_ceil(first.as_nanos().max(1));
    let repetitions = u32::try_from(repetitions).unwrap_or(1).clamp(1, 10_000);
    let begun = Instant::now();
    let mut rounds = Vec::new();
    while rounds.len() < LEAST_ROUNDS || (rounds.len() < MOST_ROUNDS && begun.elapsed() < PATIENCE)
    {
        rounds.push(round(repetitions, &mut work) / repetitions);
    }
    rounds.sort_unstable();
    rounds[rounds.len() / 2]
}

/// How long one single run takes; for work that is too long to repeat.
pub fn once<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = work();
    (result, begun.elapsed())
}

fn round<T>(repetitions: u32, work: &mut impl FnMut() -> T) -> Duration {
    let begun = Instant::now();
    for _ in 0..repetitions {
        black_box(work());
    }
    begun.elapsed()
}
