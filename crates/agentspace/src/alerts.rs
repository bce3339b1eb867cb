//! Who is told of alerts: the sinks that `agentspace.toml` names.
//!
//! Must not know the database: a sink is handed one notice and says whether it took it. The secret of
//! a webhook is read from the environment when it is needed, and is nowhere else.

mod command;
mod envelope;
mod log;
mod signature;
mod webhook;

use std::sync::Arc;

use gateway::workflow_types::config::{AlertConfig, SinkConfig};
use gateway::workflow_types::id::SinkName;
use gateway::{AlertSink, GatewayBuilder, SinkError, ToolError};

use crate::config::Global;
use crate::host;
use command::CommandSink;
pub(crate) use envelope::envelope;
use log::LogSink;
use signature::Secret;
use webhook::Webhook;

/// Gives a gateway the sinks of the configuration, and how often it reminds.
pub(crate) fn add_to(builder: GatewayBuilder, global: &Global) -> GatewayBuilder {
    let AlertConfig {
        remind_after,
        sinks,
    } = &global.alerts;
    let builder = match remind_after {
        Some(after) => builder.remind_after(*after),
        None => builder,
    };
    let sinks = sinks
        .iter()
        .map(|(name, config)| sink(global, name, config));
    sinks.fold(builder, GatewayBuilder::alert_sink)
}

/// What is missing before each sink can be told, in words.
pub(crate) fn missing(config: &AlertConfig) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, sink) in &config.sinks {
        if let SinkConfig::Webhook(webhook) = sink
            && let Some(variable) = &webhook.secret_env
            && let Err(error) = Secret::read(variable)
        {
            missing.push(format!("alert sink `{name}` is told nothing: {error}"));
        }
    }
    missing
}

fn sink(global: &Global, name: &SinkName, config: &SinkConfig) -> Arc<dyn AlertSink> {
    let name = name.clone();
    match config {
        SinkConfig::Log => Arc::new(LogSink::new(name)),
        SinkConfig::Webhook(config) => {
            Arc::new(Webhook::new(name, config, global.allow_private_addresses))
        }
        SinkConfig::Command { command, timeout } => Arc::new(CommandSink::new(
            name,
            command.clone(),
            *timeout,
            host::inherit(&global.inherit_env),
        )),
    }
}

/// The failure of a tool as that of a sink.
fn failed(error: &ToolError) -> SinkError {
    if error.is_retryable() {
        SinkError::retryable(error.to_string())
    } else {
        SinkError::permanent(error.to_string())
    }
}
