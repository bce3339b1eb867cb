//! What authors write for an id, an action or a target, and what they mean by it.

use crate::definition::remedy;
use crate::diagnostic::{Remedy, closest};
use crate::id::ToolName;

/// The id that is most like a text that is none.
pub(super) fn id(found: &str) -> Remedy {
    if found.chars().count() > crate::id::MAX_NAME_LENGTH {
        return Remedy::told("shorten it; what the step is for is said by `description`");
    }
    let Some(id) = remedy::slug(found) else {
        return Remedy::told("an id is for example `check-health`");
    };
    let why = if found.starts_with(|c: char| c.is_ascii_digit()) {
        "an id begins with a letter: "
    } else if found.chars().any(|c| c.is_alphabetic() && !c.is_ascii()) {
        "the letters are a to z: "
    } else {
        ""
    };
    Remedy::put(format!("{why}write {id}"), id)
}

/// The action that is meant by a word.
pub(super) fn action(found: &str) -> Option<Remedy> {
    let tool = |name: &str| Remedy::told(format!("write `action: tool` and `tool: {name}`"));
    let lower = found.to_ascii_lowercase();
    Some(match lower.as_str() {
        "shell" | "command" | "cmd" | "run" | "exec" | "execute" | "bash" | "sh" | "script"
        | "execute_command" => tool("execute_command"),
        "http" | "https" | "request" | "fetch" | "webhook" | "curl" | "rest" | "api" | "get"
        | "post" | "http_request" => tool("http_request"),
        "llm" | "ai" | "agent" | "chat" | "prompt" | "gpt" | "ask" | "completion" => {
            Remedy::meant("model")
        }
        "none" | "pass" | "nothing" | "skip" | "wait" | "approval" | "approve" | "gate"
        | "manual" | "if" | "switch" | "branch" | "condition" | "choice" => Remedy::meant("noop"),
        _ if found.parse::<ToolName>().is_ok() => Remedy::told(format!(
            "to call a tool write `action: tool` and `tool: {found}`"
        )),
        _ => return None,
    })
}

/// The target that is meant by a text; `step` finds a step whose id is near.
pub(super) fn target<'i>(found: &str, step: impl FnOnce(&str) -> Option<&'i str>) -> Remedy {
    let lower = found.to_ascii_lowercase();
    let near = match lower.trim_start_matches('$') {
        "end" | "done" | "stop" | "finish" | "finished" | "exit" | "complete" | "completed"
        | "success" => Some("$end"),
        "fail" | "failed" | "failure" | "error" | "abort" => Some("$fail"),
        _ => step(found).or_else(|| closest(found, ["$end", "$fail"])),
    };
    match near {
        Some(near) => Remedy::meant(near),
        None => Remedy::told("a target is the id of a step, $end or $fail"),
    }
}
