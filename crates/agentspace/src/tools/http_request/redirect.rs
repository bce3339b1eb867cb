//! Where a redirect leads and what goes along: pure, one hop at a time.
//!
//! To another origin (scheme, host or port) goes what anybody may be told, and no body: whoever wrote
//! the request meant it for the first one. A body is refused rather than left out, because without
//! it the request would mean something else.
//!
//! Must not decide whether an address may be reached; every hop is checked like the first.

use gateway::ToolError;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE,
    HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use reqwest::{Method, StatusCode, Url};

use super::{IDEMPOTENCY_KEY, failure};

/// What may be told to another origin, unless it holds a secret. All else stays, because any header
/// may hold a token.
const TOLD_TO_ANYBODY: [HeaderName; 8] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_TYPE,
    IDEMPOTENCY_KEY,
    USER_AGENT,
];
/// What describes a body and goes with it.
const OF_THE_BODY: [HeaderName; 3] = [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE];

/// One request of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// Whether a URL is of a kind that requests are made to.
pub(super) fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

impl Hop {
    /// The request that this answer asks for, if it is a redirect.
    pub(super) fn next(
        &self,
        status: StatusCode,
        location: Option<&HeaderValue>,
    ) -> Result<Option<Self>, ToolError> {
        let (true, Some(location)) = (redirects(status), location) else {
            return Ok(None);
        };
        let url = std::str::from_utf8(location.as_bytes())
            .ok()
            .and_then(|location| self.url.join(location).ok())
            .filter(is_http)
            .ok_or_else(|| {
                ToolError::permanent(format!(
                    "{} redirects to something that is no http or https URL",
                    failure::place(&self.url)
                ))
            })?;
        let mut next = Self {
            url,
            ..self.clone()
        };
        if becomes_get(status, &self.method) {
            next.method = Method::GET;
            next.body = None;
            for name in OF_THE_BODY {
                next.headers.remove(name);
            }
        }
        if next.url.origin() != self.url.origin() {
            if next.body.as_ref().is_some_and(|body| !body.is_empty()) {
                return Err(self.body_stays(&next.url));
            }
            next.headers = told_to_anybody(&next.headers);
        }
        Ok(Some(next))
    }

    fn body_stays(&self, elsewhere: &Url) -> ToolError {
        ToolError::permanent(format!(
            "{} redirects the request to {}, and its body is not sent to another origin; write the \
             final address as `url`, or set `followRedirects` to false and let the workflow decide",
            failure::place(&self.url),
            failure::place(elsewhere),
        ))
    }
}

fn redirects(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// As browsers do and RFC 9110 allows: POST becomes GET, and 303 always means "look there".
fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        301 | 302 => *method == Method::POST,
        303 => *method != Method::HEAD,
        _ => false,
    }
}

fn told_to_anybody(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, value)| TOLD_TO_ANYBODY.contains(name) && !value.is_sensitive())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: Method) -> Hop {
        let headers = [
            ("authorization", "Bearer t"),
            ("cookie", "c"),
            ("x-api-key", "k"),
            ("accept", "text/plain"),
            ("content-type", "text/plain"),
        ];
        Hop {
            method,
            url: Url::parse("https://user:word@a.example/x/y?q=1").unwrap(),
            headers: headers
                .into_iter()
                .map(|(name, value)| {
                    (
                        HeaderName::from_static(name),
                        HeaderValue::from_static(value),
                    )
                })
                .collect(),
            body: Some(b"body".to_vec()),
        }
    }

    fn after(method: Method, status: u16, location: &str) -> Result<Option<Hop>, ToolError> {
        let status = StatusCode::from_u16(status).unwrap();
        hop(method).next(status, Some(&HeaderValue::from_str(location).unwrap()))
    }

    #[test]
    fn the_method_follows_the_status() {
        for (method, status, expected, keeps_body) in [
            (Method::POST, 301, Method::GET, false),
            (Method::POST, 302, Method::GET, false),
            (Method::PUT, 302, Method::PUT, true),
            (Method::PUT, 303, Method::GET, false),
            (Method::HEAD, 303, Method::HEAD, true),
            (Method::POST, 307, Method::POST, true),
            (Method::POST, 308, Method::POST, true),
        ] {
            let next = after(method, status, "z").unwrap().unwrap();
            assert_eq!((next.method, next.body.is_some()), (expected, keeps_body));
            assert_eq!(next.headers.contains_key(CONTENT_TYPE), keeps_body);
            assert_eq!(next.url.as_str(), "https://user:word@a.example/x/z");
            assert_eq!(next.headers.len(), if keeps_body { 5 } else { 4 });
        }
    }

    const ELSEWHERE: [&str; 5] = [
        "https://b.example/",
        "http://a.example/",
        "//a.example:444/",
        "https://x.a.example/",
        r"\\b.example",
    ];

    #[test]
    fn only_harmless_headers_cross_to_another_origin() {
        for location in ELSEWHERE {
            let mut hop = hop(Method::POST);
            hop.body = None;
            let mut agent = HeaderValue::from_static("with a secret");
            agent.set_sensitive(true);
            hop.headers.insert(USER_AGENT, agent);
            let location = HeaderValue::from_static(location);
            let status = StatusCode::TEMPORARY_REDIRECT;
            let next = hop.next(status, Some(&location)).unwrap().unwrap();
            let names: Vec<&str> = next.headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(names, ["accept", "content-type"], "{location:?}");
            assert_eq!(next.url.username(), "", "{location:?}");
        }
    }

    #[test]
    fn no_body_crosses_to_another_origin() {
        for location in ELSEWHERE {
            for (method, status) in [
                (Method::POST, 307),
                (Method::POST, 308),
                (Method::PUT, 301),
                (Method::DELETE, 302),
                (Method::GET, 302),
                (Method::HEAD, 303),
            ] {
                let error = after(method, status, location).unwrap_err();
                assert!(!error.is_retryable());
                let error = error.to_string();
                let words = "is not sent to another origin";
                assert!(error.starts_with("https://a.example/ redirects"), "{error}");
                assert!(error.contains(words) && !error.contains("word@"), "{error}");
            }
            let looks = after(Method::POST, 303, location).unwrap().unwrap();
            assert_eq!((looks.method, looks.body), (Method::GET, None));
        }
        // The same one, however it is written.
        for location in ["https://a.example:443/z", "HTTPS://A.example/z", "/z", "?q"] {
            let near = after(Method::POST, 307, location).unwrap().unwrap();
            assert!(near.body.is_some() && near.headers.len() == 5, "{location}");
        }
    }

    #[test]
    fn other_answers_are_answers() {
        for status in [200, 300, 304, 404] {
            assert_eq!(after(Method::GET, status, "z").unwrap(), None);
        }
        assert_eq!(
            hop(Method::GET).next(StatusCode::FOUND, None).unwrap(),
            None
        );
    }

    #[test]
    fn a_redirect_out_of_http_is_refused_without_showing_paths() {
        for location in ["file:///etc/passwd", "ftp://a.example", "https://", "//[x"] {
            let error = after(Method::GET, 302, location).unwrap_err();
            assert_eq!(
                error.to_string(),
                "https://a.example/ redirects to something that is no http or https URL"
            );
        }
    }
}
