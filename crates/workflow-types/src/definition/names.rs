//! Checks what expressions read: the names exist, a step that is read can have run before, and a
//! member that a schema rules out is not read.

use std::collections::HashMap;

use super::graph::Graph;
use super::step::{StepDraft, StepIds};
use crate::action::Action;
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report, listed};
use crate::execution::{ContextName, StepRecord};
use crate::expression::{Reference, Segment};
use crate::id::StepId;
use crate::output_schema::{InputSchema, Owner, ValueSchema};
use crate::template::SECRETS;

/// Checks every expression of every step.
pub(super) fn check(drafts: &[StepDraft<'_>], known: &Known<'_>, report: &mut Report) {
    // With a step missing, nobody can say which others exist or come before it.
    let complete = !report.has_errors();
    let graph = Graph::new(drafts.iter().map(|draft| &draft.step), known.positions);
    let mut names = Names {
        known,
        drafts,
        report,
    };
    for (position, draft) in drafts.iter().enumerate() {
        let mut before = complete.then(|| graph.before(position));
        for (at, template) in draft.templates() {
            for reference in template.references() {
                names.check(&at, &reference, Reader::Template, before.as_deref());
            }
        }
        // A condition is evaluated after its own step.
        if let Some(before) = &mut before {
            before[position] = true;
        }
        for (branch, at) in draft.step.branches().iter().zip(&draft.branches_at) {
            let at = at.key("condition");
            for reference in branch.condition().references() {
                names.check(&at, reference, Reader::Condition, before.as_deref());
                names.own_result(&at, reference, draft);
            }
        }
    }
}

/// Who reads: conditions also know the step that has just run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Template,
    Condition,
}

impl Reader {
    fn knows(self, name: ContextName) -> bool {
        match self {
            Self::Template => !name.is_for_conditions(),
            Self::Condition => name != ContextName::Secrets,
        }
    }
}

/// What expressions may read.
pub(super) struct Known<'a> {
    /// The usable steps.
    pub(super) positions: &'a HashMap<StepId, usize>,
    /// The ids of all steps.
    pub(super) ids: &'a StepIds,
    /// The schema of the input.
    pub(super) input: Option<&'a InputSchema>,
}

struct Names<'a, 'r> {
    known: &'a Known<'a>,
    drafts: &'a [StepDraft<'a>],
    report: &'r mut Report,
}

impl Names<'_, '_> {
    fn check(&mut self, at: &Pointer, read: &Reference, reader: Reader, before: Option<&[bool]>) {
        if read.root().name() == SECRETS {
            // Where they may stand is looked at by itself.
            return;
        }
        let allowed = |name: &ContextName| reader.knows(*name);
        let known: Vec<&str> = ContextName::ALL
            .iter()
            .filter(|name| allowed(name))
            .map(|name| name.as_str())
            .collect();
        let root = read.root();
        let Some(name) = ContextName::from_word(root.name()).filter(allowed) else {
            self.unknown(at, root, &known, "there is no name");
            return;
        };
        match name {
            ContextName::Steps => self.step(at, read.path(), before),
            ContextName::Input => self.input(at, read.path()),
            ContextName::Execution | ContextName::Workflow => {
                if let (Some(segment), Some(members)) = (read.path().first(), name.members())
                    && !members.contains(&segment.name())
                {
                    self.unknown(at, segment, members, &format!("`{name}` has no"));
                }
            }
            ContextName::Result
            | ContextName::Status
            | ContextName::Error
            | ContextName::Secrets => {}
        }
    }

    fn step(&mut self, at: &Pointer, path: &[Segment], before: Option<&[bool]>) {
        let Some(segment) = path.first() else {
            return;
        };
        let id = StepId::try_new(segment.name()).ok();
        if !id.as_ref().is_some_and(|id| self.known.ids.contains(id)) {
            self.unknown_step(at, segment);
            return;
        }
        let position = id.and_then(|id| self.known.positions.get(&id));
        if let (Some(before), Some(position)) = (before, position)
            && !before[*position]
        {
            self.report.push(
                Diagnostic::new(
                    Code::StepNotBefore,
                    Place::inside(at, segment.span()),
                    format!(
                        "`{at}` reads the step `{}`, which cannot have run before",
                        segment.name()
                    ),
                )
                .label("nothing leads from it to here")
                .help("read a step that comes earlier, or change the order"),
            );
        }
        if let Some(member) = path.get(1)
            && !StepRecord::KEYS.contains(&member.name())
        {
            self.unknown(at, member, &StepRecord::KEYS, "a step has no");
        }
        if let (Some(member), Some(position)) = (path.get(1), position)
            && matches!(member.name(), "output" | "result")
            && let Some(schema) = self.drafts.get(*position).and_then(output_schema)
        {
            let owner = format!("steps.{}.{}", segment.name(), member.name());
            self.members(at, schema, &owner, &path[2..]);
        }
    }

