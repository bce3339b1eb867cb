//! Watching an execution: what happened, from any past place on, then what happens.

use std::collections::VecDeque;

use workflow_types::execution::{Event, EventSeq};
use workflow_types::id::ExecutionId;

use crate::change::Follower;
use crate::error::{Error, ErrorKind};
use crate::gateway::Gateway;
use crate::reader::Reader;
use crate::store::Commits;

/// Events that are read at once.
const PAGE: usize = 100;

/// The events of one execution; ends after its last one.
///
/// Whoever is slow reads more of them at once and misses none. Nothing is kept for a watcher but
/// the page that it has not taken yet.
#[derive(Debug)]
pub struct Watch {
    id: ExecutionId,
    reader: Reader,
    source: Source,
    after: EventSeq,
    page: VecDeque<Event>,
    standing: Standing,
}

/// Who says that there may be something to read.
#[derive(Debug)]
enum Source {
    /// The gateway, of this execution.
    Gateway(Follower),
    /// The store, of whatever is committed.
    Store(Commits),
}

impl Source {
    /// Returns once there may be something; false if nothing can come any more.
    async fn told(&mut self) -> bool {
        match self {
            Self::Gateway(follower) => follower.changed_or_ended().await,
            Self::Store(commits) => {
                commits.next().await;
                true
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// There may be something to read.
    Read,
    /// All was read; something may come.
    Wait,
    /// Nothing comes after the page.
    Last,
}

impl Gateway {
    /// Watches an execution from a place on; [`EventSeq::START`] is before everything.
    ///
    /// An event has the same number whenever it is told, after a restart too, so that a watcher who
    /// remembers the last number goes on after it.
    pub fn watch(&self, id: ExecutionId, after: EventSeq) -> Watch {
        // Before anything is read: then nothing is missed.
        let source = Source::Gateway(self.follow(id));
        Watch::new(self.reader.clone(), source, (id, after))
    }
}

impl Watch {
    /// Watches beside whoever owns the store.
    pub(crate) fn beside(reader: Reader, commits: Commits, place: (ExecutionId, EventSeq)) -> Self {
        Self::new(reader, Source::Store(commits), place)
    }

    fn new(reader: Reader, source: Source, (id, after): (ExecutionId, EventSeq)) -> Self {
        Self {
            id,
            reader,
            source,
            after,
            page: VecDeque::new(),
            standing: Standing::Read,
        }
    }

    /// The next event, once it has happened; none after the last one. Safe to drop at any point.
    ///
    /// Fails with [`ErrorKind::NotFound`] if there is no such execution, or no more, and with
    /// [`ErrorKind::Stopping`] if the gateway ends before the execution does; nothing follows
    /// either.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        loop {
            if let Some(event) = self.page.pop_front() {
                self.after = event.seq;
                return Some(Ok(event));
            }
            match self.standing {
                Standing::Last => return None,
                Standing::Read => {}
                Standing::Wait => {
                    if !self.source.told().await {
                        self.standing = Standing::Last;
                        let context = format!(
                            "watching execution {} ended: the gateway is shutting down",
                            self.id
                        );
                        return Some(Err(Error::new(ErrorKind::Stopping, context)));
                    }
                }
            }
            match self.reader.events(self.id, self.after, PAGE).await {
                Ok(read) => {
                    self.standing = match (read.is_last, read.items.is_empty()) {
                        (true, _) => Standing::Last,
                        (false, true) => Standing::Wait,
                        (false, false) => Standing::Read,
                    };
                    self.page.extend(read.items);
                }
                Err(error) => {
                    if !error.is_transient() {
                        self.standing = Standing::Last;
                    }
                    return Some(Err(error));
                }
            }
        }
    }

    /// The place after which it goes on: that of the last event that was told.
    pub fn place(&self) -> EventSeq {
        self.after
    }
}
