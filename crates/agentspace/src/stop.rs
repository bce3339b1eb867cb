//! The wish that the program stop: a first signal asks it to stop in order, a second one at once.
//!
//! Listening begins before the gateway does, and never pauses: a signal that came while nobody
//! listened would be lost, or end the program out of order.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::output;

/// The wish, as it stands; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    asked: CancellationToken,
    urged: CancellationToken,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM from now on; says what follows from the first.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Self::listen_and(|| {
            output::talk(
                "stopping when the running commands have ended, again to stop at once; \
                 the work is kept, `agentspace resume` goes on with it",
            );
        })
    }

    /// The same for a command that only reads: there is nothing to say.
    pub(crate) fn listen_quietly() -> std::io::Result<Self> {
        Self::listen_and(|| {})
    }

    fn listen_and(say: impl FnOnce() + Send + 'static) -> std::io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = Self {
            asked: CancellationToken::new(),
            urged: CancellationToken::new(),
        };
        let told = stop.clone();
        tokio::spawn(async move {
            either(&mut interrupt, &mut terminate).await;
            say();
            told.asked.cancel();
            either(&mut interrupt, &mut terminate).await;
            told.urged.cancel();
        });
        Ok(stop)
    }

    /// Returns when the program is to stop.
    pub(crate) async fn asked(&self) {
        self.asked.cancelled().await;
    }

    /// Returns when the program is to stop whatever runs.
    pub(crate) async fn urged(&self) {
        self.urged.cancelled().await;
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
