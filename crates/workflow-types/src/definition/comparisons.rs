//! Warns of conditions and templates that do something else than they seem to say.
//!
//! What the names of an expression stand for comes from here: schemas that were declared, and the
//! words of statuses. How expressions surprise is decided by the language itself.

use std::collections::HashMap;

use serde_json::Value;

use super::names::Known;
use super::step::StepDraft;
use crate::action::Action;
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};
use crate::execution::{ContextName, StepStatus, TriggeredBy};
use crate::expression::{Fact, Kind, Kinds, Role, Surprise, SurpriseKind};
use crate::id::StepId;
use crate::output_schema::ValueSchema;

/// Looks at every expression of every step.
pub(super) fn check(drafts: &[StepDraft<'_>], known: &Known<'_>, report: &mut Report) {
    for draft in drafts {
        let facts = Facts {
            drafts,
            known,
            step: draft,
        };
        for (at, template) in draft.templates() {
            for (offset, expression) in template.expressions() {
                for surprise in expression.surprises(Role::Value, &facts) {
                    report.push(warning(&at, offset, surprise));
                }
            }
        }
        for (branch, at) in draft.step.branches().iter().zip(&draft.branches_at) {
            let at = at.key("condition");
            for surprise in branch.condition().surprises(Role::Condition, &facts) {
                report.push(warning(&at, 0, surprise));
            }
        }
        branches(draft, report);
    }
}

fn warning(at: &Pointer, offset: usize, surprise: Surprise) -> Diagnostic {
    let code = match surprise.kind {
        SurpriseKind::Coercion => Code::Coercion,
        SurpriseKind::Constant => Code::Constant,
    };
    let span = surprise.span.start + offset..surprise.span.end + offset;
    let diagnostic =
        Diagnostic::new(code, Place::inside(at, span), surprise.message).help(surprise.help);
    match surprise.fix {
        Some(fix) => diagnostic.fix(fix),
        None => diagnostic,
    }
}

/// Warns of branches behind one that is always taken, or that asks the same.
fn branches(draft: &StepDraft<'_>, report: &mut Report) {
    let mut earlier: HashMap<String, &Pointer> = HashMap::new();
    let mut always: Option<&Pointer> = None;
    for (branch, at) in draft.step.branches().iter().zip(&draft.branches_at) {
        let canonical = branch.condition().canonical();
        let same = earlier.get(&canonical).copied();
        let unreachable = |before: &Pointer, message: &str, help: &str| {
            Diagnostic::new(
                Code::UnreachableBranch,
                Place::value(&at.key("condition")),
                message,
            )
            .related(Place::value(&before.key("condition")), "this one is taken")
            .help(help)
        };
        if let Some(before) = always {
            report.push(unreachable(
                before,
                "a branch before this one is always taken, so this one never is",
                "put the branch with `true` last",
            ));
        } else if let Some(before) = same {
            report.push(unreachable(
                before,
                "a branch before this one has the same condition, so this one is never taken",
                "remove it, or change its condition",
            ));
        }
        if branch.condition().source().trim() == "true" {
            always = always.or(Some(at));
        }
        earlier.entry(canonical).or_insert(at);
    }
}

/// What is known of names in the expressions of one step.
struct Facts<'a> {
    drafts: &'a [StepDraft<'a>],
    known: &'a Known<'a>,
    step: &'a StepDraft<'a>,
}

/// Why a branch never meets the status of a failure.
const AFTER_SUCCESS: &str =
    "branches are looked at only after a success; where a failure leads is said by `onFailure`";
/// Why nothing that reads a status meets one that waits.
const NOT_WHILE_PAUSED: &str = "nothing is evaluated while the step waits for an approval";

impl Kinds for Facts<'_> {
    fn fact(&self, path: &[&str]) -> Fact {
        let Some((name, members)) = path.split_first() else {
            return Fact::unknown();
        };
        match (ContextName::from_word(name), members) {
            (Some(ContextName::Input), members) => self
                .known
                .input
                .map_or_else(Fact::unknown, |input| declared(input.schema(), members)),
            (Some(ContextName::Result), members) => output(self.step, members),
            (Some(ContextName::Status), []) => {
                status().never(StepStatus::Failure.as_str(), AFTER_SUCCESS)
            }
            (Some(ContextName::Steps), [id, member, members @ ..]) => {
                self.step_member(id, member, members)
            }
            (Some(ContextName::Error), []) => Fact::of([Kind::String, Kind::Null]),
            (Some(ContextName::Execution), [member]) => execution(member),
            (Some(ContextName::Workflow), ["id" | "name"]) => Fact::of([Kind::String]),
            (
                Some(
                    ContextName::Status
                    | ContextName::Steps
                    | ContextName::Error
                    | ContextName::Execution
                    | ContextName::Workflow
                    | ContextName::Secrets,
                )
                | None,
                _,
            ) => Fact::unknown(),
        }
    }
}

