//! Keeps a server: started when it is needed, started again when it has ended, later each time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gateway::workflow_types::id::ServerName;
use gateway::workflow_types::template::SecretText;
use gateway::workflow_types::{Timestamp, duration};
use gateway::{Clock, ToolError};
use rmcp::ServiceExt as _;
use rmcp::service::{ClientInitializeError, RoleClient, RunningService};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::account::Account;
use super::connection::{self, Connection};
use super::listener::Listener;
use super::program::{self, Process};
use super::screen::Screen;
use super::{Endpoint, ServerOptions, address, failure};

/// The wait before the first start that follows a failure; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait; a connection that has lived for longer was a good one.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A wait that is at most so long is waited for by the step, a longer one fails it.
const WAITED_FOR: Duration = Duration::from_secs(2);
/// Steps that wait for a connection; more of them wait to wait.
const WAITING: usize = 64;

type Reply = oneshot::Sender<Result<Arc<Connection>, ToolError>>;

/// A handle of the task that keeps a server. When it is dropped, the server is ended.
pub(super) struct Keeper {
    server: ServerName,
    asks: mpsc::Sender<Reply>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Keeper {
    /// Begins to keep a server, which is not started before it is asked for.
    pub(super) fn begin(server: ServerName, options: ServerOptions, clock: Arc<dyn Clock>) -> Self {
        let (asks, asked) = mpsc::channel(WAITING);
        let stop = CancellationToken::new();
        let kept = Kept {
            server: server.clone(),
            options,
            clock,
            live: None,
            failures: 0,
            not_before: None,
        };
        let tasks = TaskTracker::new();
        tasks.spawn(kept.run(asked, stop.clone()));
        tasks.close();
        Self {
            server,
            asks,
            stop,
            tasks,
        }
    }

    /// A connection that works, as far as is known.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, ToolError> {
        let (reply, answer) = oneshot::channel();
        // Nobody hears it once the server is ended, and then nobody answers.
        let _ = self.asks.send(reply).await;
        let stopped = |_| failure::of_server(&self.server, "is stopped: the program ends");
        answer.await.unwrap_or_else(|error| Err(stopped(error)))
    }

    /// Ends the server, and returns when it and its processes are gone.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

/// What the task keeps.
struct Kept {
    server: ServerName,
    options: ServerOptions,
    clock: Arc<dyn Clock>,
    live: Option<Live>,
    /// How often it has failed since it last worked for a while.
    failures: u32,
    /// When it may be started again after a failure, and what that was.
    not_before: Option<(Timestamp, ToolError)>,
}

/// A server that was started.
struct Live {
    service: RunningService<RoleClient, Listener>,
    process: Option<Process>,
    connection: Arc<Connection>,
    since: Timestamp,
}

impl Kept {
    async fn run(mut self, mut asked: mpsc::Receiver<Reply>, stop: CancellationToken) {
        while let Some(Some(reply)) = stop.run_until_cancelled(asked.recv()).await {
            let Some(found) = stop.run_until_cancelled(self.connection(&reply)).await else {
                break;
            };
            if let Err(error) = &found {
                // Those who came meanwhile would meet the same.
                while let Ok(other) = asked.try_recv() {
                    let _ = other.send(Err(error.clone()));
                }
            }
            // Whoever asked may have gone.
            let _ = reply.send(found);
        }
        self.end().await;
    }

    /// The connection there is, or a new one. Safe to drop: a server that is being started ends.
    async fn connection(&mut self, reply: &Reply) -> Result<Arc<Connection>, ToolError> {
        if let Some(live) = &mut self.live {
            let Some(lost) = live.connection.lost(self.clock.as_ref()).await else {
                return live.refreshed().await;
            };
            self.fail(failure::of_server(&self.server, lost));
            self.end().await;
        }
        self.wait(reply).await?;
        match self.start().await {
            Ok(live) => {
                let connection = Arc::clone(&live.connection);
                tracing::info!(mcp.server = %self.server, "MCP server `{}` is there", self.server);
                self.live = Some(live);
                self.not_before = None;
                Ok(connection)
            }
            Err(error) => {
                tracing::debug!(mcp.server = %self.server, "{error}");
                self.fail(error.clone());
                Err(error)
            }
        }
    }

    /// Waits for the time at which the server may be started again, if that is not far.
    async fn wait(&self, reply: &Reply) -> Result<(), ToolError> {
        let Some((not_before, error)) = &self.not_before else {
            return Ok(());
        };
        let left = not_before.since(self.clock.now());
        if left > WAITED_FOR {
            let left = duration::format(whole_seconds(left));
            let message = format!("{error}; it is started again in {left} at the earliest");
            return Err(ToolError::retryable(message));
        }
        if reply.is_closed() {
            return Err(error.clone());
        }
        self.clock.sleep_until(*not_before).await;
        Ok(())
    }

