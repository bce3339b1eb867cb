//! The words of the command line: commands, arguments and their help.

pub(crate) mod alerts;
mod database;
mod executions;
mod graph;
mod heartbeats;
mod models;
mod number;
pub(crate) mod schedules;
mod secrets;
mod tools;

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
};
use gateway::workflow_types::config::{Durability, LONGEST_WAIT, too_short_to_keep};
use gateway::workflow_types::duration;
use gateway::workflow_types::id::{Actor, IdempotencyKey, StepId, WorkflowId};
use gateway::workflow_types::schedule::TimeZone;

pub(crate) use database::Database;
pub(crate) use executions::{ListArgs, ListedStatus};
pub(crate) use graph::{Graph, GraphFormat};
pub(crate) use heartbeats::Heartbeats;
pub(crate) use models::Models;
pub(crate) use schedules::{Schedules, Simulate};
pub(crate) use secrets::Secrets;
pub(crate) use tools::{ToolCallArgs, Tools};

// What a command gets of the flags, once the environment and the file are put to them.
pub(crate) use crate::config::Global;

/// Runs workflows that happen later, in steps, with a human's yes, and are not lost.
#[derive(Debug, Parser)]
#[command(
    name = "agentspace",
    version,
    after_help = "Exit codes: 0 ok, 1 failed, 2 bad usage or definition, 3 waiting for approval, 4 cancelled, 130 stopped by a signal (the work is kept)."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes. What concerns settings is none unless it is given.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Flags {
    /// The database file [default: .agentspace/agentspace.db beside the configuration].
    #[arg(long, global = true, env = "AGENTSPACE_DB", value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,
    /// The directory of workflow files [default: workflows beside the configuration].
    #[arg(long, global = true, env = "AGENTSPACE_WORKFLOWS", value_name = "DIR")]
    pub(crate) workflows: Option<PathBuf>,
    /// The configuration; the nearest agentspace.toml here or above if none is given.
    #[arg(
        long,
        global = true,
        env = "AGENTSPACE_CONFIG",
        value_name = "PATH",
        hide_short_help = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// Read no configuration.
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_config: bool,
    /// Print JSON with a stable, versioned envelope instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Let `http_request` reach loopback, private and link-local addresses.
    #[arg(
        long,
        global = true,
        env = "AGENTSPACE_ALLOW_PRIVATE_ADDRESSES",
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        hide_short_help = true
    )]
    pub(crate) allow_private_addresses: Option<bool>,
    /// Let `execute_command` run only this program. May be given repeatedly.
    #[arg(
        long,
        global = true,
        value_name = "PROGRAM",
        env = "AGENTSPACE_ALLOW_PROGRAMS",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub(crate) allow_program: Option<Vec<String>>,
    /// Pass this environment variable on to commands, besides the usual few; `*` passes all.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "AGENTSPACE_INHERIT_ENV",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub(crate) inherit_env: Option<Vec<String>>,
    /// What a committed step survives: `full` a power cut, `normal` a killed process.
    #[arg(
        long,
        global = true,
        value_name = "full|normal",
        env = "AGENTSPACE_DURABILITY",
        value_parser = durability,
        hide_short_help = true
    )]
    pub(crate) durability: Option<Durability>,
    /// How many executions may run at once.
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "AGENTSPACE_MAX_CONCURRENT_EXECUTIONS",
        value_parser = number::some_32,
        allow_negative_numbers = true,
        hide_short_help = true
    )]
    pub(crate) max_concurrent_executions: Option<NonZeroU32>,
    /// The largest output of a step.
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "AGENTSPACE_MAX_OUTPUT_BYTES",
        value_parser = number::some_32,
        allow_negative_numbers = true,
        hide_short_help = true
    )]
    pub(crate) max_output_bytes: Option<NonZeroU32>,
    /// The time zone of schedules and triggers that name none, as `Europe/Berlin`.
    #[arg(
        long,
        global = true,
        value_name = "ZONE",
        env = "AGENTSPACE_TIMEZONE",
        hide_short_help = true
    )]
    pub(crate) timezone: Option<TimeZone>,
    /// How long a shutdown waits for steps that are at work.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "AGENTSPACE_DRAIN",
        value_parser = wait,
        hide_short_help = true
    )]
    pub(crate) drain: Option<Duration>,
    /// How long a cancelled step may take to come to its end.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        env = "AGENTSPACE_GRACE",
        value_parser = wait,
        hide_short_help = true
    )]
    pub(crate) grace: Option<Duration>,
    /// Delete finished executions that ended longer ago than this.
    #[arg(
        long,
        global = true,
        value_name = "AGE",
        env = "AGENTSPACE_RETENTION_OLDER_THAN",
        value_parser = age,
        hide_short_help = true
    )]
    pub(crate) retention_older_than: Option<Duration>,
    /// Of the others, keep only so many of each workflow, the newest.
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "AGENTSPACE_RETENTION_KEEP_PER_WORKFLOW",
        value_parser = number::some_32,
        allow_negative_numbers = true,
        hide_short_help = true
    )]
    pub(crate) retention_keep_per_workflow: Option<NonZeroU32>,
}

