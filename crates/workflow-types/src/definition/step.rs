//! Reads one step: its action, its gate and where the execution goes from it.

mod action;
mod approvers;
mod deadline;
mod meant;
mod retry;

use std::collections::BTreeSet;

use serde_json::Value;

use super::fields::{Field, Fields, unknown};
use super::{Branch, Step, Target, UsableStep};
use crate::action::{Action, ActionKind, OnInterrupt, Timeout};
use crate::approval::{ApprovalPolicy, OnExpiry};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Remedy, Report};
use crate::duration::unit;
use crate::expression::Expression;
use crate::id::StepId;
use crate::shape::{snake_case, step as shape};
use crate::template::Template;

pub(crate) use action::without_approval;

/// A step that was read, with its address for the checks that span steps.
pub(super) struct StepDraft<'v> {
    pub(super) step: Step,
    pub(super) at: Pointer,
    pub(super) written: &'v Value,
    pub(super) branches_at: Vec<Pointer>,
}

impl StepDraft<'_> {
    pub(super) fn into_usable(self) -> UsableStep {
        UsableStep {
            at: self.at,
            step: self.step,
        }
    }

    /// The address of a key in the spelling that its author chose.
    pub(super) fn written_key(&self, name: &str) -> Pointer {
        let snake = snake_case(name);
        let written = if self.written.get(name).is_some() {
            name
        } else {
            &snake
        };
        self.at.key(written)
    }

    /// Every template of the step, with the address of its string.
    pub(super) fn templates(&self) -> Vec<(Pointer, &Template)> {
        let mut found = self.call_templates();
        found.extend(self.message_template());
        found
    }

    /// The templates of what a call is made with.
    pub(super) fn call_templates(&self) -> Vec<(Pointer, &Template)> {
        let mut found = Vec::new();
        match self.step.action() {
            Action::Tool(action) => {
                let at = self.at.key("args");
                for (inner, template) in action.args().template().templates() {
                    let inner = Pointer::from_text(inner).unwrap_or_default();
                    found.push((at.join(&inner), template));
                }
            }
            Action::Model(action) => {
                let prompt = Some(action.prompt());
                for (key, text) in [("prompt", prompt), ("system", action.system())] {
                    found.extend(text.map(|text| (self.at.key(key), text.template())));
                }
            }
            Action::Noop => {}
        }
        found
    }

    /// The template of what is asked at the gate.
    pub(super) fn message_template(&self) -> Option<(Pointer, &Template)> {
        let message = self.step.approval().and_then(|policy| policy.message())?;
        let at = self.written_key("approvalRequired").key("message");
        Some((at, message.template()))
    }
}

/// The ids that stand in the text, those of steps with other mistakes too, so that one wrong step
/// does not make the ways to it look wrong.
pub(super) struct StepIds(BTreeSet<StepId>);

impl StepIds {
    pub(super) fn new(items: &[Value]) -> Self {
        let texts = items.iter().filter_map(|item| {
            let item = item.as_object()?;
            // The ways to a step are good although all of it stands under a key too many.
            let item = unknown::wrapped(item, shape::STEP.name).unwrap_or(item);
            item.get("id")?.as_str()
        });
        Self(
            texts
                .filter_map(|text| StepId::try_new(text).ok())
                .collect(),
        )
    }

    pub(super) fn contains(&self, id: &StepId) -> bool {
        self.0.contains(id)
    }

    /// The id that an author most likely meant.
    pub(super) fn closest(&self, found: &str, report: &Report) -> Option<&str> {
        report.closest(found, self.0.iter().map(AsRef::as_ref))
    }

    /// Reports a target that is no step of the workflow.
    fn check(&self, id: &StepId, at: &Pointer, report: &mut Report) {
        if self.contains(id) {
            return;
        }
        let diagnostic = Diagnostic::new(
            Code::UnknownTarget,
            Place::value(at),
            format!("`{at}` names a step that does not exist"),
        )
        .label(format!("no step has the id `{id}`"));
        let remedy = meant::target(id.as_ref(), |found| self.closest(found, report));
        report.push(remedy.of(diagnostic));
    }
}

/// Reads a step; none if it has no usable id or action.
pub(super) fn read<'v>(
    item: &'v Value,
    at: &Pointer,
    ids: &StepIds,
    report: &mut Report,
) -> Option<StepDraft<'v>> {
    let mut fields = Fields::open(item, at, &shape::STEP, report)?;
    let id = id(&mut fields);
    let kind = kind(&mut fields);
    let description = fields
        .string("description")
        .map(|(text, _)| text.to_owned());
    let approval = approval(&mut fields);
    let on_success = target(&mut fields, ids, "onSuccess");
    let on_failure = target(&mut fields, ids, "onFailure");
    let (branches, branches_at) = branches(&mut fields, ids);
    let timeout = timeout(&mut fields);
    let retry = retry::read(&mut fields);
    let on_interrupt = fields.word("onInterrupt", OnInterrupt::from_word);
    match kind {
        Some(kind) => fields.also(shape::of_action(kind)),
        // Without an action nobody can say which keys belong to it.
        None => ActionKind::ALL
            .iter()
            .for_each(|kind| fields.also(shape::of_action(*kind))),
    }
    let action = kind.and_then(|kind| action::read(kind, &mut fields));
    fields.finish_but(|key| foreign(key, kind));
    let step = Step {
        id: id?,
        description,
        action: action?,
        approval,
        on_success,
        on_failure,
        branches,
        timeout,
        retry,
        on_interrupt,
    };
    Some(StepDraft {
        step,
        at: at.clone(),
        written: item,
        branches_at,
    })
}

