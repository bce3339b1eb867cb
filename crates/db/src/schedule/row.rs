//! The row of a schedule, and what its columns mean together.
//!
//! Queries are the business of the parent module.

use std::num::NonZeroU32;
use std::time::Duration;

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use workflow_types::Timestamp;
use workflow_types::schedule::{
    ActiveHours, Keeper, MaxRuns, Misfire, Next, Off, Overlap, Policies, Revision, Schedule,
    ScheduleName, ScheduleSpec, Standing, TimeZone, Timing, TimingKind, When,
};

use crate::column::Row;
use crate::error::Error;
use crate::schema::schedules;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = schedules,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(super) struct ScheduleRow {
    pub(super) id: String,
    name: String,
    workflow_id: Option<String>,
    input: String,
    #[diesel(embed)]
    timing: TimingColumns,
    #[diesel(embed)]
    policies: PolicyColumns,
    keeper: Option<String>,
    #[diesel(embed)]
    standing: StandingColumns,
    runs: i64,
    last_fire_at: Option<String>,
    last_run_at: Option<String>,
    effective_from: Option<String>,
    tz_database: String,
    created_at: String,
    updated_at: String,
    revision: i64,
}

/// The columns that say when it fires.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = schedules,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(super) struct TimingColumns {
    cron_expression: String,
    anchor_at: Option<String>,
    timezone: Option<String>,
    active_hours_start: Option<String>,
    active_hours_end: Option<String>,
    active_hours_days: Option<String>,
}

/// The columns that say what becomes of missed and overlapping fire times.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = schedules,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(super) struct PolicyColumns {
    misfire: String,
    catch_up_ms: Option<i64>,
    overlap: String,
    overlap_ignores_paused: bool,
    jitter_ms: i64,
    max_runs: Option<i64>,
    pause_after_failures: Option<i64>,
}

/// The columns that say where it stands.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(
    table_name = schedules,
    check_for_backend(diesel::sqlite::Sqlite),
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
pub(super) struct StandingColumns {
    pub(super) enabled: bool,
    pub(super) next_fire_at: Option<String>,
    pub(super) due_at: Option<String>,
    pub(super) owed: bool,
    pub(super) off_reason: Option<String>,
    pub(super) off_at: Option<String>,
}

impl ScheduleRow {
    /// When it is due, if it is, and that can be read.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        self.standing.due_at.as_deref()?.parse().ok()
    }
}

impl From<&Schedule> for ScheduleRow {
    fn from(schedule: &Schedule) -> Self {
        let Schedule {
            spec,
            keeper,
            standing,
            runs,
            last_fire,
            last_run_at,
            effective_from,
            tz_database,
            created_at,
            updated_at,
            revision,
        } = schedule;
        let ScheduleSpec {
            id,
            name,
            workflow,
            input,
            timing,
            policies,
        } = spec;
        Self {
            id: id.to_string(),
            name: name.to_string(),
            workflow_id: workflow.as_ref().map(ToString::to_string),
            input: input.to_string(),
            timing: TimingColumns::from(timing),
            policies: PolicyColumns::from(policies),
            keeper: keeper_column(keeper),
            standing: StandingColumns::from(standing),
            runs: i64::from(*runs),
            last_fire_at: text(*last_fire),
            last_run_at: text(*last_run_at),
            effective_from: text(Some(*effective_from)),
            tz_database: tz_database.clone(),
            created_at: created_at.to_string(),
            updated_at: updated_at.to_string(),
            revision: i64::from(revision.number()),
        }
    }
}

impl TryFrom<ScheduleRow> for Schedule {
    type Error = Error;

