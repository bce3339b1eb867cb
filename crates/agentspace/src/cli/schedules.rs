//! The words of `schedules`, `serve` and `simulate`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, Args, Subcommand};
use gateway::workflow_types::Timestamp;
use gateway::workflow_types::duration;
use gateway::workflow_types::id::{ScheduleId, WorkflowId};
use gateway::workflow_types::schedule::{
    ActiveHours, EndOfDay, MaxRuns, Misfire, Overlap, ScheduleName, TimeOfDay, TimeZone,
    check_jitter,
};

use super::{ActorArg, key_value, number};

/// `schedules`
#[derive(Debug, Subcommand)]
pub(crate) enum Schedules {
    /// Add one, and say when it fires.
    Add(Box<AddSchedule>),
    /// List them.
    Ls(ListSchedules),
    /// Show one: its rule in words, its next fire times, and what became of the last ones.
    Show {
        /// Its id.
        id: ScheduleId,
    },
    /// Change one; what is not named stays.
    Edit(Box<EditSchedule>),
    /// Let one rest; what would have fired meanwhile is not caught up.
    Pause {
        /// Its id.
        id: ScheduleId,
    },
    /// Let one fire again.
    Resume {
        /// Its id.
        id: ScheduleId,
    },
    /// Start its workflow now, and follow that until it is at rest; it counts as no run.
    Trigger {
        /// Its id.
        id: ScheduleId,
        #[command(flatten)]
        input: InputArgs,
        #[command(flatten)]
        actor: ActorArg,
    },
    /// Delete one with its history; what it started stays.
    Rm {
        /// Its id.
        id: ScheduleId,
    },
    /// Say when a rule, or a schedule, fires next; a rule needs no database.
    Next(NextArgs),
    /// Start the fire times of a stretch that did not run, and wait until all of it is at rest.
    Backfill {
        /// Its id.
        id: ScheduleId,
        /// The first instant of the stretch.
        #[arg(long, value_name = "INSTANT")]
        from: Timestamp,
        /// The last instant of the stretch. Default: now.
        #[arg(long, value_name = "INSTANT")]
        to: Option<Timestamp>,
        /// Only say which fire times there are.
        #[arg(long)]
        dry_run: bool,
    },
    /// What became of the fire times of one, the newest first.
    History {
        /// Its id.
        id: ScheduleId,
        /// Only those before then.
        #[arg(long, value_name = "INSTANT")]
        before: Option<Timestamp>,
        /// At most so many.
        #[arg(long, default_value = "50", value_parser = number::some, allow_negative_numbers = true)]
        limit: NonZeroUsize,
    },
}

/// `schedules next`
#[derive(Debug, Args)]
pub(crate) struct NextArgs {
    /// A pattern as "0 9 * * MON-FRI" or @daily, "every 30m", "at 2026-01-31T09:00", or the id of a
    /// schedule.
    #[arg(value_name = "RULE|ID")]
    pub(crate) rule: String,
    /// The time zone of the rule [default: that of the settings].
    #[arg(long = "tz", value_name = "ZONE")]
    pub(crate) zone: Option<TimeZone>,
    /// Only what is later than this, as 2026-01-31T09:00:00+01:00. Default: now.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) after: Option<Timestamp>,
    /// How many fire times, at most 10,000.
    #[arg(
        short = 'n',
        long = "count",
        value_name = "N",
        default_value = "5",
        value_parser = number::fires,
        allow_negative_numbers = true
    )]
    pub(crate) count: NonZeroUsize,
    /// Where an interval is counted from. Default: the instant of --after.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) anchor: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
}

/// The window in which something fires.
#[derive(Debug, Args)]
pub(crate) struct WindowArgs {
    /// Fire only between these times of the zone, as 09:00-17:00; a night as 22:00-06:00 belongs to
    /// the day on which it begins.
    #[arg(long, value_name = "START-END", value_parser = hours)]
    pub(crate) active_hours: Option<Hours>,
    /// Fire only on these days, as mon-fri or 6,7 (1 is Monday).
    #[arg(long, value_name = "DAYS", value_parser = days)]
    pub(crate) active_days: Option<Days>,
}

/// The bounds of a window, which differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hours {
    pub(crate) start: TimeOfDay,
    pub(crate) end: EndOfDay,
}

/// Days from 1 (Monday) to 7 (Sunday), at least one.
#[derive(Debug, Clone)]
pub(crate) struct Days(pub(crate) Vec<i64>);

