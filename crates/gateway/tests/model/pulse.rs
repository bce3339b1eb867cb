//! The life of one process: how many transactions it has made, when it dies, and whether anything
//! in it moves.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};

use crate::plan::{Death, Side};

/// Shared by the store, the tools and the runtime of one process.
#[derive(Default)]
pub(crate) struct Pulse {
    death: Option<Death>,
    /// Transactions that were begun.
    transactions: AtomicUsize,
    dead: AtomicBool,
    /// Questions to the database that are not answered yet.
    asked: AtomicUsize,
    /// Who waits until nothing moves, and whether nothing does.
    still: Mutex<Still>,
}

#[derive(Default)]
struct Still {
    waiting: Option<Waker>,
    reached: bool,
}

/// What becomes of a transaction.
pub(crate) enum Fate {
    Lives,
    DiesBefore,
    DiesAfter,
}

/// A question to the database that is not answered yet.
pub(crate) struct Asked<'a>(&'a Pulse);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.asked.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Pulse {
    pub(crate) fn new(death: Option<Death>) -> Self {
        Self {
            death,
            ..Self::default()
        }
    }

    pub(crate) fn transactions(&self) -> usize {
        self.transactions.load(Ordering::SeqCst)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub(crate) fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    pub(crate) fn ask(&self) -> Asked<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Asked(self)
    }

    /// What becomes of one more transaction.
    pub(crate) fn transact(&self) -> Fate {
        let number = self.transactions.fetch_add(1, Ordering::SeqCst) + 1;
        let Some(death) = self.death else {
            return Fate::Lives;
        };
        if self.is_dead() || number > death.transaction {
            return Fate::DiesBefore;
        }
        match death.side {
            _ if number < death.transaction => Fate::Lives,
            Side::Before => {
                self.die();
                Fate::DiesBefore
            }
            Side::After => Fate::DiesAfter,
        }
    }

    /// Returns when no task can go on before the clock does, or somebody acts.
    pub(crate) async fn stillness(&self) {
        poll_fn(|context| {
            let mut still = self.still.lock().unwrap_or_else(PoisonError::into_inner);
            if std::mem::take(&mut still.reached) {
                return Poll::Ready(());
            }
            still.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Said by the runtime when it has no task to run.
    pub(crate) fn parked(&self) {
        if self.asked.load(Ordering::SeqCst) > 0 {
            return;
        }
        let mut still = self.still.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = still.waiting.take() {
            still.reached = true;
            waiting.wake();
        }
    }
}
