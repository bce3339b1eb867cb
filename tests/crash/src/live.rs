//! One life of the process that is killed: a gateway, and clients that want their tasks done.
//!
//! The same program runs before and after a crash. Each client knows what it was answered before,
//! carries on what is there, sends again what was not answered, and decides at gates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use gateway::store::{SqliteStore, Store};
use gateway::workflow_types::approval::{Decision, Gate, GateKind};
use gateway::workflow_types::execution::VisitStatus;
use gateway::workflow_types::id::{Actor, ExecutionId};
use gateway::workflow_types::{SourceFormat, WorkflowDefinition};
use gateway::{Durability, Error, ErrorKind, ExecutionFilter, Gateway, Reader, StartRequest};
use tokio::task::JoinSet;

use crate::ledger::{self, Ledger, Outside, Promise};
use crate::mutant::{Mutant, Mutation};
use crate::tools;
use crate::workflow::{self, CancelAt, Task, WORKFLOWS};

/// Longest that a life may take to bring everything to its end.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Args, Clone)]
pub(crate) struct Options {
    /// Where the database, the ledger and the promises are.
    #[arg(long)]
    pub(crate) directory: PathBuf,
    /// What is done.
    #[arg(long, default_value = "load")]
    pub(crate) scenario: String,
    /// The number of the first task of a load.
    #[arg(long, default_value_t = 0)]
    pub(crate) first: u32,
    /// How many tasks a load has.
    #[arg(long, default_value_t = 0)]
    pub(crate) count: u32,
    #[arg(long, value_enum, default_value_t = Sync::Full)]
    pub(crate) sync: Sync,
    /// The fault that is turned on.
    #[arg(long, value_enum)]
    pub(crate) mutation: Option<Mutation>,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sync {
    Full,
    Normal,
}

impl Sync {
    pub(crate) fn durability(self) -> Durability {
        match self {
            Self::Full => Durability::Full,
            Self::Normal => Durability::Normal,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Normal => "normal",
        }
    }
}

/// Where the database is.
pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join("agentspace.db")
}

