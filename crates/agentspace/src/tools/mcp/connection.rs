//! A connection to a server that has begun to speak: its tools, and calls of them.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::workflow_types::id::{ServerName, ToolName};
use gateway::{Clock, ToolCall, ToolError};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CancelledNotification, CancelledNotificationParam,
    ClientRequest, PingRequest, RequestId, RequestMetaObject, ServerResult, Tool as Described,
};
use rmcp::service::{Peer, PeerRequestOptions, RoleClient, ServiceError};
use serde_json::Value;
use tokio::sync::watch;

use super::account::Account;
use super::screen::Screen;
use super::{answer, failure};
use crate::tools::execute_command::process::after;

/// The same for every call that repeats this one.
const IDEMPOTENCY_KEY: &str = "agentspace/idempotencyKey";
/// Which attempt this is, from 1.
const ATTEMPT: &str = "agentspace/attempt";
/// How long a server that did not answer in time may take to show that it is there.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of a process may take to be known once its pipe is closed.
const LINGER: Duration = Duration::from_millis(500);

/// A connection; it never changes, only ends.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) server: ServerName,
    pub(super) peer: Peer<RoleClient>,
    tools: BTreeMap<ToolName, Described>,
    pub(super) account: Account,
    /// How its process ended, if it has one and that has ended.
    pub(super) ended: Option<watch::Receiver<Option<ExitStatus>>>,
    /// Whether a call was given up without an answer.
    doubted: AtomicBool,
    /// Whether it was told that what it sends as authorization is not accepted.
    locked_out: AtomicBool,
}

impl Connection {
    /// A connection, once its server has named its tools.
    pub(super) fn new(
        server: ServerName,
        peer: Peer<RoleClient>,
        account: Account,
        ended: Option<watch::Receiver<Option<ExitStatus>>>,
    ) -> Self {
        Self {
            server,
            peer,
            tools: BTreeMap::new(),
            account,
            ended,
            doubted: AtomicBool::new(false),
            locked_out: AtomicBool::new(false),
        }
    }

    /// The same connection with what its server calls its tools now.
    pub(super) async fn with_tools(mut self) -> Result<Self, ToolError> {
        let described = match self.peer.list_all_tools().await {
            Ok(described) => described,
            Err(error) => {
                let error = self.failed("did not name its tools", &error).await;
                return Err(self.screen().error(&error));
            }
        };
        self.tools = named(&self.server, described);
        Ok(self)
    }

    /// What everything passes that the server says.
    pub(super) fn screen(&self) -> &Screen {
        self.account.screen()
    }

    /// The tools by the names that steps call.
    pub(super) fn tools(&self) -> &BTreeMap<ToolName, Described> {
        &self.tools
    }

