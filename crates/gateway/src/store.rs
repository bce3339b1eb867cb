//! The one boundary between async code and the blocking database.
//!
//! Writes go to one thread, which commits together what arrived together and answers each caller
//! after the commit. Reads go to a few read-only connections. Nothing here knows what is stored.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use db::{Connection, Durability, Job, OwnerLock};
use tokio::sync::{Semaphore, oneshot};

use crate::error::{Error, ErrorKind};

/// Most writes in one commit; bounds the time until the first of them is answered.
const LARGEST_GROUP: usize = 512;
/// Read-only connections that may be in use at once.
const READERS: usize = 4;

/// The database of a gateway that owns it.
pub(crate) struct Store {
    queue: mpsc::Sender<Job>,
    readers: Readers,
    /// Holds the ownership until the last write is done, also if nobody waits for it.
    thread: JoinHandle<()>,
}

/// What opening the database did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opened {
    pub(crate) migrated: Vec<String>,
    pub(crate) backup: Option<PathBuf>,
}

/// A handle for writes; cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
}

impl Store {
    /// Takes ownership of a database, creating or migrating it where needed.
    pub(crate) async fn open(path: &Path, durability: Durability) -> Result<(Self, Opened), Error> {
        let path = path.to_owned();
        let opening = tokio::task::spawn_blocking(move || {
            let lock = OwnerLock::acquire(&path, "gateway")?;
            let opened = Connection::open_writer(&path, durability)?;
            Ok((lock, opened, path))
        });
        let (lock, opened, path) = opening
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "opening the database panicked").caused(error)
            })?
            .map_err(Error::opening)?;
        let (queue, jobs) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("agentspace-writer".to_owned())
            .spawn(move || write(opened.connection, &jobs, lock))
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "starting the writer thread failed").caused(error)
            })?;
        let store = Self {
            queue,
            readers: Readers::new(&path),
            thread,
        };
        let done = Opened {
            migrated: opened.migrated,
            backup: opened.backup,
        };
        Ok((store, done))
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer {
            queue: self.queue.clone(),
        }
    }

    pub(crate) fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// Ends the writer thread once every handle is gone and everything queued is committed, then
    /// gives up the ownership.
    pub(crate) async fn close(self) -> Result<(), Error> {
        let Self {
            queue,
            readers,
            thread,
        } = self;
        // The writer closes last: only it can move the log into the database file.
        drop(readers);
        drop(queue);
        match tokio::task::spawn_blocking(move || thread.join()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::new(
                ErrorKind::Internal,
                "the writer thread panicked",
            )),
        }
    }
}

impl Writer {
    /// Runs a write in a transaction; answers once it is durable, or not at all done.
    ///
    /// Dropping the future does not undo the write.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        context: &str,
        work: impl FnOnce(&mut Connection) -> Result<T, db::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        let job = Job::new(work, move |result| {
            // Nobody listens any more if the caller was dropped.
            let _ = sender.send(result);
        });
        let gone = || {
            Error::new(
                ErrorKind::Stopping,
                format!("{context} failed: the gateway has stopped"),
            )
        };
        self.queue.send(job).map_err(|_| gone())?;
        answer
            .await
            .map_err(|_| gone())?
            .map_err(|error| Error::store(format!("{context} failed"), error))
    }
}

/// The writer thread: takes all that is queued, commits it as one, answers, and waits for more.
///
/// It ends when every handle is gone. Only then is the ownership given up: while anybody could
/// still write, nobody else may.
fn write(mut connection: Connection, jobs: &mpsc::Receiver<Job>, lock: OwnerLock) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(LARGEST_GROUP - 1));
        connection.group(group);
    }
    drop(connection);
    drop(lock);
}

/// A few read-only connections, opened when they are first needed.
#[derive(Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                idle: Mutex::new(Vec::new()),
                permits: Arc::new(Semaphore::new(READERS)),
            }),
        }
    }

    /// Opens the first connection, to learn whether the database can be read.
    pub(crate) async fn open(&self) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let opening = tokio::task::spawn_blocking(move || {
            Connection::open_reader(&shared.path).map(|connection| shared.put(connection))
        });
        opening
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Internal, "opening the database panicked").caused(error)
            })?
            .map_err(Error::opening)
    }

    /// Runs several reads on one state of the database.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        context: &str,
        work: impl FnOnce(&mut Connection) -> Result<T, db::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        let permits = Arc::clone(&self.shared.permits);
        let permit = permits.acquire_owned().await.map_err(|error| {
            Error::new(ErrorKind::Internal, format!("{context} failed")).caused(error)
        })?;
        let reading = tokio::task::spawn_blocking(move || {
            let idle = shared.take();
            let mut connection = match idle {
                Some(connection) => connection,
                None => Connection::open_reader(&shared.path)?,
            };
            let result = connection.read(work);
            shared.put(connection);
            // Given back here, so that a caller who was dropped does not let one more reader in.
            drop(permit);
            result
        });
        reading
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Internal, format!("{context} panicked")).caused(error)
            })?
            .map_err(|error| Error::store(format!("{context} failed"), error))
    }
}

impl Shared {
    fn take(&self) -> Option<Connection> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn put(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}
