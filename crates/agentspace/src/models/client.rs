//! Asks a model over HTTP, by the crate that knows the providers' wire formats.
//!
//! Nothing is repeated here: whether a failed question is asked again is the workflow's business.

use std::time::Duration;

use async_trait::async_trait;
use gateway::workflow_types::config::{Adapter, ModelConfig};
use gateway::workflow_types::id::ModelName;
use gateway::{Clock as _, Mask, ModelClient, ModelError, ModelReply, ModelRequest, SystemClock};
use genai::adapter::AdapterKind;
use genai::resolver::{AuthData, Endpoint};
use genai::{ModelIden, ServiceTarget};
use reqwest::redirect;
use tokio::sync::OnceCell;

use super::failure::Failing;
use super::key::{Key, KeySource};
use super::{answer, question, unread};
use crate::tls::Tls;

/// How long the addresses of a provider together may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How the client introduces itself.
const USER_AGENT: &str = concat!("agentspace/", env!("CARGO_PKG_VERSION"));
/// Sent where a server wants no key, but the format has a place for one.
const NO_KEY: &str = "none";

/// A model that is asked over HTTP.
pub(super) struct Client {
    name: ModelName,
    config: ModelConfig,
    tls: Tls,
    /// Made when the first question needs it.
    web: OnceCell<genai::Client>,
}

impl Client {
    /// The model of a configuration; nothing is opened yet.
    pub(super) fn new(name: ModelName, config: ModelConfig) -> Self {
        Self {
            name,
            config,
            tls: Tls::default(),
            web: OnceCell::new(),
        }
    }

    async fn exchange(
        &self,
        request: &ModelRequest,
        key: Option<Key>,
    ) -> Result<ModelReply, ModelError> {
        let failing = Failing {
            model: &self.name,
            config: &self.config,
            key: key.as_ref(),
        };
        let web = self.web.get_or_try_init(|| self.connect()).await;
        let web = web.map_err(|reason| failing.permanently(&reason))?;
        let target = self.target(web, key.as_ref()).await;
        let target = target.map_err(|error| failing.by(&error, SystemClock.now()))?;
        let options = question::options(&self.config, request);
        let answered = web
            .exec_chat(target, question::of(request), Some(&options))
            .await;
        let response = answered.or_else(|error| {
            let response = unread::response(&error);
            response.ok_or_else(|| failing.by(&error, SystemClock.now()))
        })?;
        let reply = answer::reply(response, &request.tools);
        let reply = reply.map_err(|reason| failing.retryable(&reason))?;
        Ok(match self.config.cost(&reply.usage) {
            Some(cost) => reply.with_cost(cost),
            None => reply,
        })
    }

    /// An HTTP client of our own making: it trusts whom the machine trusts, follows no redirect,
    /// which could carry the key elsewhere, and repeats nothing.
    async fn connect(&self) -> Result<genai::Client, String> {
        let scheme = match &self.config.base_url {
            Some(url) if url.starts_with("http://") => "http",
            None if self.config.adapter == Adapter::Ollama => "http",
            Some(_) | None => "https",
        };
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(USER_AGENT)
            .tls_backend_preconfigured(self.tls.for_scheme(scheme).await?)
            .build()
            .map_err(|error| format!("preparing requests failed: {error}"))?;
        genai::Client::builder()
            .with_reqwest(http)
            .build()
            .map_err(|error| format!("preparing requests failed: {error}"))
    }

    /// Whom to ask, where and with which key.
    async fn target(
        &self,
        web: &genai::Client,
        key: Option<&Key>,
    ) -> Result<ServiceTarget, genai::Error> {
        let kind = kind(self.config.adapter);
        let model = ModelIden::new(kind, self.config.model.clone());
        let mut target = web.resolve_service_target(model).await?;
        target.auth = AuthData::from_single(key.map_or(NO_KEY, Key::reveal));
        if let Some(url) = &self.config.base_url {
            // The format's path is put behind it as it is.
            let url = format!("{}/", url.trim_end_matches('/'));
            target.endpoint = Endpoint::from_owned(url);
        }
        Ok(target)
    }

    /// The key, unless none is needed.
    fn key(&self) -> Result<Option<Key>, ModelError> {
        match KeySource::of(&self.config) {
            KeySource::Nothing => Ok(None),
            KeySource::Variable(name) => match Key::read(&name) {
                Some(key) => Ok(Some(key)),
                None => Err(ModelError::Permanent {
                    message: format!(
                        "model `{}` has no key: set the environment variable {name}, or name \
                         another one with `key_env` in agentspace.toml",
                        self.name
                    ),
                }),
            },
        }
    }
}

#[async_trait]
impl ModelClient for Client {
    fn conceal(&self, mask: &Mask) {
        // A key that is missing is told by the question that needs it.
        if let Ok(Some(key)) = self.key() {
            key.add_to(mask);
        }
    }

    async fn ask(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        let key = self.key()?;
        let exchange = self.exchange(&request, key);
        // The deadline of the step fires the same token.
        let bounded = async {
            match self.config.timeout {
                None => Some(exchange.await),
                Some(timeout) => {
                    let until = SystemClock.now().saturating_add(timeout);
                    tokio::select! {
                        answer = exchange => Some(answer),
                        () = SystemClock.sleep_until(until) => None,
                    }
                }
            }
        };
        let name = &self.name;
        let retryable = |message| Err(ModelError::Retryable { message });
        match request.cancelled.run_until_cancelled(bounded).await {
            Some(Some(answer)) => answer,
            Some(None) => {
                let timeout = self.config.timeout.unwrap_or_default();
                let timeout = gateway::workflow_types::duration::format(timeout);
                retryable(format!(
                    "model `{name}` did not answer within its timeout of {timeout}"
                ))
            }
            None => retryable(format!(
                "asking model `{name}` was stopped: its time was over or it was cancelled"
            )),
        }
    }
}

/// The name that the library has for a wire format.
fn kind(adapter: Adapter) -> AdapterKind {
    match adapter {
        Adapter::OpenAi => AdapterKind::OpenAI,
        Adapter::OpenAiResponses => AdapterKind::OpenAIResp,
        Adapter::Anthropic => AdapterKind::Anthropic,
        Adapter::Gemini => AdapterKind::Gemini,
        Adapter::Ollama => AdapterKind::Ollama,
        Adapter::Cohere => AdapterKind::Cohere,
        Adapter::DeepSeek => AdapterKind::DeepSeek,
        Adapter::Groq => AdapterKind::Groq,
        Adapter::Mistral => AdapterKind::Mistral,
        Adapter::OpenRouter => AdapterKind::OpenRouter,
        Adapter::Together => AdapterKind::Together,
        Adapter::Xai => AdapterKind::Xai,
    }
}
