//! A sink that is told by a POST request, signed as Standard Webhooks says.

use std::time::Duration;

use async_trait::async_trait;
use gateway::workflow_types::alert::Notice;
use gateway::workflow_types::config::{DEFAULT_WEBHOOK_TIMEOUT, WebhookConfig};
use gateway::workflow_types::id::SinkName;
use gateway::{AlertSink, Clock as _, SinkError, SystemClock};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url};

use super::signature::Secret;
use super::{envelope, failed};
use crate::tools::http_request::{AddressPolicy, HttpOptions, Poster};

/// What requests of workflows are told apart by, too.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Posts each notice.
#[derive(Debug)]
pub(super) struct Webhook {
    name: SinkName,
    url: String,
    secret_env: Option<String>,
    timeout: Duration,
    poster: Poster,
}

impl Webhook {
    /// `allow_private` is what the host allows all requests.
    pub(super) fn new(name: SinkName, config: &WebhookConfig, allow_private: bool) -> Self {
        let addresses = if config.allow_private_addresses.unwrap_or(allow_private) {
            AddressPolicy::Any
        } else {
            AddressPolicy::PublicOnly
        };
        let table = format!("alerts.sinks.{name}");
        Self {
            name,
            url: config.url.clone(),
            secret_env: config.secret_env.clone(),
            timeout: config.timeout.unwrap_or(DEFAULT_WEBHOOK_TIMEOUT),
            poster: Poster::new(HttpOptions {
                addresses,
                table,
                ..HttpOptions::default()
            }),
        }
    }

    fn headers(&self, notice: &Notice, body: &[u8]) -> Result<HeaderMap, SinkError> {
        let id = notice.id.to_string();
        // When it is sent, and not what it tells of: receivers refuse what is old.
        let seconds = SystemClock.now().as_millis().div_euclid(1_000);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(TIMESTAMP, HeaderValue::from(seconds));
        if let Some(variable) = &self.secret_env {
            let secret = Secret::read(variable);
            let secret = secret.map_err(|error| SinkError::permanent(error.to_string()))?;
            let signature = secret.sign(&id, seconds, body);
            headers.insert(SIGNATURE, value(&signature)?);
        }
        headers.insert(KEY, value(&id)?);
        headers.insert(ID, value(&id)?);
        Ok(headers)
    }
}

#[async_trait]
impl AlertSink for Webhook {
    fn name(&self) -> SinkName {
        self.name.clone()
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), SinkError> {
        let url = Url::parse(&self.url);
        let url =
            url.map_err(|error| SinkError::permanent(format!("its URL is wrong: {error}")))?;
        let body = envelope(notice).to_string().into_bytes();
        let headers = self.headers(notice, &body)?;
        let deadline = SystemClock.now().saturating_add(self.timeout);
        let (status, headers) = tokio::select! {
            answer = self.poster.post(url, headers, body) => {
                answer.map_err(|error| failed(&error))?
            }
            () = SystemClock.sleep_until(deadline) => {
                return Err(SinkError::retryable("the webhook did not answer in time"));
            }
        };
        answered(status, &headers)
    }
}

/// What a status means: whether it was taken, and if not whether it may be taken without anybody's
/// doing.
fn answered(status: StatusCode, headers: &HeaderMap) -> Result<(), SinkError> {
    if status.is_success() {
        return Ok(());
    }
    let code = status.as_u16();
    if status.is_redirection() {
        return Err(SinkError::permanent(format!(
            "the webhook answered {code}, and redirects are not followed: write the new URL"
        )));
    }
    let message = format!("the webhook answered {code}");
    // These speak of the moment, all others of 400 and more of what was sent, or where.
    let is_of_the_moment = status.is_server_error() || matches!(code, 408 | 409 | 425 | 429);
    if !is_of_the_moment {
        return Err(SinkError::permanent(message));
    }
    let error = SinkError::retryable(message);
    Err(match retry_after(headers) {
        Some(wait) => error.after(wait),
        None => error,
    })
}

/// How long the server asks to be left alone, if it says so in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    seconds.parse().ok().map(Duration::from_secs)
}

fn value(text: &str) -> Result<HeaderValue, SinkError> {
    HeaderValue::from_str(text).map_err(|_| SinkError::permanent("a header cannot be written"))
}

#[cfg(test)]
pub(super) mod tests;
