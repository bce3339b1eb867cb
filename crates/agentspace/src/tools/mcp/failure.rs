//! Why a server did not do what it was asked for, in words for the author of a step.

use std::error::Error;
use std::fmt::Display;

use gateway::ToolError;
use gateway::workflow_types::id::ServerName;
use rmcp::ErrorData;
use rmcp::model::ErrorCode;
use rmcp::service::{ClientInitializeError, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;

use crate::tools::http_request::cause;

/// A failure of a server that another attempt may mend.
pub(super) fn of_server(server: &ServerName, what: impl Display) -> ToolError {
    ToolError::retryable(format!("MCP server `{server}` {what}"))
}

/// What a server did instead of beginning to speak.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
pub(super) fn of_start(error: &ClientInitializeError) -> String {
    if let Some(challenge) = error.auth_challenge() {
        return format!("asks for authorization ({challenge}); see its `headers`");
    }
    match error {
        ClientInitializeError::ConnectionClosed(_) => "ended before it answered".to_owned(),
        ClientInitializeError::JsonRpcError(error) => {
            format!("refused to begin: {}", error.message)
        }
        ClientInitializeError::TransportError { error, .. } => {
            let words = over_http(error.error.as_ref()).map(in_words);
            let words = words.unwrap_or_else(|| causes(error));
            format!("did not begin to speak MCP: {words}")
        }
        other => format!("did not begin to speak MCP: {}", causes(other)),
    }
}

/// What a server did instead of answering a request; none if it has ended.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
pub(super) fn of_request(error: &ServiceError) -> Option<ToolError> {
    if let Some(challenge) = error.auth_challenge() {
        let message = format!("it asks for authorization ({challenge}); see its `headers`");
        return Some(ToolError::retryable(message));
    }
    match error {
        ServiceError::TransportClosed | ServiceError::Cancelled { .. } => None,
        ServiceError::McpError(error) => Some(refused(error)),
        ServiceError::UnexpectedResponse => {
            Some(ToolError::permanent("its answer is none that a tool gives"))
        }
        ServiceError::TransportSend(error) => {
            let words = over_http(error.error.as_ref()).map(in_words);
            Some(ToolError::retryable(words.unwrap_or_else(|| causes(error))))
        }
        other => Some(ToolError::retryable(causes(other))),
    }
}

/// Whether a server that is spoken to over HTTP did not accept what it was sent as authorization,
/// with a challenge or without one.
pub(super) fn is_lockout(error: &ServiceError) -> bool {
    error.auth_challenge().is_some() || is_forbidden(error)
}

fn is_forbidden(error: &ServiceError) -> bool {
    let ServiceError::TransportSend(error) = error else {
        return false;
    };
    match over_http(error.error.as_ref()) {
        // The library has no other form for a status without a challenge.
        Some(StreamableHttpError::UnexpectedServerResponse(text)) => {
            text.starts_with("HTTP 401") || text.starts_with("HTTP 403")
        }
        Some(_) | None => false,
    }
}

/// What went wrong with an exchange over HTTP, if that is what an error comes from.
fn over_http<'e>(
    error: &'e (dyn Error + 'static),
) -> Option<&'e StreamableHttpError<reqwest::Error>> {
    let mut source = Some(error);
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        source = cause.source();
    }
    None
}

/// The words for it. Those of the library hold the whole address, and that may hold a key.
fn in_words(error: &StreamableHttpError<reqwest::Error>) -> String {
    let StreamableHttpError::Client(error) = error else {
        return causes(error);
    };
    let doing = if error.is_connect() {
        "connecting to it"
    } else {
        "the request"
    };
    format!("{doing} failed: {}", cause(error))
}

/// An error of the protocol: what was wrong with the request stays wrong.
fn refused(error: &ErrorData) -> ToolError {
    let message = format!("it refused the request: {}", error.message);
    match error.code {
        ErrorCode::INVALID_PARAMS
        | ErrorCode::INVALID_REQUEST
        | ErrorCode::METHOD_NOT_FOUND
        | ErrorCode::PARSE_ERROR => ToolError::permanent(message),
        _ => ToolError::retryable(message),
    }
}

/// An error with what led to it, without saying anything twice.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
