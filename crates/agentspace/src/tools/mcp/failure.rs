//! Why a server did not do what it was asked for, in words for the author of a step.

use std::fmt::Display;

use gateway::ToolError;
use gateway::workflow_types::id::ServerName;
use rmcp::ErrorData;
use rmcp::model::ErrorCode;
use rmcp::service::{ClientInitializeError, ServiceError};

/// A failure of a server that another attempt may mend.
pub(super) fn of_server(server: &ServerName, what: impl Display) -> ToolError {
    ToolError::retryable(format!("MCP server `{server}` {what}"))
}

/// What a server did instead of beginning to speak.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
pub(super) fn of_start(error: &ClientInitializeError) -> String {
    if let Some(challenge) = error.auth_challenge() {
        return format!("asks for authorization ({challenge}); give it `headers`");
    }
    match error {
        ClientInitializeError::ConnectionClosed(_) => "ended before it answered".to_owned(),
        ClientInitializeError::JsonRpcError(error) => {
            format!("refused to begin: {}", error.message)
        }
        other => format!("did not begin to speak MCP: {}", causes(other)),
    }
}

/// What a server did instead of answering a request; none if it has ended.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
pub(super) fn of_request(error: &ServiceError) -> Option<ToolError> {
    if let Some(challenge) = error.auth_challenge() {
        let message = format!("it asks for authorization ({challenge}); give it `headers`");
        return Some(ToolError::permanent(message));
    }
    match error {
        ServiceError::TransportClosed | ServiceError::Cancelled { .. } => None,
        ServiceError::McpError(error) => Some(refused(error)),
        ServiceError::UnexpectedResponse => {
            Some(ToolError::permanent("its answer is none that a tool gives"))
        }
        other => Some(ToolError::retryable(causes(other))),
    }
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
fn causes(error: &dyn std::error::Error) -> String {
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
