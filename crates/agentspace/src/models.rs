//! The models that `agentspace.toml` names, given to a gateway.
//!
//! Must not know workflows, steps or the database: a client sees one question and nothing around
//! it. The key of a model is read from the environment when the model is asked, and is known besides
//! to the mask alone, which takes it out of everything.

#[cfg(feature = "models")]
mod answer;
#[cfg(feature = "models")]
mod client;
#[cfg(feature = "models")]
mod conversation;
#[cfg(feature = "models")]
mod failure;
mod key;
#[cfg(not(feature = "models"))]
mod missing;
#[cfg(feature = "models")]
mod patience;
#[cfg(feature = "models")]
mod question;
#[cfg(feature = "models")]
mod unread;

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway::workflow_types::config::ModelConfig;
use gateway::workflow_types::id::ModelName;
use gateway::{GatewayBuilder, ModelClient};

#[cfg(feature = "models")]
use client::Client;
#[cfg(not(feature = "models"))]
use missing::Client;

pub(crate) use key::KeySource;

/// The models of a configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Models {
    /// How each is asked.
    pub(crate) all: BTreeMap<ModelName, ModelConfig>,
    /// The one that is asked where a step names none.
    pub(crate) default: Option<ModelName>,
}

impl Models {
    /// The one that is asked where a step names none: as configured, or the only one there is.
    pub(crate) fn default_name(&self) -> Option<&ModelName> {
        let only = || self.all.keys().next().filter(|_| self.all.len() == 1);
        self.default.as_ref().or_else(only)
    }

    /// The client of a model.
    pub(crate) fn client(&self, name: &ModelName) -> Option<Arc<dyn ModelClient>> {
        let config = self.all.get(name)?;
        Some(Arc::new(Client::new(name.clone(), config.clone())))
    }

    /// Gives all of them to a gateway, the default first, as it wants it.
    pub(crate) fn add_to(&self, builder: GatewayBuilder) -> GatewayBuilder {
        let default = self.default_name();
        let others = self.all.keys().filter(|name| Some(*name) != default);
        default
            .into_iter()
            .chain(others)
            .filter_map(|name| Some((name, self.client(name)?)))
            .fold(builder, |builder, (name, client)| {
                builder.shared_model(name.clone(), client)
            })
    }
}
