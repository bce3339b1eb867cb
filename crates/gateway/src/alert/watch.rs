//! Watching alerts: what was told of them, from any past place on, then what is told.

use std::collections::VecDeque;

use tokio::sync::watch::Receiver;
use workflow_types::alert::{Notice, PlacedNotice};

use crate::error::{Error, ErrorKind};
use crate::gateway::Gateway;
use crate::reader::Reader;
use crate::store::Commits;

/// Notices that are read at once.
const PAGE: usize = 100;

/// What is told of all alerts.
///
/// Whoever is slow reads more at once and misses none. Nothing is kept for a watcher but the page
/// that it has not taken yet.
#[derive(Debug)]
pub struct AlertWatch {
    reader: Reader,
    source: Source,
    /// Where reading goes on, after the page.
    next: u64,
    /// The place of what was told last.
    told: u64,
    page: VecDeque<PlacedNotice>,
    has_ended: bool,
}

/// Who says that there may be something to read.
#[derive(Debug)]
enum Source {
    /// The gateway.
    Gateway(Receiver<()>),
    /// The store, of whatever is committed.
    Store(Commits),
}

impl Source {
    /// Returns once there may be something; false if nothing can come any more.
    async fn told(&mut self) -> bool {
        match self {
            Self::Gateway(news) => news.changed().await.is_ok(),
            Self::Store(commits) => {
                commits.next().await;
                true
            }
        }
    }
}

impl Gateway {
    /// Watches what is told of alerts, from a place on; 0 is before everything, and
    /// [`Reader::latest_notice`] is the place of the latest.
    pub fn watch_alerts(&self, after: u64) -> AlertWatch {
        // Before anything is read: then nothing is missed.
        let source = Source::Gateway(self.engine.alerts.listen());
        AlertWatch::new(self.reader().clone(), source, after)
    }
}

impl AlertWatch {
    /// Watches beside whoever owns the store.
    pub(super) fn beside(reader: Reader, commits: Commits, after: u64) -> Self {
        Self::new(reader, Source::Store(commits), after)
    }

    fn new(reader: Reader, source: Source, after: u64) -> Self {
        Self {
            reader,
            source,
            next: after,
            told: after,
            page: VecDeque::new(),
            has_ended: false,
        }
    }

    /// The next notice, once there is one; none when the gateway has ended. Safe to drop at any
    /// point.
    pub async fn next(&mut self) -> Option<Result<Notice, Error>> {
        loop {
            if let Some(PlacedNotice { place, notice }) = self.page.pop_front() {
                self.told = place;
                return Some(Ok(notice));
            }
            if self.has_ended {
                return None;
            }
            match self.reader.notices_after(self.next, PAGE).await {
                Ok(read) if read.next == self.next => {}
                Ok(read) => {
                    self.next = read.next;
                    self.page.extend(read.items);
                    continue;
                }
                Err(error) => {
                    self.has_ended = !error.is_transient();
                    return Some(Err(error));
                }
            }
            if !self.source.told().await {
                self.has_ended = true;
                let context = "watching alerts ended: the gateway is shutting down";
                return Some(Err(Error::new(ErrorKind::Stopping, context)));
            }
        }
    }

    /// The place of the notice that was told last: whoever goes on after it misses nothing.
    pub fn place(&self) -> u64 {
        self.told
    }
}