/// What a schedule gives to its workflow.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// One value of the input; its type is the input schema's.
    #[arg(short, long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) input: Vec<(String, String)>,
    /// The whole input as a JSON object, or `@FILE` that holds one; `-i` is set on top of it.
    #[arg(long = "input", value_name = "JSON|@FILE")]
    pub(crate) document: Option<String>,
}

impl InputArgs {
    /// Whether something of an input was given.
    pub(crate) fn is_given(&self) -> bool {
        self.document.is_some() || !self.input.is_empty()
    }
}

/// What becomes of fire times that were missed or that overlap, and when it ends.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// What becomes of fire times that were missed: latest, all or skip.
    #[arg(long, value_name = "POLICY", value_parser = misfire)]
    pub(crate) misfire: Option<Misfire>,
    /// How old a missed fire time may be to be caught up, as 1h.
    #[arg(long, value_name = "AGE", value_parser = length, allow_hyphen_values = true)]
    pub(crate) catch_up: Option<Duration>,
    /// What becomes of a fire time while an earlier execution is not finished: skip, `buffer_one`,
    /// `buffer_all`, `cancel_other` or allow.
    #[arg(long, value_name = "POLICY", value_parser = overlap)]
    pub(crate) overlap: Option<Overlap>,
    /// Whether an execution that waits for an approval stands in the way of none.
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) overlap_ignores_paused: Option<bool>,
    /// Fire later by up to this, always the same, as 5m.
    #[arg(long, value_name = "TIME", value_parser = jitter, allow_hyphen_values = true)]
    pub(crate) jitter: Option<Duration>,
    /// Complete after so many runs.
    #[arg(long, value_name = "N", value_parser = max_runs, allow_negative_numbers = true)]
    pub(crate) max_runs: Option<MaxRuns>,
    /// Pause after so many failed executions in a row.
    #[arg(long, value_name = "N", value_parser = number::some_32, allow_negative_numbers = true)]
    pub(crate) pause_after_failures: Option<NonZeroU32>,
}

/// `schedules add`
#[derive(Debug, Args)]
#[command(
    mut_arg("misfire", |arg| with_default(arg, "latest")),
    mut_arg("catch_up", |arg| with_default(
        arg,
        "with latest half the distance to the next one, at most 12h; with all any age"
    )),
    mut_arg("overlap", |arg| with_default(arg, "skip")),
)]
pub(crate) struct AddSchedule {
    /// Its id: letters, digits, `-` and `_`.
    pub(crate) id: ScheduleId,
    /// A pattern as "0 9 * * MON-FRI" or @daily, "every 30m", or "at 2026-01-31T09:00".
    pub(crate) rule: String,
    /// The workflow that it starts: a file, or the id of a file in the workflow directory or of a
    /// registered workflow.
    #[arg(short, long, value_name = "FILE|ID")]
    pub(crate) workflow: String,
    /// What people call it. Default: its id.
    #[arg(long)]
    pub(crate) name: Option<ScheduleName>,
    /// The time zone of the rule [default: that of the settings].
    #[arg(long = "tz", value_name = "ZONE")]
    pub(crate) zone: Option<TimeZone>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) policies: PolicyArgs,
}

/// `schedules edit`
#[derive(Debug, Args)]
pub(crate) struct EditSchedule {
    /// Its id.
    pub(crate) id: ScheduleId,
    /// Another rule, in the forms of `schedules add`.
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// Another registered workflow.
    #[arg(short, long, value_name = "ID")]
    pub(crate) workflow: Option<WorkflowId>,
    /// Another name.
    #[arg(long)]
    pub(crate) name: Option<ScheduleName>,
    /// Another time zone.
    #[arg(long = "tz", value_name = "ZONE")]
    pub(crate) zone: Option<TimeZone>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    /// Fire at all times of the day and the week.
    #[arg(long, conflicts_with_all = ["active_hours", "active_days"])]
    pub(crate) always: bool,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) policies: PolicyArgs,
    /// Without a limit of runs.
    #[arg(long, conflicts_with = "max_runs")]
    pub(crate) no_max_runs: bool,
}

/// Which schedules are listed.
#[derive(Debug, Args)]
pub(crate) struct ListSchedules {
    /// Only those of a workflow.
    #[arg(long)]
    pub(crate) workflow: Option<WorkflowId>,
    /// Only those that come after this one in the list: the last one of the page before.
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<ScheduleId>,
    /// At most so many.
    #[arg(long, default_value = "100", value_parser = number::some, allow_negative_numbers = true)]
    pub(crate) limit: NonZeroUsize,
}

