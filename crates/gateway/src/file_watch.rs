//! Hears that the files of workflows and heartbeats, or those of the host, have changed, and has them
//! read again.
//!
//! What is watched are directories, not their files: editors save by writing another file and
//! giving it the name. Their parents are watched, too, so that a directory that is replaced, or made
//! later, is found again. An event carries nothing but the wish to read: what it tells is not
//! trusted, and events that follow each other closely are read for once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use crate::engine::{Engine, Patience};
use crate::loader;
use crate::registrar::Registrar;

/// How long nothing may happen before files are read: who saves several writes them one by one.
const QUIET: Duration = Duration::from_millis(100);
/// The longest that files are not read because something happens all the time.
const LONGEST: Duration = Duration::from_secs(1);

/// What the system has told.
#[derive(Default)]
struct Heard {
    wake: Notify,
    /// A directory itself may be another one now.
    moved: AtomicBool,
}

/// What is listened to.
#[derive(Debug, Clone, Default)]
struct Places {
    /// Directories in which whatever may be a workflow counts.
    workflows: Vec<PathBuf>,
    /// Files of heartbeats and of the host, which count alone.
    files: Vec<PathBuf>,
    /// The directories of both, once each.
    directories: Vec<PathBuf>,
}

impl Places {
    fn new(workflows: Vec<PathBuf>, files: Vec<PathBuf>) -> Self {
        let beside = files.iter().filter_map(|file| file.parent());
        let beside = beside.map(Path::to_owned);
        let mut directories: Vec<PathBuf> = workflows.iter().cloned().chain(beside).collect();
        directories.sort();
        directories.dedup();
        Self {
            workflows,
            files,
            directories,
        }
    }

    /// What a path is of them.
    fn what(&self, path: &Path) -> What {
        let of = |directory: &PathBuf| path.parent() == Some(directory);
        if self.directories.iter().any(|one| one == path) {
            What::Directory
        } else if self.files.iter().any(|one| one == path)
            || is_link(path) && self.directories.iter().any(of)
            || loader::is_workflow_file(path) && self.workflows.iter().any(of)
        {
            What::File
        } else {
            What::Nothing
        }
    }
}

/// Watches the directories of a registrar, the heartbeats and the files of the host, until the engine
/// drains.
pub(crate) fn start(engine: &Arc<Engine>, registrar: &Arc<Registrar>) {
    let heard = Arc::new(Heard::default());
    let whole = |path: &Path| PathBuf::from(loader::absolute(path));
    let directories = registrar.directories().iter();
    let heartbeats = engine.beats.files().map(|(_, file)| whole(file));
    let host_files = registrar.host_files().iter().map(|file| whole(file));
    let places = Places::new(
        directories.map(|directory| whole(directory)).collect(),
        heartbeats.chain(host_files).collect(),
    );
    let (told, of) = (Arc::clone(&heard), places.clone());
    let made = notify::recommended_watcher(move |event: notify::Result<Event>| {
        told.hear(event.ok().as_ref(), &of);
    });
    let watcher = match made {
        Ok(watcher) => watcher,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(
                error,
                "files of workflows and heartbeats are not watched; reload them by hand"
            );
            return;
        }
    };
    let mut watch = Watch {
        watcher,
        directories: places.directories,
    };
    watch.renew();
    // What has changed since the start read it.
    heard.wake.notify_one();
    engine.task(run(
        Arc::clone(engine),
        Arc::clone(registrar),
        (watch, heard),
    ));
}

