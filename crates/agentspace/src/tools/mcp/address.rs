//! A server that is spoken to over HTTP.
//!
//! Its address was written by the operator, so it may be a private one, unlike those of
//! `http_request`; redirects are not followed, as they would take the headers elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Url, redirect};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use crate::tls::Tls;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to an address; the reason if there is none.
pub(super) async fn transport(
    url: &str,
    headers: &BTreeMap<String, String>,
    max_message: usize,
) -> Result<StreamableHttpClientTransport<Client>, String> {
    let parsed = Url::parse(url).map_err(|error| format!("has a bad `url`: {error}"))?;
    let tls = Tls::default().for_scheme(parsed.scheme()).await?;
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("agentspace/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .build()
        .map_err(|error| format!("cannot be reached: {error}"))?;
    let config = StreamableHttpClientTransportConfig::with_uri(url)
        .custom_headers(header_map(headers)?)
        .max_sse_event_size(max_message)
        .max_json_response_size(max_message);
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

fn header_map(
    headers: &BTreeMap<String, String>,
) -> Result<HashMap<HeaderName, HeaderValue>, String> {
    let mut map = HashMap::new();
    for (name, value) in headers {
        // What stands in the file was checked when it was read.
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            format!(
                "cannot be sent its header `{name}`: the value of the secret in it has a line \
                 break or another character that no header may have"
            )
        })?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("has a bad header `{name}`; write another in `headers`"))?;
        map.insert(name, value);
    }
    Ok(map)
}