/// `simulate`
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Workflow files, files of heartbeats, and directories of both; if none is given, the workflow
    /// directory and all heartbeats.
    pub(crate) files: Vec<PathBuf>,
    /// When the simulated time begins. Default: now.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) from: Option<Timestamp>,
    /// How many days are simulated, at most 3,660.
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u32).range(1..=3660), allow_negative_numbers = true)]
    pub(crate) days: u32,
    /// The time zone of triggers and heartbeats that name none [default: that of the settings].
    #[arg(long = "tz", value_name = "ZONE")]
    pub(crate) zone: Option<TimeZone>,
}

/// Says what the absence of an option means; where a schedule is changed, it means no change.
fn with_default(arg: Arg, default: &str) -> Arg {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.help(format!("{help} [default: {default}]"))
}

/// The names of the days, Monday first.
const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

fn hours(text: &str) -> Result<Hours, String> {
    let (start, end) = text
        .split_once(['-', '–'])
        .ok_or_else(|| format!("`{text}` is not START-END, as in 09:00-17:00"))?;
    let start = start.trim().parse().map_err(|error| format!("{error}"))?;
    let end = end.trim().parse().map_err(|error| format!("{error}"))?;
    // What else is wrong with a window is told by it.
    ActiveHours::every_day(start, end).map_err(|error| error.to_string())?;
    Ok(Hours { start, end })
}

fn days(text: &str) -> Result<Days, String> {
    let mut all = Vec::new();
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (first, last) = (day(first)?, day(last)?);
        // The week is a ring: from Friday to Monday are four days.
        let count = (last - first).rem_euclid(7);
        all.extend((0..=count).map(|more| (first + more - 1) % 7 + 1));
    }
    Ok(Days(all))
}

/// The number of a day that is written as a number, or as a name, short or long.
fn day(text: &str) -> Result<i64, String> {
    let word = text.trim().to_ascii_lowercase();
    let by_name = || {
        let found = DAYS.iter().position(|name| name.starts_with(&word));
        found.filter(|_| word.len() >= 3)
    };
    match word.parse::<i64>() {
        Ok(number) if (1..=7).contains(&number) => Some(number),
        Ok(_) => None,
        Err(_) => by_name().and_then(|index| i64::try_from(index + 1).ok()),
    }
    .ok_or_else(|| format!("`{text}` is no day, expected mon to sun, or 1 (Monday) to 7 (Sunday)"))
}

fn misfire(text: &str) -> Result<Misfire, String> {
    Misfire::from_word(text).ok_or_else(|| format!("`{text}` is none of latest, all, skip"))
}

fn overlap(text: &str) -> Result<Overlap, String> {
    let words: Vec<&str> = Overlap::ALL.iter().map(|word| word.as_str()).collect();
    Overlap::from_word(text).ok_or_else(|| format!("`{text}` is none of {}", words.join(", ")))
}

fn length(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

fn jitter(text: &str) -> Result<Duration, String> {
    check_jitter(length(text)?).map_err(|error| error.to_string())
}

fn max_runs(text: &str) -> Result<MaxRuns, String> {
    let number = number::some(text)?.get();
    let number = i64::try_from(number).map_err(|error| error.to_string())?;
    MaxRuns::try_new(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbers_names_and_ranges_over_the_end_of_the_week() {
        let check = |text: &str, expected: &[i64]| assert_eq!(days(text).unwrap().0, expected);
        check("5", &[5]);
        check("fri", &[5]);
        check("mon-fri", &[1, 2, 3, 4, 5]);
        check("Saturday,sun", &[6, 7]);
        check("fri-mon", &[5, 6, 7, 1]);
        check("7-1,3", &[7, 1, 3]);
        for text in ["", "0", "8", "mo", "mon-", "fri;sat", "-1"] {
            assert!(days(text).is_err(), "{text}");
        }
    }

    #[test]
    fn windows_have_two_bounds_that_differ() {
        assert!(hours("22:00-06:00").is_ok());
        assert!(hours("09:00–24:00").is_ok());
        for text in ["09:00", "9-17", "09:00-09:00", "24:00-06:00", "09:00-25:00"] {
            assert!(hours(text).is_err(), "{text}");
        }
    }
}
