//! What tells readers that a store may have changed, whichever process has changed it.

use std::any::Any;
use std::fmt;

use tokio::sync::watch;

/// Tells whenever something may have been committed. What it was is for its holder to read.
pub struct Commits {
    told: watch::Receiver<()>,
    /// Whatever listens for it.
    _kept: Box<dyn Any + Send + Sync>,
}

impl Commits {
    /// Tells whenever the sender does, and keeps what listens as long as it is held.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use gateway::store::Commits;
    ///
    /// let (sender, told) = tokio::sync::watch::channel(());
    /// let mut commits = Commits::new(told, ());
    /// sender.send_replace(());
    /// sender.send_replace(());
    /// commits.next().await;
    /// # }
    /// ```
    pub fn new(told: watch::Receiver<()>, kept: impl Any + Send + Sync) -> Self {
        Self {
            told,
            _kept: Box::new(kept),
        }
    }

    /// Returns once something may have been committed since this returned last, or since it was
    /// asked for. Safe to drop at any point.
    pub async fn next(&mut self) {
        if self.told.changed().await.is_err() {
            // Whatever listened has ended: nothing will be told any more.
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for Commits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commits").finish_non_exhaustive()
    }
}
