//! When a server that fails is started again, by a clock that the test moves.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway::workflow_types::id::SecretName;
use gateway::workflow_types::template::Template;
use gateway::{ManualClock, Mask, SecretSource, SecretValue, ToolError, ToolSource as _};

use super::{Endpoint, McpServer, Program, ServerOptions};
use crate::secrets::Revealer;
use crate::tools::execute_command::Inherit;

/// A server that counts its starts and ends at once.
struct Failing {
    server: McpServer,
    clock: ManualClock,
    directory: tempfile::TempDir,
}

impl Failing {
    fn new() -> Self {
        Self::keeping(|_: &SecretName| None, &[])
    }

    /// One that notes the value of a variable at each start, and is given secrets by this source.
    fn keeping(source: impl SecretSource, env: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let command = ["sh", "-c", "echo \"x$TOKEN\" >> starts; exit 4"];
        let env = env.iter().map(|(name, text)| {
            let text = Template::parse(text).unwrap().as_secret_text().unwrap();
            ((*name).to_owned(), text)
        });
        let clock = ManualClock::new("2026-01-31T09:00:00Z".parse().unwrap());
        let options = ServerOptions {
            endpoint: Endpoint::Program(Program {
                command: command.map(ToOwned::to_owned).to_vec(),
                env: env.collect(),
                inherit: Inherit::Basics,
                directory: directory.path().to_owned(),
            }),
            secrets: Revealer::new(source, Mask::default()),
            timeout: Duration::from_secs(30),
            max_message: 1_000_000,
        };
        let name = "failing".parse().unwrap();
        Self {
            server: McpServer::new(name, options, Arc::new(clock.clone())),
            clock,
            directory,
        }
    }

    async fn ask(&self) -> ToolError {
        let name = "failing.x".parse().unwrap();
        self.server.find(&name).await.err().unwrap()
    }

    fn starts(&self) -> usize {
        self.noted().len()
    }

    /// What it noted at its starts.
    fn noted(&self) -> Vec<String> {
        let starts = fs::read_to_string(self.directory.path().join("starts"));
        let starts = starts.unwrap_or_default();
        starts.lines().map(ToOwned::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_start_that_follows_a_failure_waits_twice_as_long_up_to_half_a_minute() {
    let failing = Failing::new();
    assert_eq!(failing.starts(), 0, "nobody has needed it");
    failing.ask().await;
    for (starts, wait) in [(1, 500), (2, 1_000), (3, 2_000)] {
        assert_eq!(failing.starts(), starts);
        // So short a wait is waited for.
        let before = failing.clock.clone();
        let asked = failing.ask();
        tokio::pin!(asked);
        let early = Duration::from_millis(wait - 1);
        before.advance(early);
        assert!(
            std::future::poll_fn(|context| {
                std::task::Poll::Ready(asked.as_mut().poll(context).is_pending())
            })
            .await
        );
        before.advance(Duration::from_millis(1));
        asked.await;
    }
    for (starts, wait) in [(4, 4), (5, 8), (6, 16), (7, 30), (8, 30)] {
        let told = failing.ask().await;
        assert!(told.is_retryable());
        let told = told.to_string();
        let again = format!("it is started again in {wait}s at the earliest");
        assert!(
            told.contains("(exit status: 4)") && told.ends_with(&again),
            "{told}"
        );
        assert_eq!(failing.starts(), starts, "a long wait is not waited for");
        failing.clock.advance(Duration::from_secs(wait));
        failing.ask().await;
    }
    failing.server.close().await;
    let closed = failing.ask().await.to_string();
    assert!(closed.contains("is stopped"), "{closed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_asked_for_at_every_start_and_one_that_is_not_there_delays_the_next() {
    let asked = AtomicUsize::new(0);
    let source = move |_: &SecretName| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => None,
        number => SecretValue::new(format!("value-{number}")).ok(),
    };
    let failing = Failing::keeping(source, &[("TOKEN", " {{ secrets.KEY }}")]);
    let missing = failing.ask().await;
    assert!(missing.is_retryable());
    assert_eq!(
        missing.to_string(),
        "MCP server `failing` did not start: secret `KEY` cannot be had: it is not known"
    );
    assert_eq!(failing.noted(), [""; 0]);
    for (wait, told) in [(500, "value-1"), (1_000, "value-2"), (2_000, "value-3")] {
        let early = Duration::from_millis(wait - 1);
        failing.clock.advance(early);
        let asked = failing.ask();
        tokio::pin!(asked);
        assert!(
            std::future::poll_fn(|context| {
                std::task::Poll::Ready(asked.as_mut().poll(context).is_pending())
            })
            .await
        );
        failing.clock.advance(Duration::from_millis(1));
        let ended = asked.await.to_string();
        assert!(ended.contains("(exit status: 4)"), "{ended}");
        assert_eq!(failing.noted().last().unwrap(), &format!("x {told}"));
    }
    failing.server.close().await;
}
