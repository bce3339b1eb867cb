//! How this program hosts a gateway: its tools, its paths, its user.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gateway::workflow_types::approval::Gate;
use gateway::workflow_types::config;
use gateway::workflow_types::config::mcp::McpEndpoint;
use gateway::workflow_types::execution::{Execution, ExecutionStatus, TriggeredBy};
use gateway::workflow_types::id::{Actor, ExecutionId, GateId};
use gateway::{
    Durability, ErrorKind, ExecutionFilter, FileReport, Gateway, GatewayBuilder, LeftBehind,
    Reader, Scheduling, SystemClock, ToolRegistry, ToolSource,
};
use reqwest::Url;
use serde_json::Value;

use crate::cli::{ActorArg, Global};
use crate::config::ConfiguredServer;
use crate::exit::{StoppedWaiting, UsageError};
use crate::output;
use crate::secrets::{self, Keeper, Revealer};
use crate::stop::Stop;
use crate::tools::execute_command::{CommandOptions, Inherit, Programs};
use crate::tools::http_request::{AddressPolicy, HostPattern, HttpOptions};
use crate::tools::mcp::{Endpoint, McpServer, Program, ServerOptions};
use crate::tools::{self, ToolOptions};
use crate::{access, alerts};

/// How long a decision waits for another process that owns the database.
const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway with this program's tools, on the chosen database, for one task: what others left
/// behind is the business of `agentspace resume`.
///
/// `trusted` are values that an operator typed: see [`Trusted`].
pub(crate) fn builder(global: &Global, trusted: &Trusted) -> GatewayBuilder {
    let builder = Gateway::builder()
        .database(&global.db)
        .durability(match global.durability {
            config::Durability::Full => Durability::Full,
            config::Durability::Normal => Durability::Normal,
        })
        .max_concurrent_executions(size(global.max_concurrent_executions))
        .max_output_bytes(size(global.max_output_bytes))
        .timezone(global.zone)
        .drain(global.drain)
        .grace(global.grace)
        .retention(global.retention)
        .left_behind(LeftBehind::Leave)
        .scheduling(Scheduling::Rest);
    let builder = tools::built_in(tool_options(global, trusted))
        .into_iter()
        .fold(builder, GatewayBuilder::shared_tool);
    let builder = sources(global)
        .into_iter()
        .fold(builder, GatewayBuilder::tool_source)
        .secrets(Keeper(global.secrets.clone()))
        .mask(secrets::mask().clone());
    let heartbeats = global.heartbeats.iter();
    let builder = heartbeats.fold(builder, |builder, (name, file)| {
        builder.heartbeat(name.as_ref(), file)
    });
    alerts::add_to(global.models.add_to(builder), global)
}

/// The same tools without a gateway, to try them.
pub(crate) fn tools(global: &Global) -> ToolRegistry {
    let mut registry = ToolRegistry::default();
    // The names are constants that differ, and those of a table's keys.
    for tool in tools::built_in(tool_options(global, &Trusted::default())) {
        let _ = registry.add(tool);
    }
    for source in sources(global) {
        let _ = registry.add_source(source);
    }
    registry
}

fn tool_options(global: &Global, trusted: &Trusted) -> ToolOptions {
    let addresses = if global.allow_private_addresses {
        AddressPolicy::Any
    } else {
        AddressPolicy::PublicOnly
    };
    ToolOptions {
        command: commands(global),
        http: HttpOptions {
            addresses,
            allowed_hosts: trusted.hosts.clone(),
            ..HttpOptions::default()
        },
    }
}

/// The configured MCP servers; none is started before one of its tools is needed.
fn sources(global: &Global) -> Vec<Arc<dyn ToolSource>> {
    let servers = global.servers.iter();
    let sources = servers.map(|server| {
        let options = server_options(global, server);
        let clock = Arc::new(SystemClock);
        Arc::new(McpServer::new(server.name.clone(), options, clock)) as Arc<dyn ToolSource>
    });
    sources.collect()
}

fn server_options(global: &Global, server: &ConfiguredServer) -> ServerOptions {
    /// Bytes that a message may have at least.
    const MESSAGE: usize = 16 * 1024 * 1024;
    let endpoint = match server.endpoint.clone() {
        McpEndpoint::Program {
            command,
            env,
            inherit_env,
            cwd: _,
        } => Endpoint::Program(Program {
            command,
            env,
            inherit: inherit(&inherit_env),
            directory: server.directory.clone(),
        }),
        McpEndpoint::Address { url, headers } => Endpoint::Address { url, headers },
    };
    ServerOptions {
        endpoint,
        secrets: Revealer::new(Keeper(global.secrets.clone()), secrets::mask().clone()),
        timeout: server.timeout,
        // An answer may say everything twice, and escape every character.
        max_message: MESSAGE.max(size(global.max_output_bytes).saturating_mul(4)),
    }
}