    /// Counts a failure, after which the next start has to wait.
    fn fail(&mut self, error: ToolError) {
        let now = self.clock.now();
        let lived = self.live.as_ref().map(|live| now.since(live.since));
        if lived.is_some_and(|lived| lived > LONGEST_WAIT) {
            self.failures = 0;
        }
        let doubled = 2_u32.saturating_pow(self.failures);
        let wait = FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some((now.saturating_add(wait), error));
    }

    async fn start(&self) -> Result<Live, ToolError> {
        let timeout = self.options.timeout;
        let late = self.clock.now().saturating_add(timeout);
        let screen = Screen::new(self.options.secrets.mask().clone());
        let account = Account::new(screen.clone());
        tokio::select! {
            live = self.begin(&account) => live.map_err(|error| screen.error(&error)),
            () = self.clock.sleep_until(late) => {
                let (timeout, said) = (duration::format(timeout), account.told());
                let what = format!("did not start within {timeout} (its `timeout`){said}");
                Err(failure::of_server(&self.server, what))
            }
        }
    }

    /// Starts the server and asks it for its tools.
    async fn begin(&self, account: &Account) -> Result<Live, ToolError> {
        let (server, options) = (&self.server, &self.options);
        let listener = Listener::new(server.clone());
        let (service, process) = match &options.endpoint {
            Endpoint::Program(program) => {
                let env = self.filled(&program.env, account).await?;
                let (pipes, process) =
                    program::start(server, program, &env, account, options.max_message)?;
                match listener.serve(pipes).await {
                    Ok(service) => (service, Some(process)),
                    Err(error) => return Err(not_begun(server, &error, process, account).await),
                }
            }
            Endpoint::Address { url, headers } => {
                let headers = self.filled(headers, account).await?;
                let transport = address::transport(url, &headers, options.max_message).await;
                let transport = transport.map_err(|what| failure::of_server(server, what))?;
                let begun = listener.serve(transport).await;
                let refused = |error| failure::of_server(server, failure::of_start(&error));
                (begun.map_err(refused)?, None)
            }
        };
        let ended = process.as_ref().map(Process::ended);
        let peer = service.peer().clone();
        let connection = Connection::new(server.clone(), peer, account.clone(), ended);
        Ok(Live {
            connection: Arc::new(connection.with_tools().await?),
            service,
            process,
            since: self.clock.now(),
        })
    }

    /// Texts with the secrets that they have now. That one cannot be had is a failure of the server
    /// like any other, after which it is tried again: a file may be there by then.
    async fn filled(
        &self,
        texts: &BTreeMap<String, SecretText>,
        account: &Account,
    ) -> Result<BTreeMap<String, String>, ToolError> {
        let screen = account.screen();
        let filled = self
            .options
            .secrets
            .fill(texts, |name, value| screen.add(name, value));
        let failed = |reason| failure::of_server(&self.server, format!("did not start: {reason}"));
        filled.await.map_err(failed)
    }

    /// Ends what was started.
    async fn end(&mut self) {
        let Some(live) = self.live.take() else {
            return;
        };
        // Closes its stdin; a task of the library that panicked has dropped it.
        let _ = live.service.cancel().await;
        if let Some(process) = live.process {
            process.stop().await;
        }
    }
}

impl Live {
    /// The connection with the tools that the server has now.
    async fn refreshed(&mut self) -> Result<Arc<Connection>, ToolError> {
        if self.service.service().take_changed() {
            let old = &self.connection;
            let new = Connection::new(
                old.server.clone(),
                old.peer.clone(),
                old.account.clone(),
                old.ended.clone(),
            );
            self.connection = Arc::new(new.with_tools().await?);
        }
        Ok(Arc::clone(&self.connection))
    }
}

/// A time rounded up, so that it is over when it is said to be.
fn whole_seconds(time: Duration) -> Duration {
    let fraction = u64::from(time.subsec_nanos() > 0);
    Duration::from_secs(time.as_secs() + fraction)
}

/// What a program did instead of beginning to speak.
async fn not_begun(
    server: &ServerName,
    error: &ClientInitializeError,
    process: Process,
    account: &Account,
) -> ToolError {
    let status = connection::exit(Some(process.ended())).await;
    process.stop().await;
    let what = match status {
        Some(status) => format!("ended before it answered ({status})"),
        None => failure::of_start(error),
    };
    let message = format!("{what}{}", account.told());
    failure::of_server(server, message)
}
