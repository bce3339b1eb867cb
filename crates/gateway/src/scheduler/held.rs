//! Schedules that are held up: who is told, and what a host reads of them.
//!
//! Whether one is, is written with the fire that does not start; nothing is remembered here.

use workflow_types::schedule::{FireWord, Fired, HeldUp, Schedule};

use crate::engine::Engine;
use crate::error::{During as _, Error};
use crate::reader::Reader;

/// A fire that did not start may have raised an alert: said after it was written.
pub(super) fn fired(engine: &Engine, fired: &Fired) {
    match fired.record.outcome.word() {
        FireWord::SkippedOverlap | FireWord::Buffered if fired.is_new => engine.alerts.look(),
        FireWord::SkippedOverlap
        | FireWord::Buffered
        | FireWord::Started
        | FireWord::Missed
        | FireWord::FailedToStart => {}
    }
}

impl Reader {
    /// Which of these schedules are held up, and by what: an execution of theirs waits for a person,
    /// and their overlap policy lets none start beside it.
    ///
    /// What it costs depends on how many executions of these are not finished, and on nothing else.
    pub async fn held_up(&self, schedules: &[Schedule]) -> Result<Vec<HeldUp>, Error> {
        let asked = schedules.iter().filter(|it| it.can_be_held_up());
        let asked: Vec<_> = asked.map(|it| it.spec.id.clone()).collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let waiting = self.store().waiting_of_schedules(asked).await;
        waiting.during("reading what holds schedules up")
    }

    /// How many schedules are held up and have lost a fire, or keep one waiting, because of it: those
    /// of which an alert is open.
    pub async fn count_held_up(&self) -> Result<usize, Error> {
        let count = self.store().alerts().count_held_up().await;
        count.during("counting the schedules that are held up")
    }
}
