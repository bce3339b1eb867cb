//! What a server tells without being asked: progress, logs, and that its tools have changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gateway::workflow_types::id::ServerName;
use rmcp::ClientHandler;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, ProgressNotificationParam};
use rmcp::service::{NotificationContext, RoleClient};

use crate::output;

/// Hears what a server tells.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    server: ServerName,
    changed: Arc<AtomicBool>,
}

impl Listener {
    pub(super) fn new(server: ServerName) -> Self {
        Self {
            server,
            changed: Arc::default(),
        }
    }

    /// Whether the server said, since this was asked, that its tools have changed.
    pub(super) fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
    }
}

impl ClientHandler for Listener {
    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        // The message may hold what the tool works on.
        tracing::debug!(
            mcp.server = %self.server,
            progress = progress.progress,
            total = progress.total,
            "MCP server `{}` goes on: {}",
            self.server,
            output::plain(&progress.message.unwrap_or_default()),
        );
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.store(true, Ordering::Release);
    }

    fn get_info(&self) -> ClientConfig {
        let program = Implementation::new("agentspace", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), program)
    }
}