    /// Why the connection is of no more use; none if it is. The server is asked only if there is a
    /// doubt.
    pub(super) async fn lost(&self, clock: &dyn Clock) -> Option<&'static str> {
        if self.locked_out.load(Ordering::Acquire) {
            return Some("no longer accepts what it is sent as authorization");
        }
        // Somebody that it has started may hold its pipe.
        let has_ended = self
            .ended
            .as_ref()
            .is_some_and(|ended| ended.borrow().is_some());
        if has_ended || self.peer.is_transport_closed() {
            return Some("has ended");
        }
        if !self.doubted.swap(false, Ordering::AcqRel) {
            return None;
        }
        let ping = ClientRequest::PingRequest(PingRequest::default());
        tokio::select! {
            // An error is an answer, too: not every server knows the request.
            answer = self.peer.send_request(ping) => match answer {
                Err(ServiceError::TransportClosed) => Some("has ended"),
                Ok(_) | Err(_) => None,
            },
            () = clock.sleep_until(clock.now().saturating_add(PATIENCE)) => {
                Some("does not answer any more")
            }
        }
    }

    /// Calls a tool by its own name.
    pub(super) async fn call(&self, name: String, call: ToolCall) -> Result<Value, ToolError> {
        let screen = self.screen();
        match self.ask(name, call).await {
            Ok(output) => Ok(screen.value(output)),
            Err(error) => Err(screen.error(&error)),
        }
    }

    async fn ask(&self, name: String, call: ToolCall) -> Result<Value, ToolError> {
        let mut meta = RequestMetaObject::new();
        meta.insert(IDEMPOTENCY_KEY.to_owned(), call.idempotency_key.into());
        meta.insert(ATTEMPT.to_owned(), call.attempt.into());
        let options = PeerRequestOptions::no_options().with_meta(meta);
        let params = CallToolRequestParams::new(name).with_arguments(call.args);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let sent = self.peer.send_cancellable_request(request, options).await;
        let handle = match sent {
            Ok(handle) => handle,
            Err(error) => return Err(self.failed("could not be asked", &error).await),
        };
        let id = handle.id.clone();
        let answer = tokio::select! {
            biased;
            answer = handle.await_response() => answer,
            () = call.cancelled.cancelled() => return Err(self.give_up(id).await),
        };
        match answer {
            Ok(ServerResult::CallToolResult(result)) => answer::of(result),
            Ok(ServerResult::InputRequiredResult(_)) => Err(self.refused("asks for more input")),
            Ok(ServerResult::CreateTaskResult(_)) => Err(self.refused("answered with a task")),
            Ok(_) => Err(self.refused("gave an answer that is none of a tool")),
            Err(error) => Err(self.failed("did not finish the call", &error).await),
        }
    }

    /// Tells the server that nobody waits for an answer any more.
    async fn give_up(&self, id: RequestId) -> ToolError {
        self.doubted.store(true, Ordering::Release);
        let params = CancelledNotificationParam::new(Some(id), None);
        let notification = CancelledNotification::new(params);
        // The call is over, whether or not that could be said.
        let _ = self.peer.send_notification(notification.into()).await;
        let said = self.account.told();
        failure::of_server(
            &self.server,
            format!("did not answer before the call was over{said}"),
        )
    }

    fn refused(&self, what: &str) -> ToolError {
        let server = &self.server;
        let message = format!("MCP server `{server}` {what}, which no workflow can deal with");
        ToolError::permanent(message)
    }

    /// What a request came to that was not answered.
    async fn failed(&self, what: &str, error: &ServiceError) -> ToolError {
        let server = &self.server;
        if failure::is_lockout(error) {
            // Another connection sends what its secrets say then.
            self.locked_out.store(true, Ordering::Release);
        }
        match failure::of_request(error) {
            Some(error) if error.is_retryable() => {
                failure::of_server(server, format!("{what}: {error}"))
            }
            Some(error) => ToolError::permanent(format!("MCP server `{server}` {what}: {error}")),
            None => self.over(what).await,
        }
    }

    /// What is said when the connection is over.
    async fn over(&self, what: &str) -> ToolError {
        let ended = match exit(self.ended.clone()).await {
            Some(status) => format!("{what}: it ended ({status})"),
            None => format!("{what}: the connection was closed"),
        };
        let message = format!("{ended}{}", self.account.told());
        if self.account.is_too_long() {
            // It would be as long again.
            return ToolError::permanent(format!("MCP server `{}` {message}", self.server));
        }
        failure::of_server(&self.server, message)
    }
}

/// How a process ended, if it did or is about to.
pub(super) async fn exit(ended: Option<watch::Receiver<Option<ExitStatus>>>) -> Option<ExitStatus> {
    let mut ended = ended?;
    tokio::select! {
        status = ended.wait_for(Option::is_some) => status.ok().and_then(|status| *status),
        () = after(LINGER) => None,
    }
}

/// Tools by the names that steps call; one whose name no step can write is left out.
fn named(server: &ServerName, described: Vec<Described>) -> BTreeMap<ToolName, Described> {
    let mut tools = BTreeMap::new();
    for tool in described {
        match ToolName::try_new(format!("{server}.{}", tool.name)) {
            Ok(name) => {
                tools.insert(name, tool);
            }
            Err(error) => tracing::warn!(
                mcp.server = %server,
                "a tool of MCP server `{server}` is left out, as no step can name it: {error}"
            ),
        }
    }
    tools
}
