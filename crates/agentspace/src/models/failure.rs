//! Why a model did not answer: whether to ask again, and in which words.
//!
//! Must not repeat a question, a key or the whole of a provider's answer.

use gateway::ModelError;
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::config::ModelConfig;
use gateway::workflow_types::id::ModelName;
use genai::webc;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::key::{Key, KeySource};
use super::patience;

/// The most characters of a provider's words that are repeated.
const LONGEST_WORDS: usize = 300;

/// A question that fails: what is needed to explain it.
pub(super) struct Failing<'c> {
    pub(super) model: &'c ModelName,
    pub(super) config: &'c ModelConfig,
    pub(super) key: Option<&'c Key>,
}

/// Whether asking again may help.
#[derive(Clone, Copy)]
enum Again {
    Never,
    Allowed,
    After(Option<std::time::Duration>),
}

impl Failing<'_> {
    /// No other attempt will succeed.
    pub(super) fn permanently(&self, reason: &str) -> ModelError {
        self.error(reason, Again::Never)
    }

    /// Another attempt may succeed.
    pub(super) fn retryable(&self, reason: &str) -> ModelError {
        self.error(reason, Again::Allowed)
    }

    /// The library's error in our words.
    pub(super) fn by(&self, error: &genai::Error, now: Timestamp) -> ModelError {
        use genai::Error;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "a foreign enum that grows: the rest are questions that it cannot put"
        )]
        match error {
            Error::WebModelCall { webc_error, .. } | Error::WebAdapterCall { webc_error, .. } => {
                self.on_the_way(webc_error, now)
            }
            Error::HttpError {
                status,
                body,
                headers,
                ..
            } => self.refused(*status, body, headers, now),
            // Their own words hold the whole question.
            Error::ChatResponseGeneration { .. }
            | Error::NoChatResponse { .. }
            | Error::InvalidJsonResponseElement { .. }
            | Error::ChatResponse { .. }
            | Error::JsonValueExt { .. }
            | Error::SerdeJson { .. } => {
                self.retryable("the answer is not of the form that its provider documents")
            }
            other => self.permanently(&format!("it cannot be asked so: {other}")),
        }
    }

    /// What went wrong between the question and a whole answer.
    fn on_the_way(&self, error: &webc::Error, now: Timestamp) -> ModelError {
        match error {
            webc::Error::ResponseFailedStatus {
                status,
                body,
                headers,
            } => self.refused(*status, body, headers, now),
            webc::Error::ResponseFailedInvalidJson { cause, .. } => {
                self.retryable(&format!("the answer is not well-formed JSON: {cause}"))
            }
            webc::Error::ResponseFailedNotJson { content_type, .. } => {
                let kind = if content_type.is_empty() {
                    "of no declared kind"
                } else {
                    content_type.as_str()
                };
                self.retryable(&format!(
                    "the answer is {kind}, expected application/json; something else may answer \
                     at that address"
                ))
            }
            webc::Error::JsonValueExt(_) => {
                self.retryable("the answer is not of the form that its provider documents")
            }
            webc::Error::Reqwest(error) => self.unconnected(error),
        }
    }

    fn unconnected(&self, error: &reqwest::Error) -> ModelError {
        let cause = innermost(error);
        if error.is_builder() {
            return self.permanently(&format!("no request can be made of its settings: {cause}"));
        }
        let doing = if error.is_connect() {
            "connecting to it failed"
        } else if error.is_timeout() {
            "it did not answer in time"
        } else if error.is_body() || error.is_decode() {
            "its answer broke off"
        } else {
            "the request failed"
        };
        self.retryable(&format!("{doing}: {cause}"))
    }

    /// What a status means, with the provider's own words.
    fn refused(
        &self,
        status: StatusCode,
        body: &str,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> ModelError {
        let (said, code) = self.said(body);
        let again = match status.as_u16() {
            // No patience brings the money.
            429 if code.as_deref() == Some("insufficient_quota") => Again::Never,
            429 => Again::After(patience::asked(headers, now)),
            503 | 529 if patience::asked(headers, now).is_some() => {
                Again::After(patience::asked(headers, now))
            }
            408 | 409 | 425 | 500..=599 => Again::Allowed,
            _ => Again::Never,
        };
        let mut reason = format!("it answered {}", status.as_u16());
        if let Some(phrase) = status.canonical_reason() {
            reason.push(' ');
            reason.push_str(phrase);
        }
        if !said.is_empty() {
            reason.push_str(": ");
            reason.push_str(&said);
        }
        if let (Again::Never, Some(remedy)) = (&again, self.remedy(status)) {
            reason.push_str("; ");
            reason.push_str(&remedy);
        }
        self.error(&reason, again)
    }

    /// What to do about a refusal that stays one.
    fn remedy(&self, status: StatusCode) -> Option<String> {
        let at = self.model;
        Some(match status.as_u16() {
            300..=399 => format!(
                "redirects are not followed; write the final address as `base_url` of \
                 [models.{at}]"
            ),
            400 | 422 => format!(
                "see `model`, `max_tokens` and `temperature` of [models.{at}], and the prompt"
            ),
            401 | 403 => match KeySource::of(self.config) {
                KeySource::Variable(name) => format!(
                    "the key in the environment variable {name} is not accepted; put a valid one \
                     there"
                ),
                KeySource::Nothing => format!(
                    "it wants a key; name the environment variable that holds one as `key_env` of \
                     [models.{at}]"
                ),
            },
            404 => format!(
                "see whether `model` ({}) and `base_url` of [models.{at}] are right",
                self.config.model
            ),
            402 | 429 => "see what the provider's account has left".to_owned(),
            _ => return None,
        })
    }

    /// The message of a provider's error on one line, and its code.
    fn said(&self, body: &str) -> (String, Option<String>) {
        let document: Value = serde_json::from_str(body).unwrap_or_default();
        let error = document.get("error").unwrap_or(&document);
        let text = |key: &str| error.get(key).and_then(Value::as_str);
        let code = text("code").or_else(|| text("type")).map(ToOwned::to_owned);
        let words = text("message").or(error.as_str());
        // A page of a proxy is no message.
        let words = words.or((document.is_null() && !body.contains('<')).then_some(body));
        // Before they are cut: half a key would not be known again.
        let words = self.hidden(words.unwrap_or_default());
        let words: Vec<&str> = words.split_whitespace().collect();
        (clipped(&words.join(" ")), code)
    }

    fn hidden(&self, text: &str) -> String {
        self.key.map_or(text.to_owned(), |key| key.hide(text))
    }

    fn error(&self, reason: &str, again: Again) -> ModelError {
        let message = format!("asking model `{}` failed: {reason}", self.model);
        let message = self.hidden(&message);
        match again {
            Again::Never => ModelError::Permanent { message },
            Again::Allowed => ModelError::Retryable { message },
            Again::After(retry_after) => ModelError::RateLimited {
                message,
                retry_after,
            },
        }
    }
}

fn clipped(text: &str) -> String {
    let text = text.trim_end_matches('.');
    match text.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The innermost error, in the words of the system.
fn innermost(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    let text = last.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_lowercase()
}
