//! Starts the process that is killed, also under strace, and tells how it ended.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::live;
use crate::mutant::Mutation;

/// What is done in a life, and with which faults.
#[derive(Clone, Copy)]
pub(crate) struct Life<'a> {
    pub(crate) directory: &'a Path,
    pub(crate) scenario: &'a str,
    pub(crate) sync: live::Sync,
    pub(crate) mutation: Option<Mutation>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with everything done.
    Unhurt,
    Killed,
    /// By itself, saying why.
    Failed(String),
}

impl Life<'_> {
    /// The command of a life.
    pub(crate) fn command(&self) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        self.describe(&mut command);
        Ok(command)
    }

    /// The same under strace, with arguments of its own.
    pub(crate) fn traced(&self, arguments: &[String]) -> Result<Command> {
        let mut command = Command::new("strace");
        command.arg("-f").args(arguments);
        command.arg(std::env::current_exe()?);
        self.describe(&mut command);
        Ok(command)
    }

    fn describe(&self, command: &mut Command) {
        command.arg("live").arg("--directory").arg(self.directory);
        command.args(["--scenario", self.scenario, "--sync", self.sync.word()]);
        if let Some(mutation) = self.mutation {
            command.args(["--mutation", mutation.name()]);
        }
        command.env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::piped());
    }

    /// Lives until it ends.
    pub(crate) fn run(&self) -> Result<End> {
        finish(&mut self.command()?)
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Result<End> {
    let output = command.output();
    let output = output.with_context(|| format!("starting {command:?} failed"))?;
    Ok(ended(&output))
}

/// Starts a command and kills it after some time, unless it has ended before.
pub(crate) fn kill_after(command: &mut Command, time: Duration) -> Result<End> {
    let mut child = command.spawn().context("starting a process failed")?;
    let mut errors = child.stderr.take().context("it has no standard error")?;
    let (sender, ended) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        // Its end is the end of the process; what it says is only shown.
        let _ = std::io::Read::read_to_string(&mut errors, &mut text);
        let _ = sender.send(());
        text
    });
    // Either it has ended, or its time is up.
    let _ = ended.recv_timeout(time);
    child.kill()?;
    let status = child.wait()?;
    let text = reading.join().unwrap_or_default();
    Ok(end(status, &text))
}

/// Waits for a process that was started with [`Life::command`].
pub(crate) fn wait(child: Child) -> Result<End> {
    Ok(ended(&child.wait_with_output()?))
}

fn ended(output: &Output) -> End {
    end(output.status, &String::from_utf8_lossy(&output.stderr))
}

fn end(status: ExitStatus, errors: &str) -> End {
    if status.success() {
        End::Unhurt
    } else if status.signal() == Some(9) {
        End::Killed
    } else {
        End::Failed(format!("{status}: {}", errors.trim()))
    }
}
