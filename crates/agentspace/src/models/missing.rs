//! What stands for a model's client in a program that was built without them.

use async_trait::async_trait;
use gateway::workflow_types::config::ModelConfig;
use gateway::workflow_types::id::ModelName;
use gateway::{ModelClient, ModelError, ModelReply, ModelRequest};

/// Says that there is none.
pub(super) struct Client(ModelName);

impl Client {
    pub(super) fn new(name: ModelName, _: ModelConfig) -> Self {
        Self(name)
    }
}

#[async_trait]
impl ModelClient for Client {
    async fn ask(&self, _: ModelRequest) -> Result<ModelReply, ModelError> {
        Err(ModelError::Permanent {
            message: format!(
                "model `{}` cannot be asked: this program was built without model clients; build \
                 it with the feature `models`",
                self.0
            ),
        })
    }
}
