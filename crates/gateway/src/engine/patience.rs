//! How long to wait until a database that did not answer is asked again: longer each time, and
//! never longer than half a minute.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);

/// The pauses of one who asks again and again.
#[derive(Debug)]
pub(crate) struct Patience {
    next: Duration,
}

impl Patience {
    /// Nothing has failed yet.
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    /// How long to wait after one more failure.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let mut patience = Patience::new();
        let pauses: Vec<u128> = (0..11).map(|_| patience.pause().as_millis()).collect();
        let expected = [
            100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
        ];
        assert_eq!(pauses, expected);
    }
}
