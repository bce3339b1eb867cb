//! Time, processor time and memory of this process, and the medians of them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Where databases are put, and how much is measured.
pub(crate) struct Place {
    /// Every database gets a directory of its own in here.
    pub(crate) root: PathBuf,
    /// How often each figure is taken.
    pub(crate) rounds: usize,
    scale: f64,
    /// Removed at the end, unless the directory was named.
    _kept: Option<tempfile::TempDir>,
}

impl Place {
    pub(crate) fn new(named: Option<&Path>, rounds: usize, scale: f64) -> Result<Self> {
        let (root, kept) = match named {
            Some(path) => (path.to_owned(), None),
            None => {
                let directory = tempfile::tempdir()?;
                (directory.path().to_owned(), Some(directory))
            }
        };
        Ok(Self {
            root,
            rounds: rounds.max(1),
            scale,
            _kept: kept,
        })
    }

    /// A fresh directory.
    pub(crate) fn fresh(&self) -> Result<tempfile::TempDir> {
        Ok(tempfile::tempdir_in(&self.root)?)
    }

    /// The share of an amount that is asked for, at least 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "amounts of work are small and positive"
    )]
    pub(crate) fn amount(&self, usual: usize) -> usize {
        ((usual as f64 * self.scale) as usize).max(1)
    }
}

/// What some work took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) wall: Duration,
    pub(crate) processor: Duration,
}

/// A stopwatch for time and processor time.
pub(crate) struct Watch {
    begun: Instant,
    processor: Duration,
}

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    pub(crate) fn start() -> Self {
        Self {
            begun: Instant::now(),
            processor: processor_time(),
        }
    }

    pub(crate) fn taken(&self) -> Taken {
        Taken {
            wall: self.begun.elapsed(),
            processor: processor_time().saturating_sub(self.processor),
        }
    }
}

/// The processor time of this process so far, all of its threads together.
pub(crate) fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// The memory of this process that is in use and its own, in bytes; the program's file does not
/// count.
pub(crate) fn memory() -> Result<Memory> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = |name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes =
            found.and_then(|rest| rest.trim_start_matches(':').trim().strip_suffix(" kB"));
        kilobytes
            .and_then(|text| text.trim().parse::<u64>().ok())
            .unwrap_or(0)
            * 1024
    };
    Ok(Memory {
        resident: line("VmRSS"),
        highest: line("VmHWM"),
        own: line("RssAnon"),
    })
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    pub(crate) highest: u64,
    pub(crate) own: u64,
}

/// The median of measurements.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How many per second.
#[expect(clippy::cast_precision_loss, reason = "amounts of work are small")]
pub(crate) fn rate(amount: usize, taken: Taken) -> f64 {
    amount as f64 / taken.wall.as_secs_f64()
}

/// Microseconds of processor time for each.
#[expect(clippy::cast_precision_loss, reason = "amounts of work are small")]
pub(crate) fn processor_each(amount: usize, taken: Taken) -> f64 {
    taken.processor.as_secs_f64() * 1e6 / amount as f64
}

/// Milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Megabytes.
#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