/// A number of 32 bits in memory's own size; a machine with less has a lower bound anyway.
pub(crate) fn size(number: NonZeroU32) -> usize {
    usize::try_from(number.get()).unwrap_or(usize::MAX)
}

/// What commands may be run, and what they see of the environment.
fn commands(global: &Global) -> CommandOptions {
    let programs = match &global.allow_programs {
        None => Programs::Any,
        Some(programs) => Programs::Only(programs.iter().cloned().collect()),
    };
    CommandOptions {
        programs,
        inherit: inherit(&global.inherit_env),
        ..CommandOptions::default()
    }
}

/// What a program inherits besides the usual few, by the names of variables.
pub(crate) fn inherit(names: &[String]) -> Inherit {
    if names.iter().any(|name| name == "*") {
        Inherit::Everything
    } else if names.is_empty() {
        Inherit::Basics
    } else {
        Inherit::BasicsAnd(names.to_vec())
    }
}

/// The hosts of URLs that an operator typed as input.
///
/// Loopback and private addresses are refused because data from outside must not lead requests
/// into the operator's network. A URL on the operator's own command line is no such data, so its
/// host may be reached by the executions that were started with it, after a restart too. Redirects
/// elsewhere are still refused.
#[derive(Debug, Default)]
pub(crate) struct Trusted {
    hosts: Vec<HostPattern>,
}

