//! The tool `http_request`: from arguments to a request, and the limits that the host sets.
//!
//! Must not open connections itself: where a request may go is decided in `address`, and only
//! `exchange` sends one.

use std::borrow::Cow;

use async_trait::async_trait;
use gateway::workflow_types::id::ToolName;
use gateway::{Effect, Tool, ToolCall, ToolError, ToolSpec};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Map, Value, json};

mod address;
mod answer;
mod exchange;
mod failure;
mod post;
mod redirect;
#[cfg(test)]
mod tests;

use super::args::Args;
use crate::secrets;
use crate::tls::Tls;
pub(crate) use address::{AddressPolicy, HostPattern};
pub(super) use failure::cause;
pub(crate) use post::Poster;
use redirect::Hop;

/// Bytes that the body of an answer may have, unless configured.
const DEFAULT_MAX_BODY: usize = 1024 * 1024;
/// Sent with every request, so that a server can tell a repetition from a second wish.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Headers that describe the connection or the framing of the body, which the client decides.
const OWN_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "host",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// The methods that a request may have.
const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"];

/// Where requests may go, and how much they may bring back.
#[derive(Debug, Clone)]
pub(crate) struct HttpOptions {
    /// Which addresses may be connected to.
    pub(crate) addresses: AddressPolicy,
    /// Hosts that may be connected to whatever their address.
    pub(crate) allowed_hosts: Vec<HostPattern>,
    /// The table of the settings in which `allow_private_addresses` stands for these requests.
    pub(crate) table: String,
    /// Bytes that the body of an answer may have; a longer one is a failure.
    pub(crate) max_body: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            addresses: AddressPolicy::PublicOnly,
            allowed_hosts: Vec::new(),
            table: "tools.http_request".to_owned(),
            max_body: DEFAULT_MAX_BODY,
        }
    }
}

/// What happens when the answer points elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Redirects {
    Follow,
    Answer,
}

/// Makes HTTP requests.
///
/// Every answer is a success, whatever its status, so that a workflow can branch on it; only what
/// never became an answer is an error, and a redirect that would take a body to another origin. Proxies named in the environment are not used: behind one,
/// the address that is connected to could not be checked.
#[derive(Debug)]
pub(crate) struct HttpRequest {
    options: HttpOptions,
    tls: Tls,
}

impl HttpRequest {
    /// The tool under these limits.
    pub(crate) fn new(options: HttpOptions) -> Self {
        Self {
            options,
            tls: Tls::default(),
        }
    }
}

#[async_trait]
impl Tool for HttpRequest {
    /// What a call with these arguments does to the world, by the meaning of its method
    /// (RFC 9110, section 9.2).
    ///
    /// A method that is still to be filled in counts as the worst.
    fn effect_of(&self, args: &Map<String, Value>) -> Effect {
        match args.get("method") {
            None => Effect::ReadOnly,
            Some(Value::String(method)) => match method.as_str() {
                "GET" | "HEAD" | "OPTIONS" => Effect::ReadOnly,
                "PUT" | "DELETE" => Effect::Idempotent,
                _ => Effect::Destructive,
            },
            Some(_) => Effect::Destructive,
        }
    }

    fn spec(&self) -> ToolSpec {
        // The name and the schema are constants; a test registers them.
        let name = ToolName::try_new("http_request").expect("a valid constant name");
        ToolSpec::new(
            name,
            "Makes an HTTP request and answers status, headers and body.",
            Effect::Destructive,
        )
        .with_input(&input_schema())
        .expect("a valid constant schema")
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let (first, redirects) = request(&call)?;
        let cancelled = &call.cancelled;
        exchange::perform(first, redirects, &self.options, &self.tls, cancelled).await
    }
}

/// The first hop of a call.
fn request(call: &ToolCall) -> Result<(Hop, Redirects), ToolError> {
    let mut args = Args::new(call.args.clone());
    let method = method(args.text("method")?)?;
    let url = url(args.text("url")?)?;
    let mut headers = headers(args.texts_by_name("headers")?)?;
    let body = body(args.text("body")?, args.value("json"), &mut headers)?;
    let redirects = match args.flag("followRedirects")? {
        None | Some(true) => Redirects::Follow,
        Some(false) => Redirects::Answer,
    };
    args.finish()?;
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        let key = HeaderValue::from_str(&call.idempotency_key)
            .map_err(|_| ToolError::permanent("the idempotency key is no header value"))?;
        headers.insert(IDEMPOTENCY_KEY, key);
    }
    let hop = Hop {
        method,
        url,
        headers,
        body,
    };
    Ok((hop, redirects))
}

fn method(name: Option<String>) -> Result<Method, ToolError> {
    let Some(name) = name else {
        return Ok(Method::GET);
    };
    // The list is closed because CONNECT and TRACE talk to proxies, not to servers.
    let known = METHODS.contains(&name.as_str());
    Method::from_bytes(name.as_bytes())
        .ok()
        .filter(|_| known)
        .ok_or_else(|| ToolError::permanent(format!("`method` is none of {}", METHODS.join(", "))))
}

fn url(text: Option<String>) -> Result<Url, ToolError> {
    let text = text.ok_or_else(|| ToolError::permanent("`url` is missing"))?;
    let url = Url::parse(&text)
        .map_err(|error| ToolError::permanent(format!("`url` is no absolute URL: {error}")))?;
    if redirect::is_http(&url) {
        Ok(url)
    } else {
        Err(ToolError::permanent(
            "`url` begins with neither http:// nor https://",
        ))
    }
}

fn headers(given: Vec<(String, String)>) -> Result<HeaderMap, ToolError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(ToolError::permanent(format!(
                "the header `{name}` is set by the client and may not be given"
            )));
        }
        let has_secret = matches!(secrets::mask().text(&value), Cow::Owned(_));
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            ToolError::permanent(format!(
                "the value of the header `{name}` contains a line break or a control character"
            ))
        })?;
        value.set_sensitive(has_secret);
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| ToolError::permanent(format!("`{name}` is no name of a header")))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn body(
    text: Option<String>,
    value: Option<Value>,
    headers: &mut HeaderMap,
) -> Result<Option<Vec<u8>>, ToolError> {
    match (text, value) {
        (Some(_), Some(_)) => Err(ToolError::permanent(
            "`body` and `json` are both given: a request has one body",
        )),
        (None, Some(value)) => {
            headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static("application/json"));
            Ok(Some(value.to_string().into_bytes()))
        }
        (text, None) => Ok(text.map(String::into_bytes)),
    }
}

fn input_schema() -> Value {
    json!({
        "type": "object",
        "required": ["url"],
        "additionalProperties": false,
        "properties": {
            "method": {
                "type": "string",
                "enum": METHODS,
                "default": "GET",
                "description": "The method of the request.",
            },
            "url": {
                "type": "string",
                "minLength": 1,
                "description": "The address, beginning with http:// or https://.",
            },
            "headers": {
                "type": "object",
                "additionalProperties": { "type": ["string", "number", "boolean"] },
                "description": "Headers by name; `Idempotency-Key` is sent without being named.",
            },
            "body": {
                "type": "string",
                "description": "The body as text; not together with `json`.",
            },
            "json": {
                "description": "The body as any value, sent as JSON; not together with `body`.",
            },
            "followRedirects": {
                "type": "boolean",
                "default": true,
                "description": "Whether up to 5 redirects are followed or a redirect is the answer. \
                    To another origin (scheme, host or port) no credentials go along, and a \
                    request with a body fails instead of being sent there.",
            },
        },
    })
}
