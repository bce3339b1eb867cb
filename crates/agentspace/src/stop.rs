//! The wish that the program stop: a first signal asks it to stop in order, a second one at once.
//!
//! Listening begins before the gateway does, and never pauses: a signal that came while nobody
//! listened would be lost, or end the program out of order.

mod ignored;

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
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on; says what follows from the first.
    ///
    /// SIGHUP stays as it is where it is ignored, because whoever started the program wants it to
    /// outlive its terminal, and where nobody can tell that.
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
        let mut hangup = hangup()?;
        let stop = Self {
            asked: CancellationToken::new(),
            urged: CancellationToken::new(),
        };
        let told = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = either(&mut interrupt, &mut terminate) => {}
                () = hung_up(&mut hangup) => {}
            }
            // Before it is said: who hears it may rely on it.
            told.asked.cancel();
            say();
            // No second hangup: a terminal that closes brings one from the system and one from its
            // shell, and nobody is there who is in a hurry.
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

/// Listens for hangups, unless they are ignored or that is not known: who listens ignores nothing.
fn hangup() -> std::io::Result<Option<Signal>> {
    let kind = SignalKind::hangup();
    if ignored::is_ignored(kind) == Some(false) {
        signal(kind).map(Some)
    } else {
        Ok(None)
    }
}

async fn hung_up(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => {
            hangup.recv().await;
        }
        None => std::future::pending().await,
    }
}
