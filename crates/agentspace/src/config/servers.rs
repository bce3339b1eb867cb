//! The MCP servers of a configuration, with where each of them stands.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::workflow_types::config::mcp::{DEFAULT_TIMEOUT, McpEndpoint};
use gateway::workflow_types::id::ServerName;

use super::{ConfigFile, Origin};

/// A server as it is configured.
#[derive(Debug, Clone)]
pub(crate) struct ConfiguredServer {
    /// Its name.
    pub(crate) name: ServerName,
    /// How it is reached.
    pub(crate) endpoint: McpEndpoint,
    /// Where a program is started.
    pub(crate) directory: PathBuf,
    /// How long it may take to start.
    pub(crate) timeout: Duration,
    /// The line that says so.
    pub(crate) origin: Origin,
}

/// The servers of a file. `directory` is the file's, or empty for the current one.
pub(super) fn of(file: Option<&ConfigFile>, directory: &Path) -> Vec<ConfiguredServer> {
    let Some(file) = file else {
        return Vec::new();
    };
    let servers = file.config.mcp_servers.iter();
    let configured = servers.map(|(name, server)| {
        let own = match &server.endpoint {
            McpEndpoint::Program { cwd, .. } => cwd.as_deref().unwrap_or_default(),
            McpEndpoint::Address { .. } => "",
        };
        let directory = directory.join(own);
        let is_current = directory.as_os_str().is_empty();
        ConfiguredServer {
            name: name.clone(),
            endpoint: server.endpoint.clone(),
            directory: if is_current { ".".into() } else { directory },
            timeout: server.timeout.unwrap_or(DEFAULT_TIMEOUT),
            origin: Origin::File {
                path: file.path.clone(),
                line: file.line(&format!("mcp.servers.{name}")),
            },
        }
    });
    configured.collect()
}
