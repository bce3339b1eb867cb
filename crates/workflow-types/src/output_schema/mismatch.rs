//! From the validator's errors to problems in plain words, each at the value that misses.
//!
//! With `expected`, `alternatives` and `run` the one place that knows the validator's errors.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

use super::alternatives::{self, Choice};
use super::expected::{expected, plain, quoting};
use super::problem::{Problem, Subject};
use super::{kinds, run};
use crate::diagnostic::{Pointer, closest};

/// Most words that a message lists.
const MAX_LISTED: usize = 12;

/// Every way in which a value misses a schema.
pub(super) fn all(
    validator: &Validator,
    schema: &Value,
    value: &Value,
    subject: Subject<'_>,
) -> Vec<Problem> {
    let mut misses = Misses {
        schema,
        subject,
        templated: subject.has_templates() && run::has_template(value),
        found: Vec::new(),
    };
    for error in validator.iter_errors(value) {
        misses.add(&error);
        // Whoever finds no problem takes the value, so an error is never left without one.
        if misses.found.is_empty() && !misses.templated {
            let problem = misses.wrong(&error, "something that fits the schema");
            misses.push(problem);
        }
    }
    misses.found
}

struct Misses<'a> {
    schema: &'a Value,
    subject: Subject<'a>,
    /// Whether a part of the value is known only when it runs.
    templated: bool,
    found: Vec<Problem>,
}

impl Misses<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`expected` has words for every other kind"
    )]
    fn add(&mut self, error: &ValidationError<'_>) {
        if self.templated && run::is_up_to(error) {
            return;
        }
        match error.kind() {
            Kind::Required { property } => {
                let problem = self.missing(error, property.as_str().unwrap_or_default());
                self.push(problem);
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                let declared = self.declared(error);
                for name in unexpected {
                    let problem = self.unknown(error, name, declared.as_ref());
                    self.push(problem);
                }
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                match alternatives::choose(error, context) {
                    Choice::One(errors) => {
                        for error in errors {
                            self.add(error);
                        }
                    }
                    Choice::Types(types) => {
                        let expected: Vec<&str> = types.iter().copied().map(plain).collect();
                        let problem = self.wrong(error, &kinds::either(&expected));
                        self.push(problem);
                    }
                    Choice::Words(error, words) => {
                        let problem = self.listed(error, &words);
                        self.push(problem);
                    }
                    Choice::None => {
                        let problem = self.no_form(error, context.len());
                        self.push(problem);
                    }
                }
            }
            Kind::PropertyNames { error: inner } => {
                let name = inner.instance().as_str().unwrap_or_default();
                let at = place(error).key(name);
                let message = format!("`{}` is not an allowed name", self.subject.path(&at));
                self.push(Problem::key(at, message).label("not allowed"));
            }
            Kind::FalseSchema => {
                let at = place(error);
                let message = format!("`{}` is not allowed", self.subject.path(&at));
                self.push(Problem::key(at, message).label("not allowed"));
            }
            Kind::Enum { options } => {
                let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
                let problem = self.listed(error, options);
                self.push(problem);
            }
            kind => {
                let expected = expected(kind);
                let problem = self.wrong(error, &expected);
                self.push(problem);
            }
        }
    }

    fn push(&mut self, problem: Problem) {
        if !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    /// `args.timeout` is a string, expected a whole number.
    fn wrong(&self, error: &ValidationError<'_>, expected: &str) -> Problem {
        let at = place(error);
        let value = error.instance();
        let found = match (error.kind(), value.as_array()) {
            (Kind::MinItems { .. } | Kind::MaxItems { .. }, Some(items)) => {
                format!("a list of {}", items.len())
            }
            _ => kinds::found(value, self.subject.is_secret()),
        };
        let path = self.subject.path(&at);
        let message = format!("`{path}` is {found}, expected {expected}");
        let problem = Problem::value(at, message).label(format!("expected {expected}"));
        match quoting(error.kind(), value) {
            Some(help) => problem.help(help),
            None => problem,
        }
    }

    fn missing(&self, error: &ValidationError<'_>, name: &str) -> Problem {
        let at = place(error);
        let requires = match self.subject.taker() {
            Some(taker) => format!("which {taker} requires"),
            None => "which is required".to_owned(),
        };
        let message = format!("`{}` has no `{name}`, {requires}", self.subject.path(&at));
        let problem = Problem::key(at, message).label(format!("`{name}` is missing"));
        let kind = self.declared(error).and_then(|properties| {
            let types: Vec<&str> = kinds::of(properties.get(name)?.as_object()?)?;
            let types: Vec<&str> = types.into_iter().map(kinds::plain).collect();
            Some(kinds::either(&types))
        });
        match kind {
            Some(kind) => problem.help(format!("add `{name}`, {kind}")),
            None => problem,
        }
    }

    fn unknown(
        &self,
        error: &ValidationError<'_>,
        name: &str,
        declared: Option<&Map<String, Value>>,
    ) -> Problem {
        let at = place(error).key(name);
        let path = self.subject.path(&at);
        let message = match self.subject.taker() {
            Some(taker) => format!("`{path}` is not known to {taker}"),
            None => format!("`{path}` is not known"),
        };
        let problem = Problem::key(at, message).label("not known");
        let names: Vec<&str> = declared
            .into_iter()
            .flat_map(|map| map.keys().map(String::as_str))
            .collect();
        match closest(name, names.iter().copied()) {
            Some(near) if error.instance().get(near).is_none() => problem.meant(near),
            Some(_) | None if names.is_empty() => problem.help("remove it"),
            Some(_) | None => problem.help(format!("known here: {}", names.join(", "))),
        }
    }

    fn listed(&self, error: &ValidationError<'_>, options: &[Value]) -> Problem {
        let words: Vec<&str> = options.iter().filter_map(|value| value.as_str()).collect();
        let mut shown: Vec<String> = options
            .iter()
            .take(MAX_LISTED)
            .map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            })
            .collect();
        if options.len() > MAX_LISTED {
            shown.push("...".to_owned());
        }
        let expected = match shown.as_slice() {
            [only] => only.clone(),
            list => format!("one of {}", list.join(", ")),
        };
        let problem = self.wrong(error, &expected);
        let found = error.instance().as_str();
        match found.and_then(|found| closest(found, words)) {
            Some(near) => problem.meant(near),
            None => problem,
        }
    }

    fn no_form(&self, error: &ValidationError<'_>, count: usize) -> Problem {
        let at = place(error);
        let message = format!(
            "`{}` fits none of the {count} forms that are allowed",
            self.subject.path(&at)
        );
        Problem::value(at, message).label("fits no form")
    }

    /// The properties that stand beside the keyword that was missed.
    fn declared(&self, error: &ValidationError<'_>) -> Option<Map<String, Value>> {
        let path = error.schema_path().as_str();
        let (owner, _) = path.rsplit_once('/')?;
        let properties = self.schema.pointer(owner)?.get("properties")?;
        properties.as_object().cloned()
    }
}

fn place(error: &ValidationError<'_>) -> Pointer {
    Pointer::from_text(error.instance_path().as_str()).unwrap_or_default()
}
