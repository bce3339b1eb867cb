//! Registers what workflow files say: good ones become the newest definitions, bad ones are reported
//! and change nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use workflow_types::id::WorkflowId;
use workflow_types::registry::{Registered, Registration, Workflow};

use crate::builder::Files;
use crate::engine::Engine;
use crate::error::{During as _, Error, ErrorKind};
use crate::heartbeat::{self, HeartbeatReading};
use crate::host_file::HostFiles;
use crate::loader::{self, FileReport, GoodFile, Known, Loaded, Text};
use crate::scheduler::trigger;

/// Readings that wait for a slow listener before it loses the oldest.
const EVENTS: usize = 64;

/// What reading the workflow directories and the files of heartbeats again has brought.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Reloaded {
    /// What was read: of [`Gateway::reload`](crate::Gateway::reload) every file, of files that are
    /// watched those that are not as they were.
    pub files: Vec<FileReport>,
    /// The workflows that have another definition now, or are new.
    pub registered: Vec<WorkflowId>,
    /// The workflows whose files are gone since they were last read. They can still be started by their last definition, but
    /// the schedules of their triggers are off.
    pub gone: Vec<WorkflowId>,
    /// The heartbeats whose files were read, which are among the files, too.
    pub heartbeats: Vec<HeartbeatReading>,
    /// The directories that could not be read, each with the reason; what was read from them before
    /// stays.
    pub unreadable: Vec<(PathBuf, String)>,
    /// Files of the host's own ([`GatewayBuilder::host_file`](crate::GatewayBuilder::host_file)): of
    /// [`Gateway::reload`](crate::Gateway::reload) all, while they are watched those that are not as
    /// they were, and at first all of them. They are not among the files.
    pub host_files: Vec<PathBuf>,
}

/// Listens to what becomes of files that change while they are watched.
#[derive(Debug)]
pub struct FileEvents(broadcast::Receiver<Arc<Reloaded>>);