    fn try_from(found: ScheduleRow) -> Result<Self, Error> {
        let ScheduleRow {
            id,
            name,
            workflow_id,
            input,
            timing,
            policies,
            keeper,
            standing,
            runs,
            last_fire_at,
            last_run_at,
            effective_from,
            tz_database,
            created_at,
            updated_at,
            revision,
        } = found;
        let row = Row::new("schedule", &id);
        let keeper = keeper_of(row, keeper.as_deref())?;
        let updated: Timestamp = row.parse("updated_at", &updated_at)?;
        let effective = row.parse_maybe("effective_from", effective_from.as_deref())?;
        Ok(Self {
            spec: ScheduleSpec {
                id: row.parse("id", &id)?,
                name: row.parse::<ScheduleName>("name", &name)?,
                workflow: row.parse_maybe("workflow_id", workflow_id.as_deref())?,
                input: row.json("input", &input)?,
                timing: timing.timing(row)?,
                policies: policies.policies(row)?,
            },
            keeper,
            standing: standing.standing(row)?,
            runs: row.number("runs", runs)?,
            last_fire: row.parse_maybe("last_fire_at", last_fire_at.as_deref())?,
            last_run_at: row.parse_maybe("last_run_at", last_run_at.as_deref())?,
            effective_from: effective.unwrap_or(updated),
            tz_database,
            created_at: row.parse("created_at", &created_at)?,
            updated_at: updated,
            revision: Revision::new(row.number("revision", revision)?),
        })
    }
}

/// Who keeps a schedule, as it is stored: nothing for people.
pub(super) fn keeper_column(keeper: &Keeper) -> Option<String> {
    match keeper {
        Keeper::People => None,
        Keeper::Trigger(workflow) => Some(format!("trigger {workflow}")),
        Keeper::Heartbeat(name) => Some(format!("heartbeat {name}")),
    }
}

fn keeper_of(row: Row<'_>, stored: Option<&str>) -> Result<Keeper, Error> {
    match stored.map(|stored| stored.split_once(' ')) {
        None => Ok(Keeper::People),
        Some(Some(("trigger", workflow))) => row.parse("keeper", workflow).map(Keeper::Trigger),
        Some(Some(("heartbeat", name))) => row.parse("keeper", name).map(Keeper::Heartbeat),
        Some(_) => Err(row.damaged("keeper")),
    }
}

impl From<&Timing> for TimingColumns {
    fn from(timing: &Timing) -> Self {
        let anchor = match timing.kind() {
            TimingKind::Every { anchor, .. } => Some(*anchor),
            TimingKind::Cron(_) | TimingKind::At(_) => None,
        };
        let hours = timing.hours();
        let days = hours.and_then(ActiveHours::days_of_week);
        Self {
            cron_expression: timing.kind().to_string(),
            anchor_at: text(anchor),
            timezone: Some(timing.zone().name().to_owned()),
            active_hours_start: hours.map(|hours| hours.start().to_string()),
            active_hours_end: hours.map(|hours| hours.end().to_string()),
            active_hours_days: days.map(|days| serde_json::Value::from(days).to_string()),
        }
    }
}

impl TimingColumns {
    fn timing(self, row: Row<'_>) -> Result<Timing, Error> {
        let Self {
            cron_expression,
            anchor_at,
            timezone,
            active_hours_start,
            active_hours_end,
            active_hours_days,
        } = self;
        let anchor = row.parse_maybe("anchor_at", anchor_at.as_deref())?;
        let when: When = row.parse("cron_expression", &cron_expression)?;
        let zone = row.parse_maybe("timezone", timezone.as_deref())?;
        let zone = zone.unwrap_or(TimeZone::UTC);
        let hours = match (active_hours_start, active_hours_end) {
            (Some(start), Some(end)) => {
                let start = row.parse("active_hours_start", &start)?;
                let end = row.parse("active_hours_end", &end)?;
                let hours = ActiveHours::every_day(start, end);
                Some(hours.map_err(|_| row.damaged("active_hours_end"))?)
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(row.contradicts("its active hours have one bound"));
            }
        };
        let hours = match (hours, active_hours_days) {
            (Some(hours), Some(days)) => {
                let damaged = || row.damaged("active_hours_days");
                let days: Vec<i64> = serde_json::from_str(&days).map_err(|_| damaged())?;
                Some(hours.on_days(&days).map_err(|_| damaged())?)
            }
            (hours, _) => hours,
        };
        let kind = match (when, anchor) {
            (When::Every(interval), Some(anchor)) => TimingKind::Every { interval, anchor },
            (When::Every(_), None) => return Err(row.contradicts("its interval has no anchor")),
            (When::Cron(pattern), _) => TimingKind::Cron(pattern),
            (When::At(at), _) => {
                let at = at.in_zone(zone);
                TimingKind::At(at.map_err(|_| row.damaged("cron_expression"))?)
            }
        };
        Timing::try_new(kind, zone, hours)
            .map_err(|_| row.contradicts("it never fires inside its active hours"))
    }
}

