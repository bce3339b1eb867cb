//! Describes a gateway and starts it: database, workflows, tools, models, clock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use workflow_types::execution::Retention;
use workflow_types::id::{HeartbeatName, ModelName};
use workflow_types::schedule::TimeZone;

use crate::alert::{self, AlertSink, Telegraph, TellOptions, Telling};
use crate::clock::{Clock, SystemClock};
use crate::engine::{Engine, Limits, Parts};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorKind};
use crate::file_watch;
use crate::gateway::{Gateway, Started};
use crate::heartbeat::{self, Beats};
use crate::host_file::HostFiles;
use crate::loader::{self, FileReport, Known};
use crate::model::{ModelClient, ModelRegistry};
use crate::registrar::Registrar;
use crate::scheduler::{self, Scheduler};
use crate::secret::{Mask, SecretSource, Secrets};
use crate::store::{Durability, GATEWAY, Opened, SqliteStore, Store, StoreErrorKind};
use crate::tool::{Tool, ToolRegistry, ToolSource};

/// How long a shutdown waits for running attempts, unless told otherwise.
const DRAIN: Duration = Duration::from_secs(30);

/// What becomes of executions that the last owner of the database left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftBehind {
    /// They are taken up at once, and so is whatever is due later.
    TakeUp,
    /// They stay as they are; the gateway carries only what is started or decided through it. For
    /// hosts that come and go with one task.
    Leave,
}

/// Whether schedules fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduling {
    /// They fire, and what was missed while no gateway ran is caught up.
    Fire,
    /// They are kept, and nothing of them fires: for hosts that come and go with one task.
    Rest,
}

/// Whether changes of workflow files are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// They are read as the gateway starts, and their directories have to be there.
    ReadOnce,
    /// They are read again whenever they change, and their directories may come later.
    Watched,
}

/// Describes a gateway; [`GatewayBuilder::start`] makes it run.
#[must_use]
pub struct GatewayBuilder {
    database: PathBuf,
    durability: Durability,
    /// What others are told who want the database meanwhile.
    name: &'static str,
    /// How long the start waits for another owner.
    patience: Duration,
    /// Takes the place of the database.
    store: Option<Arc<dyn Store>>,
    workflows: Vec<PathBuf>,
    heartbeats: BTreeMap<HeartbeatName, PathBuf>,
    host_files: Vec<PathBuf>,
    watch: Files,
    tools: ToolRegistry,
    models: ModelRegistry,
    secrets: Secrets,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    limits: Limits,
    drain: Duration,
    left_behind: LeftBehind,
    /// None means that it follows from what becomes of what was left behind.
    scheduling: Option<Scheduling>,
    zone: TimeZone,
    alerts: TellOptions,
    /// Mistakes of the host, told when the gateway is started.
    mistakes: Vec<String>,
}

impl Default for GatewayBuilder {
    fn default() -> Self {
        Self {
            database: PathBuf::from("agentspace.db"),
            durability: Durability::Full,
            name: GATEWAY,
            patience: Duration::ZERO,
            store: None,
            workflows: Vec::new(),
            heartbeats: BTreeMap::new(),
            host_files: Vec::new(),
            watch: Files::ReadOnce,
            tools: ToolRegistry::default(),
            models: ModelRegistry::default(),
            secrets: Secrets::default(),
            clock: Arc::new(SystemClock),
            entropy: Entropy::system(),
            limits: Limits::default(),
            drain: DRAIN,
            left_behind: LeftBehind::TakeUp,
            scheduling: None,
            zone: TimeZone::UTC,
            alerts: TellOptions::default(),
            mistakes: Vec::new(),
        }
    }
}

impl GatewayBuilder {
    /// The database file; created where there is none. Default: `agentspace.db`.
    pub fn database(mut self, path: impl Into<PathBuf>) -> Self {
        self.database = path.into();
        self
    }

