//! Runs the program as it is at another time: a test sets the wall clock of one process.
//!
//! What is moved is what the system answers, by a library that is preloaded; timers go on as ever.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use gateway::workflow_types::Timestamp;
use tempfile::TempDir;

use super::tools::passed_over;
use super::{Call, Place};

/// What sets the clock.
pub(crate) struct WallClock {
    /// A place of its own: what is preloaded has no blank in its path.
    directory: TempDir,
}

impl WallClock {
    /// None where it cannot be done, which is said; in CI it must be.
    pub(crate) fn new(place: &Place) -> Option<Self> {
        let clock = Self {
            directory: TempDir::with_prefix("wall-clock-").unwrap(),
        };
        let source = clock.directory.path().join("wall_clock.c");
        fs::write(&source, include_str!("wall_clock.c")).unwrap();
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([clock.library(), source])
            .status();
        if !made.is_ok_and(|status| status.success()) {
            passed_over("the wall clock cannot be set without a C compiler");
            return None;
        }
        let probe = place.call(["schedules", "next", "0 0 1 1 *", "-n", "1", "--json"]);
        let next = clock.at("2031-05-05T00:00:00Z", probe).run().exits(0);
        if next.data()["fires"][0]["utc"] != "2032-01-01T00:00:00Z" {
            passed_over("the wall clock of this program cannot be set");
            return None;
        }
        Some(clock)
    }

    fn library(&self) -> PathBuf {
        self.directory.path().join("wall_clock.so")
    }

    /// The program, begun at a time.
    pub(crate) fn at(&self, time: &str, call: Call) -> Call {
        let time: Timestamp = time.parse().unwrap();
        let seconds = time.as_millis().div_euclid(1_000);
        call.env("LD_PRELOAD", self.library())
            .env("WALL_CLOCK", seconds.to_string())
    }
}
