//! A sink that is told by running a program, which reads the notice from its standard input.

use std::time::Duration;

use async_trait::async_trait;
use gateway::workflow_types::alert::Notice;
use gateway::workflow_types::config::DEFAULT_COMMAND_TIMEOUT;
use gateway::workflow_types::id::SinkName;
use gateway::{AlertSink, Clock as _, SinkError, SystemClock, Tool as _, ToolCall};
use serde_json::{Map, Value, json};

use super::{envelope, failed};
use crate::tools::execute_command::{CommandOptions, ExecuteCommand, Inherit, Programs};

/// Runs a program for each notice: its own process group, stopped as a whole.
#[derive(Debug)]
pub(super) struct CommandSink {
    name: SinkName,
    command: Vec<String>,
    timeout: Duration,
    tool: ExecuteCommand,
}

impl CommandSink {
    /// It sees of the environment what commands of workflows see.
    pub(super) fn new(
        name: SinkName,
        command: Vec<String>,
        timeout: Option<Duration>,
        inherit: Inherit,
    ) -> Self {
        Self {
            name,
            command,
            timeout: timeout.unwrap_or(DEFAULT_COMMAND_TIMEOUT),
            tool: ExecuteCommand::new(CommandOptions {
                // Who writes the configuration decides about programs.
                programs: Programs::Any,
                inherit,
                ..CommandOptions::default()
            }),
        }
    }
}

#[async_trait]
impl AlertSink for CommandSink {
    fn name(&self) -> SinkName {
        self.name.clone()
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), SinkError> {
        let args: Map<String, Value> = [
            ("command".to_owned(), json!(self.command)),
            ("stdin".to_owned(), json!(format!("{}\n", envelope(notice)))),
        ]
        .into_iter()
        .collect();
        let deadline = SystemClock.now().saturating_add(self.timeout);
        let call = ToolCall::new(args, notice.id.to_string(), deadline);
        let cancelled = call.cancelled.clone();
        let mut running = self.tool.call(call);
        let ended = tokio::select! {
            ended = &mut running => ended,
            () = SystemClock.sleep_until(deadline) => {
                // The whole group is asked to end, and then made to.
                cancelled.cancel();
                running.await
            }
        };
        ended.map(|_| ()).map_err(|error| failed(&error))
    }
}

#[cfg(test)]
mod tests;
