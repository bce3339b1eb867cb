//! How many late fires are caught up at once: five, and then one every five seconds (rule F3).
//!
//! A rate and nothing else: which schedule waits for which turn is its row's to say.
//!
//! A turn is for one late fire, whichever schedule it is of. But the pace keeps no schedule behind:
//! none waits beyond its next fire time. When that comes, the schedule has its turn for all that it
//! owes, the oldest first, as its overlap policy says, and what is on time runs with it. So a herd of
//! schedules is spread over the time until each would have fired anyway, and what is owed never
//! grows: every second with `misfire: all` has caught up, at most 1,000 fires, a second after the
//! first of them, where one fire every five seconds would fall behind for ever.

use std::time::Duration;

use workflow_types::Timestamp;

/// The time between two turns.
const PACE: Duration = Duration::from_secs(5);
/// How far ahead of its pace it may be: five at once are four too early.
const AHEAD: Duration = Duration::from_secs(4 * 5);

/// When it is whose turn to catch up.
#[derive(Debug, Default)]
pub(super) struct Stagger {
    /// When the pace allows the next one, were it not for the five at once.
    next: Option<Timestamp>,
    /// The last turn that was given away.
    last: Option<Timestamp>,
}

/// Whether it is the turn of one that is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is.
    Now,
    /// It will be then.
    At(Timestamp),
}

impl Turn {
    /// The same, but at this instant if that is earlier.
    pub(super) fn no_later(self, longest: Option<Timestamp>) -> Self {
        match (self, longest) {
            (Self::At(turn), Some(longest)) => Self::At(turn.min(longest)),
            (turn, _) => turn,
        }
    }
}

impl Stagger {
    /// Whether one that is late has its turn now.
    pub(super) fn turn(&mut self, now: Timestamp) -> Turn {
        // A clock that was set back far makes nobody wait for it.
        let latest = now.saturating_add(AHEAD).saturating_add(PACE);
        let next = self.next.map_or(now, |next| next.clamp(now, latest));
        if next.since(now) <= AHEAD {
            self.next = Some(next.saturating_add(PACE));
            return Turn::Now;
        }
        let last = self.last.map_or(now, |last| last.max(now));
        let turn = last.saturating_add(PACE);
        self.last = Some(turn);
        Turn::At(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000).unwrap()
    }

    #[test]
    fn five_have_their_turn_at_once_and_then_one_every_five_seconds() {
        let mut stagger = Stagger::default();
        let turns: Vec<Turn> = (0..8).map(|_| stagger.turn(at(0))).collect();
        let expected = [at(5), at(10), at(15)].map(Turn::At);
        assert_eq!(turns[..5], [Turn::Now; 5]);
        assert_eq!(turns[5..], expected);
        for second in [5, 10, 15] {
            assert_eq!(stagger.turn(at(second)), Turn::Now, "{second}");
            assert_ne!(stagger.turn(at(second)), Turn::Now, "{second}");
        }
        // Once all have caught up, the next five are free again.
        let turns: Vec<Turn> = (0..5).map(|_| stagger.turn(at(1_000))).collect();
        assert_eq!(turns, [Turn::Now; 5]);
    }
}