impl Trusted {
    /// Trusts the hosts of the URLs in an input.
    pub(crate) fn add(&mut self, input: &Value) {
        match input {
            Value::String(text) => {
                let host = Url::parse(text).ok().and_then(|url| {
                    let port = url.port_or_known_default()?;
                    format!("{}:{port}", url.host_str()?).parse().ok()
                });
                self.hosts.extend(host);
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(map) => map.values().for_each(|item| self.add(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Trusts what was typed for an execution: only a command line starts executions by hand.
    pub(crate) fn add_typed(&mut self, execution: &Execution) {
        if execution.triggered_by == TriggeredBy::Manual {
            self.add(&execution.input);
        }
    }

    /// Trusts what was typed for every execution that is not finished.
    pub(crate) async fn of_unfinished(reader: &Reader) -> anyhow::Result<Self> {
        let mut trusted = Self::default();
        for status in [ExecutionStatus::Running, ExecutionStatus::Paused] {
            each_execution(reader, status, |execution| trusted.add_typed(execution)).await?;
        }
        Ok(trusted)
    }
}

/// Looks at every execution of a status, the newest first, and keeps one page of them at a time.
pub(crate) async fn each_execution(
    reader: &Reader,
    status: ExecutionStatus,
    mut look: impl FnMut(&Execution),
) -> anyhow::Result<()> {
    const PAGE: usize = 500;
    let filter = ExecutionFilter {
        status: Some(status),
        ..ExecutionFilter::default()
    };
    let mut after = None;
    loop {
        let page = reader.executions(filter.clone(), after, PAGE).await?;
        page.items.iter().for_each(&mut look);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// A gateway that runs, and the wish that it stop.
pub(crate) struct Hosted {
    pub(crate) gateway: Gateway,
    pub(crate) stop: Stop,
}

impl Hosted {
    /// Shuts the gateway down in order, or at once if that is urged.
    pub(crate) async fn shutdown(self) -> anyhow::Result<()> {
        tokio::select! {
            ended = self.gateway.shutdown() => Ok(ended?),
            // Dropped, it stops its commands; what they did is asked or done again by `resume`.
            () = self.stop.urged() => Ok(()),
        }
    }
}

/// Starts a gateway and says what its start did.
pub(crate) async fn start(builder: GatewayBuilder) -> anyhow::Result<Hosted> {
    let stop = Stop::listen().context("listening for signals failed")?;
    Ok(started(builder.start().await?, stop))
}

/// What came first: a gateway of one's own, or what made it needless.
pub(crate) enum Turn<H, T> {
    /// The gateway.
    Had(H),
    /// What was waited for beside it.
    Needless(T),
}

/// The same, but while another process owns the database it waits a while for that to end, or for
/// what makes it needless.
pub(crate) async fn start_in_turn<T>(
    builder: impl Fn() -> GatewayBuilder,
    needless: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<Turn<Hosted, T>> {
    let stop = Stop::listen().context("listening for signals failed")?;
    let owned = match builder().start().await {
        Err(owned) if owned.kind() == ErrorKind::Owned => owned,
        gateway => return Ok(Turn::Had(started(gateway?, stop))),
    };
    let seconds = PATIENCE.as_secs();
    output::talk(&format!("waiting up to {seconds} s: {owned}"));
    tokio::select! {
        biased;
        needless = needless => Ok(Turn::Needless(needless?)),
        gateway = builder().wait_for_owner(PATIENCE).start() => {
            Ok(Turn::Had(started(gateway?, stop)))
        }
        () = stop.asked() => Err(StoppedWaiting.into()),
    }
}

fn started(gateway: Gateway, stop: Stop) -> Hosted {
    let started = gateway.started();
    if let Some(backup) = &started.backup {
        output::talk(&format!(
            "the database was copied to {} and migrated",
            backup.display()
        ));
    }
    if started.left > 0 {
        let (count, them) = counted(started.left);
        output::talk(&format!(
            "{count} left behind by a process that ended; `agentspace resume` goes on with {them}"
        ));
    }
    if started.taken_up > 0 {
        let (count, _) = counted(started.taken_up);
        output::talk(&format!("{count} left behind, taken up again"));
    }
    Hosted { gateway, stop }
}

/// `1 execution`, `2 executions`, with the word that stands for them.
fn counted(count: usize) -> (String, &'static str) {
    if count == 1 {
        ("1 execution".to_owned(), "it")
    } else {
        (format!("{count} executions"), "them")
    }
}

/// Opens the database for reading, whoever owns it.
pub(crate) async fn reader(global: &Global) -> anyhow::Result<Reader> {
    match Reader::open(&global.db).await {
        Err(error) if error.kind() == ErrorKind::Missing && access::is_hidden(&global.db) => {
            // It may well be there, so that nobody says it is not.
            let reason = access::refused(&global.db);
            Err(anyhow::Error::msg(
                reason.unwrap_or_else(|| error.to_string()),
            ))
        }
        Err(error) if error.kind() == ErrorKind::Missing => anyhow::bail!(
            "there is no database {} yet: `agentspace run` and `agentspace serve` make it; --db \
             names another",
            output::plain(&global.db.display().to_string())
        ),
        opened => Ok(opened?),
    }
}

/// Who decides: as given, or the user's name.
pub(crate) fn actor(given: &ActorArg) -> anyhow::Result<Actor> {
    if let Some(actor) = &given.actor {
        return Ok(actor.clone());
    }
    let name = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "operator".to_owned());
    Actor::try_new(name).map_err(|error| {
        UsageError(format!(
            "the user's name cannot stand for who decides: {error}; give another with --as NAME"
        ))
        .into()
    })
}

/// The id of an execution as a user gave it.
pub(crate) fn execution_id(text: &str) -> anyhow::Result<ExecutionId> {
    text.parse().map_err(|error| {
        UsageError(format!("{error}; `agentspace executions ls` shows them")).into()
    })
}

/// The gate that a user means: by its own id, or by the execution that waits at it.
pub(crate) async fn gate(reader: &Reader, text: &str) -> anyhow::Result<Gate> {
    let id: GateId = text
        .parse()
        .map_err(|error| UsageError(format!("{error}; `agentspace approvals ls` shows them")))?;
    match reader.gate(id).await {
        Ok(gate) => Ok(gate),
        Err(error) if error.kind() == ErrorKind::NotFound => reader
            .gate_of(ExecutionId::new(id.uuid()))
            .await
            .map_err(|_| UsageError(format!("there is no approval or execution {text} that waits; `agentspace approvals ls` shows them")).into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a text names a file rather than a registered workflow.
pub(crate) fn is_file(text: &str) -> bool {
    let path = Path::new(text);
    path.extension().is_some() || text.contains(std::path::MAIN_SEPARATOR) || path.is_file()
}

/// Reads one workflow file and says everything there is to say about it.
pub(crate) fn check_file(builder: &GatewayBuilder, path: &Path) -> FileReport {
    let mut report = builder.check_file(path);
    // Comes before whatever is wrong with the name.
    let found = path.symlink_metadata();
    if found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        report.unreadable = Some("there is no such file or directory".to_owned());
    }
    report
}

/// A length of time for people.
pub(crate) fn span(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..1_000 => format!("{ms}ms"),
        ms @ 1_000..60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        ms @ 60_000..3_600_000 => format!("{}m{:02}s", ms / 60_000, ms % 60_000 / 1_000),
        ms => format!("{}h{:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}
