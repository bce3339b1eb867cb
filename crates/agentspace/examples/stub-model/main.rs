//! A model for examples and tests without a network: `stub-model [ADDRESS]`.
//!
//! It speaks two wire formats, of `openai` (`/v1/chat/completions`) and `anthropic` (`/v1/messages`).
//! What it answers is in `answer.rs`. The configurations in `examples/model` and `examples/offline`
//! expect it at 127.0.0.1:8787.
#![expect(
    clippy::print_stdout,
    reason = "a program for a terminal, not a library"
)]

mod answer;
#[expect(dead_code, reason = "the tests use more of it")]
mod server;

use server::{Answer, Asked, ModelServer};

/// Where it listens unless it is told otherwise.
const ADDRESS: &str = "127.0.0.1:8787";

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or(ADDRESS);
    let server = ModelServer::deciding(address, |asked| {
        println!("asked at {}", asked.path);
        answer::answer(asked)
    })?;
    println!("a stub of a model listens at {}", server.url());
    loop {
        std::thread::park();
    }
}
