//! What a model with tools is told: which there are, what it has said, and what came of its calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway::ToolSpec;
use gateway::workflow_types::execution::{CallState, ModelTurn, Outcome, TurnCall};
use genai::chat::{
    ChatMessage, ChatRequest, ContentPart, MessageContent, Tool, ToolCall, ToolResponse,
};
use serde_json::{Value, json};

/// The longest name that every provider takes.
const LONGEST_NAME: usize = 64;

/// The names that tools have on the way: providers know letters, digits, `_` and `-` only, and our
/// names have dots.
pub(super) struct Names {
    there: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

impl Names {
    /// The names of these tools, each its own.
    pub(super) fn of(tools: &[Arc<ToolSpec>]) -> Self {
        let mut names = Self {
            there: BTreeMap::new(),
            back: BTreeMap::new(),
        };
        for tool in tools {
            names.add(tool.name().as_ref());
        }
        names
    }

    fn add(&mut self, ours: &str) {
        let plain = plain(ours);
        let mut theirs = plain.clone();
        let mut number = 2_u32;
        while self.back.contains_key(&theirs) {
            let tail = format!("_{number}");
            let room = LONGEST_NAME - tail.len();
            theirs = plain.chars().take(room).collect::<String>() + &tail;
            number += 1;
        }
        self.there.insert(ours.to_owned(), theirs.clone());
        self.back.insert(theirs, ours.to_owned());
    }

    /// What a tool is called on the way; one that there is not, as nearly as the format allows.
    fn there(&self, ours: &str) -> String {
        self.there.get(ours).cloned().unwrap_or_else(|| plain(ours))
    }

    /// Our name of what a model called; as it is, if that is none of the tools.
    pub(super) fn back(&self, theirs: String) -> String {
        self.back.get(&theirs).cloned().unwrap_or(theirs)
    }
}

/// A name of letters, digits, `_` and `-` alone.
fn plain(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).take(LONGEST_NAME).collect();
    if name.is_empty() {
        return "_".to_owned();
    }
    name
}

/// Adds the tools and all that was said before to a question.
pub(super) fn add(
    mut chat: ChatRequest,
    tools: &[Arc<ToolSpec>],
    turns: &[Arc<ModelTurn>],
) -> ChatRequest {
    if tools.is_empty() {
        return chat;
    }
    let names = Names::of(tools);
    for turn in turns {
        chat = turn_of(chat, turn, &names);
    }
    chat.with_tools(tools.iter().map(|tool| tool_of(tool, &names)))
}

fn tool_of(spec: &ToolSpec, names: &Names) -> Tool {
    let any = || json!({"type": "object"});
    let schema = spec
        .input()
        .map_or_else(any, |input| input.json_schema().clone());
    Tool::new(names.there(spec.name().as_ref()))
        .with_description(spec.description())
        .with_schema(schema)
}

fn turn_of(chat: ChatRequest, turn: &ModelTurn, names: &Names) -> ChatRequest {
    let mut parts = Vec::with_capacity(turn.calls.len() + 1);
    // An empty text is refused by some.
    if !turn.text.is_empty() {
        parts.push(ContentPart::Text(turn.text.clone()));
    }
    let calls = turn.calls.iter().map(|call| call_of(call, names));
    parts.extend(calls.map(ContentPart::ToolCall));
    let mut chat = chat;
    if !parts.is_empty() {
        let said = MessageContent::from_parts(parts);
        chat = chat.append_message(ChatMessage::assistant(said));
    }
    if !turn.calls.is_empty() {
        let results: Vec<ToolResponse> = turn
            .calls
            .iter()
            .map(|call| {
                ToolResponse::new(call.id.clone(), result_of(call))
                    .with_fn_name(names.there(&call.tool))
            })
            .collect();
        chat = chat.append_message(ChatMessage::from(results));
    }
    match &turn.refused {
        None => chat,
        Some(reason) => {
            let words =
                format!("Your answer was refused: {reason}\nAnswer again, so that this is mended.");
            chat.append_message(ChatMessage::user(words))
        }
    }
}

fn call_of(call: &TurnCall, names: &Names) -> ToolCall {
    ToolCall {
        call_id: call.id.clone(),
        fn_name: names.there(&call.tool),
        fn_arguments: match &call.args {
            args @ Value::Object(_) => args.clone(),
            // What it wrote was refused; the format has a place for objects only.
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => json!({}),
        },
        thought_signatures: None,
    }
}

/// What came of a call: a text as it is, the rest as JSON.
fn result_of(call: &TurnCall) -> String {
    match &call.state {
        CallState::Done { outcome, .. } => match outcome {
            Outcome::Success {
                output: Value::String(text),
            } => text.clone(),
            Outcome::Success { output } => output.to_string(),
            Outcome::Failure(failure) => json!({"error": failure.message}).to_string(),
        },
        // The gateway asks only when all of them are over.
        CallState::Asked | CallState::Ready { .. } | CallState::Begun { .. } => {
            json!({"error": "not called yet"}).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway::Effect;

    use super::*;

    #[test]
    fn every_tool_has_a_name_of_its_own_that_leads_back() {
        let long = "x".repeat(LONGEST_NAME);
        let ours = ["web.get", "web_get", "web-get", long.as_str()];
        let tools = ours.map(|name| {
            let name = name.parse().unwrap();
            Arc::new(ToolSpec::new(name, "", Effect::ReadOnly))
        });
        let names = Names::of(&tools);
        let theirs: Vec<String> = ours.iter().map(|name| names.there(name)).collect();
        assert_eq!(theirs[..3], ["web_get", "web_get_2", "web-get"]);
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!(theirs.len() <= LONGEST_NAME);
            assert_eq!(names.back(theirs), *ours);
        }
        assert_eq!(names.back("rm -rf".to_owned()), "rm -rf");
        assert_eq!(names.there("rm -rf"), "rm_-rf");
    }
}
