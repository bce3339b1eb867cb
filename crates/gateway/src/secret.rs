//! The interface by which a host gives the values of secrets to the gateway, for a call at a time.
//!
//! A step names a secret; what is stored and shown of it is its name. An attempt asks for the value
//! just before its call, and what comes back from the call is masked before anybody keeps it.

mod mask;
mod view;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use workflow_types::id::SecretName;

pub use mask::Mask;

/// The fewest bytes of a value: what is shorter stands in every other text by chance, so that it
/// cannot be masked.
pub const SHORTEST_SECRET: usize = 4;
/// The most bytes of a value.
pub const LONGEST_SECRET: usize = 64 * 1024;

/// Where a host has its secrets from.
///
/// It is asked anew for every attempt, so that a value may change between two of them. Nothing is
/// asked before a step needs it. After a restart it is asked once more for what the earlier steps of
/// an execution were given, because whatever comes back from a call is masked with that, too.
///
/// A function is a source, too:
///
/// ```
/// use gateway::workflow_types::id::SecretName;
/// use gateway::{Gateway, SecretValue};
///
/// let secrets = |name: &SecretName| match name.as_ref() {
///     "API_TOKEN" => SecretValue::new("example-token").ok(),
///     _ => None,
/// };
/// let builder = Gateway::builder().secrets(secrets);
/// ```
#[async_trait]
pub trait SecretSource: Send + Sync + 'static {
    /// The names that there are, so that a workflow which names another is refused; none if that
    /// is not known beforehand.
    fn names(&self) -> Option<Vec<SecretName>>;

    /// The value of a secret. The future is dropped when the time of the attempt is over.
    ///
    /// # Errors
    ///
    /// Permanent if there is no such secret, retryable if its keeper does not answer. The text is
    /// stored and shown.
    async fn reveal(&self, name: &SecretName) -> Result<SecretValue, SecretError>;
}

#[async_trait]
impl<F> SecretSource for F
where
    F: Fn(&SecretName) -> Option<SecretValue> + Send + Sync + 'static,
{
    fn names(&self) -> Option<Vec<SecretName>> {
        None
    }

    async fn reveal(&self, name: &SecretName) -> Result<SecretValue, SecretError> {
        self(name).ok_or_else(|| SecretError::permanent("it is not known"))
    }
}

/// The value of a secret: it has no form that could be printed or stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Arc<str>);

impl SecretValue {
    /// A value of [`SHORTEST_SECRET`] to [`LONGEST_SECRET`] bytes.
    ///
    /// # Errors
    ///
    /// Permanent, if it has fewer or more.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text: String = text.into();
        let bytes = text.len();
        match bytes {
            0 => Err(SecretError::permanent("its value is empty")),
            SHORTEST_SECRET..=LONGEST_SECRET => Ok(Self(text.into())),
            _ => Err(SecretError::permanent(format!(
                "its value has {bytes} bytes, expected {SHORTEST_SECRET} to {LONGEST_SECRET}"
            ))),
        }
    }

    /// The value, for the call that it is meant for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why a secret has no value; must not say anything of the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SecretError {
    message: String,
    retryable: bool,
}

impl SecretError {
    /// A failure that another attempt may mend.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: true,
        }
    }

    /// A failure that no other attempt will mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: false,
        }
    }

    /// Whether another attempt may succeed.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

/// The secrets of a gateway: where they are from, and what was revealed.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    pub(crate) source: Option<Arc<dyn SecretSource>>,
    pub(crate) mask: Mask,
}

/// The values that one attempt has been given.
pub(crate) type Revealed = BTreeMap<SecretName, SecretValue>;

impl Secrets {
    /// The values of secrets. Each is in the mask before anybody has it.
    pub(crate) async fn reveal(
        &self,
        names: impl IntoIterator<Item = &SecretName>,
    ) -> Result<Revealed, SecretError> {
        let mut revealed = Revealed::new();
        for name in names {
            if revealed.contains_key(name) {
                continue;
            }
            let value = self.value(name).await.map_err(|error| SecretError {
                message: format!("secret `{name}` cannot be had: {}", error.message),
                ..error
            })?;
            self.mask.add(name, &value);
            revealed.insert(name.clone(), value);
        }
        Ok(revealed)
    }

    /// Has the mask know the values of those that it knows none of: after a start, none at all.
    pub(crate) async fn recall<'n>(
        &self,
        names: impl IntoIterator<Item = &'n SecretName>,
    ) -> Result<(), SecretError> {
        let names = names.into_iter();
        let unknown: Vec<&SecretName> = names.filter(|name| !self.mask.knows(name)).collect();
        self.reveal(unknown).await.map(drop)
    }

    async fn value(&self, name: &SecretName) -> Result<SecretValue, SecretError> {
        match &self.source {
            Some(source) => source.reveal(name).await,
            None => Err(SecretError::permanent("no secrets are configured")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_neither_too_short_nor_too_long_nor_printed() {
        let told = |text: &str| SecretValue::new(text).unwrap_err().to_string();
        assert_eq!(told(""), "its value is empty");
        assert_eq!(told("abc"), "its value has 3 bytes, expected 4 to 65536");
        assert!(told(&"x".repeat(LONGEST_SECRET + 1)).contains("65537 bytes"));
        assert_eq!(format!("{:?}", SecretValue::new("hunter2")), "Ok([secret])");
    }

    #[tokio::test]
    async fn a_failure_names_the_secret_and_says_whether_to_try_again() {
        let name: SecretName = "TOKEN".parse().unwrap();
        let error = Secrets::default().reveal([&name]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "secret `TOKEN` cannot be had: no secrets are configured"
        );
        assert!(!error.is_retryable());
    }
}
