//! Checks where secrets are named: alone between braces, in what a call is made with, nowhere else.
//!
//! Which secrets there are is the host's to know.

use super::step::StepDraft;
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};
use crate::expression::{Beyond, Reference};
use crate::id::SecretName;
use crate::template::{SECRETS, Template};

/// Looks at every expression of every step.
pub(super) fn check(drafts: &[StepDraft<'_>], report: &mut Report) {
    for draft in drafts {
        for (at, template) in draft.call_templates() {
            in_call(&at, template, report);
        }
        if let Some((at, message)) = draft.message_template() {
            let why = "the message of an approval is stored and shown";
            for reference in message.references().filter(is_secret) {
                misplaced(&at, &reference, why, report);
            }
        }
        for (branch, at) in draft.step.branches().iter().zip(&draft.branches_at) {
            let why = "a condition has no secrets, because what it finds is told";
            let references = branch.condition().references().iter();
            for reference in references.filter(|reference| is_secret(reference)) {
                misplaced(&at.key("condition"), reference, why, report);
            }
        }
    }
}

/// Whether a secret is meant, be it named well or not.
pub(crate) fn is_secret(reference: &Reference) -> bool {
    reference.root().name() == SECRETS
}

/// Looks at a text whose secrets are filled in: each stands by itself.
pub(crate) fn in_call(at: &Pointer, template: &Template, report: &mut Report) {
    let places: Vec<usize> = template.secrets().map(|(span, _)| span.start).collect();
    for reference in template.references().filter(is_secret) {
        if !places.contains(&reference.root().span().start) {
            report.push(not_a_place(at, template, &reference));
        }
    }
}

/// Something else is done with a secret, or it has no name that one can have.
fn not_a_place(at: &Pointer, template: &Template, reference: &Reference) -> Diagnostic {
    let place = Place::inside(at, reference.root().span());
    if let ([segment], Beyond::Nothing) = (reference.path(), reference.beyond())
        && let Err(error) = SecretName::try_new(segment.name())
    {
        let message = format!("`{at}` names a secret by what is no name: {error}");
        return Diagnostic::new(
            Code::UnknownSecret,
            Place::inside(at, segment.span()),
            message,
        )
        .label("no name")
        .help("write the name that `agentspace.toml` gives it, as {{ secrets.API_TOKEN }}");
    }
    let message = match reference.path().first() {
        Some(segment) => format!(
            "`{at}` does something with the secret `{}`, which has no value before the call",
            segment.name()
        ),
        None => format!("`{at}` reads all secrets, expected the name of one"),
    };
    let name = reference
        .path()
        .first()
        .map_or("NAME", |segment| segment.name());
    let whole = template.source().trim();
    let help = if whole.starts_with("{{") {
        format!("write {{{{ secrets.{name} }}}} by itself; text may stand around it")
    } else {
        format!("write {{{{ secrets.{name} }}}} by itself within the text")
    };
    Diagnostic::new(Code::SecretNotAlone, place, message)
        .label("not by itself")
        .help(help)
}

fn misplaced(at: &Pointer, reference: &Reference, why: &str, report: &mut Report) {
    let place = Place::inside(at, reference.root().span());
    report.push(
        Diagnostic::new(
            Code::SecretMisplaced,
            place,
            format!("`{at}` names a secret: {why}"),
        )
        .label("not here")
        .help("secrets may stand in the `args` of a tool, and in `prompt` and `system` of a model"),
    );
}

#[cfg(test)]
mod tests {
    use crate::{SourceFormat, WorkflowDefinition};

    /// The codes, with the texts at their places.
    fn check(step: &str) -> Vec<String> {
        let text = format!("name: W\nsteps:\n  - id: a\n{step}");
        let checked = WorkflowDefinition::check(text.as_bytes(), SourceFormat::Yaml);
        let told = checked.diagnostics.iter().map(|one| {
            let span = checked.map.resolve(&one.place);
            format!("{} {}", one.code, &checked.map.text()[span])
        });
        told.collect()
    }

    #[test]
    fn a_secret_stands_by_itself_in_what_a_call_is_made_with() {
        let tool = |args: &str| {
            check(&format!(
                "    action: tool\n    tool: t\n    args: {args}\n"
            ))
        };
        assert_eq!(
            tool("{a: ['x {{secrets.A}}{{ secrets[\"B-2\"] }} y']}"),
            [] as [&str; 0]
        );
        assert_eq!(tool("{a: '{{ secrets.A + 1 }}'}"), ["WF0221 secrets"]);
        assert_eq!(tool("{a: '{{ secrets.A | json }}'}"), ["WF0221 secrets"]);
        assert_eq!(tool("{a: '{{ secrets }}'}"), ["WF0221 secrets"]);
        assert_eq!(tool("{a: '{{ secrets[input.x] }}'}"), ["WF0221 secrets"]);
        assert_eq!(tool("{a: '{{ secrets.A.length }}'}"), ["WF0221 secrets"]);
        assert_eq!(
            tool("{a: '{{ secrets.A }} {{ input.x ? secrets.A : secrets.B }}'}"),
            ["WF0221 secrets", "WF0221 secrets"]
        );
        assert_eq!(tool("{a: '{{ secrets[\"a b\"] }}'}"), ["WF0220 \"a b\""]);
        let model =
            "    action: model\n    prompt: 'p {{ secrets.A }}'\n    system: '{{ secrets.B }}'\n";
        assert_eq!(check(model), [] as [&str; 0]);
    }

    #[test]
    fn a_secret_stands_nowhere_else() {
        let gate = "    action: noop\n    approvalRequired: {message: 'ok {{ secrets.A }}?'}\n";
        assert_eq!(check(gate), ["WF0222 secrets"]);
        let branch =
            "    action: noop\n    branches: [{condition: 'secrets.A == 1', goto: $end}]\n";
        assert_eq!(check(branch), ["WF0222 secrets"]);
    }
}
