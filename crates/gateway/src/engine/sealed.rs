//! What a call is made with while its secrets are only named, and what comes back of it.
//!
//! Opened within the attempt and never stored: what is stored stays sealed.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use workflow_types::template::{self, SecretMark};

use crate::secret::{SecretError, SecretValue, Secrets};

/// A part of a request, whose secrets are put in when the call is made.
pub(super) struct Sealed<T> {
    content: T,
    /// Where they go, seen from the content.
    marks: Vec<SecretMark>,
    secrets: Secrets,
}

impl<T: Serialize + DeserializeOwned> Sealed<T> {
    pub(super) fn new(content: T, marks: Vec<SecretMark>, secrets: &Secrets) -> Self {
        Self {
            content,
            marks,
            secrets: secrets.clone(),
        }
    }

    /// The content with the values of its secrets, which are asked for now.
    ///
    /// # Errors
    ///
    /// If one cannot be had, or the attempt is cancelled before all are there.
    pub(super) async fn open(self, cancelled: &CancellationToken) -> Result<T, SecretError> {
        if self.marks.is_empty() {
            return Ok(self.content);
        }
        let names = self.marks.iter().map(SecretMark::name);
        let values = tokio::select! {
            biased;
            values = self.secrets.reveal(names) => values?,
            () = cancelled.cancelled() => {
                let message = "the secrets were not there before the call was cancelled";
                return Err(SecretError::retryable(message));
            }
        };
        let damaged = |error: &dyn std::fmt::Display| {
            SecretError::permanent(format!("the stored request is damaged: {error}"))
        };
        let mut content = serde_json::to_value(self.content).map_err(|error| damaged(&error))?;
        template::reveal(&mut content, &self.marks, |name| {
            values.get(name).map(SecretValue::expose)
        })
        .map_err(|error| damaged(&error))?;
        // An error of serde would quote what it could not read.
        T::deserialize(content).map_err(|_| damaged(&"a secret stands where no text may be"))
    }
}
