//! The harness: a directory of one's own, the binary run in it, and what it answered.
//!
//! Whatever is waited for has a deadline, so that a program that hangs fails its test.

mod fifo;
mod mcp;
#[path = "../../crates/agentspace/examples/stub-model/server.rs"]
mod model_server;
mod process;
mod server;
#[path = "../../crates/agentspace/examples/stub-model/answer.rs"]
mod stub;
mod tmpfs;
mod tools;
mod wall_clock;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) use fifo::Fifo;
pub(crate) use mcp::{node_is_there, real_servers};
pub(crate) use model_server::{Answer, Asked, ModelServer};
pub(crate) use process::{Call, Ran, Running};
pub(crate) use server::Server;
pub(crate) use stub::answer;
pub(crate) use tmpfs::Tmpfs;
pub(crate) use tools::{demonstrated, strace_is_there};
pub(crate) use wall_clock::WallClock;

/// The longest that anything may take; far beyond what a slow machine needs.
pub(crate) const DEADLINE: std::time::Duration = std::time::Duration::from_mins(1);

/// Where the database is unless a test says otherwise.
pub(crate) const DATABASE: &str = ".agentspace/agentspace.db";

/// The directory that a test works in.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        let directory = TempDir::with_prefix("agentspace it ").unwrap();
        Self { directory }
    }

    /// A directory with one workflow file in it.
    pub(crate) fn with(name: &str, text: impl AsRef<[u8]>) -> Self {
        let place = Self::new();
        place.write(name, text);
        place
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The path as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The lines of a file that commands append to; none if nobody did.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name))
            .unwrap_or_default()
            .lines()
            .map(ToOwned::to_owned)
            .collect()
    }

    /// A copy of a file of `examples/`.
    pub(crate) fn example(&self, name: &str) {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        self.write(name, fs::read(examples.join(name)).unwrap());
    }

    /// The program, about to be run in this directory.
    pub(crate) fn call<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Call {
        Call::new(self.root(), args)
    }

    /// The program, run in this directory to its end.
    pub(crate) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Ran {
        self.call(args).run()
    }

    /// The data that a command answers with `--json`, which must succeed.
    pub(crate) fn json<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Value {
        let args: Vec<&str> = args.into_iter().chain(["--json"]).collect();
        self.run(args).exits(0).data()
    }

    /// Every execution, the newest first.
    pub(crate) fn executions(&self) -> Vec<Value> {
        list(&self.json(["executions", "ls"]))
    }

    /// The only execution there is, with its journal and its gates.
    pub(crate) fn only_execution(&self) -> Value {
        let all = self.executions();
        assert_eq!(all.len(), 1, "{all:?}");
        self.json(["executions", "show", word(&all[0]["id"])])
    }

    /// The only gate that waits.
    pub(crate) fn only_gate(&self) -> Value {
        let all = list(&self.json(["approvals", "ls"]));
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    /// The id of the only gate that waits.
    pub(crate) fn only_gate_id(&self) -> String {
        word(&self.only_gate()["id"]).to_owned()
    }
}

/// The items of a list.
pub(crate) fn list(value: &Value) -> Vec<Value> {
    value.as_array().expect("a list").clone()
}

/// The text of a string.
pub(crate) fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The steps of a journal with what became of them, as `step status`, in their order.
pub(crate) fn journal(execution: &Value) -> Vec<String> {
    list(&execution["journal"])
        .iter()
        .map(|visit| format!("{} {}", word(&visit["stepId"]), outcome(visit)))
        .collect()
}

fn outcome(visit: &Value) -> &str {
    visit["status"].as_str().unwrap_or(word(&visit["state"]))
}