/// Lives until everything is at its end.
pub(crate) fn run(options: &Options) -> Result<()> {
    let is_load = options.scenario == "load";
    let mut runtime = if is_load {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        // As few threads as can be, so that each run makes the same calls in the same order.
        let mut one = tokio::runtime::Builder::new_current_thread();
        one.max_blocking_threads(1);
        one
    };
    let runtime = runtime.worker_threads(2).enable_all().build()?;
    runtime.block_on(bounded(live(options)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a life that does not end is a finding, and must not hold up the campaign"
)]
async fn bounded(life: impl Future<Output = Result<()>>) -> Result<()> {
    match tokio::time::timeout(PATIENCE, life).await {
        Ok(ended) => ended,
        Err(_) => bail!("not everything came to its end within {PATIENCE:?}"),
    }
}

async fn live(options: &Options) -> Result<()> {
    let directory = &options.directory;
    let before = Outside::read(directory)?;
    let tasks = match options.scenario.as_str() {
        "load" => workflow::load(options.first, options.count)?,
        scenario => workflow::tasks(scenario)?,
    };
    let gateway = Arc::new(start(options).await?);
    let promises = Arc::new(Ledger::open(&ledger::promises_path(directory))?);
    let client = Client { gateway, promises };
    let found = client.unfinished().await?;
    let started = before.started();
    let mut clients = JoinSet::new();
    for (key, id) in &found {
        clients.spawn(client.clone().carry_on(Task::parse(key)?, *id));
    }
    for task in &tasks {
        if !found.contains_key(&task.key()) && !started.contains_key(&task.key()) {
            clients.spawn(client.clone().begin(*task));
        }
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    for task in tasks {
        client.send(task).await?;
    }
    drop(clients);
    let Client { gateway, promises } = client;
    drop(promises);
    let gateway = Arc::into_inner(gateway).context("somebody still holds the gateway")?;
    Ok(gateway.shutdown().await?)
}

/// Opens the database, with its fault if there is one, and takes up what is there.
async fn start(options: &Options) -> Result<Gateway> {
    let directory = &options.directory;
    let database = database(directory);
    if let Some(mutation) = options.mutation {
        mutation.prepare(&database).await?;
    }
    let ledger = Arc::new(Ledger::open(&ledger::effects_path(directory))?);
    let durability = options.sync.durability();
    let builder = tools::add(Gateway::builder(), &ledger, options.mutation)?;
    let builder = match options.mutation {
        None => builder.database(&database).durability(durability),
        Some(mutation) => {
            let (store, _) = SqliteStore::open(&database, durability).await?;
            let store: Arc<dyn Store> = Arc::new(Mutant::new(store, mutation, &database)?);
            builder.store(store)
        }
    };
    let gateway = builder.max_concurrent_executions(8).start().await?;
    for workflow in &WORKFLOWS {
        let text = workflow.text.as_bytes();
        let definition = WorkflowDefinition::parse(text, SourceFormat::Yaml)?;
        let id = workflow.name.parse()?;
        gateway.register_definition(id, definition, "crash").await?;
    }
    Ok(gateway)
}

/// Who wants tasks done.
#[derive(Clone)]
struct Client {
    gateway: Arc<Gateway>,
    promises: Arc<Ledger>,
}

impl Client {
    /// The executions that are not finished, by their keys.
    async fn unfinished(&self) -> Result<BTreeMap<String, ExecutionId>> {
        let all = executions(self.gateway.reader()).await?;
        let open = all
            .into_iter()
            .filter(|execution| !execution.state.status().is_finished());
        open.map(|execution| {
            let key = execution.idempotency_key.context("it has no key")?;
            Ok((key.to_string(), execution.id))
        })
        .collect()
    }

    async fn begin(self, task: Task) -> Result<()> {
        let id = self.send(task).await?;
        self.see(id).await?;
        self.carry(task, id).await
    }

    /// Waits until a reader sees an execution whose start was answered: it does so at once, unless
    /// that is the fault that is turned on.
    async fn see(&self, id: ExecutionId) -> Result<()> {
        let mut follower = self.gateway.follow(id);
        loop {
            match self.gateway.reader().execution(id).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::NotFound => follower.changed().await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What was found is carried on; some clients send their start again before that.
    async fn carry_on(self, task: Task, id: ExecutionId) -> Result<()> {
        if task.sends_twice() {
            self.send(task).await?;
        }
        self.carry(task, id).await
    }

    /// Sends a start, which is safe to repeat, and notes what was answered.
    async fn send(&self, task: Task) -> Result<ExecutionId> {
        let request = StartRequest::new(task.workflow.name.parse()?, task.input())
            .idempotency_key(task.key().parse()?);
        let execution = self.gateway.start_with(request).await?;
        self.promises.add(&Promise::Started {
            task: task.key(),
            id: execution.id.to_string(),
        })?;
        Ok(execution.id)
    }

    /// Sees to an execution until it has ended.
    async fn carry(&self, task: Task, id: ExecutionId) -> Result<()> {
        if let Some(moment) = task.cancels() {
            self.cancel(id, moment).await?;
        }
        loop {
            let execution = self.gateway.wait(id).await?;
            let status = execution.state.status();
            if status.is_finished() {
                let (id, status) = (id.to_string(), status.to_string());
                return self.promises.add(&Promise::Ended { id, status });
            }
            let gate = self.gateway.reader().gate_of(id).await?;
            self.decide(task, &gate).await?;
        }
    }

    async fn decide(&self, task: Task, gate: &Gate) -> Result<()> {
        let (gateway, id) = (&self.gateway, gate.id);
        let (answer, word) = match gate.kind {
            GateKind::Interrupted => {
                let resolution = task.resolution();
                let word = resolution.as_str();
                (gateway.resolve(id, resolution, actor()?, None).await, word)
            }
            GateKind::Approval => match task.decision() {
                Decision::Approve => (gateway.approve(id, actor()?, None).await, "approve"),
                Decision::Deny => (gateway.deny(id, actor()?, None).await, "deny"),
            },
        };
        if settled(answer)? {
            let (gate, word) = (id.to_string(), word.to_owned());
            self.promises.add(&Promise::Decided { gate, word })?;
        }
        Ok(())
    }

    /// Cancels an execution when its moment has come, unless it has ended.
    async fn cancel(&self, id: ExecutionId, moment: CancelAt) -> Result<()> {
        let reader = self.gateway.reader();
        let mut follower = self.gateway.follow(id);
        loop {
            if reader.execution(id).await?.state.status().is_finished() {
                return Ok(());
            }
            let journal = reader.journal(id, 1, 100).await?;
            let state = journal.last().map(|visit| visit.state.status());
            if state == Some(awaited(moment)) {
                break;
            }
            follower.changed().await;
        }
        if settled(self.gateway.cancel(id, actor()?, None).await)? {
            let id = id.to_string();
            self.promises.add(&Promise::Cancelled { id })?;
        }
        Ok(())
    }
}

/// The state of the open visit in which an execution is cancelled.
fn awaited(moment: CancelAt) -> VisitStatus {
    match moment {
        CancelAt::Gate => VisitStatus::Waiting,
        CancelAt::Backoff => VisitStatus::BackingOff,
        CancelAt::Attempt => VisitStatus::Begun,
    }
}

/// Whether something was done, and not by somebody else before.
fn settled<T>(answer: Result<T, Error>) -> Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn actor() -> Result<Actor> {
    Ok("ann".parse()?)
}

/// Every execution of a database.
pub(crate) async fn executions(
    reader: &Reader,
) -> Result<Vec<gateway::workflow_types::execution::Execution>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = reader
            .executions(ExecutionFilter::default(), after, 200)
            .await?;
        if let Some(damaged) = page.damaged.first() {
            bail!("an execution is damaged: {}", damaged.reason);
        }
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}
