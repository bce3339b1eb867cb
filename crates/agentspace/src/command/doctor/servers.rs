//! The MCP servers as `agentspace doctor` shows them; it starts none of them.
//!
//! Values of variables and headers are secrets, and so may be what stands in a URL behind its path:
//! none of them is shown.

use std::path::Path;

use gateway::workflow_types::config::mcp::McpEndpoint;
use gateway::workflow_types::duration;
use reqwest::Url;
use serde_json::{Value, json};

use crate::config::ConfiguredServer;

/// How a server is reached, in one line as the file would have it.
pub(super) fn shown(server: &ConfiguredServer) -> String {
    let names = |what: &str, names: Vec<&str>| {
        let names = names.join(", ");
        if names.is_empty() {
            String::new()
        } else {
            format!(" with {what} {names}")
        }
    };
    match &server.endpoint {
        McpEndpoint::Program { command, env, .. } => {
            let variables = env.keys().map(String::as_str).collect();
            format!("{}{}", json!(command), names("env", variables))
        }
        McpEndpoint::Address { url, headers } => {
            let header_names = headers.keys().map(String::as_str).collect();
            format!("{}{}", bare(url), names("headers", header_names))
        }
    }
}

/// A server with everything that may be shown of it.
pub(super) fn to_json(server: &ConfiguredServer, origin: &Value) -> Value {
    let mut document = json!({
        "name": server.name,
        "timeout": duration::format(server.timeout),
        "origin": origin,
    });
    match &server.endpoint {
        McpEndpoint::Program {
            command,
            env,
            inherit_env,
            cwd: _,
        } => {
            document["command"] = json!(command);
            document["env"] = json!(env.keys().collect::<Vec<_>>());
            document["inheritEnv"] = json!(inherit_env);
            document["cwd"] = json!(server.directory.display().to_string());
        }
        McpEndpoint::Address { url, headers } => {
            document["url"] = json!(bare(url));
            document["headers"] = json!(headers.keys().collect::<Vec<_>>());
        }
    }
    document
}

/// Why a server cannot start, as far as that can be seen without starting it.
pub(super) fn missing(server: &ConfiguredServer) -> Option<String> {
    let McpEndpoint::Program { command, .. } = &server.endpoint else {
        return None;
    };
    let (name, directory) = (&server.name, &server.directory);
    if !directory.is_dir() {
        let directory = directory.display();
        return Some(format!(
            "MCP server `{name}`: there is no directory {directory}; create it or name another as `cwd`"
        ));
    }
    let program = command.first()?;
    let is_there = if program.contains(std::path::MAIN_SEPARATOR) {
        directory.join(program).exists()
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|path| path.join(Path::new(program)).is_file())
    };
    (!is_there).then(|| {
        format!("MCP server `{name}`: there is no program `{program}`; install it or give its path")
    })
}

/// An address without user, password, query and fragment.
fn bare(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else {
        return "an address that is none".to_owned();
    };
    // Neither fails for http and https.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.set_query(None);
    parsed.set_fragment(None);
    parsed.to_string()
}
