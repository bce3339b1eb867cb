//! Refuses templates in shell strings: a value in one is code, and no quoting is right for every
//! value.

use super::step::StepDraft;
use crate::action::Action;
use crate::diagnostic::{Code, Diagnostic, Place, Report};

/// The tool whose `command`, written as a string, is run by a shell.
const TOOL: &str = "execute_command";

/// Looks at the command of every step.
pub(super) fn check(drafts: &[StepDraft<'_>], report: &mut Report) {
    for draft in drafts {
        let Action::Tool(action) = draft.step.action() else {
            continue;
        };
        let is_shell = action
            .args()
            .written()
            .get("command")
            .is_some_and(serde_json::Value::is_string);
        let references = action.args().template().references();
        let is_filled_in = references.iter().any(|(inner, _)| inner == "/command");
        if action.tool().as_ref() != TOOL || !is_shell || !is_filled_in {
            continue;
        }
        let at = draft.at.key("args").key("command");
        report.push(
            Diagnostic::new(
                Code::ShellTemplate,
                Place::value(&at),
                format!("`{at}` is a shell string with a template in it, so its value would be run as code"),
            )
            .help("write the command as a list, or pass the value in `env`"),
        );
    }
}
