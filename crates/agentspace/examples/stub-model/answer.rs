//! What the stub answers: the calls that the question spells out, one a turn, and then the smallest
//! value that fits its schema, or its own words.

use serde_json::{Deserializer, Map, Value, json};

use super::{Answer, Asked};

/// The answer to a request. Where a question says `call files.read_file {"path": "a"}`, that is a call
/// which it makes, if the request has a tool of that name.
pub(crate) fn answer(asked: &Asked) -> Answer {
    let answered = messages(&asked.body, "assistant").count();
    if let Some(call) = calls(&asked.body).into_iter().nth(answered) {
        return Answer::Calls("I look.".to_owned(), vec![call]);
    }
    let schema = [
        "/response_format/json_schema/schema",
        "/output_config/format/schema",
        "/output_format/schema",
    ]
    .iter()
    .find_map(|at| asked.body.pointer(at));
    Answer::Text(match schema {
        Some(schema) => fitting(schema).to_string(),
        None => format!("You asked: {}", question(&asked.body)),
    })
}

fn messages<'b>(body: &'b Value, role: &'static str) -> impl Iterator<Item = &'b Value> {
    let all = body["messages"].as_array().into_iter().flatten();
    all.filter(move |message| message["role"] == role)
}

/// The calls that the question spells out, of tools that the request has.
fn calls(body: &Value) -> Vec<(String, Value)> {
    let tools: Vec<&str> = body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tool| tool["function"]["name"].as_str().or(tool["name"].as_str()))
        .collect();
    let Some(question) = messages(body, "user").next().and_then(text) else {
        return Vec::new();
    };
    let spelled = |(at, word): (usize, &str)| {
        let (name, rest) = question[at + word.len()..].split_once(' ')?;
        // On the way to a model, names have no dots.
        let name = name.replace('.', "_");
        let args = Deserializer::from_str(rest).into_iter().next()?.ok()?;
        tools.contains(&name.as_str()).then_some((name, args))
    };
    question
        .match_indices("call ")
        .filter_map(spelled)
        .collect()
}

/// The words of the last message.
fn question(body: &Value) -> String {
    let last = body["messages"].as_array().and_then(|all| all.last());
    last.and_then(text).unwrap_or_default().to_owned()
}

fn text(message: &Value) -> Option<&str> {
    let content = &message["content"];
    content.as_str().or(content[0]["text"].as_str())
}

/// A small value of a schema.
fn fitting(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object();
            let fitted = properties.into_iter().flatten();
            let fitted = fitted.map(|(name, schema)| (name.clone(), fitting(schema)));
            Value::Object(fitted.collect::<Map<_, _>>())
        }
        Some("array") => json!([]),
        Some("number" | "integer") => json!(1),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some(_) | None => json!("a stub"),
    }
}