    /// What a commit survives. Default: a power loss.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// What the gateway is called as the owner of its database: whoever wants it meanwhile is told,
    /// and [`database::owner_called`](crate::database::owner_called) asks for it. Default: `gateway`.
    pub fn called(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// How long the start waits for another process that owns the database, before it fails with
    /// [`ErrorKind::Owned`]. Default: not at all.
    ///
    /// Those who wait have it in the order in which they came.
    pub fn wait_for_owner(mut self, longest: Duration) -> Self {
        self.patience = longest;
        self
    }

    /// A store that the host has opened, in place of a database file; the gateway closes it.
    ///
    /// It has to pass the contract suite of [`store`](crate::store).
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// A directory of workflow files, read and registered at the start. May be given repeatedly.
    pub fn workflows(mut self, directory: impl Into<PathBuf>) -> Self {
        self.workflows.push(directory.into());
        self
    }

    /// A heartbeat of a name, with its `HEARTBEAT.md`; the file is read at the start and at every
    /// run. The name is also the id of the workflow that the checklist makes.
    ///
    /// A file that is missing or has mistakes does not stop the start: each run that cannot begin
    /// because of it is recorded with the reason, and counts as one that could not be judged.
    pub fn heartbeat(mut self, given: &str, file: impl Into<PathBuf>) -> Self {
        match HeartbeatName::try_new(given) {
            Ok(name) => {
                if self.heartbeats.insert(name, file.into()).is_some() {
                    self.mistakes
                        .push(format!("two heartbeats have the name `{given}`"));
                }
            }
            Err(error) => self.mistakes.push(format!(
                "the heartbeat name `{given}` is not valid: {error}"
            )),
        }
        self
    }

    /// Reads the workflow directories and the files of heartbeats again whenever they change, as
    /// long as the gateway runs: see [`Gateway::reload`] for what follows, and [`Gateway::files`] for
    /// who wants to know. Default: workflows are read at the start only, heartbeats at each run, too.
    ///
    /// Directories may be missing at first, or be replaced, as long as their parents stay. Where the
    /// system cannot watch, that is logged, and [`Gateway::reload`] remains.
    pub fn watch_files(mut self) -> Self {
        self.watch = Files::Watched;
        self
    }

    /// A file of the host's own, of which it wants to know when it changes, as its configuration. May
    /// be given repeatedly.
    ///
    /// Where files are watched, [`Reloaded::host_files`](crate::Reloaded::host_files) names it then;
    /// what it says is never looked at.
    pub fn host_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.host_files.push(file.into());
        self
    }

    /// A tool that steps may call.
    pub fn tool(self, tool: impl Tool) -> Self {
        self.shared_tool(Arc::new(tool))
    }

    /// A tool that is shared with the host.
    pub fn shared_tool(mut self, tool: Arc<dyn Tool>) -> Self {
        if let Err(name) = self.tools.add(tool) {
            self.mistakes
                .push(format!("two tools have the name `{name}`"));
        }
        self
    }

    /// A source of tools, each called `<source>.<tool>`; asked when one of them is needed.
    pub fn tool_source(mut self, source: Arc<dyn ToolSource>) -> Self {
        if let Err(name) = self.tools.add_source(source) {
            self.mistakes
                .push(format!("two sources of tools have the name `{name}`"));
        }
        self
    }

    /// A model that steps may ask; the first one is the default.
    pub fn model(mut self, name: &str, model: impl ModelClient) -> Self {
        match ModelName::try_new(name) {
            Ok(name) => return self.shared_model(name, Arc::new(model)),
            Err(error) => self
                .mistakes
                .push(format!("the model name `{name}` is not valid: {error}")),
        }
        self
    }

    /// A model that is shared with the host; the first one is the default.
    pub fn shared_model(mut self, name: ModelName, model: Arc<dyn ModelClient>) -> Self {
        if let Err(name) = self.models.add(name, model) {
            self.mistakes
                .push(format!("two models have the name `{name}`"));
        }
        self
    }

    /// Where the values of secrets are from, which steps name as `{{ secrets.NAME }}`. Default:
    /// there are none.
    pub fn secrets(mut self, source: impl SecretSource) -> Self {
        self.secrets.source = Some(Arc::new(source));
        self
    }

