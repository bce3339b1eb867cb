//! Who a host's configuration says is told of alerts.
//!
//! It knows the name of the variable that holds a secret, and never the secret.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::{Path, length, within};
use crate::definition::fields::Fields;
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};
use crate::id::SinkName;
use crate::shape::config::alerts::{ALERTS, SINK, of_kind};

/// How long after an alert was told of somebody is reminded, if nobody says.
pub const DEFAULT_REMIND_AFTER: Duration = Duration::from_hours(24);
/// The shortest time after which somebody can be reminded.
pub const SHORTEST_REMINDER: Duration = Duration::from_mins(1);
/// How long one request of a webhook may take, if nobody says.
pub const DEFAULT_WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one run of a command may take, if nobody says.
pub const DEFAULT_COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that either of these may be: less than a gateway gives a sink.
pub const LONGEST_DELIVERY: Duration = Duration::from_mins(1);

crate::words::words! {
    /// How a sink is told.
    SinkKind {
        /// A line of the program's own log.
        Log = "log",
        /// A POST request with JSON, signed as Standard Webhooks says.
        Webhook = "webhook",
        /// A program that reads JSON from its standard input.
        Command = "command",
    }
}

/// Who is told of alerts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertConfig {
    /// `alerts.remind_after`
    pub remind_after: Option<Duration>,
    /// `alerts.sinks`
    pub sinks: BTreeMap<SinkName, SinkConfig>,
}

/// How a sink is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkConfig {
    /// A line of the program's own log.
    Log,
    /// A POST request.
    Webhook(WebhookConfig),
    /// A program.
    Command {
        /// `command`: the program and its arguments; at least one.
        command: Vec<String>,
        /// `timeout`
        timeout: Option<Duration>,
    },
}

/// A POST request with JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    /// `url`
    pub url: String,
    /// `secret_env`: the variable that holds the secret; none signs nothing.
    pub secret_env: Option<String>,
    /// `allow_private_addresses`
    pub allow_private_addresses: Option<bool>,
    /// `timeout`
    pub timeout: Option<Duration>,
}

/// Reads `alerts`.
pub(super) fn read(fields: &mut Fields<'_, '_>, config: &mut AlertConfig) {
    within(fields, "alerts", &ALERTS, |alerts, _| {
        config.remind_after = reminder(alerts);
        let Some(field) = alerts.take("sinks") else {
            return;
        };
        match field.value {
            Value::Object(map) => {
                for (key, value) in map {
                    let at = field.at.key(key);
                    let name = name(key, &at, alerts.report);
                    let sink = sink(value, &at, alerts.report);
                    config.sinks.extend(name.zip(sink));
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => alerts.wrong_type("sinks", &field),
        }
    });
}

fn name(text: &str, at: &Pointer, report: &mut Report) -> Option<SinkName> {
    SinkName::try_new(text)
        .map_err(|error| {
            let message = format!("`{at}` is no name of a sink: {error}");
            let diagnostic = Diagnostic::new(Code::InvalidValue, Place::key(at), message);
            report.push(diagnostic.help("give it another name, as in `[alerts.sinks.chat]`"));
        })
        .ok()
}

fn sink(value: &Value, at: &Pointer, report: &mut Report) -> Option<SinkConfig> {
    let mut fields = Fields::open(value, at, &SINK, report)?;
    let kind = fields.require("kind").is_some();
    let kind = kind
        .then(|| fields.word("kind", SinkKind::from_word))
        .flatten();
    let Some(kind) = kind else {
        // Which of their keys belong there nobody knows.
        for kind in SinkKind::ALL {
            fields.also(of_kind(*kind));
        }
        fields.finish();
        return None;
    };
    fields.also(of_kind(kind));
    let sink = match kind {
        SinkKind::Log => Some(SinkConfig::Log),
        SinkKind::Webhook => webhook(&mut fields).map(SinkConfig::Webhook),
        SinkKind::Command => command(&mut fields),
    };
    fields.finish_told(|key| {
        let is_secret = ["secret", "key", "token"].contains(&key.to_ascii_lowercase().as_str());
        is_secret.then(|| {
            let message = format!("a secret does not stand in this file, so `{key}` is not known");
            let help = "put the secret into an environment variable, remove it here, and write the \
                        variable's name: secret_env = \"ALERT_SECRET\"";
            (message, help.to_owned())
        })
    });
    sink
}

fn webhook(fields: &mut Fields<'_, '_>) -> Option<WebhookConfig> {
    fields.require("url");
    let url = fields.parsed("url").map(|Url(text)| text);
    let secret_env = fields.parsed("secret_env").map(|SecretVariable(name)| name);
    let allow_private_addresses = fields.boolean("allow_private_addresses");
    let timeout = timeout(fields);
    Some(WebhookConfig {
        url: url?,
        secret_env,
        allow_private_addresses,
        timeout,
    })
}

fn command(fields: &mut Fields<'_, '_>) -> Option<SinkConfig> {
    let at = fields.at().key("command");
    let is_there = fields.require("command").is_some();
    let command: Vec<Path> = fields.parsed_list("command");
    let command: Vec<String> = command.into_iter().map(|Path(text)| text).collect();
    let timeout = timeout(fields);
    if is_there && command.is_empty() && !fields.report.has_errors() {
        let reason = "it names no program; write it as the first text of the list";
        fields.report.invalid(&at, reason);
    }
    is_there.then_some(SinkConfig::Command { command, timeout })
}

fn reminder(fields: &mut Fields<'_, '_>) -> Option<Duration> {
    let (after, at) = length(fields, "remind_after")?;
    if after < SHORTEST_REMINDER {
        let reason = "it is shorter than a minute; write at least \"1m\", as in \"4h\"";
        fields.report.invalid(&at, reason);
    }
    Some(after)
}

fn timeout(fields: &mut Fields<'_, '_>) -> Option<Duration> {
    let (timeout, at) = length(fields, "timeout")?;
    if timeout.is_zero() {
        let reason = "nothing is told in no time; write for example \"10s\"";
        fields.report.invalid(&at, reason);
    } else if timeout > LONGEST_DELIVERY {
        let reason = "it is longer than a minute; write at most \"1m\"";
        fields.report.invalid(&at, reason);
    }
    Some(timeout)
}

/// Where notices are posted.
struct Url(String);

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))
            .ok_or("it begins with neither http:// nor https://; write a whole URL")?;
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        if host.is_empty() {
            return Err("it names no host; write it as in \"https://chat.example/hook\"");
        }
        if host.contains('@') {
            return Err("it holds a user; sign the request with a secret in `secret_env` instead");
        }
        if rest.contains(|c: char| c.is_whitespace() || c == '#') {
            return Err("it has white space or a fragment; remove that");
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of a variable that holds a secret.
struct SecretVariable(String);

impl FromStr for SecretVariable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_named = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
        if text.len() <= 64 && text.starts_with(starts) && text.chars().all(is_named) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "it is no name of an environment variable; write the name of the one that holds \
                 the secret, as \"ALERT_SECRET\": the secret itself may not stand in this file",
            )
        }
    }
}
