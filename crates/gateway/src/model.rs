//! The interface by which a host gives its models to the gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use workflow_types::Timestamp;
use workflow_types::execution::{Cost, ModelTurn, ModelUsage};
use workflow_types::id::ModelName;

use crate::secret::Mask;
use crate::tool::ToolSpec;

/// A model of the host.
///
/// Asking a model is repeated after a crash: it costs, but it changes nothing.
#[async_trait]
pub trait ModelClient: Send + Sync + 'static {
    /// Asks the model. The future may be dropped at any point after the grace period.
    async fn ask(&self, request: ModelRequest) -> Result<ModelReply, ModelError>;

    /// Has a mask know what the client asks with and nobody may see, such as its key: providers
    /// repeat it in their errors, and tools may know it. Called when a gateway starts, and again
    /// before each question, so that it may change in between. Default: there is nothing.
    ///
    /// ```
    /// use gateway::{Mask, ModelClient, ModelError, ModelReply, ModelRequest, SecretValue};
    ///
    /// struct Remote(SecretValue);
    ///
    /// #[async_trait::async_trait]
    /// impl ModelClient for Remote {
    ///     async fn ask(&self, _: ModelRequest) -> Result<ModelReply, ModelError> {
    ///         let message = format!("incorrect key: {}", self.0.expose());
    ///         Err(ModelError::Permanent { message })
    ///     }
    ///
    ///     fn conceal(&self, mask: &Mask) {
    ///         if let Ok(name) = "REMOTE_KEY".parse() {
    ///             mask.add(&name, &self.0);
    ///         }
    ///     }
    /// }
    /// ```
    fn conceal(&self, mask: &Mask) {
        let _ = mask;
    }
}

/// A question to a model. How it is printed says nothing of its texts, which may have secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct ModelRequest {
    /// The question.
    pub prompt: String,
    /// The system prompt.
    pub system: Option<String>,
    /// The JSON Schema of the answer; a client that can enforce it should.
    pub schema: Option<Value>,
    /// Why the previous answer was refused, where there was one: it did not fit `schema`. The
    /// client tells the model, so that this answer can be a better one.
    pub previous_error: Option<String>,
    /// The tools that the model may call; if there are none, it can only answer.
    pub tools: Vec<Arc<ToolSpec>>,
    /// What it has answered before, in its order, with what became of the calls that it asked for:
    /// all of them are over.
    pub turns: Vec<Arc<ModelTurn>>,
    /// The same for every call that repeats this one.
    pub idempotency_key: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Fires at the deadline, at a cancellation and when the gateway shuts down.
    pub cancelled: CancellationToken,
    /// When the attempt must be over.
    pub deadline: Timestamp,
}

impl ModelRequest {
    /// A question that belongs to no step: the first attempt, without a schema.
    ///
    /// ```
    /// use gateway::{Clock as _, ModelRequest, SystemClock};
    /// use std::time::Duration;
    ///
    /// let deadline = SystemClock.now().saturating_add(Duration::from_secs(60));
    /// let request = ModelRequest::new("ready?", deadline);
    /// assert_eq!(request.attempt, 1);
    /// ```
    pub fn new(prompt: impl Into<String>, deadline: Timestamp) -> Self {
        Self {
            prompt: prompt.into(),
            system: None,
            schema: None,
            previous_error: None,
            tools: Vec::new(),
            turns: Vec::new(),
            idempotency_key: String::new(),
            attempt: 1,
            cancelled: CancellationToken::new(),
            deadline,
        }
    }
}

impl fmt::Debug for ModelRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelRequest")
            .field("idempotency_key", &self.idempotency_key)
            .field("attempt", &self.attempt)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ModelReply {
    /// The answer as text; it may be empty if tools are to be called.
    pub text: String,
    /// The tools that the model wants to be called before it goes on; none with its last answer.
    pub calls: Vec<WantedCall>,
    /// What it cost, and why it ended, as far as the provider says.
    pub usage: ModelUsage,
    /// What that amounts to in money, if the client knows prices.
    pub cost: Option<Cost>,
}