/// The flags and variables that were given, and which of the two each value is from.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) flags: Flags,
    matches: ArgMatches,
}

impl Given {
    /// Where the value of a flag is from, by the name of its field.
    pub(crate) fn source(&self, id: &str) -> Option<ValueSource> {
        self.matches.value_source(id)
    }

    /// How a flag and its variable are written, by the name of its field.
    pub(crate) fn names(id: &str) -> (String, String) {
        let command = Cli::command();
        let found = command.get_arguments().find(|arg| arg.get_id() == id);
        let long = found.and_then(|arg| arg.get_long()).unwrap_or(id);
        let variable = found.and_then(|arg| arg.get_env());
        let variable = variable.map(|name| name.to_string_lossy().into_owned());
        (format!("--{long}"), variable.unwrap_or_default())
    }
}

impl Cli {
    /// Reads words, the program's name first; ends the program where they ask for help or are wrong.
    pub(crate) fn read(
        words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> (Given, Command) {
        let matches = Self::command().get_matches_from(words);
        // The same description made both; what it matched it can read.
        let Self { flags, command } =
            Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        (Given { flags, matches }, command)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented workflow, a HEARTBEAT.md and an agentspace.toml that work as they are.
    Init(Init),
    /// Check workflow and heartbeat files and the configuration; store nothing.
    Check(Check),
    /// Print the JSON Schema by which editors complete and check a file.
    Schema(Schema),
    /// Explain a code that `check` names, such as WF0107.
    Explain(Explain),
    /// Draw a workflow, or the way that an execution took through it.
    Graph(Graph),
    /// Run a workflow to its end, or to the first gate.
    Run(Run),
    /// Take up what a process that ended left behind, and wait until all of it is at rest.
    Resume,
    /// The registered workflows.
    #[command(subcommand)]
    Workflows(Workflows),
    /// The executions of workflows.
    #[command(subcommand)]
    Executions(Executions),
    /// The approvals that executions wait for.
    #[command(subcommand)]
    Approvals(Approvals),
    /// What somebody has to look at.
    #[command(subcommand)]
    Alerts(alerts::Alerts),
    /// The models that steps may ask.
    #[command(subcommand)]
    Models(Models),
    /// The schedules of workflows.
    #[command(subcommand)]
    Schedules(Schedules),
    /// The checklists that an agent works through at an interval.
    #[command(subcommand)]
    Heartbeats(Heartbeats),
    /// The secrets that steps may name.
    #[command(subcommand)]
    Secrets(Secrets),
    /// Let schedules fire and carry all executions on, until a signal ends it.
    Serve,
    /// Have the files of workflows and heartbeats read again, by the process that serves the database
    /// or else at once.
    Reload,
    /// Say what triggers of workflow files and heartbeats would fire when; nothing is run or stored.
    Simulate(Simulate),
    /// The tools that steps may call, those of MCP servers among them.
    #[command(subcommand)]
    Tools(Tools),
    /// The database.
    #[command(subcommand)]
    Db(Database),
    /// Show every setting with its origin, versions and paths, and what is missing or broken.
    Doctor,
}

/// `init`
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to; existing files are left as they are.
    #[arg(default_value = ".")]
    pub(crate) directory: PathBuf,
}

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files and directories; if none is given, the workflow directory, the configuration, its
    /// heartbeats, and the HEARTBEAT.md beside it or in the current directory.
    pub(crate) paths: Vec<PathBuf>,
    /// How diagnostics are printed [default: human].
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Let warnings fail the check.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

/// `explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, as WF0107 or 107; all codes are listed if none is given.
    pub(crate) code: Option<String>,
}

/// How diagnostics are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With the source text, for people.
    Human,
    /// As one JSON document.
    Json,
    /// As workflow commands that GitHub shows in a change.
    Github,
}

/// `schema`
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Of what.
    #[arg(value_enum)]
    pub(crate) of: SchemaOf,
}

/// What has a published schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// A workflow's file.
    Workflow,
    /// The front matter of a HEARTBEAT.md.
    Heartbeat,
    /// An agentspace.toml.
    Config,
}

/// `run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A workflow file, or the id of a registered workflow.
    pub(crate) workflow: String,
    /// One value of the input; its type is the input schema's.
    #[arg(short, long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) input: Vec<(String, String)>,
    /// The whole input as a JSON object, or `@FILE` that holds one; `-i` is set on top of it.
    #[arg(long = "input", value_name = "JSON|@FILE")]
    pub(crate) document: Option<String>,
    /// Approve the gate of this step when the execution comes to it. May be given repeatedly.
    #[arg(long, value_name = "STEP")]
    pub(crate) approve: Vec<StepId>,
    /// The same key of a workflow answers the same execution, however often it is run.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    #[command(flatten)]
    pub(crate) actor: ActorArg,
}

