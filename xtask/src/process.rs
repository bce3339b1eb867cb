//! Starts other programs, cargo above all, and carries their exit codes to our own.

use std::ffi::OsString;
use std::fmt;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result};

use crate::workspace;

/// A program that ran and failed; our own exit code repeats its code.
#[derive(Debug)]
pub(crate) struct Failed {
    what: String,
    status: ExitStatus,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed ({})", self.what, self.status)
    }
}

impl std::error::Error for Failed {}

/// The exit code for `error`: that of the program behind it, else 1.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    error
        .downcast_ref::<Failed>()
        .and_then(|failed| failed.status.code())
        .and_then(|code| u8::try_from(code).ok())
        .filter(|&code| code != 0)
        .unwrap_or(1)
}

/// Cargo itself, at the root of the workspace and without standard input.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    // `cargo run` says which cargo it is; a binary started by hand takes the one on PATH.
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(workspace::root())
        .stdin(Stdio::null());
    command
}

/// Runs `command` with our own output and fails as it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let what = shown(command);
    let status = command
        .status()
        .with_context(|| format!("starting {what} failed"))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failed { what, status }.into())
    }
}

/// Runs `command` and returns what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let what = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("starting {what} failed"))?;
    if !output.status.success() {
        let status = output.status;
        return Err(Failed { what, status }.into());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{what} printed no UTF-8"))
}

/// Whether `command` starts and succeeds; it prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it; cargo's own path is reduced to its name.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_gives_its_exit_code() {
        let error = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(exit_code(&error), 7);
        assert_eq!(exit_code(&error.context("step `x` failed")), 7);
    }

    #[test]
    fn any_other_error_exits_with_one() {
        assert_eq!(exit_code(&anyhow::anyhow!("no")), 1);
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(exit_code(&error), 1);
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.args(["fmt", "--check"]);
        assert_eq!(shown(&command), "cargo fmt --check");
    }
}