impl FileEvents {
    /// The next change; none when the gateway has ended. Safe to drop at any point.
    ///
    /// A listener that is slow loses the oldest changes; what is registered can be read.
    pub async fn next(&mut self) -> Option<Arc<Reloaded>> {
        loop {
            match self.0.recv().await {
                Ok(reloaded) => return Some(reloaded),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// Which files a reading tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    All,
    /// Those that are not as they were when they were last read.
    News,
}

/// Reads workflow files and registers them.
pub(crate) struct Registrar {
    engine: Arc<Engine>,
    known: Known,
    directories: Vec<PathBuf>,
    host_files: HostFiles,
    /// Held from the reading to its end, so that what was read first is not registered last.
    reading: tokio::sync::Mutex<()>,
    /// What was last read of the files of the directories.
    last: Mutex<BTreeMap<PathBuf, Text>>,
    events: broadcast::Sender<Arc<Reloaded>>,
}

/// What became of a directory.
struct Read {
    reports: Vec<FileReport>,
    registered: Vec<WorkflowId>,
    /// The workflows whose files are gone, with their paths.
    gone: Vec<(WorkflowId, String)>,
}

/// What of a directory is not as it was.
struct News {
    /// Of each file, whether it is news.
    files: Vec<bool>,
    /// The paths of files that were there.
    gone: BTreeSet<String>,
}

impl Registrar {
    pub(crate) fn new(
        engine: Arc<Engine>,
        known: Known,
        directories: Vec<PathBuf>,
        host_files: HostFiles,
    ) -> Self {
        Self {
            engine,
            known,
            directories,
            host_files,
            reading: tokio::sync::Mutex::default(),
            last: Mutex::default(),
            events: broadcast::Sender::new(EVENTS),
        }
    }

    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// The directories that belong to the gateway.
    pub(crate) fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// The files of the host's own.
    pub(crate) fn host_files(&self) -> &[PathBuf] {
        self.host_files.paths()
    }

    pub(crate) fn listen(&self) -> FileEvents {
        FileEvents(self.events.subscribe())
    }

    /// Reads all directories as the gateway starts. Unless they are watched, each has to be there.
    pub(crate) async fn first(&self, watch: Files) -> Result<Vec<FileReport>, Error> {
        let _in_turn = self.reading.lock().await;
        let mut files = Vec::new();
        for directory in &self.directories {
            let read = match (self.read(directory).await, watch) {
                (Err(error), Files::Watched) if error.kind() == ErrorKind::Invalid => continue,
                (read, Files::Watched | Files::ReadOnce) => read?,
            };
            self.remember(directory, &read.reports);
            files.extend(read.reports);
        }
        Ok(files)
    }

    /// Reads all directories and heartbeats again.
    pub(crate) async fn reload(&self, told: Told) -> Result<Reloaded, Error> {
        let _in_turn = self.reading.lock().await;
        let mut reloaded = Reloaded::default();
        for directory in &self.directories {
            match self.read(directory).await {
                Ok(read) => {
                    let news = self.remember(directory, &read.reports);
                    let reports = read.reports.into_iter().zip(news.files);
                    let reports = reports.filter(|(_, is_new)| told == Told::All || *is_new);
                    reloaded.files.extend(reports.map(|(report, _)| report));
                    reloaded.registered.extend(read.registered);
                    let gone = read.gone.into_iter();
                    let gone = gone.filter(|(_, path)| news.gone.contains(path));
                    reloaded.gone.extend(gone.map(|(id, _)| id));
                }
                Err(error) if error.kind() == ErrorKind::Invalid => {
                    let cause = std::error::Error::source(&error);
                    let reason = cause.map_or_else(|| error.to_string(), ToString::to_string);
                    reloaded.unreadable.push((directory.clone(), reason));
                }
                Err(error) => return Err(error),
            }
        }
        for (report, reading) in heartbeat::reload(&self.engine, told).await? {
            reloaded.files.push(report);
            reloaded.heartbeats.push(reading);
        }
        reloaded.host_files = self.host_files.read(told).await?;
        Ok(reloaded)
    }

    /// The same when the files have changed: tells whoever listens, if something is new.
    pub(crate) async fn follow(&self) -> Result<(), Error> {
        let reloaded = self.reload(Told::News).await?;
        let Reloaded {
            files,
            registered,
            gone,
            heartbeats: _,
            unreadable,
            host_files,
        } = &reloaded;
        for (directory, reason) in unreadable {
            let directory = directory.display();
            tracing::warn!(%directory, reason, "a workflow directory cannot be read");
        }
        for id in registered {
            tracing::info!(workflow.id = %id, "workflow `{id}` has changed");
        }
        let is_silent = files.is_empty() && registered.is_empty() && gone.is_empty();
        if is_silent && unreadable.is_empty() && host_files.is_empty() {
            return Ok(());
        }
        // Nobody has to listen.
        let _ = self.events.send(Arc::new(reloaded));
        Ok(())
    }

    /// Reads a directory that need not be one of the gateway's.
    pub(crate) async fn directory(&self, directory: &Path) -> Result<Vec<FileReport>, Error> {
        let _in_turn = self.reading.lock().await;
        Ok(self.read(directory).await?.reports)
    }

    /// Reads one workflow file and registers it if it is good.
    pub(crate) async fn file(&self, path: &Path) -> Result<FileReport, Error> {
        let _in_turn = self.reading.lock().await;
        let (path, known) = (path.to_owned(), self.known.clone());
        let Loaded { report, good } = loader::blocking(move || loader::file(&path, &known)).await?;
        if let Some(good) = good {
            self.register(vec![good]).await?;
        }
        Ok(report)
    }

    async fn read(&self, path: &Path) -> Result<Read, Error> {
        let (directory, known) = (path.to_owned(), self.known.clone());
        let loaded = loader::blocking(move || loader::directory(&directory, &known)).await?;
        let loaded = loaded.map_err(|error| {
            let context = format!("reading the workflow directory {} failed", path.display());
            Error::new(ErrorKind::Invalid, context).caused(error)
        })?;
        let (reports, good): (Vec<_>, Vec<_>) = loaded
            .into_iter()
            .map(|file| (file.report, file.good))
            .unzip();
        let registered = self.register(good.into_iter().flatten().collect()).await?;
        let gone = self.detach_missing(path, &reports).await?;
        Ok(Read {
            reports,
            registered,
            gone,
        })
    }

    /// Switches off the schedules of workflows whose files are gone from a directory; one whose file
    /// is refused keeps its last good definition, and its schedule.
    async fn detach_missing(
        &self,
        directory: &Path,
        found: &[FileReport],
    ) -> Result<Vec<(WorkflowId, String)>, Error> {
        let directory = loader::absolute(directory);
        let found: Vec<String> = found
            .iter()
            .map(|report| loader::absolute(&report.path))
            .collect();
        // The workflow of a heartbeat has its file's path, which may lie here and is none of these.
        let stood_there = |path: &str| {
            Path::new(path).parent() == Some(Path::new(&directory))
                && loader::is_workflow_file(Path::new(path))
                && !found.iter().any(|found| found == path)
        };
        let is_heartbeat = |workflow: &Workflow| {
            let mut files = self.engine.beats.files();
            files.any(|(name, file)| {
                name.workflow() == workflow.id && loader::absolute(file) == workflow.path
            })
        };
        let known = self.engine.reads.workflows().await;
        let known = known.during("reading the workflows")?.items;
        let gone: Vec<(WorkflowId, String)> = known
            .into_iter()
            .filter(|workflow| stood_there(&workflow.path) && !is_heartbeat(workflow))
            .map(|workflow| (workflow.id, workflow.path))
            .collect();
        if gone.is_empty() {
            return Ok(gone);
        }
        let now = self.engine.clock.now();
        let ids = gone.iter().map(|(id, _)| id.clone()).collect();
        let detached = self.engine.store.detach_triggers(ids, now).await;
        detached.during("switching off the schedules of workflows that are gone")?;
        self.engine.alerts.look();
        Ok(gone)
    }

    /// Stores what is new or changed, in one transaction; answers the workflows that are.
    pub(crate) async fn register(&self, files: Vec<GoodFile>) -> Result<Vec<WorkflowId>, Error> {
        let now = self.engine.clock.now();
        let zone = self.engine.scheduler.zone();
        let registrations: Vec<Registration> = files
            .into_iter()
            .map(|file| {
                let registration = Registration {
                    schedule: trigger::spec(&file.id, &file.definition, zone),
                    id: file.id,
                    name: file.definition.name().to_owned(),
                    description: file.definition.description().map(ToOwned::to_owned),
                    path: file.path,
                    definition: file.stored,
                    source: file.source,
                    concurrency_limit: file.definition.concurrency().map(|it| it.limit),
                    at: now,
                };
                self.engine
                    .remember(&registration.definition, file.definition);
                registration
            })
            .collect();
        if registrations.is_empty() {
            return Ok(Vec::new());
        }
        let digests: Vec<_> = registrations
            .iter()
            .map(|new| (new.id.clone(), new.definition.digest().clone()))
            .collect();
        let engine = Arc::clone(&self.engine);
        let work = async move {
            let registered = engine.store.register(registrations).await;
            let registered = registered.during("registering workflows")?;
            let changed = digests.iter().zip(registered);
            let changed = changed.filter(|(_, registered)| *registered != Registered::Unchanged);
            let changed = changed.map(|((id, _), _)| id.clone()).collect();
            engine.registered(digests);
            // A limit may have risen, and a schedule may have come.
            engine.admission.made_place();
            engine.scheduler.look();
            engine.alerts.look();
            Ok(changed)
        };
        self.engine.whole(work).await
    }

    /// Remembers what was read of a directory; tells what of it is news.
    fn remember(&self, directory: &Path, reports: &[FileReport]) -> News {
        let now: BTreeMap<PathBuf, Text> = reports
            .iter()
            .map(|report| (report.path.clone(), report.text()))
            .collect();
        let mut last = self.last();
        let is_news = |report: &FileReport| last.get(&report.path) != now.get(&report.path);
        let files = reports.iter().map(is_news).collect();
        let is_gone = |path: &Path| path.parent() == Some(directory) && !now.contains_key(path);
        let gone = last.keys().filter(|path| is_gone(path));
        let gone = gone.map(|path| loader::absolute(path)).collect();
        last.retain(|path, _| !is_gone(path));
        last.extend(now);
        News { files, gone }
    }

    fn last(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Text>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
