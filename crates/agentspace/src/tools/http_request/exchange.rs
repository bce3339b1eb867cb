//! Sends a request and follows where the answers lead, each hop to a checked address.
//!
//! Every hop gets a client of its own that knows only the addresses that were checked for it: what
//! a name resolves to later cannot matter, and no connection is kept for another hop.

use std::net::SocketAddr;
use std::time::Duration;

use gateway::ToolError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::LOCATION;
use reqwest::{Client, Response, Url, redirect};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::redirect::Hop;
use crate::tls::Tls;

use super::{HttpOptions, Redirects, address, answer, failure};

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// How long all addresses of a host together may take to accept a connection; without it a dead
/// first address would use up the time of the step.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How the client introduces itself unless the request does.
const USER_AGENT: &str = concat!("agentspace/", env!("CARGO_PKG_VERSION"));

/// The answer at the end of all redirects. Cancellation ends it at any point.
pub(super) async fn perform(
    first: Hop,
    redirects: Redirects,
    options: &HttpOptions,
    tls: &Tls,
    cancelled: &CancellationToken,
) -> Result<Value, ToolError> {
    let mut hop = first;
    for _ in 0..=MAX_REDIRECTS {
        let response = cancelled
            .run_until_cancelled(send(&hop, options, tls))
            .await
            .ok_or_else(|| failure::stopped("waiting for the answer of", &hop.url))??;
        let next = match redirects {
            Redirects::Follow => hop.next(response.status(), response.headers().get(LOCATION))?,
            Redirects::Answer => None,
        };
        match next {
            Some(next) => hop = next,
            None => {
                return cancelled
                    .run_until_cancelled(answer::read(response, &hop.url, options.max_body))
                    .await
                    .ok_or_else(|| failure::stopped("reading the answer of", &hop.url))?;
            }
        }
    }
    Err(ToolError::permanent(format!(
        "more than {MAX_REDIRECTS} redirects, the last one to {}",
        failure::place(&hop.url)
    )))
}

/// One request, to an address that may be reached.
pub(super) async fn send(
    hop: &Hop,
    options: &HttpOptions,
    tls: &Tls,
) -> Result<Response, ToolError> {
    let found = look_up(&hop.url).await?;
    let checked = address::reachable(&hop.url, &found, options)?;
    let tls = tls.for_scheme(hop.url.scheme()).await;
    let tls = tls.map_err(ToolError::permanent)?;
    let client = Client::builder()
        .dns_resolver(Checked(checked))
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(USER_AGENT)
        .tls_backend_preconfigured(tls)
        // Whatever else in this program has it compiled in: a workflow sees what the server sends.
        .no_gzip()
        .build()
        .map_err(|error| failure::transport("preparing a request to", &hop.url, &error))?;
    let mut request = client
        .request(hop.method.clone(), hop.url.clone())
        .headers(hop.headers.clone());
    if let Some(body) = &hop.body {
        request = request.body(body.clone());
    }
    request
        .send()
        .await
        .map_err(|error| failure::transport("the request to", &hop.url, &error))
}

/// Every address of a URL's host: itself if it is one, else what the system's resolver says.
async fn look_up(url: &Url) -> Result<Vec<SocketAddr>, ToolError> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(ToolError::permanent("the URL names no host"));
    };
    if let Some(address) = address::literal(host) {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = tokio::net::lookup_host((host, port)).await;
    Ok(found
        .map_err(|error| failure::lookup(url, &error))?
        .collect())
}

/// Answers the addresses that were checked, whatever is asked.
#[derive(Debug)]
struct Checked(Vec<SocketAddr>);

impl Resolve for Checked {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(async { Ok(addresses) })
    }
}
