//! The words of `agentspace models`.

use clap::Subcommand;
use gateway::workflow_types::id::ModelName;

/// `models`
#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// List them, with where each is configured and whether its key is there.
    Ls,
    /// Ask one a short question, and show its answer or why there is none.
    Test {
        /// Its name in agentspace.toml; the default model if none is given.
        name: Option<ModelName>,
        /// The question.
        #[arg(
            long,
            value_name = "TEXT",
            default_value = "Answer with the one word: ready"
        )]
        prompt: String,
    },
}
