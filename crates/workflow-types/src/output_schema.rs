//! Schemas of values: JSON Schema, or a short form of names and types, compiled once.
//!
//! What compiles and what fits is decided by the `jsonschema` library. What is told of it is ours:
//! a mistake has its own place, plain words and, where there is one, the word that was meant.

mod alternatives;
mod checker;
mod expected;
mod input;
mod keywords;
mod kinds;
mod members;
mod mismatch;
mod problem;
mod references;
mod run;
mod short;
mod siblings;

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};
use checker::Checker;
pub use input::{InputError, InputSchema};
pub(crate) use input::{TELLING, TELLING_BY_VALUE};
pub(crate) use keywords::names as keyword_names;
pub(crate) use kinds::TYPES;
pub(crate) use members::{Absent, Owner};
pub use problem::{Problem, Subject, in_one_line};

/// A compiled JSON Schema together with the form in which its author wrote it.
///
/// The short form `{healthy: boolean, reason: string}` stands for an object that has these
/// properties, all required and no others.
///
/// ```
/// use serde_json::json;
/// use workflow_types::output_schema::ValueSchema;
/// let schema = ValueSchema::parse(&json!({"healthy": "boolean"}))?;
/// assert!(schema.check(&json!({"healthy": true})).is_empty());
/// assert_eq!(schema.check(&json!({"healthy": 1})).len(), 1);
/// # Ok::<(), workflow_types::output_schema::SchemaError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ValueSchema {
    written: Value,
    full: Value,
    compiled: Arc<jsonschema::Validator>,
}

/// A schema that is none: everything that is wrong with it, each at its place within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    problems: Vec<Problem>,
}

impl SchemaError {
    /// The problems in the order of their discovery; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_one_line(&self.problems))
    }
}

impl std::error::Error for SchemaError {}

impl PartialEq for ValueSchema {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

/// What is to be said of a schema.
#[derive(Debug, Default)]
struct Found {
    /// What makes it wrong.
    wrong: Vec<Problem>,
    /// What it says to no effect.
    idle: Vec<Problem>,
}

impl ValueSchema {
    /// Compiles a schema in either form.
    ///
    /// What compiles is taken, as the schema of a tool may come from elsewhere; the schemas of a
    /// workflow are checked for what their author cannot have meant, too.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with a schema that does not compile.
    pub fn parse(written: &Value) -> Result<Self, SchemaError> {
        let misspelt_short = written.as_object().is_some_and(short::is_meant);
        if !misspelt_short
            && written.is_object()
            && let Ok(schema) = Self::compile(written, short::expand(written))
        {
            return Ok(schema);
        }
        let (schema, found) = Self::read(written, "schema");
        schema.ok_or(SchemaError {
            problems: found.wrong,
        })
    }

    /// Compiles a schema that is called `name` and says everything there is to say about it.
    fn read(written: &Value, name: &str) -> (Option<Self>, Found) {
        let mut checker = Checker::new(written, name);
        let full = match written.as_object() {
            Some(map) if short::is_meant(map) => {
                checker.short(map);
                Some(short::expand(written))
            }
            Some(_) => {
                checker.schema(&Pointer::root(), written);
                Some(written.clone())
            }
            None => {
                checker.no_mapping();
                None
            }
        };
        Self::finish(written, full, checker)
    }

    /// Compiles what was read before; wrong is only what does not compile.
    fn rebuild(written: &Value, full: Value, name: &str) -> (Option<Self>, Found) {
        Self::finish(written, Some(full), Checker::new(written, name))
    }

    /// The compiled schema, unless something is wrong with it.
    fn finish(written: &Value, full: Option<Value>, checker: Checker<'_>) -> (Option<Self>, Found) {
        let Checker {
            subject,
            mut wrong,
            idle,
            ..
        } = checker;
        let mut schema = None;
        if let Some(full) = full.filter(|_| wrong.is_empty()) {
            match Self::compile(written, full) {
                Ok(compiled) => schema = Some(compiled),
                Err(error) => {
                    let at = Pointer::from_text(error.instance_path().as_str());
                    let at = at.unwrap_or_default();
                    let message = format!("`{}` is no schema: {error}", subject.path(&at));
                    wrong.push(Problem::value(at, message));
                }
            }
        }
        (schema, Found { wrong, idle })
    }

