//! Reads an answer within its bounds and puts it into a value.
//!
//! Must not judge the status: a 500 is an answer like any other.

use gateway::ToolError;
use reqwest::header::{CONTENT_TYPE, HeaderMap, SET_COOKIE};
use reqwest::{Response, Url};
use serde_json::{Map, Value, json};

use super::failure;

/// The whole answer, or an error if its body is larger than `max_body`.
pub(super) async fn read(
    mut response: Response,
    url: &Url,
    max_body: usize,
) -> Result<Value, ToolError> {
    let too_large = || {
        ToolError::permanent(format!(
            "the answer of {} is larger than {max_body} bytes, the most that is read: ask for \
             less",
            failure::place(url)
        ))
    };
    if response
        .content_length()
        .is_some_and(|length| length > max_body as u64)
    {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| failure::transport("reading the answer of", url, &error))?
    {
        if chunk.len() > max_body - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(value(&response, &body))
}

fn value(response: &Response, body: &[u8]) -> Value {
    let text = String::from_utf8_lossy(body);
    let is_lossy = text.as_bytes() != body;
    let parsed = if is_json(response.headers()) {
        serde_json::from_slice(body).ok()
    } else {
        None
    };
    let mut answer = json!({
        "status": response.status().as_u16(),
        "headers": headers(response.headers()),
        "body": parsed.unwrap_or_else(|| Value::String(text.into_owned())),
    });
    if is_lossy {
        // Said only when it happens; a condition on it is false otherwise.
        answer["bodyLossy"] = Value::Bool(true);
    }
    answer
}

/// Headers by lower-case name. Repeated ones are one list, as RFC 9110 joins them; only
/// `set-cookie` cannot be joined and is always a list.
fn headers(headers: &HeaderMap) -> Value {
    let named = headers.keys().map(|name| {
        let texts: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let value = if name == SET_COOKIE {
            json!(texts)
        } else {
            json!(texts.join(", "))
        };
        (name.as_str().to_owned(), value)
    });
    Value::Object(named.collect::<Map<_, _>>())
}

/// `application/json`, `text/json` and every `+json`, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|essence| essence.trim().to_ascii_lowercase());
    essence.is_some_and(|essence| essence.ends_with("/json") || essence.ends_with("+json"))
}
