//! An HTTP server that speaks the wire formats of two providers, and says what it is told to.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// What the server answers to one request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A text, as a model answers it.
    Text(String),
    /// A text, and tools with their arguments that are to be called.
    Calls(String, Vec<(String, Value)>),
    /// A text that the limit of tokens cut off.
    CutOff(String),
    /// A status with headers and a body of JSON.
    Status(u16, &'static str, String),
    /// A body as it is, declared as JSON.
    Body(String),
    /// Half of an answer; then the connection ends.
    BreaksOff,
    /// Nothing: the connection stays open.
    Silence,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its path.
    pub(crate) path: String,
    /// Its headers as they came, their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body.
    pub(crate) body: Value,
}

/// Decides what is answered.
type Decide = dyn Fn(&Asked) -> Answer + Send + Sync;

/// The server; it lives as long as its process.
pub(crate) struct ModelServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ModelServer {
    /// One at an address that gives these answers in their order, the last of them ever after.
    pub(crate) fn saying(answers: impl IntoIterator<Item = Answer>) -> std::io::Result<Self> {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::deciding("127.0.0.1:0", move |_| {
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            let next = if answers.len() > 1 {
                answers.pop_front()
            } else {
                answers.front().cloned()
            };
            next.unwrap_or(Answer::Silence)
        })
    }

    /// One at an address that answers as it is decided for each request.
    pub(crate) fn deciding(
        address: &str,
        decide: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let asked = Arc::default();
        let (decide, seen): (Arc<Decide>, _) = (Arc::new(decide), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (decide, seen) = (Arc::clone(&decide), Arc::clone(&seen));
                // Whoever hangs up early gets no answer.
                thread::spawn(move || serve(&stream, &*decide, &seen));
            }
        });
        Ok(Self { address, asked })
    }

    /// What `base_url` says of it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1/", self.address)
    }

    /// The requests that came, in their order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(mut stream: &TcpStream, decide: &Decide, seen: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let Some(asked) = read(&mut reader)? else {
        return Ok(());
    };
    let answer = decide(&asked);
    let is_anthropic = asked.path.ends_with("/messages");
    let mut all = seen.lock().unwrap_or_else(PoisonError::into_inner);
    all.push(asked);
    drop(all);
    let (status, headers, body) = match answer {
        Answer::Text(text) => (200, "", complete(is_anthropic, &text, ("stop", "end_turn"))),
        Answer::CutOff(text) => {
            let body = complete(is_anthropic, &text, ("length", "max_tokens"));
            (200, "", body)
        }
        Answer::Calls(text, calls) => (200, "", calling(is_anthropic, &text, &calls)),
        Answer::Status(status, headers, body) => (status, headers, body),
        Answer::Body(body) => (200, "", body),
        Answer::BreaksOff => {
            return stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"id\":",
            );
        }
        Answer::Silence => {
            // Until whoever asked hangs up.
            let _ = reader.read(&mut [0])?;
            return Ok(());
        }
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Reads a request; none if the connection ended before it.
fn read(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Asked>> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let Some(path) = first.split(' ').nth(1) else {
        return Ok(None);
    };
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, length)| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked {
        path: path.to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }))
}

/// A whole answer; its question had 20 tokens, and it has 5.
fn complete(is_anthropic: bool, text: &str, (openai, anthropic): (&str, &str)) -> String {
    let document = if is_anthropic {
        json!({
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "stub",
            "content": [{"type": "text", "text": text}],
            "stop_reason": anthropic,
            "usage": {"input_tokens": 20, "output_tokens": 5},
        })
    } else {
        json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "stub",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": openai,
            }],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
        })
    };
    document.to_string()
}

/// An answer that calls tools; each call has a name of its own within the answer.
fn calling(is_anthropic: bool, text: &str, calls: &[(String, Value)]) -> String {
    let numbered = (1_u32..).zip(calls);
    let document = if is_anthropic {
        let mut content = Vec::new();
        if !text.is_empty() {
            content.push(json!({"type": "text", "text": text}));
        }
        content.extend(numbered.map(|(number, (tool, args))| {
            let id = format!("toolu_{number}");
            json!({"type": "tool_use", "id": id, "name": tool, "input": args})
        }));
        json!({
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "stub",
            "content": content,
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 20, "output_tokens": 5},
        })
    } else {
        let calls: Vec<Value> = numbered
            .map(|(number, (tool, args))| {
                json!({
                    "id": format!("call_{number}"),
                    "type": "function",
                    "function": {"name": tool, "arguments": args.to_string()},
                })
            })
            .collect();
        json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "stub",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": text, "tool_calls": calls},
                "finish_reason": "tool_calls",
            }],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
        })
    };
    document.to_string()
}
