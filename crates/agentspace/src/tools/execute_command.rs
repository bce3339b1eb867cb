//! The tool `execute_command`: from arguments to an invocation, from an exit to an answer.
//!
//! Must not split, quote or expand anything: an argv element reaches the program byte for byte.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use async_trait::async_trait;
use gateway::workflow_types::id::ToolName;
use gateway::{Effect, Tool, ToolCall, ToolError, ToolSpec};
use serde_json::{Map, Value, json};

mod capture;
pub(super) mod environment;
pub(super) mod process;
#[cfg(test)]
mod tests;

use super::args::{Args, mismatch, scalar};
use crate::config;
pub(crate) use environment::Inherit;
use process::Finished;

/// What the tool is called.
pub(crate) const NAME: &str = "execute_command";

/// Bytes of stdout and of stderr that an answer holds, unless configured.
const DEFAULT_KEPT_BYTES: usize = 256 * 1024;

/// What commands may be run, and how much of their output is kept.
#[derive(Debug, Clone)]
pub(crate) struct CommandOptions {
    /// The programs that may be run.
    pub(crate) programs: Programs,
    /// What a command sees of the host's environment.
    pub(crate) inherit: Inherit,
    /// Bytes kept of stdout and of stderr each; the rest is read and dropped.
    pub(crate) kept_bytes: usize,
}

impl Default for CommandOptions {
    fn default() -> Self {
        Self {
            programs: Programs::Any,
            inherit: Inherit::Basics,
            kept_bytes: DEFAULT_KEPT_BYTES,
        }
    }
}

/// The programs that may be run.
///
/// A list compares the first argv element exactly: `git` allows the `git` of the host's `PATH`,
/// `/usr/bin/git` that file. The string form needs `sh`. With a list, a call may not set `PATH` or
/// the variables of the dynamic linker, which would put another program behind an allowed name.
/// An allowed program that runs others (`sh`, `env`, `find`) allows everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Programs {
    /// Every program.
    Any,
    /// These and no others.
    Only(BTreeSet<String>),
}

/// One command, ready to be started.
#[derive(Debug)]
struct Invocation {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    stdin: Option<String>,
    allowed_exits: Vec<i64>,
}

/// Runs commands of the host's machine.
///
/// A command is its own process group: at a cancellation the group gets SIGTERM, a second later
/// SIGKILL; when the call's future is dropped, SIGKILL at once. What a finished command leaves
/// running in the background is left alone, and its output is no longer read.
///
/// A host that is itself killed with SIGKILL ends nothing: what it had started runs on until it ends,
/// unless whoever killed it ends it, too, as systemd does for a service and a container for all that
/// runs in it. Nothing that a host could do for that is both safe and its own: Linux sends a signal at
/// the end of the *thread* that started a process, and not to what that has started. Whoever decides
/// about an interrupted command is told how to find it.
#[derive(Debug)]
pub(crate) struct ExecuteCommand {
    options: CommandOptions,
}

impl ExecuteCommand {
    /// The tool under these limits.
    pub(crate) fn new(options: CommandOptions) -> Self {
        Self { options }
    }

    fn invocation(&self, call: &ToolCall) -> Result<Invocation, ToolError> {
        let mut args = Args::new(call.args.clone());
        let (program, arguments) = command_line(args.value("command"))?;
        self.check_program(&program)?;
        let given = args.texts_by_name("env")?;
        self.check_names(&given)?;
        let mut environment = environment::inherited(&self.options.inherit);
        environment.extend(given.into_iter().map(|(k, v)| (k.into(), v.into())));
        // Last, so that nothing else can stand under these names.
        environment.extend(environment::of_call(call));
        let invocation = Invocation {
            program,
            arguments,
            environment,
            directory: args.text("cwd")?.map(PathBuf::from),
            stdin: args.text("stdin")?,
            allowed_exits: args.integers("allowExitCodes")?,
        };
        args.finish()?;
        Ok(invocation)
    }

    fn check_program(&self, program: &str) -> Result<(), ToolError> {
        match &self.options.programs {
            Programs::Any => Ok(()),
            Programs::Only(allowed) if allowed.contains(program) => Ok(()),
            Programs::Only(_) => Err(ToolError::permanent(format!(
                "`{program}` is not in the list of allowed programs: \
                 add it to `allow_programs` of [tools.execute_command] in {}, or run another program",
                config::NAME
            ))),
        }
    }