fn id(fields: &mut Fields<'_, '_>) -> Option<StepId> {
    let field = fields.require("id")?;
    if let Some(number) = field.value.as_number() {
        let written = fields.report.written(&field.at, field.value);
        let remedy = Some(meant::id(&written));
        let report = &mut *fields.report;
        report.wrong_type_but(&field.at, "a string", &Value::from(number.clone()), remedy);
        return None;
    }
    let (text, at) = fields.string_of("id", &field)?;
    StepId::try_new(text)
        .map_err(|error| fields.report.invalid_but(&at, error, Some(meant::id(text))))
        .ok()
}

fn kind(fields: &mut Fields<'_, '_>) -> Option<ActionKind> {
    let field = match (fields.has("tool"), fields.has("prompt")) {
        (true, false) => fields.require_or("action", "add `action: tool`"),
        (false, true) => fields.require_or("action", "add `action: model`"),
        (true, true) | (false, false) => fields.require("action"),
    }?;
    let (text, at) = fields.string_of("action", &field)?;
    let kind = ActionKind::from_word(text);
    if kind.is_none() {
        fields.no_word("action", text, &at, meant::action);
    }
    kind
}

/// `true`, `false`, or a mapping with the gate's settings.
fn approval(fields: &mut Fields<'_, '_>) -> Option<ApprovalPolicy> {
    let field = fields.take("approvalRequired")?;
    match field.value {
        Value::Bool(true) => Some(ApprovalPolicy::default()),
        Value::Bool(false) => None,
        Value::Object(_) => approval_policy(&field, fields.report),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            fields.wrong_type_but("approvalRequired", "a boolean", &field);
            None
        }
    }
}

fn approval_policy(field: &Field<'_>, report: &mut Report) -> Option<ApprovalPolicy> {
    let mut fields = Fields::open(field.value, &field.at, &shape::APPROVAL, report)?;
    let message = fields
        .string("message")
        .map(|(text, at)| action::compile_text(text, &at, fields.report));
    let timeout = deadline::read(&mut fields);
    let on_timeout = fields.word("onTimeout", OnExpiry::from_word);
    let (approvers, count) = approvers::read(&mut fields);
    fields.finish();
    Some(ApprovalPolicy {
        message,
        timeout,
        on_timeout: on_timeout.unwrap_or(OnExpiry::Deny),
        approvers,
        count,
    })
}

fn target(fields: &mut Fields<'_, '_>, ids: &StepIds, name: &'static str) -> Option<Target> {
    let (text, at) = fields.string(name)?;
    parse_target(text, &at, ids, fields.report)
}

fn parse_target(text: &str, at: &Pointer, ids: &StepIds, report: &mut Report) -> Option<Target> {
    match text {
        "$end" => Some(Target::End),
        "$fail" => Some(Target::Fail),
        other => match StepId::try_new(other) {
            Ok(id) => {
                ids.check(&id, at, report);
                Some(Target::Step(id))
            }
            Err(error) => {
                let remedy = meant::target(text, |found| ids.closest(found, report));
                report.invalid_but(at, error, Some(remedy));
                None
            }
        },
    }
}

fn branches(fields: &mut Fields<'_, '_>, ids: &StepIds) -> (Vec<Branch>, Vec<Pointer>) {
    let Some((items, at)) = fields.list("branches") else {
        return (Vec::new(), Vec::new());
    };
    items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| {
            let at = at.index(index);
            branch(item, &at, ids, fields.report).map(|branch| (branch, at))
        })
        .unzip()
}

fn branch(item: &Value, at: &Pointer, ids: &StepIds, report: &mut Report) -> Option<Branch> {
    let mut fields = Fields::open(item, at, &shape::BRANCH, report)?;
    let condition = fields
        .require_string("condition")
        .and_then(|(text, at)| condition(text, &at, fields.report));
    let goto = fields
        .require_string("goto")
        .and_then(|(text, at)| parse_target(text, &at, ids, fields.report));
    fields.finish();
    Some(Branch {
        condition: condition?,
        goto: goto?,
    })
}

fn condition(text: &str, at: &Pointer, report: &mut Report) -> Option<Expression> {
    match Expression::parse(text) {
        Ok(expression) => Some(expression),
        Err(error) => {
            let mut diagnostic = Diagnostic::new(
                Code::BadCondition,
                Place::inside(at, error.span.clone()),
                format!("the condition `{text}` cannot be parsed: {}", error.message),
            );
            if let Some(help) = &error.help {
                diagnostic = diagnostic.help(help);
            }
            if let Some(fix) = error.fix {
                diagnostic = diagnostic.fix(fix);
            }
            report.push(diagnostic);
            None
        }
    }
}

fn timeout(fields: &mut Fields<'_, '_>) -> Option<Timeout> {
    let (duration, field) = fields.duration("timeout")?;
    unit::doubt(field.value, &field.at, fields.report);
    Timeout::try_new(duration)
        .map_err(|error| {
            let help = if duration.is_zero() {
                "write for example \"30s\", or remove it for the default"
            } else {
                "write \"7d\" or less"
            };
            let remedy = Some(Remedy::told(help));
            fields.report.invalid_but(&field.at, error, remedy);
        })
        .ok()
}

/// Why a key that another action has does not belong to this one.
fn foreign(key: &str, kind: Option<ActionKind>) -> Option<String> {
    let kind = kind?;
    let owner = ActionKind::ALL
        .iter()
        .find(|owner| **owner != kind && shape::of_action(**owner).knows(key))?;
    Some(format!(
        "`{key}` belongs to a {owner} step, this is a {kind} step"
    ))
}
