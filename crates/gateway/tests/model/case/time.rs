//! The clock goes on, and processes end: in order, or all at once.

use std::time::Duration;

use gateway::workflow_types::Timestamp;

use super::Case;
use crate::compare::Difference;
use crate::life::{DRAIN, Ended};

impl Case<'_> {
    /// The clock goes on, and stops wherever something is due on the way.
    pub(super) fn pass(&mut self, ms: u64) -> Result<(), Difference> {
        let target = self.reference.now.saturating_add(Duration::from_millis(ms));
        loop {
            let next = self.reference.next_instant();
            let Some(next) = next.filter(|next| *next < target) else {
                return self.set(target);
            };
            self.turn(next);
            if self.life.is_dead() {
                self.settled()?;
            }
            self.reference.go_on();
        }
    }

    pub(super) fn pass_to_what_is_due(&mut self) -> Result<(), Difference> {
        let later = self.reference.now.saturating_add(Duration::from_secs(1));
        let next = self.reference.next_instant();
        self.set(next.unwrap_or(later))
    }

    /// The clock is found to have gone on, past what was due.
    pub(super) fn jump(&mut self, ms: u64) -> Result<(), Difference> {
        let target = self.reference.now.saturating_add(Duration::from_millis(ms));
        self.set(target)
    }

    fn set(&mut self, now: Timestamp) -> Result<(), Difference> {
        self.turn(now);
        self.settled()
    }

    fn turn(&mut self, now: Timestamp) {
        self.reference.now = now;
        self.clock.set(now);
        self.life.settle();
    }

    /// An orderly shutdown: what runs has its time to end, then is told to.
    pub(super) fn drain(&mut self) -> Result<(), Difference> {
        self.reference.drain();
        self.reference.features.insert("an orderly shutdown");
        let deadline = self.reference.now.saturating_add(DRAIN);
        let mut ending = self.life.shut_down();
        loop {
            if self.life.is_dead() {
                return self.survive(vec![self.reference.clone()]);
            }
            self.reference.go_on();
            self.compare()?;
            let task = match ending {
                Ended::Done(ended) => {
                    ended.map_err(|error| Difference(format!("the shutdown failed: {error}")))?;
                    break;
                }
                Ended::Waits(task) => task,
            };
            let call = self.reference.next_end_of_a_call();
            let drained = (self.reference.now < deadline).then_some(deadline);
            let Some(next) = call.into_iter().chain(drained).min() else {
                return Err(Difference("the shutdown does not end".to_owned()));
            };
            if next >= deadline {
                self.reference.stop();
            }
            self.turn(next);
            ending = self.life.look(task);
        }
        self.note_transactions();
        self.restart()
    }

    /// The process ends while nothing moves.
    pub(super) fn kill(&mut self) -> Result<(), Difference> {
        self.reference.features.insert("a sudden end");
        self.life.pulse.die();
        self.survive(vec![self.reference.clone()])
    }
}