impl ModelReply {
    /// An answer of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            calls: Vec::new(),
            usage: ModelUsage::default(),
            cost: None,
        }
    }

    /// The same with tools that are to be called.
    ///
    /// ```
    /// use gateway::{ModelReply, WantedCall};
    ///
    /// let call = WantedCall::new("call_1", "restart", serde_json::json!({"service": "db"}));
    /// let reply = ModelReply::text("I restart it.").with_calls([call]);
    /// assert_eq!(reply.calls[0].tool, "restart");
    /// ```
    #[must_use]
    pub fn with_calls(mut self, calls: impl IntoIterator<Item = WantedCall>) -> Self {
        self.calls.extend(calls);
        self
    }

    /// The same with what it cost.
    ///
    /// ```
    /// use gateway::ModelReply;
    /// use gateway::workflow_types::execution::{FinishReason, ModelUsage};
    ///
    /// let reply = ModelReply::text("yes").with_usage(ModelUsage {
    ///     input_tokens: Some(20),
    ///     output_tokens: Some(1),
    ///     finish: Some(FinishReason::Stop),
    /// });
    /// assert_eq!(reply.usage.tokens(), 21);
    /// ```
    #[must_use]
    pub fn with_usage(mut self, usage: ModelUsage) -> Self {
        self.usage = usage;
        self
    }

    /// The same with what that amounts to in money.
    #[must_use]
    pub fn with_cost(mut self, cost: Cost) -> Self {
        self.cost = Some(cost);
        self
    }
}

/// A call that a model asks for, as it wrote it: nothing of it has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct WantedCall {
    /// The name by which the provider knows the call again.
    pub id: String,
    /// The tool; there may be none of that name.
    pub tool: String,
    /// The arguments; what is no object is refused, and the model is told. What is no JSON is the
    /// text that the model wrote.
    pub args: Value,
}

impl WantedCall {
    /// A call of a tool.
    pub fn new(id: impl Into<String>, tool: impl Into<String>, args: Value) -> Self {
        let (id, tool) = (id.into(), tool.into());
        Self { id, tool, args }
    }
}

/// Why a model did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Another attempt may succeed.
    #[error("{message}")]
    Retryable {
        /// What happened.
        message: String,
    },
    /// No other attempt will succeed.
    #[error("{message}")]
    Permanent {
        /// What happened.
        message: String,
    },
    /// The provider asks for patience.
    #[error("{message}")]
    RateLimited {
        /// What happened.
        message: String,
        /// How long to wait at least, where the provider says.
        retry_after: Option<Duration>,
    },
}

/// The models of a gateway by name; the first one is the default.
#[derive(Clone, Default)]
pub struct ModelRegistry {
    models: BTreeMap<ModelName, Arc<dyn ModelClient>>,
    default: Option<ModelName>,
}

impl ModelRegistry {
    /// Adds a model; answers the name if another model has it.
    pub fn add(&mut self, name: ModelName, model: Arc<dyn ModelClient>) -> Result<(), ModelName> {
        if self.models.contains_key(&name) {
            return Err(name);
        }
        self.default.get_or_insert_with(|| name.clone());
        self.models.insert(name, model);
        Ok(())
    }

    /// The model of a name.
    pub fn get(&self, name: &ModelName) -> Option<&Arc<dyn ModelClient>> {
        self.models.get(name)
    }

    /// The model that is asked where a step names none.
    pub fn default_model(&self) -> Option<(&ModelName, &Arc<dyn ModelClient>)> {
        let name = self.default.as_ref()?;
        self.models.get_key_value(name)
    }

    /// Has a mask know what all of them ask with.
    pub(crate) fn conceal(&self, mask: &Mask) {
        let models = self.models.values();
        models.for_each(|model| model.conceal(mask));
    }

    /// The names of all models.
    pub fn names(&self) -> impl Iterator<Item = &ModelName> {
        self.models.keys()
    }
}
