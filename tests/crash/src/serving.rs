//! A process that wants to serve a database in which a schedule fires every second of a rapid clock.
//!
//! It waits until whoever serves has gone, serves until the time is over or it is killed, and notes
//! outside of the database that it had it, and each call of the tool.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use clap::Args;
use gateway::workflow_types::execution::ExecutionStatus;
use gateway::workflow_types::schedule::{Misfire, Overlap, Policies};
use gateway::workflow_types::{SourceFormat, Timestamp, WorkflowDefinition};
use gateway::{
    Clock as _, Effect, ExecutionFilter, Gateway, GatewayBuilder, ScheduleRequest, Scheduling,
    Tool, ToolCall, ToolError, ToolSpec,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ledger::Ledger;
use crate::live::{self, Sync};
use crate::rapid::RapidClock;

/// The schedule, and its workflow.
pub(crate) const NAME: &str = "tick";
/// One call for each execution, which nobody repeats.
const WORKFLOW: &str = r#"
name: Tick
steps:
  - id: tick
    action: tool
    tool: tick
    onInterrupt: fail
    args: {execution: "{{ execution.id }}", at: "{{ execution.scheduledFor }}"}
"#;
/// Longer than anybody has to wait for the database.
const PATIENCE: Duration = Duration::from_hours(1_000);

#[derive(Args, Clone)]
pub(crate) struct Options {
    #[arg(long)]
    pub(crate) directory: PathBuf,
    /// When the clock began, in milliseconds of the machine's.
    #[arg(long)]
    pub(crate) begun: i64,
    /// How much faster it is.
    #[arg(long)]
    pub(crate) speed: u32,
    /// When it is over, in milliseconds of the rapid clock.
    #[arg(long)]
    pub(crate) until: i64,
}

impl Options {
    pub(crate) fn clock(&self) -> Result<RapidClock> {
        Ok(RapidClock {
            begun: Timestamp::from_millis(self.begun)?,
            speed: self.speed,
        })
    }
}

/// One call of the tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tick {
    pub(crate) execution: String,
    pub(crate) at: String,
}

/// A process that has the database from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) process: u32,
}

pub(crate) fn ticks_path(directory: &Path) -> PathBuf {
    directory.join("ticks")
}

pub(crate) fn owners_path(directory: &Path) -> PathBuf {
    directory.join("owners")
}

/// Makes the database, with its schedule.
pub(crate) fn prepare(options: &Options) -> Result<()> {
    runtime()?.block_on(async {
        let gateway = builder(options)?
            .scheduling(Scheduling::Rest)
            .start()
            .await?;
        let definition = WorkflowDefinition::parse(WORKFLOW.as_bytes(), SourceFormat::Yaml);
        let definition = definition.context("the workflow is mistaken")?;
        gateway
            .register_definition(NAME.parse()?, definition, "crash")
            .await?;
        let policies = Policies {
            misfire: Misfire::Latest,
            overlap: Overlap::Allow,
            ..Policies::default()
        };
        let request = ScheduleRequest::new(NAME.parse()?, "* * * * * *".parse()?)
            .starting(NAME.parse()?)
            .policies(policies);
        gateway.schedules().add(request).await?;
        Ok(gateway.shutdown().await?)
    })
}

/// Serves as soon as nobody else does, until the time is over.
pub(crate) fn run(options: &Options) -> Result<()> {
    runtime()?.block_on(serve(options))
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    Ok(runtime.worker_threads(2).enable_all().build()?)
}

fn builder(options: &Options) -> Result<GatewayBuilder> {
    let ledger = Ledger::open(&ticks_path(&options.directory))?;
    let tool = Ticker {
        ledger: Arc::new(ledger),
        spec: ToolSpec::new(NAME.parse()?, "leaves a line", Effect::Destructive),
    };
    Ok(Gateway::builder()
        .database(live::database(&options.directory))
        .durability(Sync::Normal.durability())
        .clock(options.clock()?)
        .tool(tool))
}

async fn serve(options: &Options) -> Result<()> {
    let gateway = builder(options)?.wait_for_owner(PATIENCE).start().await?;
    let process = std::process::id();
    Ledger::open(&owners_path(&options.directory))?.add(&Owner { process })?;
    let until = Timestamp::from_millis(options.until)?;
    let clock = options.clock()?;
    clock.sleep_until(until).await;
    let (schedules, id) = (gateway.schedules(), NAME.parse()?);
    let mut events = schedules.watch();
    while schedules
        .show(&id)
        .await?
        .next()
        .is_some_and(|next| next.fire_time <= until)
    {
        events.next().await;
    }
    schedules.pause(&id).await?;
    let running = ExecutionFilter {
        status: Some(ExecutionStatus::Running),
        ..ExecutionFilter::default()
    };
    let page = gateway.reader().executions(running, None, 10_000).await?;
    for execution in page.items {
        gateway.wait(execution.id).await?;
    }
    Ok(gateway.shutdown().await?)
}

struct Ticker {
    ledger: Arc<Ledger>,
    spec: ToolSpec,
}

#[async_trait]
impl Tool for Ticker {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let word = |name: &str| {
            let value = call.args.get(name).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let tick = Tick {
            execution: word("execution"),
            at: word("at"),
        };
        let added = self.ledger.add(&tick);
        added.map_err(|error| ToolError::permanent(error.to_string()))?;
        Ok(Value::Null)
    }
}
