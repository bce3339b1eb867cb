//! How this program hosts a gateway: its tools, its paths, its user.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use gateway::workflow_types::approval::Gate;
use gateway::workflow_types::id::{Actor, ExecutionId, GateId};
use gateway::{Gateway, GatewayBuilder, Reader};

use crate::cli::{ActorArg, Global};
use crate::exit::UsageError;
use crate::tools::{self, AddressPolicy, ToolOptions};

/// A gateway with this program's tools, on the chosen database.
pub(crate) fn builder(global: &Global) -> GatewayBuilder {
    let addresses = if global.allow_private_addresses {
        AddressPolicy::Any
    } else {
        AddressPolicy::PublicOnly
    };
    let options = ToolOptions {
        addresses,
        ..ToolOptions::default()
    };
    tools::registry(&options)
        .into_iter()
        .fold(Gateway::builder().database(&global.db), GatewayBuilder::shared_tool)
}

/// Starts a gateway and says what its start did.
pub(crate) async fn start(builder: GatewayBuilder) -> anyhow::Result<Gateway> {
    let gateway = builder.start().await?;
    let started = gateway.started();
    if let Some(backup) = &started.backup {
        crate::output::talk(&format!("the database was copied to {} and migrated", backup.display()));
    }
    if started.taken_up > 0 {
        crate::output::talk(&format!(
            "{} interrupted execution(s) taken up again",
            started.taken_up
        ));
    }
    Ok(gateway)
}

/// Opens the database for reading, whoever owns it.
pub(crate) async fn reader(global: &Global) -> anyhow::Result<Reader> {
    Ok(Reader::open(&global.db).await?)
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
    Actor::try_new(name).context("the user's name is no actor; give one with --as NAME")
}

/// The id of an execution as a user gave it.
pub(crate) fn execution_id(text: &str) -> anyhow::Result<ExecutionId> {
    text.parse()
        .map_err(|error| UsageError(format!("{error}; `agentspace executions ls` shows them")).into())
}

/// The gate that a user means: by its own id, or by the execution that waits at it.
pub(crate) async fn gate(reader: &Reader, text: &str) -> anyhow::Result<Gate> {
    let id: GateId = text
        .parse()
        .map_err(|error| UsageError(format!("{error}; `agentspace approvals ls` shows them")))?;
    match reader.gate(id).await {
        Ok(gate) => Ok(gate),
        Err(error) if error.kind() == gateway::ErrorKind::NotFound => reader
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

/// A length of time for people.
pub(crate) fn span(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..1_000 => format!("{ms}ms"),
        ms @ 1_000..60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        ms @ 60_000..3_600_000 => format!("{}m{:02}s", ms / 60_000, ms % 60_000 / 1_000),
        ms => format!("{}h{:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}
