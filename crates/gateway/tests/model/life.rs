//! One process: a runtime of one thread, a gateway, and a store that may die under it.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gateway::store::{Durability, ReadStore, SqliteStore, Store};
use gateway::{Effect, Error, Gateway, ManualClock};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::flaw::{Flaw, Flawed};
use crate::ledger::Ledger;
use crate::mortal::Mortal;
use crate::plan::Death;
use crate::pulse::Pulse;
use crate::tools::{Asked, Hands, MOST_KEPT, Scripted};

/// How long a shutdown waits for attempts; no other time ends with these digits.
pub(crate) const DRAIN: Duration = Duration::from_millis(29_877);
/// How long an attempt that was told to stop may take.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// What every process of a case finds.
pub(crate) struct Surroundings<'a> {
    pub(crate) database: &'a Path,
    pub(crate) clock: &'a ManualClock,
    pub(crate) ledger: &'a Arc<Ledger>,
    pub(crate) flaw: Option<Flaw>,
}

/// One process.
pub(crate) struct Life {
    /// Gone after the end.
    runtime: Option<Runtime>,
    pub(crate) pulse: Arc<Pulse>,
    /// What is stored, whether or not the process is dead.
    pub(crate) reads: Arc<dyn ReadStore>,
    store: Arc<dyn Store>,
    gateway: Option<Arc<Gateway>>,
}

/// What became of what was begun when nothing moves any more.
pub(crate) enum Ended<T> {
    Done(T),
    /// It still waits.
    Waits(JoinHandle<T>),
}

impl Life {
    /// A process that has taken up what the one before left; without a gateway if it died of it.
    pub(crate) fn begin(around: &Surroundings<'_>, death: Option<Death>, seed: u64) -> Self {
        let pulse = Arc::new(Pulse::new(death));
        let hook = Arc::clone(&pulse);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || hook.parked())
            .build()
            .unwrap();
        let opening = SqliteStore::open(around.database, Durability::Normal);
        let (sqlite, _) = runtime.block_on(opening).unwrap();
        let store: Arc<dyn Store> = Arc::new(sqlite);
        let mut life = Self {
            runtime: Some(runtime),
            pulse,
            reads: store.reads(),
            store,
            gateway: None,
        };
        let promised: Arc<dyn Store> = match around.flaw {
            None => Arc::clone(&life.store),
            Some(flaw) => Arc::new(Flawed::new(Arc::clone(&life.store), flaw)),
        };
        let mortal: Arc<dyn Store> = Arc::new(Mortal {
            inner: promised,
            pulse: Arc::clone(&life.pulse),
        });
        let hands = Hands {
            ledger: Arc::clone(around.ledger),
            pulse: Arc::clone(&life.pulse),
        };
        let builder = describe(&hands)
            .store(mortal)
            .clock(around.clock.clone())
            .seed(seed);
        match life.spawn(builder.start()) {
            Ended::Done(started) => life.gateway = Some(Arc::new(started.unwrap())),
            Ended::Waits(_) => assert!(life.pulse.is_dead(), "the start of the gateway hangs"),
        }
        life
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.pulse.is_dead()
    }

    /// Begins an operation, and waits until nothing moves any more.
    pub(crate) fn act<T, W>(&self, operation: impl FnOnce(Arc<Gateway>) -> W) -> Ended<T>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        let gateway = self.gateway.as_ref().expect("the process lives");
        self.spawn(operation(Arc::clone(gateway)))
    }

    fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Ended<T> {
        let task = self.runtime().spawn(work);
        self.settle();
        self.look(task)
    }

    /// What became of it meanwhile.
    pub(crate) fn look<T>(&self, task: JoinHandle<T>) -> Ended<T> {
        if task.is_finished() {
            Ended::Done(self.runtime().block_on(task).unwrap())
        } else {
            Ended::Waits(task)
        }
    }

    /// Waits until nothing moves any more.
    pub(crate) fn settle(&self) {
        self.runtime().block_on(self.pulse.stillness());
    }

    /// Reads what is stored.
    pub(crate) fn read<T>(&self, reading: impl Future<Output = T>) -> T {
        self.runtime().block_on(reading)
    }

    /// Begins an orderly shutdown.
    pub(crate) fn shut_down(&mut self) -> Ended<Result<(), Error>> {
        let gateway = self.gateway.take().expect("the process lives");
        let gateway = Arc::into_inner(gateway).expect("no operation is under way");
        self.spawn(gateway.shutdown())
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the process has not ended")
    }

    /// Ends everything at once, and lets go of the file.
    pub(crate) fn end(&mut self) {
        self.pulse.die();
        drop(self.runtime.take());
        drop(self.gateway.take());
        let closing = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        closing.block_on(self.store.close()).unwrap();
    }
}

/// An empty database of the newest schema: to migrate one for every case would take most of the
/// time.
pub(crate) fn empty_database() -> &'static [u8] {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agentspace.db");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(gateway::database::migrate(&path)).unwrap();
        std::fs::read(path).unwrap()
    })
}

fn describe(hands: &Hands) -> gateway::GatewayBuilder {
    let tools = [
        ("look", Effect::ReadOnly),
        ("put", Effect::Idempotent),
        ("act", Effect::Destructive),
        ("vary", Effect::Destructive),
    ];
    let builder = Gateway::builder()
        .model("scripted", Asked(hands.clone()))
        .grace(GRACE)
        .drain(DRAIN)
        .max_output_bytes(MOST_KEPT);
    tools.into_iter().fold(builder, |builder, (name, effect)| {
        builder.tool(Scripted {
            name,
            effect,
            hands: hands.clone(),
        })
    })
}
