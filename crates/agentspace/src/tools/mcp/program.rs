//! A server that is a program: its start, the way to it, and the end of its whole process group.
//!
//! Must not know the protocol beyond its framing: a message is a line of JSON.

use std::collections::BTreeMap;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use gateway::ToolError;
use gateway::workflow_types::id::ServerName;
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Program;
use super::account::Account;
use crate::output;
use crate::tools::execute_command::environment;
use crate::tools::execute_command::process::{Group, after, remedy};

/// How long a server may take to end by itself once its stdin is closed.
const LEAVE: Duration = Duration::from_millis(500);
/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(1);
/// Messages that wait to be written.
const WAITING: usize = 16;

/// The process of a server; its group is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    ended: watch::Receiver<Option<ExitStatus>>,
    stop: DropGuard,
    warden: JoinHandle<()>,
}

impl Process {
    /// How it ended, as soon as it has.
    pub(super) fn ended(&self) -> watch::Receiver<Option<ExitStatus>> {
        self.ended.clone()
    }

    /// Ends it and all that it has started.
    pub(super) async fn stop(self) {
        drop(self.stop);
        // The warden does not panic, and if it did its group would be killed.
        let _ = self.warden.await;
    }
}

/// Starts a program with these variables, and the tasks that serve its pipes; the reason if it does
/// not start.
pub(super) fn start(
    server: &ServerName,
    program: &Program,
    env: &BTreeMap<String, String>,
    account: &Account,
    max_message: usize,
) -> Result<(Pipes, Process), ToolError> {
    let mut child = spawn(server, program, env)?;
    let group = Group::of(&child);
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        let message = format!("MCP server `{server}` has no pipes");
        return Err(ToolError::permanent(message));
    };
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(hear(server.clone(), stderr, account.clone()));
    }
    let (messages, waiting) = mpsc::channel(WAITING);
    tokio::spawn(write(stdin, waiting));
    let (exit, ended) = watch::channel(None);
    let stop = CancellationToken::new();
    let warden = tokio::spawn(guard(server.clone(), child, group, stop.clone(), exit));
    let pipes = Pipes {
        messages: Some(messages),
        stdout: BufReader::new(stdout),
        line: Vec::new(),
        account: account.clone(),
        max_message,
    };
    let stop = stop.drop_guard();
    Ok((
        pipes,
        Process {
            ended,
            stop,
            warden,
        },
    ))
}

fn spawn(
    server: &ServerName,
    program: &Program,
    env: &BTreeMap<String, String>,
) -> Result<Child, ToolError> {
    let refused = |reason: String| ToolError::permanent(format!("MCP server `{server}` {reason}"));
    let Program {
        command,
        env: _,
        inherit,
        directory,
    } = program;
    // The system's own words for it say neither which variable nor what to do.
    if let Some((name, _)) = env.iter().find(|(_, value)| value.contains('\0')) {
        return Err(refused(format!(
            "did not start: the secret in its variable `{name}` contains the character U+0000; \
             take it out of the secret's value"
        )));
    }
    let Some((program, arguments)) = command.split_first() else {
        return Err(refused("has no program in `command`".to_owned()));
    };
    if !directory.is_dir() {
        let directory = directory.display();
        return Err(refused(format!(
            "did not start: `cwd` {directory} is no directory, create it or name another"
        )));
    }
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment::inherited(inherit))
        .envs(env)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| match remedy(program, &error) {
            Some(remedy) => refused(format!("did not start: `{program}`: {remedy}")),
            None => ToolError::retryable(format!(
                "MCP server `{server}` did not start: `{program}`: {error}"
            )),
        })
}

/// Waits for the end of a process, or brings it about as the protocol says: its stdin is closed,
/// then SIGTERM, then SIGKILL.
async fn guard(
    server: ServerName,
    mut child: Child,
    mut group: Group,
    stop: CancellationToken,
    exit: watch::Sender<Option<ExitStatus>>,
) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = stop.cancelled() => leave(&mut child, &group).await,
    };
    // What it had started is of no use without it, and keeps the number of the group its own.
    group.signal(Signal::KILL);
    group.leave_alone();
    let status = status.unwrap_or_default();
    exit.send_replace(Some(status));
    tracing::info!(mcp.server = %server, "MCP server `{server}` has ended ({status})");
}

async fn leave(child: &mut Child, group: &Group) -> io::Result<ExitStatus> {
    for (wait, signal) in [(LEAVE, Signal::TERM), (GRACE, Signal::KILL)] {
        tokio::select! {
            status = child.wait() => return status,
            () = after(wait) => group.signal(signal),
        }
    }
    child.wait().await
}

/// Logs what a server says on stderr, and remembers its last words.
async fn hear(server: ServerName, stderr: ChildStderr, account: Account) {
    /// Bytes of a line that are read at once.
    const LINE: u64 = 8 * 1024;
    let mut stderr = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        let mut bounded = tokio::io::AsyncReadExt::take(&mut stderr, LINE);
        match bounded.read_until(b'\n', &mut line).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        let line = account.said(&String::from_utf8_lossy(&line));
        tracing::info!(mcp.server = %server, "MCP server `{server}`: {}", output::plain(line.trim_end()));
    }
}

/// Writes messages until there is nobody to read them, or nobody to send any; then stdin is closed.
async fn write(mut stdin: ChildStdin, mut waiting: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = waiting.recv().await {
        if stdin.write_all(&message).await.is_err() {
            return;
        }
    }
}

/// The way to a program and back.
pub(super) struct Pipes {
    messages: Option<mpsc::Sender<Vec<u8>>>,
    stdout: BufReader<ChildStdout>,
    /// What was read of the line that has not ended; kept here, as a read may be dropped.
    line: Vec<u8>,
    account: Account,
    max_message: usize,
}

impl Transport<RoleClient> for Pipes {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let messages = self.messages.clone();
        let message = serde_json::to_vec(&item).map(|mut message| {
            message.push(b'\n');
            message
        });
        async move {
            let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
            let messages = messages.ok_or_else(closed)?;
            messages.send(message?).await.map_err(|_| closed())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            self.read_line().await?;
            let line = std::mem::take(&mut self.line);
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(message) => return Some(message),
                // A stray line does no harm; if nothing else comes, it explains why.
                Err(_) => self.account.printed(line),
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.messages = None;
        Ok(())
    }
}

impl Pipes {
    /// Reads to the end of a line; none where there is none, or none that may be read.
    async fn read_line(&mut self) -> Option<()> {
        loop {
            let read = self.stdout.fill_buf().await.ok()?;
            if read.is_empty() {
                return None;
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(read.len(), |end| end + 1);
            if self.line.len() + taken > self.max_message {
                self.account.too_long(self.max_message);
                return None;
            }
            self.line.extend_from_slice(&read[..taken]);
            self.stdout.consume(taken);
            if end.is_some() {
                return Some(());
            }
        }
    }
}
