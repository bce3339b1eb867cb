//! A model for examples and tests without a network: `stub-model [ADDRESS]`.
//!
//! It speaks two wire formats, of `openai` (`/v1/chat/completions`) and `anthropic` (`/v1/messages`).
//! A question with a schema is answered with the smallest value that fits, any other with its own
//! words. `examples/model/agentspace.toml` expects it at 127.0.0.1:8787.
#![expect(
    clippy::print_stdout,
    reason = "a program for a terminal, not a library"
)]

#[expect(dead_code, reason = "the tests use more of it")]
mod server;

use serde_json::{Map, Value, json};
use server::{Answer, Asked, ModelServer};

/// Where it listens unless it is told otherwise.
const ADDRESS: &str = "127.0.0.1:8787";

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or(ADDRESS);
    let server = ModelServer::deciding(address, |asked| {
        println!("asked at {}", asked.path);
        answer(asked)
    })?;
    println!("a stub of a model listens at {}", server.url());
    loop {
        std::thread::park();
    }
}

fn answer(asked: &Asked) -> Answer {
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

/// The words of the last message.
fn question(body: &Value) -> String {
    let messages = body["messages"].as_array();
    let last = messages.and_then(|messages| messages.last());
    let content = last.map_or(&Value::Null, |message| &message["content"]);
    let text = content.as_str().or(content[0]["text"].as_str());
    text.unwrap_or_default().to_owned()
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
