//! One POST request, of whose answer nobody reads the body: for what is told and not asked.
//!
//! It goes where a call of the tool may go, by the same client; redirects are not followed.

use gateway::ToolError;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};

use super::redirect::Hop;
use super::{HttpOptions, exchange};
use crate::tls::Tls;

/// Posts, under the limits of the tool.
#[derive(Debug)]
pub(crate) struct Poster {
    options: HttpOptions,
    tls: Tls,
}

impl Poster {
    /// Under these limits.
    pub(crate) fn new(options: HttpOptions) -> Self {
        Self {
            options,
            tls: Tls::default(),
        }
    }

    /// Posts a body; answers status and headers as soon as they are there.
    pub(crate) async fn post(
        &self,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<(StatusCode, HeaderMap), ToolError> {
        let hop = Hop {
            method: Method::POST,
            url,
            headers,
            body: Some(body),
        };
        let answer = exchange::send(&hop, &self.options, &self.tls).await?;
        Ok((answer.status(), answer.headers().clone()))
    }
}