impl Facts<'_> {
    fn step_member(&self, id: &str, member: &str, members: &[&str]) -> Fact {
        match (member, members) {
            ("status", []) => status(),
            ("attempts", []) => Fact::of([Kind::Number]),
            ("error", []) => Fact::of([Kind::String, Kind::Null]),
            // After a failure the output is null, and its members are missing.
            ("output" | "result", [_, ..]) => StepId::try_new(id)
                .ok()
                .and_then(|id| self.known.positions.get(&id))
                .and_then(|position| self.drafts.get(*position))
                .map_or_else(Fact::unknown, |draft| output(draft, members)),
            _ => Fact::unknown(),
        }
    }
}

fn status() -> Fact {
    let words = StepStatus::ALL.iter().map(|status| status.as_str());
    Fact::of([Kind::String])
        .with_words(words)
        .never(StepStatus::Paused.as_str(), NOT_WHILE_PAUSED)
}

fn execution(member: &str) -> Fact {
    match member {
        "id" | "startedAt" => Fact::of([Kind::String]),
        "scheduledFor" => Fact::of([Kind::String, Kind::Null]),
        "triggeredBy" => {
            let words = TriggeredBy::ALL.iter().map(|by| by.as_str());
            Fact::of([Kind::String]).with_words(words)
        }
        _ => Fact::unknown(),
    }
}

/// What a step's `outputSchema` says of its output.
fn output(draft: &StepDraft<'_>, members: &[&str]) -> Fact {
    match draft.step.action() {
        Action::Model(action) => action
            .output_schema()
            .map_or_else(Fact::unknown, |schema| declared(schema, members)),
        Action::Tool(_) | Action::Noop => Fact::unknown(),
    }
}

/// What a schema says of a member of what it describes.
fn declared(schema: &ValueSchema, members: &[&str]) -> Fact {
    let mut at = schema.json_schema();
    for member in members {
        let properties = at.get("properties").and_then(|own| own.get(member));
        let is_index = !member.is_empty() && member.bytes().all(|byte| byte.is_ascii_digit());
        let next = match properties {
            Some(property) => Some(property),
            None if is_index => at.get("items").filter(|_| at.get("prefixItems").is_none()),
            None => None,
        };
        let Some(next) = next else {
            return Fact::unknown();
        };
        at = next;
    }
    of_schema(at)
}

/// Every keyword of a schema only narrows what it accepts, but a reference may replace the others.
fn of_schema(schema: &Value) -> Fact {
    if schema.get("$ref").is_some() {
        return Fact::unknown();
    }
    let listed = schema.get("enum").and_then(Value::as_array);
    let mut kinds: Vec<Kind> = match (schema.get("type"), listed) {
        (Some(Value::String(name)), _) => kind_of_type(name).into_iter().collect(),
        (Some(Value::Array(names)), _) => {
            let kinds: Option<Vec<Kind>> = names
                .iter()
                .map(|name| name.as_str().and_then(kind_of_type))
                .collect();
            kinds.unwrap_or_default()
        }
        (Some(_) | None, Some(values)) => values.iter().map(kind_of_value).collect(),
        (Some(_) | None, None) => Vec::new(),
    };
    kinds.sort_by_key(|kind| *kind as u8);
    kinds.dedup();
    let words = listed.into_iter().flatten().filter_map(Value::as_str);
    let is_text = kinds.contains(&Kind::String);
    let fact = Fact::of(kinds);
    if is_text {
        fact.with_words(words)
    } else {
        fact
    }
}

fn kind_of_type(name: &str) -> Option<Kind> {
    Some(match name {
        "string" => Kind::String,
        "number" | "integer" => Kind::Number,
        "boolean" => Kind::Boolean,
        "array" => Kind::List,
        "object" => Kind::Mapping,
        "null" => Kind::Null,
        _ => return None,
    })
}

fn kind_of_value(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::List,
        Value::Object(_) => Kind::Mapping,
    }
}
