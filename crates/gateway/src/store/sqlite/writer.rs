//! The writer: one thread, which commits together what arrived together and answers each caller
//! after the commit. Who comes alone may do it without the thread.
//!
//! To hand a write to a thread and its answer back costs several times what a small write does.
//! Where a commit does not wait for the disk, whoever brings a small write while nobody else writes
//! commits it where he is: it is no more than a few calls that copy memory. Whatever may wait, for
//! the disk or for another process, is left to the thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;

use db::{Connection, Durability, Job, OwnerLock};

use super::{closed, thread_failed};
use crate::store::StoreError;

/// Most writes in one commit; bounds the time until the first of them is answered.
const LARGEST_GROUP: usize = 512;
/// The thread is given one of so many writes, if nothing else: it sees to the log of the database,
/// which grows by a page or more with each.
const MOST_ALONE: u32 = 256;

/// Takes jobs for a database that this process owns.
pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Where the thread takes its jobs from; gone once the writer has ended.
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Whether commits wait for the disk.
    durability: Durability,
}

struct Shared {
    /// Gone once the last job is done, and not before, also if nobody waits for it.
    desk: Mutex<Option<Desk>>,
    /// Jobs that the thread has been given and not taken yet: nobody passes them.
    queued: AtomicUsize,
}

/// What a write needs.
struct Desk {
    connection: Connection,
    /// Writes since the thread's last.
    alone: u32,
    /// Given up after the connection: while anybody could still write, nobody else may.
    lock: OwnerLock,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        lock: OwnerLock,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel();
        let desk = Desk {
            connection,
            alone: 0,
            lock,
        };
        let shared = Arc::new(Shared {
            desk: Mutex::new(Some(desk)),
            queued: AtomicUsize::new(0),
        });
        let thread = std::thread::Builder::new().name("agentspace-writer".to_owned());
        let thread = thread.spawn({
            let shared = Arc::clone(&shared);
            move || run(&shared, &jobs)
        });
        Ok(Self {
            shared,
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(
                thread.map_err(|error| thread_failed("the writer thread", error))?,
            )),
            durability,
        })
    }

    /// Gives a job to the thread.
    pub(super) fn send(&self, job: Job) -> Result<(), StoreError> {
        let queue = locked(&self.queue);
        let queue = queue.as_ref().ok_or_else(closed)?;
        self.shared.queued.fetch_add(1, Ordering::Relaxed);
        queue.send(job).map_err(|_| closed())
    }

    /// Does a small job at once if that waits for nothing, else gives it to the thread.
    pub(super) fn send_little(&self, job: Job) -> Result<(), StoreError> {
        let job = match self.durability {
            Durability::Full => Some(job),
            Durability::Normal => self.at_once(job),
        };
        job.map_or(Ok(()), |job| self.send(job))
    }

    fn at_once(&self, job: Job) -> Option<Job> {
        if self.shared.queued.load(Ordering::Relaxed) > 0 || locked(&self.queue).is_none() {
            return Some(job);
        }
        let mut desk = match self.shared.desk.try_lock() {
            Ok(desk) => desk,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Some(job),
        };
        let Some(desk) = desk.as_mut().filter(|desk| desk.alone < MOST_ALONE) else {
            return Some(job);
        };
        let refused = desk.connection.at_once(job);
        if refused.is_none() {
            desk.alone += 1;
            desk.lock.ring();
        }
        refused
    }

    /// Takes no more jobs; answers the thread, which ends once all are done, to the first who asks.
    pub(super) fn end(&self) -> Option<JoinHandle<()>> {
        let queue = locked(&self.queue).take();
        drop(queue);
        locked(&self.thread).take()
    }
}

/// The thread: takes all that is queued, commits it as one, answers, and waits for more.
///
/// It ends when the queue is gone. Only then is the ownership given up.
fn run(shared: &Shared, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        // Who is alone is done soon.
        let mut desk = locked(&shared.desk);
        let Some(desk) = desk.as_mut() else { break };
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(LARGEST_GROUP - 1));
        shared.queued.fetch_sub(group.len(), Ordering::Relaxed);
        desk.alone = 0;
        desk.connection.group(group);
        desk.lock.ring();
    }
    let desk = locked(&shared.desk).take();
    if let Some(Desk {
        connection, lock, ..
    }) = desk
    {
        drop(connection);
        drop(lock);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
