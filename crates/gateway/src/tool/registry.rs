//! The tools of a gateway: those that are registered, and those that sources have.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use workflow_types::id::{ServerName, ToolName};
use workflow_types::output_schema::{Subject, in_one_line};

use super::{Effect, Tool, ToolCall, ToolError, ToolSource, ToolSpec};

/// The tools of a gateway by name, and the sources that have more of them.
#[derive(Clone, Default)]
pub struct ToolRegistry {
    tools: BTreeMap<ToolName, Registered>,
    sources: BTreeMap<ServerName, Arc<dyn ToolSource>>,
}

/// A tool with the spec that it gave when it was registered.
#[derive(Clone)]
pub struct Registered {
    spec: Arc<ToolSpec>,
    tool: Arc<dyn Tool>,
}

impl Registered {
    /// A tool with what it says of itself.
    fn new(tool: Arc<dyn Tool>) -> Self {
        let spec = Arc::new(tool.spec());
        Self { spec, tool }
    }

    /// What the tool is.
    pub fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    /// The same, to be kept.
    pub(crate) fn shared_spec(&self) -> Arc<ToolSpec> {
        Arc::clone(&self.spec)
    }

    /// What a call with these arguments does to the world.
    pub fn effect_of(&self, args: &Map<String, Value>) -> Effect {
        self.tool.effect_of(args)
    }

    /// Whether the arguments fit the schema of the tool; says nothing of what is in them.
    ///
    /// # Errors
    ///
    /// Everything that does not fit, as the permanent failure of a call.
    pub fn check(&self, args: &Map<String, Value>) -> Result<(), ToolError> {
        let Some(schema) = self.spec.input() else {
            return Ok(());
        };
        let name = self.spec.name();
        let value = Value::Object(args.clone());
        let subject = Subject::new("args").taken_by(name.as_ref()).masked();
        let problems = schema.problems(&value, &subject);
        if problems.is_empty() {
            return Ok(());
        }
        let problems = in_one_line(&problems);
        let message = format!("the arguments do not fit tool `{name}`: {problems}");
        Err(ToolError::permanent(message))
    }

    /// Calls it.
    pub async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        self.tool.call(call).await
    }
}

impl ToolRegistry {
    /// Adds a tool; answers the name if another tool has it.
    pub fn add(&mut self, tool: Arc<dyn Tool>) -> Result<(), ToolName> {
        let registered = Registered::new(tool);
        let name = registered.spec.name().clone();
        if self.tools.contains_key(&name) {
            return Err(name);
        }
        self.tools.insert(name, registered);
        Ok(())
    }

    /// Adds a source of tools; answers its name if another source has it.
    pub fn add_source(&mut self, source: Arc<dyn ToolSource>) -> Result<(), ServerName> {
        let name = source.name().clone();
        if self.sources.contains_key(&name) {
            return Err(name);
        }
        self.sources.insert(name, source);
        Ok(())
    }

    /// The tool of a name, be it registered or a source's; none if neither can have it.
    ///
    /// # Errors
    ///
    /// Those of [`ToolSource::find`].
    pub async fn find(&self, name: &ToolName) -> Result<Option<Registered>, ToolError> {
        match self.look_up(name) {
            Some(found) => found.tool(name).await.map(Some),
            None => Ok(None),
        }
    }

    /// Where the tool of a name is to be had, if anywhere.
    pub(crate) fn look_up(&self, name: &ToolName) -> Option<Found> {
        let registered = self.get(name).cloned().map(Found::Registered);
        registered.or_else(|| self.source_of(name).cloned().map(Found::Source))
    }

    /// The source that a tool's name belongs to.
    pub fn source_of(&self, name: &ToolName) -> Option<&Arc<dyn ToolSource>> {
        let (source, _) = name.as_ref().split_once('.')?;
        self.sources.get(source)
    }

    /// Every source in the order of their names.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<dyn ToolSource>> {
        self.sources.values()
    }

    /// Ends what the sources have started, all at once.
    pub async fn close(&self) {
        let mut closing = tokio::task::JoinSet::new();
        for source in self.sources.values() {
            let source = Arc::clone(source);
            closing.spawn(async move { source.close().await });
        }
        closing.join_all().await;
    }

    /// The registered tool of a name; none of a source's.
    pub fn get(&self, name: &ToolName) -> Option<&Registered> {
        self.tools.get(name)
    }

    /// Every registered tool in the order of their names; none of a source's.
    pub fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.tools.values()
    }
}

/// Where a tool is to be had.
pub(crate) enum Found {
    /// Here.
    Registered(Registered),
    /// From a source, which has to be asked.
    Source(Arc<dyn ToolSource>),
}

impl Found {
    /// The tool.
    pub(crate) async fn tool(self, name: &ToolName) -> Result<Registered, ToolError> {
        match self {
            Self::Registered(tool) => Ok(tool),
            Self::Source(source) => source.find(name).await.map(Registered::new),
        }
    }
}
