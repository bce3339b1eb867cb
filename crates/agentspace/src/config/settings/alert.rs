//! What the table of a sink says, key by key; of its secret the name of the variable alone.

use gateway::workflow_types::config::{SinkConfig, WebhookConfig};
use gateway::workflow_types::duration;
use serde_json::{Value, json};

/// The keys that are there, with their values.
pub(super) fn shown(sink: &SinkConfig) -> Vec<(&'static str, Value)> {
    let all = match sink {
        SinkConfig::Log => vec![("kind", Some(json!("log")))],
        SinkConfig::Webhook(WebhookConfig {
            url,
            secret_env,
            allow_private_addresses,
            timeout,
        }) => vec![
            ("kind", Some(json!("webhook"))),
            ("url", Some(json!(url))),
            ("secret_env", secret_env.as_ref().map(|name| json!(name))),
            (
                "allow_private_addresses",
                allow_private_addresses.map(|flag| json!(flag)),
            ),
            ("timeout", timeout.map(|wait| json!(duration::format(wait)))),
        ],
        SinkConfig::Command { command, timeout } => vec![
            ("kind", Some(json!("command"))),
            ("command", Some(json!(command))),
            ("timeout", timeout.map(|wait| json!(duration::format(wait)))),
        ],
    };
    let is_there = |(key, value): (&'static str, Option<Value>)| Some((key, value?));
    all.into_iter().filter_map(is_there).collect()
}
