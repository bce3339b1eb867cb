//! One process: a runtime of one thread, the gateway, and a real database that outlives it.

use std::path::Path;
use std::sync::Arc;

use gateway::store::{Durability, SqliteStore, Store};
use gateway::{Error, Gateway, ScheduleRequest, Schedules};
use tokio::runtime::Runtime;

use crate::clock::SetClock;
use crate::mortal::Mortal;
use crate::plan::Death;
use crate::pulse::Pulse;

pub(crate) struct Life {
    /// Gone after the end.
    runtime: Option<Runtime>,
    pulse: Arc<Pulse>,
    store: Arc<dyn Store>,
    /// None if the process died while it started, or has ended.
    gateway: Option<Gateway>,
}

fn runtime() -> tokio::runtime::Builder {
    tokio::runtime::Builder::new_current_thread()
}

impl Life {
    /// A process on the database of a directory, which goes on with what the one before has left.
    pub(crate) fn begin(directory: &Path, clock: &SetClock, death: Option<Death>) -> Self {
        let pulse = Arc::new(Pulse::new(death));
        let hook = Arc::clone(&pulse);
        let runtime = runtime().on_thread_park(move || hook.parked()).build();
        let runtime = runtime.unwrap();
        let database = directory.join("agentspace.db");
        let opening = SqliteStore::open(&database, Durability::Normal);
        let (sqlite, _) = runtime.block_on(opening).unwrap();
        let store: Arc<dyn Store> = Arc::new(sqlite);
        let mortal: Arc<dyn Store> = Arc::new(Mortal {
            inner: Arc::clone(&store),
            pulse: Arc::clone(&pulse),
        });
        let builder = Gateway::builder()
            .store(mortal)
            .clock(clock.clone())
            .workflows(directory.join("workflows"));
        let starting = runtime.spawn(builder.start());
        // Files are read on the way, of which the pulse knows nothing.
        while !starting.is_finished() && !pulse.is_dead() {
            runtime.block_on(pulse.stillness());
        }
        let gateway = starting
            .is_finished()
            .then(|| runtime.block_on(starting).unwrap().unwrap());
        Self {
            runtime: Some(runtime),
            pulse,
            store,
            gateway,
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.pulse.is_dead()
    }

    pub(crate) fn transactions(&self) -> usize {
        self.pulse.transactions()
    }

    /// Waits until nothing moves before the clock does.
    pub(crate) fn settle(&self) {
        self.runtime().block_on(self.pulse.stillness());
    }

    pub(crate) fn add(&self, request: ScheduleRequest) -> Result<(), Error> {
        let gateway = self.gateway.as_ref().expect("it has started");
        let schedules: Schedules<'_> = gateway.schedules();
        self.runtime().block_on(schedules.add(request)).map(drop)
    }

    /// Shuts down in order, if it still can, and lets go of the file.
    pub(crate) fn shut_down(mut self) {
        if let Some(gateway) = self.gateway.take() {
            let ending = self.runtime().spawn(gateway.shutdown());
            self.settle();
            if ending.is_finished() {
                self.runtime().block_on(ending).unwrap().unwrap();
            }
        }
        self.end();
    }

    /// Ends everything at once, and lets go of the file.
    pub(crate) fn end(mut self) {
        self.pulse.die();
        drop(self.runtime.take());
        drop(self.gateway.take());
        let closing = runtime().build().unwrap();
        closing.block_on(self.store.close()).unwrap();
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the process has not ended")
    }
}
