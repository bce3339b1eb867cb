//! The AgentSpace command line: a thin host over the gateway.
#![forbid(unsafe_code)]

mod access;
mod alerts;
mod cli;
mod command;
mod config;
mod diagnostics;
mod exit;
mod follow;
mod graph;
mod host;
mod logs;
mod models;
mod output;
mod secrets;
mod stop;
mod tls;
mod tools;
mod view;

use std::process::ExitCode;

use crate::cli::Cli;
use crate::exit::Exit;

fn main() -> ExitCode {
    let (given, command) = Cli::read(std::env::args_os());
    logs::init();
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