impl From<&Policies> for PolicyColumns {
    fn from(policies: &Policies) -> Self {
        let Policies {
            misfire,
            catch_up,
            overlap,
            overlap_ignores_paused,
            jitter,
            max_runs,
            pause_after_failures,
        } = policies;
        Self {
            misfire: misfire.as_str().to_owned(),
            catch_up_ms: catch_up.map(millis),
            overlap: overlap.as_str().to_owned(),
            overlap_ignores_paused: *overlap_ignores_paused,
            jitter_ms: millis(*jitter),
            max_runs: max_runs.map(MaxRuns::into_inner),
            pause_after_failures: pause_after_failures.map(|count| i64::from(count.get())),
        }
    }
}

impl PolicyColumns {
    fn policies(self, row: Row<'_>) -> Result<Policies, Error> {
        let Self {
            misfire,
            catch_up_ms,
            overlap,
            overlap_ignores_paused,
            jitter_ms,
            max_runs,
            pause_after_failures,
        } = self;
        let duration = |column: &str, ms: i64| {
            let ms = u64::try_from(ms).map_err(|_| row.damaged(column))?;
            Ok::<_, Error>(Duration::from_millis(ms))
        };
        let runs = |runs: i64| MaxRuns::try_new(runs).map_err(|_| row.damaged("max_runs"));
        let failures = |count: i64| {
            let count = u32::try_from(count).ok().and_then(NonZeroU32::new);
            count.ok_or_else(|| row.damaged("pause_after_failures"))
        };
        Ok(Policies {
            misfire: row.word("misfire", Misfire::from_word, &misfire)?,
            catch_up: catch_up_ms
                .map(|ms| duration("catch_up_ms", ms))
                .transpose()?,
            overlap: row.word("overlap", Overlap::from_word, &overlap)?,
            overlap_ignores_paused,
            jitter: duration("jitter_ms", jitter_ms)?,
            max_runs: max_runs.map(runs).transpose()?,
            pause_after_failures: pause_after_failures.map(failures).transpose()?,
        })
    }
}

impl From<&Standing> for StandingColumns {
    fn from(standing: &Standing) -> Self {
        match standing {
            Standing::Active(Next {
                fire_time,
                due_at,
                owed,
            }) => Self {
                enabled: true,
                next_fire_at: text(Some(*fire_time)),
                due_at: text(Some(*due_at)),
                owed: *owed,
                off_reason: None,
                off_at: None,
            },
            Standing::Off { why, since } => Self {
                enabled: false,
                next_fire_at: None,
                due_at: None,
                owed: false,
                off_reason: Some(why.as_str().to_owned()),
                off_at: text(Some(*since)),
            },
        }
    }
}

impl StandingColumns {
    fn standing(self, row: Row<'_>) -> Result<Standing, Error> {
        let Self {
            enabled,
            next_fire_at,
            due_at,
            owed,
            off_reason,
            off_at,
        } = self;
        let fire_time = row.parse_maybe("next_fire_at", next_fire_at.as_deref())?;
        let due_at = row.parse_maybe("due_at", due_at.as_deref())?;
        let since = row.parse_maybe("off_at", off_at.as_deref())?;
        let why = off_reason.as_deref();
        let why = why.map(|why| row.word("off_reason", Off::from_word, why));
        match (enabled, fire_time, due_at, why.transpose()?, since) {
            (true, Some(fire_time), Some(due_at), None, None) => Ok(Standing::Active(Next {
                fire_time,
                due_at,
                owed,
            })),
            (false, None, None, Some(why), Some(since)) => Ok(Standing::Off { why, since }),
            (true, ..) => Err(row.contradicts("it fires, but its columns do not say when")),
            (false, ..) => Err(row.contradicts("it does not fire, but its columns say when")),
        }
    }
}

pub(super) fn text(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
