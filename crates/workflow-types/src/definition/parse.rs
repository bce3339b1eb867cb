//! From a document to a workflow: structure and meaning, every problem reported at its place.
//!
//! A wrong step does not hide the mistakes of another: each is read on its own, and what spans
//! steps (targets, names, reachability) is checked on what was usable.

use std::collections::HashMap;

use serde_json::Value;

use super::fields::{Field, Fields};
use super::step::{self, StepDraft, StepIds};
use super::{
    COSTS, DEFAULT_MAX_VISITS, MAX_STEPS, MaxSteps, UsableStep, WorkflowDefinition, WorkflowName,
    comparisons, graph, names, secrets, shell, trigger,
};
use crate::action::{Concurrency, OnLimit};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};
use crate::execution::Cost;
use crate::id::StepId;
use crate::output_schema::{self, InputSchema};
use crate::shape::workflow::{CONCURRENCY, WORKFLOW};

/// What reading a document gave.
#[derive(Default)]
pub(super) struct Parsed {
    /// The workflow, unless the report has errors.
    pub(super) definition: Option<WorkflowDefinition>,
    /// The steps that could be read of a workflow that is refused.
    pub(super) usable: Vec<UsableStep>,
}

/// Reads a workflow; what is wrong with it goes into the report.
pub(super) fn workflow(document: &Value, report: &mut Report) -> Parsed {
    let root = Pointer::root();
    let Some(mut fields) = Fields::open(document, &root, &WORKFLOW, report) else {
        return Parsed::default();
    };
    let name = name(&mut fields);
    let description = fields
        .string("description")
        .map(|(text, _)| text.to_owned());
    let trigger = trigger::read(&mut fields);
    let input = input(&mut fields);
    let max_steps = max_steps(&mut fields);
    let max_tokens = fields.positive("maxTokens").map(|(tokens, _)| tokens);
    let max_cost = fields.number("maxCost", &COSTS).map(Cost::from_amount);
    let concurrency = concurrency(&mut fields);
    let drafts = steps(&mut fields);
    fields.finish();

    let Some((drafts, ids)) = drafts else {
        return Parsed::default();
    };
    let (steps, positions) = unique(drafts, report);
    let known = names::Known {
        positions: &positions,
        ids: &ids,
        input: input.as_ref(),
    };
    if report.judges() {
        shell::check(&steps, report);
        names::check(&steps, &known, report);
        secrets::check(&steps, report);
        comparisons::check(&steps, &known, report);
        graph::check(&steps, &positions, report);
    }
    match (name, trigger, max_steps) {
        (Some(name), Some(trigger), Some(max_steps)) if !report.has_errors() => Parsed {
            definition: Some(WorkflowDefinition {
                name,
                description,
                trigger,
                input,
                steps: steps.into_iter().map(|draft| draft.step).collect(),
                max_steps,
                max_tokens,
                max_cost,
                concurrency,
                positions,
            }),
            usable: Vec::new(),
        },
        (_, _, _) => Parsed {
            definition: None,
            usable: steps.into_iter().map(StepDraft::into_usable).collect(),
        },
    }
}

fn name(fields: &mut Fields<'_, '_>) -> Option<WorkflowName> {
    let (text, at) = fields.require_string("name")?;
    WorkflowName::try_new(text)
        .map_err(|error| fields.report.invalid(&at, error))
        .ok()
}

fn input(fields: &mut Fields<'_, '_>) -> Option<InputSchema> {
    let Field { value, at } = fields.take("input")?;
    output_schema::read_input(value, &at, fields.report)
}

fn max_steps(fields: &mut Fields<'_, '_>) -> Option<MaxSteps> {
    let default = std::num::NonZeroU32::new(DEFAULT_MAX_VISITS)?;
    if !fields.has("maxSteps") {
        return MaxSteps::try_new(default).ok();
    }
    let (number, at) = fields.positive("maxSteps")?;
    MaxSteps::try_new(number)
        .map_err(|error| fields.report.invalid(&at, error))
        .ok()
}

fn concurrency(fields: &mut Fields<'_, '_>) -> Option<Concurrency> {
    let Field { value, at } = fields.take("concurrency")?;
    let mut inner = Fields::open(value, &at, &CONCURRENCY, fields.report)?;
    let limit = inner.positive("limit").map(|(limit, _)| limit);
    let on_limit = inner.word("onLimit", OnLimit::from_word);
    if limit.is_none() && value.get("limit").is_none() {
        inner.require("limit");
    }
    inner.finish();
    Some(Concurrency {
        limit: limit?,
        on_limit: on_limit.unwrap_or(OnLimit::Queue),
    })
}

fn steps<'v>(fields: &mut Fields<'v, '_>) -> Option<(Vec<StepDraft<'v>>, StepIds)> {
    let field = fields.require("steps")?;
    let Some(items) = field.value.as_array() else {
        fields.wrong_type("steps", &field);
        return None;
    };
    if items.is_empty() {
        fields.report.push(
            Diagnostic::new(
                Code::NoSteps,
                Place::value(&field.at),
                "`steps` is empty, a workflow has at least one step",
            )
            .help("add a step, for example `- {id: start, action: noop}`"),
        );
    }
    if items.len() > MAX_STEPS && fields.report.judges() {
        fields.report.push(
            Diagnostic::new(
                Code::TooManySteps,
                Place::value(&field.at),
                format!(
                    "`steps` has {} steps, at most {MAX_STEPS} are allowed",
                    items.len()
                ),
            )
            .help("split the workflow"),
        );
        return None;
    }
    let ids = StepIds::new(items);
    let drafts = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| step::read(item, &field.at.index(index), &ids, fields.report))
        .collect();
    Some((drafts, ids))
}

/// The steps by id; a second step of the same id is reported and left out.
fn unique<'v>(
    drafts: Vec<StepDraft<'v>>,
    report: &mut Report,
) -> (Vec<StepDraft<'v>>, HashMap<StepId, usize>) {
    let mut positions: HashMap<StepId, usize> = HashMap::with_capacity(drafts.len());
    let mut kept: Vec<StepDraft<'v>> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let id = draft.step.id().clone();
        if let Some(first) = positions.get(&id) {
            report.push(
                Diagnostic::new(
                    Code::DuplicateStep,
                    Place::value(&draft.at.key("id")),
                    format!("two steps have the id `{id}`"),
                )
                .label("again here")
                .related(Place::value(&kept[*first].at.key("id")), "first here")
                .help("give one of them another id"),
            );
            continue;
        }
        positions.insert(id, kept.len());
        kept.push(draft);
    }
    (kept, positions)
}
