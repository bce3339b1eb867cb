//! The AgentSpace command line: a thin host over the gateway.
#![forbid(unsafe_code)]

mod alerts;
mod cli;
mod command;
mod config;
mod diagnostics;
mod exit;
mod follow;
mod graph;
mod host;
mod models;
mod output;
mod stop;
mod tls;
mod tools;
mod view;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use crate::cli::Cli;
use crate::exit::Exit;

fn main() -> ExitCode {
    let (given, command) = Cli::read(std::env::args_os());
    init_logs();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::talk(&format!("error: the runtime cannot be started: {error}"));
            return Exit::Failed.into();
        }
    };
    let exit = runtime
        .block_on(command::run(&given, command))
        .unwrap_or_else(|error| {
            output::error(&error);
            exit::of_error(&error)
        });
    if output::is_lost() {
        return Exit::Failed.into();
    }
    exit.into()
}

/// Logs go to stderr and are quiet unless `RUST_LOG` asks for more.
fn init_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // Speaks of questions and answers, which belong in no log. The directive is a constant.
    let filter = match "genai=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // It would be said on stderr, and panic.
        .log_internal_errors(false)
        .init();
}