/// Who decides.
#[derive(Debug, Args)]
pub(crate) struct ActorArg {
    /// Who decides. Default: the user's name.
    #[arg(long = "as", value_name = "NAME", env = "AGENTSPACE_ACTOR")]
    pub(crate) actor: Option<Actor>,
}

/// `workflows`
#[derive(Debug, Subcommand)]
pub(crate) enum Workflows {
    /// List them.
    Ls,
    /// Show one: its steps and its source.
    Show {
        /// Its id.
        id: WorkflowId,
    },
}

/// `executions`
#[derive(Debug, Subcommand)]
pub(crate) enum Executions {
    /// List them, the newest first.
    Ls(ListArgs),
    /// Show one: its journal, visit by visit.
    Show {
        /// Its id.
        id: String,
    },
    /// Cancel one: what waits of it ends, what runs is stopped.
    Cancel {
        /// Its id.
        id: String,
        #[command(flatten)]
        decision: DecisionArgs,
    },
    /// Repeat a finished one as a new one, and follow that until it is at rest.
    Retry {
        /// Its id.
        id: String,
        /// Begin with this step, and reuse the results before it. Default: the step that failed,
        /// else the first.
        #[arg(long, value_name = "STEP")]
        from: Option<StepId>,
        /// The same key of a workflow answers the same execution, however often it is sent.
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<IdempotencyKey>,
        #[command(flatten)]
        actor: ActorArg,
    },
    /// Delete a finished one.
    Delete {
        /// Its id.
        id: String,
    },
    /// Delete finished ones that are not to be kept.
    Prune(PruneArgs),
    /// Tell what happened in one, event by event, and what happens until its end.
    ///
    /// It may be another process that runs it.
    Watch(WatchArgs),
    /// Say what became of an interrupted step, and go on.
    Resolve {
        /// The id of the execution, or of its gate.
        id: String,
        /// What is to be done about it.
        #[arg(value_enum)]
        how: How,
        /// The output to record, as JSON; only with `done`.
        #[arg(long, value_name = "JSON")]
        output: Option<String>,
        #[command(flatten)]
        decision: DecisionArgs,
    },
}

/// Which events are told.
#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {
    /// Its id.
    pub(crate) id: String,
    /// Only what came after the event of this number.
    #[arg(long, value_name = "SEQ", default_value_t = 0, value_parser = number::place, allow_negative_numbers = true)]
    pub(crate) after: u64,
    /// Only what has happened already; do not wait for more.
    #[arg(long)]
    pub(crate) past: bool,
}

/// Which executions are not kept.
#[derive(Debug, Args)]
#[group(required = true, multiple = true, id = "bounds", args = ["older_than", "keep"])]
pub(crate) struct PruneArgs {
    /// Delete those that ended longer ago than this, as 30d or 12h.
    #[arg(long, value_name = "AGE", value_parser = duration)]
    pub(crate) older_than: Option<Duration>,
    /// Of the others, keep only so many of each workflow, the newest.
    #[arg(long, value_name = "N", value_parser = number::any_32, allow_negative_numbers = true)]
    pub(crate) keep: Option<u32>,
    /// Only say how many there are.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What is to be done about an interrupted step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum How {
    /// Run it again, with the same idempotency key.
    Rerun,
    /// Its side effect happened: record it as done.
    Done,
    /// Let it fail; `onFailure` applies.
    Fail,
}

/// `approvals`
#[derive(Debug, Subcommand)]
pub(crate) enum Approvals {
    /// List those that wait, the oldest first.
    Ls,
    /// Show one, with exactly what would run.
    Show {
        /// The id of the approval, or of its execution.
        id: String,
    },
    /// Approve, and go on with the execution until it is at rest.
    Approve {
        /// The id of the approval, or of its execution.
        id: String,
        #[command(flatten)]
        decision: DecisionArgs,
    },
    /// Deny, and go on with the execution until it is at rest.
    Deny {
        /// The id of the approval, or of its execution.
        id: String,
        #[command(flatten)]
        decision: DecisionArgs,
    },
}

/// Who decides, and why.
#[derive(Debug, Args)]
pub(crate) struct DecisionArgs {
    #[command(flatten)]
    pub(crate) actor: ActorArg,
    /// Why.
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

fn durability(text: &str) -> Result<Durability, String> {
    Durability::from_word(text).ok_or_else(|| format!("`{text}` is none of full, normal"))
}

fn wait(text: &str) -> Result<Duration, String> {
    let wait = duration::parse(text).map_err(|error| error.to_string())?;
    if wait > LONGEST_WAIT {
        return Err(format!("`{text}` is longer than a day; write at most 1d"));
    }
    Ok(wait)
}

fn age(text: &str) -> Result<Duration, String> {
    let age = duration(text)?;
    match too_short_to_keep(age) {
        None => Ok(age),
        Some(reason) => Err(reason.to_owned()),
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`{text}` is not KEY=VALUE, as in -i name=Ada"))
}

fn duration(text: &str) -> Result<Duration, String> {
    gateway::workflow_types::duration::parse(text).map_err(|error| error.to_string())
}
