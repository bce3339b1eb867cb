//! The life of one process group: started, fed, read, waited for, stopped.
//!
//! Must not know arguments or answers of the tool; it gets an invocation and gives an exit.

use std::convert::Infallible;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use gateway::ToolError;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio_util::sync::CancellationToken;

use super::Invocation;
use super::capture::Capture;

/// From SIGTERM to SIGKILL; shorter than the grace that the gateway gives a cancelled call.
const GRACE: Duration = Duration::from_secs(1);
/// How long output is still read after the command's exit when background processes keep the
/// pipes open.
const LINGER: Duration = Duration::from_secs(1);

/// A command that ended by itself.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) status: ExitStatus,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
}

/// Runs a command to its end; an error if it did not start or was stopped.
///
/// Cancellation ends the whole process group, and so does dropping the future.
pub(super) async fn run(
    invocation: &Invocation,
    kept_bytes: usize,
    cancelled: &CancellationToken,
) -> Result<Finished, ToolError> {
    let mut child = start(invocation)?;
    // Behind the child, so that it is dropped first and still names this very group.
    let mut group = Group::of(&child);
    let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut stdout = Capture::new(kept_bytes);
    let mut stderr = Capture::new(kept_bytes);
    let drained = CancellationToken::new();
    let pump = async {
        tokio::join!(
            feed(stdin, invocation.stdin.as_deref()),
            stdout.drain(out),
            stderr.drain(err)
        );
        drained.cancel();
        pending::<Infallible>().await
    };
    let status = tokio::select! {
        never = pump => match never {},
        status = supervise(&mut child, &mut group, &drained, cancelled) => status,
    }
    .map_err(|error| {
        ToolError::retryable(format!(
            "waiting for `{}` failed: {error}",
            invocation.program
        ))
    })?;
    match status {
        Some(status) => Ok(Finished {
            status,
            stdout,
            stderr,
        }),
        None => Err(ToolError::retryable(format!(
            "`{}` was stopped before it ended: its time was over or it was cancelled",
            invocation.program
        ))),
    }
}

fn start(invocation: &Invocation) -> Result<Child, ToolError> {
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.arguments)
        .env_clear()
        .envs(
            invocation
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(if invocation.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(directory) = &invocation.directory {
        command.current_dir(directory);
    }
    command
        .spawn()
        .map_err(|error| not_started(invocation, &error))
}

/// Writes the input and closes the pipe; a program need not read it.
async fn feed(pipe: Option<ChildStdin>, text: Option<&str>) {
    if let (Some(mut pipe), Some(text)) = (pipe, text) {
        // The only error is a program that has closed its end, which is its good right.
        let _ = pipe.write_all(text.as_bytes()).await;
    }
}

/// The exit of the command, or none if it was stopped.
async fn supervise(
    child: &mut Child,
    group: &mut Group,
    drained: &CancellationToken,
    cancelled: &CancellationToken,
) -> io::Result<Option<ExitStatus>> {
    let status = tokio::select! {
        biased;
        status = child.wait() => status?,
        () = cancelled.cancelled() => {
            stop(child, group, drained).await;
            return Ok(None);
        }
    };
    group.leave_alone();
    tokio::select! {
        () = drained.cancelled() => {}
        () = after(LINGER) => {}
        () = cancelled.cancelled() => {}
    }
    Ok(Some(status))
}

/// SIGTERM for the group, and SIGKILL for what is left of it when the grace is over.
async fn stop(child: &mut Child, group: &mut Group, drained: &CancellationToken) {
    group.signal(Signal::TERM);
    let mut grace = pin!(after(GRACE));
    let gone = async {
        // A failed wait leaves it to the grace and to SIGKILL.
        let _ = child.wait().await;
        drained.cancelled().await;
    };
    tokio::select! {
        () = &mut grace => {}
        () = gone => {
            // No pipe is open any more, but a silent process may still be cleaning up.
            if group.is_alive() {
                grace.await;
            }
        }
    }
    group.signal(Signal::KILL);
    // Reaps the process; after SIGKILL there is nothing else to learn from it.
    let _ = child.wait().await;
    group.leave_alone();
}

/// The process group of a command; what is left of it is killed when this is dropped.
pub(in crate::tools) struct Group(Option<Pid>);

impl Group {
    pub(in crate::tools) fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    pub(in crate::tools) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
            // The only likely error is a group that has ended, which is what is wanted.
            let _ = kill_process_group(pid, signal);
        }
    }

    fn is_alive(&self) -> bool {
        self.0
            .is_some_and(|pid| test_kill_process_group(pid).is_ok())
    }

    /// From here on the number may belong to somebody else.
    pub(in crate::tools) fn leave_alone(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "processes live in real time, whatever time the workflows are given"
)]
pub(in crate::tools) async fn after(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Why a command did not start, and what to do about it.
fn not_started(invocation: &Invocation, error: &io::Error) -> ToolError {
    let program = &invocation.program;
    // The system gives one error for a missing program and a missing directory.
    if let Some(directory) = &invocation.directory
        && !directory.is_dir()
    {
        return ToolError::permanent(format!(
            "`{program}` did not start: `cwd` {} is no directory, create it or name another",
            directory.display()
        ));
    }
    match remedy(program, error) {
        Some(remedy) => ToolError::permanent(format!("`{program}` did not start: {remedy}")),
        // Out of processes, memory or files: another attempt may find the machine in better state.
        None => ToolError::retryable(format!("`{program}` did not start: {error}")),
    }
}

/// What is wrong and what to do, if no other attempt can mend it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the system's errors are open"
)]
pub(in crate::tools) fn remedy(program: &str, error: &io::Error) -> Option<&'static str> {
    let bare = Path::new(program).components().count() == 1;
    if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) {
        return Some("the file is no program of this machine, begin a script with a `#!` line");
    }
    match error.kind() {
        ErrorKind::NotFound if bare => {
            Some("no such program in PATH, install it or give its full path")
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            Some("no such file (or its interpreter is missing), check the path")
        }
        ErrorKind::PermissionDenied => Some(
            "permission denied, make the file executable and `cwd` accessible for the host's user",
        ),
        ErrorKind::ArgumentListTooLong => {
            Some("its arguments and environment are too long, pass the data in `stdin`")
        }
        ErrorKind::InvalidInput => {
            Some("an argument, a variable or `cwd` contains a null character")
        }
        _ => None,
    }
}