    /// A mask that is shared with the host: every value that a call is given is in it before.
    pub fn mask(mut self, mask: Mask) -> Self {
        self.secrets.mask = mask;
        self
    }

    /// The clock. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Ids and jitter from a seed, so that a test repeats exactly.
    pub fn seed(mut self, seed: u64) -> Self {
        self.entropy = Entropy::seeded(seed);
        self
    }

    /// How long a cancelled attempt may take to come to its end. Default: 2 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.limits.grace = grace;
        self
    }

    /// The largest output of a step in bytes of JSON. Default: 1 MiB.
    pub fn max_output_bytes(mut self, bytes: usize) -> Self {
        self.limits.max_output = bytes;
        self
    }

    /// How many executions may run at once, of all workflows. Default: 64.
    ///
    /// Those that wait at a gate or for a retry do not run, and one more waits for its turn in the
    /// database. Workflows take turns, whatever each has waiting.
    pub fn max_concurrent_executions(mut self, executions: usize) -> Self {
        self.limits.max_executions = executions.max(1);
        self
    }

    /// Which finished executions are kept; the others are deleted at the start and once a day, with
    /// the definitions that nothing refers to any more. Default: all are kept.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.limits.retention = retention;
        self
    }

    /// What becomes of executions that the last owner left behind. Default: they are taken up.
    pub fn left_behind(mut self, left_behind: LeftBehind) -> Self {
        self.left_behind = left_behind;
        self
    }

    /// Whether schedules fire. Default: they do, unless what was left behind stays as it is.
    pub fn scheduling(mut self, scheduling: Scheduling) -> Self {
        self.scheduling = Some(scheduling);
        self
    }

    /// The zone of schedules that name none. Default: UTC.
    ///
    /// It becomes the zone of each when it is added, and is shown with it; another default later
    /// changes none but those that follow the `trigger` of a workflow.
    pub fn timezone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// Whom the gateway tells of alerts. May be given repeatedly; each has a name of its own.
    ///
    /// Exactly those that are given are told: what another was not told waits until it is given
    /// again.
    pub fn alert_sink(mut self, sink: Arc<dyn AlertSink>) -> Self {
        let name = sink.name();
        if self.alerts.sinks.iter().any(|known| known.name() == name) {
            self.mistakes
                .push(format!("two alert sinks have the name `{name}`"));
        } else {
            self.alerts.sinks.push(sink);
        }
        self
    }

    /// Whether sinks are told, and people reminded. Default: they are, unless what was left behind
    /// stays as it is.
    pub fn telling(mut self, telling: Telling) -> Self {
        self.alerts.telling = Some(telling);
        self
    }

    /// How long after an open alert was told of somebody is reminded, as long as nobody has
    /// acknowledged it. Default: 24 hours.
    pub fn remind_after(mut self, remind_after: Duration) -> Self {
        // A reminder a minute is a nuisance already; more would fill the database.
        self.alerts.remind_after = remind_after.max(Duration::from_secs(1));
        self
    }

    /// How long a shutdown waits for running attempts. Default: 30 s.
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Reads one workflow file, or the file of a heartbeat, and says everything there is to say about
    /// it; stores nothing.
    pub fn check_file(&self, path: impl AsRef<Path>) -> FileReport {
        loader::file(path.as_ref(), &self.known()).report
    }

    /// Reads the file of a heartbeat, whatever its name, and says everything there is to say about
    /// it; stores nothing.
    pub fn check_heartbeat(&self, path: impl AsRef<Path>) -> FileReport {
        loader::heartbeat(path.as_ref(), &self.known()).report
    }

    /// Reads every workflow file of a directory, files of heartbeats not among them; stores nothing.
    pub fn check_directory(&self, path: impl AsRef<Path>) -> std::io::Result<Vec<FileReport>> {
        let loaded = loader::directory(path.as_ref(), &self.known())?;
        Ok(loaded.into_iter().map(|file| file.report).collect())
    }

    /// What of a directory looks as if it were meant to be read, and is not: directories that hold
    /// workflow files, and files whose names are almost those of workflows or of a heartbeat.
    pub fn not_read(&self, path: impl AsRef<Path>) -> std::io::Result<Vec<PathBuf>> {
        loader::not_read(path.as_ref(), &self.known())
    }

    fn known(&self) -> Known {
        Known {
            tools: self.tools.clone(),
            models: self.models.clone(),
            secrets: self.secrets.clone(),
            taken: Arc::new(
                self.heartbeats
                    .keys()
                    .map(HeartbeatName::workflow)
                    .collect(),
            ),
            heartbeats: Arc::new(
                self.heartbeats
                    .values()
                    .map(|file| loader::location(file))
                    .collect(),
            ),
        }
    }

    /// Opens the database, registers the workflows and takes up what was running when the last
    /// owner ended.
    ///
    /// A workflow file that is refused does not stop the start: see [`Gateway::started`].
    pub async fn start(self) -> Result<Gateway, Error> {
        if !self.mistakes.is_empty() {
            let context = format!(
                "the gateway is not well described: {}",
                self.mistakes.join("; ")
            );
            return Err(Error::new(ErrorKind::Invalid, context));
        }
        let owner = format!("pid {}", std::process::id());
        let known = self.known();
        let (store, opened) = match self.store {
            Some(store) => (store, Opened::default()),
            None => {
                let clock = self.clock.as_ref();
                let owner = (self.durability, self.name);
                open(&self.database, owner, (clock, self.patience)).await?
            }
        };
        let scheduling = self.scheduling.unwrap_or(match self.left_behind {
            LeftBehind::TakeUp => Scheduling::Fire,
            LeftBehind::Leave => Scheduling::Rest,
        });
        let telling = match self.left_behind {
            LeftBehind::TakeUp => Telling::Tell,
            LeftBehind::Leave => Telling::Rest,
        };
        // Before anything is taken up: a tool may know a key, whoever asks with it.
        self.models.conceal(&self.secrets.mask);
        let engine = Engine::start(Parts {
            store: Arc::clone(&store),
            reads: store.reads(),
            clock: self.clock,
            entropy: self.entropy,
            tools: self.tools,
            models: self.models,
            secrets: self.secrets,
            owner,
            limits: self.limits,
            left_behind: self.left_behind,
            scheduler: Scheduler::new(scheduling, self.zone),
            beats: Beats::new(self.heartbeats, known.clone(), scheduling),
            alerts: Telegraph::new(self.alerts, telling),
        });
        let host_files = HostFiles::new(self.host_files);
        let registrar = Registrar::new(Arc::clone(&engine), known, self.workflows, host_files);
        let registrar = Arc::new(registrar);
        let mut gateway = Gateway::new(
            Arc::clone(&engine),
            store,
            Arc::clone(&registrar),
            self.drain,
        );
        let mut files = registrar.first(self.watch).await?;
        files.extend(heartbeat::load(&engine).await?);
        alert::start(&engine).await?;
        let recovered = engine.recover().await?;
        scheduler::start(&engine);
        heartbeat::start(&engine);
        if self.watch == Files::Watched {
            file_watch::start(&engine, &registrar);
        }
        gateway.set_started(Started {
            migrated: opened.migrated,
            backup: opened.backup,
            files,
            taken_up: recovered.taken_up,
            left: recovered.left,
        });
        Ok(gateway)
    }
}

async fn open(
    path: &Path,
    (durability, name): (Durability, &'static str),
    (clock, patience): (&dyn Clock, Duration),
) -> Result<(Arc<dyn Store>, Opened), Error> {
    let opened = match SqliteStore::open_as(path, durability, name).await {
        Err(owned) if owned.kind() == StoreErrorKind::Owned && !patience.is_zero() => {
            tokio::select! {
                opened = SqliteStore::open_when_free_as(path, durability, name) => opened,
                () = clock.sleep_until(clock.now().saturating_add(patience)) => Err(owned),
            }
        }
        opened => opened,
    };
    let (store, opened) = opened.map_err(Error::opening)?;
    Ok((Arc::new(store), opened))
}
