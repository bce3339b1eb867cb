//! Tools that a host has from somebody else, and finds when they are needed.

use std::sync::Arc;

use async_trait::async_trait;
use workflow_types::id::{ServerName, ToolName};

use super::{Tool, ToolError};

/// Where a host has tools from whose names and schemas it learns only by asking, such as an MCP
/// server.
///
/// Its tools are called `<source>.<tool>`. Nothing is asked of it before one of them is needed: not
/// when it is registered, and not when a workflow is checked.
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use gateway::workflow_types::id::{ServerName, ToolName};
/// use gateway::{Gateway, Tool, ToolError, ToolSource};
///
/// struct Nothing(ServerName);
///
/// #[async_trait]
/// impl ToolSource for Nothing {
///     fn name(&self) -> &ServerName {
///         &self.0
///     }
///
///     async fn find(&self, name: &ToolName) -> Result<Arc<dyn Tool>, ToolError> {
///         Err(ToolError::permanent(format!("there is no tool `{name}`")))
///     }
///
///     async fn all(&self) -> Result<Vec<Arc<dyn Tool>>, ToolError> {
///         Ok(Vec::new())
///     }
/// }
///
/// let builder = Gateway::builder().tool_source(Arc::new(Nothing("nothing".parse()?)));
/// # Ok::<(), gateway::workflow_types::id::NameError>(())
/// ```
#[async_trait]
pub trait ToolSource: Send + Sync + 'static {
    /// The part of its tools' names before the first dot.
    fn name(&self) -> &ServerName;

    /// The tool of a name that begins with the source's. Asked for every attempt of a step, and
    /// after a crash for what the tool does to the world; dropped when the attempt's time is over.
    ///
    /// # Errors
    ///
    /// Retryable if the source does not answer, permanent if it has no such tool.
    async fn find(&self, name: &ToolName) -> Result<Arc<dyn Tool>, ToolError>;

    /// Every tool that it has now.
    ///
    /// # Errors
    ///
    /// Those of [`ToolSource::find`].
    async fn all(&self) -> Result<Vec<Arc<dyn Tool>>, ToolError>;

    /// Ends what it has started; called when the gateway shuts down and no call runs any more.
    async fn close(&self) {}
}
