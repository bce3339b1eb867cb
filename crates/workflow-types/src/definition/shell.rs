//! Refuses templates in code: in a shell string, and in the script of a shell or an interpreter. A
//! value in one is code, and no quoting is right for every value.

mod script;

use serde_json::Value;

use self::script::Reader;
use super::step::StepDraft;
use crate::action::{Action, ToolAction};
use crate::diagnostic::{Code, Diagnostic, Place, Pointer, Report};

/// The tool whose `command`, written as a string, is run by a shell.
const TOOL: &str = "execute_command";

/// Looks at the command of every step.
pub(super) fn check(drafts: &[StepDraft<'_>], report: &mut Report) {
    for draft in drafts {
        let Action::Tool(action) = draft.step.action() else {
            continue;
        };
        if action.tool().as_ref() != TOOL {
            continue;
        }
        let at = draft.at.key("args").key("command");
        match action.args().written().get("command") {
            Some(Value::String(_)) => text(action, &at, report),
            Some(Value::Array(words)) => list(action, words, &at, report),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {}
        }
    }
}

fn text(action: &ToolAction, at: &Pointer, report: &mut Report) {
    if !is_filled_in(action, "/command") {
        return;
    }
    report.push(
        Diagnostic::new(
            Code::ShellTemplate,
            Place::value(at),
            format!(
                "`{at}` is a shell string with a template in it, so its value would be run as code"
            ),
        )
        .help("write the command as a list, or pass the value in `env`"),
    );
}

/// In a list a value arrives as it is, unless the program takes it for code.
fn list(action: &ToolAction, words: &[Value], at: &Pointer, report: &mut Report) {
    // What is no string is refused by the tool; here it only keeps its place.
    let words: Vec<&str> = words
        .iter()
        .map(|word| word.as_str().unwrap_or_default())
        .collect();
    let Some(script) = script::find(&words) else {
        return;
    };
    for position in script.words {
        if !is_filled_in(action, &format!("/command/{position}")) {
            continue;
        }
        let at = at.index(position);
        report.push(
            Diagnostic::new(
                Code::ShellTemplate,
                Place::value(&at),
                format!("`{at}` is code with a template in it, so its value would be run as code"),
            )
            .help(remedy(script.reader)),
        );
    }
}

fn remedy(reader: Reader) -> &'static str {
    match reader {
        Reader::Shell => {
            "pass the value as a further argument and write \"$1\" for it, as [sh, -c, 'echo \
             \"$1\"', sh, \"{{ input.name }}\"]"
        }
        Reader::Cmd => "run the program itself, without cmd, and give it the value as an argument",
        Reader::PowerShell => "pass the value in `env` and read it there, as $env:NAME",
        Reader::Interpreter => {
            "pass the value as a further argument and read it there, as sys.argv[1] in python"
        }
    }
}

/// Whether a template stands in the argument.
fn is_filled_in(action: &ToolAction, pointer: &str) -> bool {
    let templates = action.args().template().templates();
    templates.iter().any(|(inner, _)| *inner == pointer)
}
