//! What the table of a sink says, key by key; of its secret the name of the variable alone, and of its
//! URL where it leads.

use gateway::workflow_types::config::{SinkConfig, WebhookConfig};
use gateway::workflow_types::duration;
use reqwest::Url;
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
            ("url", Some(json!(bare(url)))),
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

/// Scheme, host and port of a URL. What follows them often is the secret by which a receiver knows its
/// senders, and stands there as `…`.
fn bare(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else {
        return "an address that is none".to_owned();
    };
    let host = parsed.host_str().unwrap_or_default();
    let port = parsed.port().map(|port| format!(":{port}"));
    let is_whole = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
    let rest = if is_whole { "" } else { "/…" };
    format!(
        "{}://{host}{}{rest}",
        parsed.scheme(),
        port.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn a_url_is_shown_up_to_its_port() {
        for (url, shown) in [
            ("https://example.com", "https://example.com"),
            ("https://example.com:8443/", "https://example.com:8443"),
            (
                "https://example.com/services/T0/B0/x",
                "https://example.com/…",
            ),
            (
                "https://ann:pass@example.com/?key=x",
                "https://example.com/…",
            ),
            ("http://[::1]:80/?key=x", "http://[::1]/…"),
            ("https://example.com/#x", "https://example.com/…"),
            ("hunter2", "an address that is none"),
        ] {
            assert_eq!(bare(url), shown);
        }
    }
}