    fn check_names(&self, given: &[(String, String)]) -> Result<(), ToolError> {
        for (name, _) in given {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(ToolError::permanent(
                    "a name in `env` is empty or contains `=` or a null character",
                ));
            }
            let restricted = match &self.options.programs {
                Programs::Any => false,
                Programs::Only(_) => environment::chooses_program(name),
            };
            if restricted {
                return Err(ToolError::permanent(format!(
                    "`env` may not set `{name}` while `allow_programs` of \
                     [tools.execute_command] in {} lists what may run: it decides which program runs",
                    config::NAME
                )));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Tool for ExecuteCommand {
    fn spec(&self) -> ToolSpec {
        // The name and the schema are constants; a test registers them.
        let name = ToolName::try_new(NAME).expect("a valid constant name");
        ToolSpec::new(
            name,
            "Runs a command and answers its exit code and its output.",
            Effect::Destructive,
        )
        .with_input(&input_schema())
        .expect("a valid constant schema")
    }

    async fn call(&self, call: ToolCall) -> Result<Value, ToolError> {
        let invocation = self.invocation(&call)?;
        let finished = process::run(&invocation, self.options.kept_bytes, &call.cancelled).await?;
        answer(&invocation, &finished)
    }
}

/// The program and its arguments: of a list its elements, of a text `sh -c` and the text.
fn command_line(command: Option<Value>) -> Result<(String, Vec<String>), ToolError> {
    let expected = "a list (program and arguments) or a string for `sh -c`";
    let words = match command {
        None => {
            return Err(ToolError::permanent(format!(
                "`command` is missing, expected {expected}"
            )));
        }
        Some(Value::String(script)) => vec!["sh".to_owned(), "-c".to_owned(), script],
        Some(Value::Array(elements)) => elements
            .into_iter()
            .enumerate()
            .map(|(index, element)| scalar(&format!("command[{index}]"), element))
            .collect::<Result<_, _>>()?,
        Some(other) => return Err(mismatch("command", &other, expected)),
    };
    let mut words = words.into_iter();
    match words.next().filter(|program| !program.is_empty()) {
        Some(program) => Ok((program, words.collect())),
        None => Err(ToolError::permanent("`command` names no program")),
    }
}

/// The answer of a command that ended by itself: its output, or why its exit is a failure.
fn answer(invocation: &Invocation, finished: &Finished) -> Result<Value, ToolError> {
    let program = &invocation.program;
    let Some(code) = finished.status.code() else {
        let status = finished.status.to_string();
        let signal = status.strip_prefix("signal: ").unwrap_or(&status);
        return Err(ToolError::retryable(format!(
            "`{program}` was killed by signal {signal}{}",
            last_words(finished)
        )));
    };
    if code != 0 && !invocation.allowed_exits.contains(&i64::from(code)) {
        return Err(ToolError::retryable(format!(
            "`{program}` failed with exit code {code}{}",
            last_words(finished)
        )));
    }
    Ok(json!({
        "exitCode": code,
        "stdout": finished.stdout.text(),
        "stderr": finished.stderr.text(),
        "truncated": finished.stdout.is_truncated() || finished.stderr.is_truncated(),
    }))
}

fn last_words(finished: &Finished) -> String {
    let lines = finished.stderr.last_lines();
    if lines.is_empty() {
        ", stderr is empty".to_owned()
    } else {
        format!(", stderr ends with:\n{lines}")
    }
}

fn input_schema() -> Value {
    let text = json!({ "type": ["string", "number", "boolean"] });
    let properties: Map<String, Value> = [
        ("command", json!({
            "type": ["array", "string"],
            "items": text,
            "minItems": 1,
            "minLength": 1,
            "description": "The program and its arguments as a list, passed on unchanged; \
                            or a script for `sh -c` as a string, without templates.",
        })),
        ("env", json!({
            "type": "object",
            "additionalProperties": text,
            "description": "Environment variables, added to the basic ones of the host.",
        })),
        ("cwd", json!({
            "type": "string",
            "minLength": 1,
            "description": "The directory to run in; by default that of the host.",
        })),
        ("stdin", json!({
            "type": "string",
            "description": "What the program reads from its standard input; by default nothing.",
        })),
        ("allowExitCodes", json!({
            "type": "array",
            "items": { "type": "integer", "minimum": 0, "maximum": 255 },
            "description": "Exit codes besides 0 that are no failure.",
        })),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
    .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": ["command"],
        "additionalProperties": false,
    })
}