    /// What a condition reads of the answer of its own step.
    fn own_result(&mut self, at: &Pointer, read: &Reference, draft: &StepDraft<'_>) {
        if ContextName::from_word(read.root().name()) == Some(ContextName::Result)
            && let Some(schema) = output_schema(draft)
        {
            self.members(at, schema, ContextName::Result.as_str(), read.path());
        }
    }

    fn unknown_step(&mut self, at: &Pointer, segment: &Segment) {
        let name = segment.name();
        let diagnostic = Diagnostic::new(
            Code::UnknownStep,
            Place::inside(at, segment.span()),
            format!("`{at}` reads the step `{name}`, which does not exist"),
        )
        .label(format!("no step has the id `{name}`"));
        self.report
            .push(match self.known.ids.closest(name, self.report) {
                Some(near) => did_you_mean(diagnostic, near, segment),
                None => diagnostic.help("name a step of this workflow"),
            });
    }

    fn input(&mut self, at: &Pointer, path: &[Segment]) {
        if let Some(input) = self.known.input {
            self.members(at, input.schema(), ContextName::Input.as_str(), path);
        }
    }

    /// Members are known where a schema closes them; `owner` is what has the schema.
    fn members(&mut self, at: &Pointer, schema: &ValueSchema, owner: &str, path: &[Segment]) {
        let Some(absent) = schema.absent(path.iter().map(Segment::name)) else {
            return;
        };
        let (Some(segment), Some(before)) =
            (path.get(absent.position), path.get(..absent.position))
        else {
            return;
        };
        let owner = before
            .iter()
            .fold(owner.to_owned(), |owner, member| written(&owner, member));
        match absent.owner {
            Owner::Closed(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let what = match owner.as_str() {
                    "input" => "the input has no".to_owned(),
                    owner => format!("`{owner}` has no"),
                };
                self.unknown(at, segment, &names, &what);
            }
            Owner::Plain { kind, known } => {
                let what = format!("`{owner}` is {kind} and has no");
                if self.suggestion(segment, known).is_some() {
                    self.unknown(at, segment, known, &what);
                    return;
                }
                let diagnostic = unknown_name(at, segment, &what);
                self.report
                    .push(diagnostic.help(format!("read `{owner}` itself")));
            }
        }
    }

    fn unknown(&mut self, at: &Pointer, segment: &Segment, known: &[&str], what: &str) {
        let diagnostic = unknown_name(at, segment, what);
        self.report.push(match self.suggestion(segment, known) {
            Some(near) => did_you_mean(diagnostic, near, segment),
            None if known.is_empty() => diagnostic.help("nothing can be read of it"),
            None => diagnostic.help(format!("known here: {}", listed(known))),
        });
    }

    fn suggestion<'k>(&self, segment: &Segment, known: &[&'k str]) -> Option<&'k str> {
        self.report.closest(segment.name(), known.iter().copied())
    }
}

fn unknown_name(at: &Pointer, segment: &Segment, what: &str) -> Diagnostic {
    let message = format!("{what} `{}`, which `{at}` reads", segment.name());
    Diagnostic::new(
        Code::UnknownName,
        Place::inside(at, segment.span()),
        message,
    )
    .label("not known")
}

/// With the name that was meant, in quotes if the one that was read stands in quotes.
fn did_you_mean(diagnostic: Diagnostic, near: &str, segment: &Segment) -> Diagnostic {
    let diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    let bare = segment.span().len() == segment.name().len();
    let is_word = near
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    match (bare, is_word) {
        (true, true) => diagnostic.fix(near),
        (false, true) => diagnostic.fix(format!("'{near}'")),
        // It would need brackets, too.
        (true | false, false) => diagnostic,
    }
}

/// The schema of what a model answers.
fn output_schema<'d>(draft: &'d StepDraft<'_>) -> Option<&'d ValueSchema> {
    match draft.step.action() {
        Action::Model(action) => action.output_schema(),
        Action::Tool(_) | Action::Noop => None,
    }
}

/// A member as an author writes it after its owner.
fn written(owner: &str, member: &Segment) -> String {
    let name = member.name();
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{owner}[{name}]")
    } else {
        format!("{owner}.{name}")
    }
}
