//! The settings of a host, as its `agentspace.toml` says them.
//!
//! The file's syntax is the host's to read; what its document may say, and every mistake in it, is
//! decided here. It knows neither flags nor variables nor where the file stands.

mod alert;
mod filled;
mod heartbeat;
pub mod mcp;
mod model;
mod named;
mod secrets;
mod text;
mod unsaid;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use crate::definition::fields::Fields;
use crate::definition::timing;
use crate::diagnostic::{Diagnostics, Pointer, Report};
use crate::duration::unit;
use crate::id::{HeartbeatName, ModelName, SecretName, ServerName};
use crate::schedule::TimeZone;
use crate::shape::Shape;
use crate::shape::config::{CONFIG, EXECUTE_COMMAND, GATEWAY, HTTP_REQUEST, RETENTION, TOOLS};

pub use alert::{
    AlertConfig, DEFAULT_COMMAND_TIMEOUT, DEFAULT_REMIND_AFTER, DEFAULT_WEBHOOK_TIMEOUT,
    LONGEST_DELIVERY, SHORTEST_REMINDER, SinkConfig, SinkKind, WebhookConfig,
};
use mcp::McpServer;
pub use model::{Adapter, HOTTEST, ModelConfig, PRICES};
pub use secrets::SecretPlace;
use text::{Path, Variable};
pub use unsaid::{may_hold_secret, speaks_of_secrets};

/// Where the database is if nobody says.
pub const DEFAULT_DATABASE: &str = ".agentspace/agentspace.db";
/// Where workflow files are if nobody says.
pub const DEFAULT_WORKFLOWS: &str = "workflows";
/// What a committed step survives if nobody says.
pub const DEFAULT_DURABILITY: Durability = Durability::Full;
/// How many executions may run at once if nobody says.
// The number is not zero.
pub const DEFAULT_EXECUTIONS: NonZeroU32 = NonZeroU32::new(64).expect("not zero");
/// The largest output of a step in bytes if nobody says: 1 MiB.
// The number is not zero.
pub const DEFAULT_OUTPUT_BYTES: NonZeroU32 = NonZeroU32::new(1024 * 1024).expect("not zero");
/// The zone of schedules that name none, if nobody says.
pub const DEFAULT_TIMEZONE: TimeZone = TimeZone::UTC;
/// How long a shutdown waits for running attempts if nobody says.
pub const DEFAULT_DRAIN: Duration = Duration::from_secs(30);
/// How long a cancelled attempt may take to end if nobody says.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(2);
/// The longest that either of these may be: a day.
pub const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// The shortest time for which finished executions can be kept: whoever means seconds and writes
/// milliseconds must not lose everything.
pub const SHORTEST_RETENTION: Duration = Duration::from_hours(1);

crate::words::words! {
    /// What a committed step survives.
    Durability {
        /// A power cut: each commit waits for the disk.
        Full = "full",
        /// A killed process; a power cut may take the last steps back.
        Normal = "normal",
    }
}

/// What a file says; a setting that it leaves out is none.
///
/// ```
/// use serde_json::json;
/// use workflow_types::config::Config;
///
/// let checked = Config::check(&json!({"gateway": {"drain": "5s"}}));
/// let config = checked.config.unwrap();
/// assert_eq!(config.drain, Some(std::time::Duration::from_secs(5)));
/// assert_eq!(config.database, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// `database`: the database file, relative to the file that says so.
    pub database: Option<String>,
    /// `workflows`: the directory of workflow files, relative to the file that says so.
    pub workflows: Option<String>,
    /// `gateway.durability`
    pub durability: Option<Durability>,
    /// `gateway.max_concurrent_executions`
    pub max_concurrent_executions: Option<NonZeroU32>,
    /// `gateway.max_output_bytes`
    pub max_output_bytes: Option<NonZeroU32>,
    /// `gateway.timezone`: the zone of schedules that name none.
    pub timezone: Option<TimeZone>,
    /// `gateway.drain`
    pub drain: Option<Duration>,
    /// `gateway.grace`
    pub grace: Option<Duration>,
    /// `gateway.retention.older_than`
    pub older_than: Option<Duration>,
    /// `gateway.retention.keep_per_workflow`
    pub keep_per_workflow: Option<NonZeroU32>,
    /// `tools.execute_command.allow_programs`: none stands for any program.
    pub allow_programs: Option<Vec<String>>,
    /// `tools.execute_command.inherit_env`: `*` stands for every variable.
    pub inherit_env: Option<Vec<String>>,
    /// `tools.http_request.allow_private_addresses`
    pub allow_private_addresses: Option<bool>,
    /// `heartbeats`: the file of each, relative to the file that says so; one that is not named is
    /// the `HEARTBEAT.md` beside it.
    pub heartbeats: BTreeMap<HeartbeatName, String>,
    /// `mcp.servers`
    pub mcp_servers: BTreeMap<ServerName, McpServer>,
    /// `secrets`
    pub secrets: BTreeMap<SecretName, SecretPlace>,
    /// `default_model`: the model that is asked where a step names none; one of `models`.
    pub default_model: Option<ModelName>,
    /// `models`
    pub models: BTreeMap<ModelName, ModelConfig>,
    /// `alerts`: who is told of them.
    pub alerts: AlertConfig,
}