async fn run(
    engine: Arc<Engine>,
    registrar: Arc<Registrar>,
    (mut watch, heard): (Watch, Arc<Heard>),
) {
    let mut patience = Patience::new();
    let mut again = None;
    loop {
        let later = async {
            match again {
                Some(at) => engine.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = heard.quiet(&engine) => {}
            () = later => {}
            () = engine.draining.cancelled() => return,
        }
        // Before they are read: what changes from now on is heard.
        if heard.moved.swap(false, Ordering::AcqRel) {
            watch.renew();
        }
        again = match registrar.follow().await {
            Ok(()) => {
                patience = Patience::new();
                None
            }
            Err(error) => {
                let pause = patience.pause();
                let error = &error as &dyn std::error::Error;
                tracing::error!(
                    error,
                    "files of workflows and heartbeats are read again in {pause:?}"
                );
                Some(engine.clock.now().saturating_add(pause))
            }
        };
    }
}

impl Heard {
    /// Notes an event, or that some were lost.
    fn hear(&self, event: Option<&Event>, places: &Places) {
        let what = match event {
            None => What::Directory,
            Some(event) => what(event, places),
        };
        match what {
            What::Nothing => return,
            What::File => {}
            What::Directory => self.moved.store(true, Ordering::Release),
        }
        self.wake.notify_one();
    }

    /// Returns once something has happened, and then nothing more for a moment.
    async fn quiet(&self, engine: &Engine) {
        self.wake.notified().await;
        let latest = engine.clock.now().saturating_add(LONGEST);
        loop {
            let until = engine.clock.now().saturating_add(QUIET).min(latest);
            tokio::select! {
                () = engine.clock.sleep_until(until) => return,
                () = self.wake.notified() => {}
            }
        }
    }
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Nothing,
    File,
    Directory,
}

fn what(event: &Event, places: &Places) -> What {
    if matches!(event.kind, EventKind::Access(_)) {
        return What::Nothing;
    }
    if event.need_rescan() {
        return What::Directory;
    }
    let paths = event.paths.iter().map(|path| places.what(path));
    paths.max().unwrap_or(What::Nothing)
}

/// Whether a file may be a link through which others are: `..data` is how Kubernetes replaces all
/// files at once. Others that live there, a database perhaps, change all the time.
fn is_link(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with("..")
}

/// The directories that are watched, for as long as it lives.
struct Watch {
    watcher: RecommendedWatcher,
    directories: Vec<PathBuf>,
}

impl Watch {
    /// Watches what the paths lead to now, and their parents.
    fn renew(&mut self) {
        for directory in &self.directories {
            if let Some(parent) = directory.parent() {
                // If it is missing, there is nobody who could make the directory in it.
                let _ = self.watcher.watch(parent, RecursiveMode::NonRecursive);
            }
            // It may have been another one, or none.
            let _ = self.watcher.unwatch(directory);
            let watched = self.watcher.watch(directory, RecursiveMode::NonRecursive);
            let Err(error) = watched else {
                continue;
            };
            let error = &error as &dyn std::error::Error;
            let directory = directory.display();
            tracing::warn!(
                %directory,
                error,
                "the directory {directory} cannot be watched"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, Flag, ModifyKind, RenameMode};

    use super::*;

    fn places() -> Places {
        Places::new(
            vec!["/srv/w".into()],
            vec!["/srv/beats/HEARTBEAT.md".into()],
        )
    }

    #[track_caller]
    fn check(kind: EventKind, path: &str, expected: What) {
        let event = Event::new(kind).add_path(path.into());
        assert_eq!(what(&event, &places()), expected, "{path}");
    }

    #[test]
    fn what_is_written_beside_files_that_count_wakes_nobody() {
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let made = EventKind::Create(CreateKind::Any);
        for kind in [renamed, made, EventKind::Any] {
            check(kind, "/srv/w/a.yaml", What::File);
            check(kind, "/srv/w/a.YML", What::File);
            check(kind, "/srv/w/..data", What::File);
            check(kind, "/srv/w", What::Directory);
            check(kind, "/srv/beats/HEARTBEAT.md", What::File);
            check(kind, "/srv/beats/..data", What::File);
            check(kind, "/srv/beats", What::Directory);
            for other in [
                "/srv/w/agentspace.db-wal",
                "/srv/w/.a.yaml.swp",
                "/srv/w/HEARTBEAT.md",
                "/srv/a.yaml",
                "/srv/beats/a.yaml",
                "/srv/beats/HEARTBEAT.md~",
            ] {
                check(kind, other, What::Nothing);
            }
        }
        let read = EventKind::Access(AccessKind::Any);
        check(read, "/srv/w/a.yaml", What::Nothing);
    }

    #[test]
    fn lost_events_are_a_reason_to_look() {
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(what(&lost, &Places::default()), What::Directory);
    }
}
