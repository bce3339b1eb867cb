//! Signatures as Standard Webhooks says (standardwebhooks.com): HMAC-SHA256 over id, time and body.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What a secret begins with whose rest is base64.
const PREFIX: &str = "whsec_";

/// What requests are signed with; it is shown to nobody.
pub(super) struct Secret(Vec<u8>);

/// Why there is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SecretError {
    #[error("the environment variable {0} that should hold its secret is not set")]
    Missing(String),
    #[error("the secret in the environment variable {0} is no base64 behind `whsec_`")]
    NoBase64(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Secret {
    /// The secret in an environment variable.
    pub(super) fn read(variable: &str) -> Result<Self, SecretError> {
        let text = std::env::var(variable).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(SecretError::Missing(variable.to_owned()));
        }
        Self::parse(text.trim()).ok_or_else(|| SecretError::NoBase64(variable.to_owned()))
    }

    /// What stands behind the prefix is base64; a text without it is the secret itself.
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).ok().map(Self),
            None => Some(Self(text.as_bytes().to_vec())),
        }
    }

    /// The signature of a request; `seconds` is when it is sent, since 1970.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        // A key of any length is good.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        let code = mac.finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(code))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use standardwebhooks::Webhook;

    use super::*;

    proptest! {
        #[test]
        fn the_reference_library_signs_alike(
            key in prop::collection::vec(any::<u8>(), 0..200),
            id in "[ -~]{0,40}",
            seconds in any::<i64>(),
            body in "\\PC{0,300}",
        ) {
            let encoded = format!("{PREFIX}{}", STANDARD.encode(&key));
            let ours = Secret::parse(&encoded).unwrap();
            let reference = Webhook::new(&encoded).unwrap();
            let expected = reference.sign(&id, seconds, body.as_bytes()).unwrap();
            prop_assert_eq!(ours.sign(&id, seconds, body.as_bytes()), expected);
        }
    }

    #[test]
    fn a_text_without_the_prefix_is_the_secret_itself() {
        let ours = Secret::parse("open sesame").unwrap();
        let reference = Webhook::from_bytes(b"open sesame".to_vec()).unwrap();
        assert_eq!(
            ours.sign("a", 1, b"{}"),
            reference.sign("a", 1, b"{}").unwrap()
        );
        assert!(Secret::parse("whsec_no base64").is_none());
        assert_eq!(format!("{ours:?}"), "[secret]");
    }

    #[test]
    fn a_missing_secret_is_named_by_its_variable() {
        let missing = Secret::read("AGENTSPACE_NO_SUCH_SECRET")
            .unwrap_err()
            .to_string();
        assert!(missing.contains("AGENTSPACE_NO_SUCH_SECRET"), "{missing}");
    }
}