/// What checking a document gave: the settings unless there are errors, and all diagnostics.
#[derive(Debug)]
pub struct CheckedConfig {
    /// The settings, unless a diagnostic is an error.
    pub config: Option<Config>,
    /// All problems, in the order of their discovery.
    pub diagnostics: Diagnostics,
}

impl Config {
    /// Reads a document and says everything there is to say about it.
    pub fn check(document: &Value) -> CheckedConfig {
        let mut report = Report::default();
        let config = read(document, &mut report);
        CheckedConfig {
            config: config.filter(|_| !report.has_errors()),
            diagnostics: unsaid::silenced(document, &report.finish()),
        }
    }
}

/// Reads what of a document can be read; mistakes are in the report.
fn read(document: &Value, report: &mut Report) -> Option<Config> {
    let mut config = Config::default();
    let mut fields = Fields::open(document, &Pointer::root(), &CONFIG, report)?;
    config.database = fields.parsed("database").map(|Path(text)| text);
    config.workflows = fields.parsed("workflows").map(|Path(text)| text);
    within(&mut fields, "gateway", &GATEWAY, |gateway, _| {
        config.durability = gateway.word("durability", Durability::from_word);
        config.max_concurrent_executions = whole(gateway, "max_concurrent_executions");
        config.max_output_bytes = whole(gateway, "max_output_bytes");
        config.timezone = timing::zone(gateway);
        config.drain = wait(gateway, "drain");
        config.grace = wait(gateway, "grace");
        within(gateway, "retention", &RETENTION, |retention, _| {
            config.older_than = age(retention, "older_than");
            config.keep_per_workflow = whole(retention, "keep_per_workflow");
        });
    });
    within(&mut fields, "tools", &TOOLS, |tools, _| {
        let command = "execute_command";
        within(tools, command, &EXECUTE_COMMAND, |command, table| {
            let programs: Vec<Path> = command.parsed_list("allow_programs");
            let programs = programs.into_iter().map(|Path(text)| text).collect();
            config.allow_programs = table.get("allow_programs").map(|_| programs);
            let names: Vec<Variable> = command.parsed_list("inherit_env");
            let names = names.into_iter().map(|Variable(name)| name).collect();
            config.inherit_env = table.get("inherit_env").map(|_| names);
        });
        within(tools, "http_request", &HTTP_REQUEST, |request, _| {
            config.allow_private_addresses = request.boolean("allow_private_addresses");
        });
    });
    config.mcp_servers = mcp::read(&mut fields, &filled::Names::of(document));
    config.secrets = secrets::read(&mut fields);
    config.heartbeats = heartbeat::read(&mut fields);
    model::read(&mut fields, &mut config);
    alert::read(&mut fields, &mut config.alerts);
    fields.finish();
    Some(config)
}

/// Reads the mapping under a key, if it is there.
fn within(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    shape: &'static Shape,
    read: impl FnOnce(&mut Fields<'_, '_>, &Value),
) {
    let Some(field) = fields.take(name) else {
        return;
    };
    if let Some(mut inner) = Fields::open(field.value, &field.at, shape, fields.report) {
        read(&mut inner, field.value);
        inner.finish();
    }
}

fn whole(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<NonZeroU32> {
    fields.positive(name).map(|(number, _)| number)
}

fn wait(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Duration> {
    let (duration, field) = fields.duration(name)?;
    unit::doubt(field.value, &field.at, fields.report);
    if duration > LONGEST_WAIT {
        let reason = "it is longer than a day; write at most \"1d\"";
        fields.report.invalid(&field.at, reason);
    }
    Some(duration)
}

/// A length of time and its address.
fn length(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<(Duration, Pointer)> {
    let (duration, field) = fields.duration(name)?;
    unit::doubt(field.value, &field.at, fields.report);
    Some((duration, field.at))
}

fn age(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Duration> {
    let (duration, field) = fields.duration(name)?;
    if let Some(reason) = too_short_to_keep(duration) {
        fields.report.invalid(&field.at, reason);
    }
    Some(duration)
}

/// Why finished executions cannot be kept for so short a time, if they cannot.
pub fn too_short_to_keep(age: Duration) -> Option<&'static str> {
    let is_too_short = age < SHORTEST_RETENTION;
    is_too_short.then_some("it is shorter than an hour; write at least \"1h\", as in \"30d\"")
}