    fn compile(written: &Value, full: Value) -> Result<Self, jsonschema::ValidationError<'static>> {
        let compiled = compiled(&full)?;
        Ok(Self {
            written: written.clone(),
            full,
            compiled: Arc::new(compiled),
        })
    }

    /// The schema as its author wrote it.
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// The schema as JSON Schema.
    pub fn json_schema(&self) -> &Value {
        &self.full
    }

    /// Every way in which a value misses the schema, each at its place; empty if it fits.
    pub fn problems(&self, value: &Value, subject: &Subject<'_>) -> Vec<Problem> {
        mismatch::all(&self.compiled, &self.full, value, *subject)
    }

    /// Every way in which a value misses the schema, in words; empty if it fits.
    pub fn check(&self, value: &Value) -> Vec<String> {
        told(&self.problems(value, &Subject::new("value")))
    }

    /// What [`ValueSchema::check`] says, without the values themselves, which may be secret.
    ///
    /// ```
    /// use serde_json::json;
    /// use workflow_types::output_schema::ValueSchema;
    /// let schema = ValueSchema::parse(&json!({"port": "integer"}))?;
    /// let problems = schema.check_masked(&json!({"port": "hunter2"}));
    /// assert_eq!(problems, ["`value.port` is a string, expected a whole number"]);
    /// # Ok::<(), workflow_types::output_schema::SchemaError>(())
    /// ```
    pub fn check_masked(&self, value: &Value) -> Vec<String> {
        told(&self.problems(value, &Subject::new("value").masked()))
    }

    /// The properties that the schema names, if it describes an object.
    pub fn properties(&self) -> Option<&Map<String, Value>> {
        self.full.get("properties").and_then(Value::as_object)
    }

    /// Whether an object may hold only the named properties.
    pub fn is_closed(&self) -> bool {
        self.full.get("additionalProperties") == Some(&Value::Bool(false))
    }

    /// The first of these names, each read from the one before it, that no fitting value has.
    pub(crate) fn absent<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<Absent> {
        members::absent(&self.full, names)
    }

    /// Whether every value fits.
    fn is_open(&self) -> bool {
        let map = self.full.as_object();
        map.is_some_and(|map| {
            map.iter().all(|(key, value)| {
                keywords::is_idle(key) || key == "type" && kinds::is_every(value)
            })
        })
    }
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}

fn compiled(schema: &Value) -> Result<jsonschema::Validator, jsonschema::ValidationError<'static>> {
    jsonschema::validator_for(schema).map_err(jsonschema::ValidationError::to_owned)
}

/// Reads the `outputSchema` of a step; what is wrong with it goes into the report.
pub(crate) fn read_output(
    written: &Value,
    at: &Pointer,
    report: &mut Report,
) -> Option<ValueSchema> {
    let (schema, found) = if report.judges() {
        ValueSchema::read(written, &at.to_string())
    } else {
        ValueSchema::rebuild(written, short::expand(written), &at.to_string())
    };
    report_all(found, at, report);
    if schema.as_ref().is_some_and(ValueSchema::is_open) {
        let message = format!("`{at}` accepts every answer");
        report.push(
            Diagnostic::new(Code::OpenSchema, Place::value(at), message)
                .label("checks nothing")
                .help("name what the answer has, for example {healthy: boolean}, or remove it"),
        );
    }
    schema
}

/// Reads the `input` of a workflow; what is wrong with it goes into the report.
pub(crate) fn read_input(
    written: &Value,
    at: &Pointer,
    report: &mut Report,
) -> Option<InputSchema> {
    let (schema, found) = if report.judges() {
        InputSchema::read(written, &at.to_string())
    } else {
        InputSchema::rebuild(written, &at.to_string())
    };
    report_all(found, at, report);
    schema
}

fn report_all(found: Found, at: &Pointer, report: &mut Report) {
    for problem in found.wrong {
        report.push(problem.diagnostic(Code::BadSchema, at));
    }
    for problem in found.idle {
        report.push(problem.diagnostic(Code::UnknownKeyword, at));
    }
}

#[cfg(test)]
mod tests;
