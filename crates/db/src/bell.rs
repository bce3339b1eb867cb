//! How other processes learn that a database may have changed: its owner rings, and they look.
//!
//! The bell is the lock file, of which the owner writes one byte after each commit. The log of the
//! database would not do: it is written before its commit can be seen, and what makes the commit
//! seen is a write to shared memory, which tells nobody. What has changed is for whoever hears it
//! to read.

use std::path::Path;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::error::{Error, ErrorKind};
use crate::{file, owner};

/// Hears the owner of a database, until it is dropped.
///
/// ```
/// use std::sync::mpsc;
/// use db::{Listener, OwnerLock};
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("agentspace.db");
/// let lock = OwnerLock::acquire(&path, "gateway")?;
/// let (sender, heard) = mpsc::channel();
/// let listener = Listener::new(&path, move || {
///     let _ = sender.send(());
/// })?;
/// lock.ring();
/// heard.recv()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    // It ends its thread when it is dropped.
    _watcher: RecommendedWatcher,
}

impl Listener {
    /// Calls `heard` after each commit from now on, and now and then without one, on a thread of its
    /// own. It should return at once; commits that follow each other closely may be told as one.
    ///
    /// Whoever reads after this has returned, and after each call, misses nothing. It goes on when
    /// the database changes its owner.
    pub fn new(db_path: &Path, heard: impl Fn() + Send + 'static) -> Result<Self, Error> {
        let path = file::beside(&file::absolute(db_path)?, ".lock");
        // A lock file that is there is what a later owner will write.
        drop(owner::open(&path)?);
        let failed = |error: notify::Error| {
            let message = format!("listening to {} failed", path.display());
            Error::because(ErrorKind::Io, message, error)
        };
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // If some were lost, whatever they were, it is time to look.
            if event.is_ok_and(|event| is_reading(event.kind)) {
                return;
            }
            heard();
        })
        .map_err(failed)?;
        watcher
            .watch(&path, RecursiveMode::NonRecursive)
            .map_err(failed)?;
        Ok(Self { _watcher: watcher })
    }
}

/// Whether somebody only looked at the file, as who asks for its owner does.
fn is_reading(event: EventKind) -> bool {
    matches!(event, EventKind::Access(_))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};
    use std::time::Duration;

    use super::*;
    use crate::{OwnerLock, owner};

    const PATIENCE: Duration = Duration::from_mins(1);

    fn listen(path: &Path) -> (Listener, Receiver<()>) {
        let (sender, heard) = mpsc::channel();
        let listener = Listener::new(path, move || {
            let _ = sender.send(());
        });
        (listener.unwrap(), heard)
    }

    #[test]
    fn everybody_hears_every_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agentspace.db");
        // Before anybody has ever owned it.
        let (_first, first) = listen(&path);
        let (_second, second) = listen(&path);
        for _ in 0..2 {
            let lock = OwnerLock::acquire(&path, "gateway").unwrap();
            // Becoming its owner is heard, too.
            while first.try_recv().is_ok() || second.try_recv().is_ok() {}
            for _ in 0..3 {
                lock.ring();
                first.recv_timeout(PATIENCE).unwrap();
                second.recv_timeout(PATIENCE).unwrap();
            }
        }
    }

    #[test]
    fn who_only_looks_at_the_lock_wakes_nobody() {
        use notify::event::{AccessKind, AccessMode, DataChange, MetadataKind, ModifyKind};
        for looked in [AccessMode::Any, AccessMode::Read, AccessMode::Write] {
            assert!(is_reading(EventKind::Access(AccessKind::Open(looked))));
            assert!(is_reading(EventKind::Access(AccessKind::Close(looked))));
        }
        for changed in [
            ModifyKind::Data(DataChange::Any),
            ModifyKind::Metadata(MetadataKind::Any),
            ModifyKind::Any,
        ] {
            assert!(!is_reading(EventKind::Modify(changed)));
        }
    }

    #[test]
    fn whoever_waits_for_the_ownership_has_it_when_it_is_let_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agentspace.db");
        let lock = OwnerLock::acquire(&path, "first").unwrap();
        let (sender, had) = mpsc::channel();
        let waiting = std::thread::spawn({
            let path = path.clone();
            move || {
                let lock = OwnerLock::wait(&path, "second").unwrap();
                sender.send(owner(&path).unwrap()).unwrap();
                drop(lock);
            }
        });
        assert!(had.try_recv().is_err());
        drop(lock);
        let owner = had.recv_timeout(PATIENCE).unwrap().unwrap();
        assert!(owner.contains("(second)"), "{owner}");
        waiting.join().unwrap();
    }
}
