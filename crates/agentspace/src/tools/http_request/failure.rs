//! What an exchange that brought no answer is called.
//!
//! Must not show more of a URL than scheme, host and port: paths and queries hold tokens.

use std::error::Error;
use std::io;

use gateway::ToolError;
use reqwest::Url;

/// Where a URL points, and nothing that it says there.
pub(super) fn place(url: &Url) -> String {
    let mut place = url.clone();
    // None of these can fail on http and https, which have a host.
    let _ = place.set_username("");
    let _ = place.set_password(None);
    place.set_path("/");
    place.set_query(None);
    place.set_fragment(None);
    place.into()
}

/// The call was cancelled or its time was over.
pub(super) fn stopped(doing: &str, url: &Url) -> ToolError {
    ToolError::retryable(format!(
        "{doing} {} was stopped: its time was over or it was cancelled",
        place(url)
    ))
}

/// No address was found for the host.
pub(super) fn lookup(url: &Url, error: &io::Error) -> ToolError {
    let cause = cause(error);
    ToolError::retryable(format!("looking up {} failed: {cause}", place(url)))
}

/// No answer came, or not all of it.
pub(super) fn transport(doing: &str, url: &Url, error: &reqwest::Error) -> ToolError {
    let place = place(url);
    let message = if speaks_of_tls(error) {
        format!("the TLS handshake with {place} failed: {}", cause(error))
    } else if error.is_connect() {
        format!("connecting to {place} failed: {}", cause(error))
    } else {
        format!("{doing} {place} failed: {}", cause(error))
    };
    ToolError::retryable(message)
}

fn speaks_of_tls(error: &(dyn Error + 'static)) -> bool {
    last(error).is::<rustls::Error>()
}

/// The innermost error in the words of the system; the outer ones only say who noticed it.
pub(in crate::tools) fn cause(error: &(dyn Error + 'static)) -> String {
    let text = last(error).to_string();
    // "Connection refused (os error 111)"
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if letters.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        Some(_) | None => text.to_owned(),
    }
}

fn last<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    let mut error = error;
    loop {
        // An error that `io::Error` wraps is not its source but the error itself.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|inner| inner as &(dyn Error + 'static));
        match wrapped.or_else(|| error.source()) {
            Some(inner) => error = inner,
            None => return error,
        }
    }
}
