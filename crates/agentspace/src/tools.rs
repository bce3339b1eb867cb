//! The tools that the host brings along, and what its configuration allows them.
//!
//! Must not know workflows, steps or the database: a tool sees one call and nothing around it.

use std::sync::Arc;

use gateway::Tool;

pub(crate) mod args;
pub(crate) mod execute_command;
pub(crate) mod http_request;
pub(crate) mod mcp;

use execute_command::{CommandOptions, ExecuteCommand};
use http_request::{HttpOptions, HttpRequest};

/// What the built-in tools may do; the defaults suit a machine that trusts its workflow authors
/// with commands but not with its internal network.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToolOptions {
    /// Limits of `execute_command`.
    pub(crate) command: CommandOptions,
    /// Limits of `http_request`.
    pub(crate) http: HttpOptions,
}

/// Every built-in tool, to be added to a gateway's registry.
pub(crate) fn built_in(options: ToolOptions) -> Vec<Arc<dyn Tool>> {
    let ToolOptions { command, http } = options;
    vec![
        Arc::new(ExecuteCommand::new(command)),
        Arc::new(HttpRequest::new(http)),
    ]
}

#[cfg(test)]
mod tests {
    use gateway::ToolRegistry;

    use super::*;

    #[test]
    fn built_in_tools_have_closed_schemas_with_a_description_of_every_argument() {
        let mut registry = ToolRegistry::default();
        for tool in built_in(ToolOptions::default()) {
            registry.add(tool).unwrap();
        }
        let names: Vec<&str> = registry.iter().map(|r| r.spec().name().as_ref()).collect();
        assert_eq!(names, ["execute_command", "http_request"]);
        for registered in registry.iter() {
            let input = registered.spec().input().unwrap();
            assert!(input.is_closed());
            for (name, property) in input.properties().unwrap() {
                assert!(property.get("description").is_some(), "{name}");
            }
        }
    }
}
