//! What this program's requests trust when they speak TLS, whoever makes them.
//!
//! The certificate authorities are read once, when the first https request needs them: a machine
//! without any can still make http requests.

use std::sync::Arc;

use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, client, crypto};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

/// The TLS settings of all requests.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    machine: OnceCell<ClientConfig>,
}

impl Tls {
    /// For a URL of this scheme: https trusts whom the machine trusts, http needs nobody. The
    /// reason, in words, if there are no authorities.
    pub(crate) async fn for_scheme(&self, scheme: &str) -> Result<ClientConfig, String> {
        if scheme == "https" {
            let load = || async {
                // Reads many files.
                spawn_blocking(machine)
                    .await
                    .unwrap_or_else(|error| Err(error.to_string()))
            };
            let config = self.machine.get_or_try_init(load).await;
            return config.cloned().map_err(|reason| unavailable(&reason));
        }
        let config = builder().map_err(|reason| unavailable(&reason))?;
        Ok(config
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth())
    }
}

fn machine() -> Result<ClientConfig, String> {
    let config: ConfigBuilder<ClientConfig, client::WantsClientCert> = builder()?
        .with_platform_verifier()
        .map_err(|error| error.to_string())?;
    Ok(config.with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, String> {
    // Named here instead of installed for the process, which belongs to the host.
    ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
}

fn unavailable(reason: &str) -> String {
    format!(
        "https is not available: {reason}; install the machine's certificate authorities \
         (`ca-certificates`) or name a file of them in SSL_CERT_FILE"
    )
}
