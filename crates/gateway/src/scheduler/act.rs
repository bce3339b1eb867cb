//! Does with one schedule what the plan says: records what was missed, fires what runs.
//!
//! Every transaction is fenced by the schedule's revision; whoever comes too late finds that out and
//! leaves it to the next look.

use std::sync::Arc;

use serde_json::Value;
use workflow_types::Timestamp;
use workflow_types::execution::{Execution, Started, TriggeredBy};
use workflow_types::id::ScheduleId;
use workflow_types::schedule::{
    Change, FireOutcome, FireRecord, Fired, Firing, Keeper, Missed, Next, Plan, Run, Schedule,
    Slot, plan,
};

use super::stagger::Turn;
use super::{ScheduleEvent, held};
use crate::engine::{Engine, NewExecution, Prepared};
use crate::error::{During as _, Error, ErrorKind};
use crate::gateway::validated;
use crate::heartbeat::{self, Followed};

/// What was put off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Acted {
    /// How many schedules wait for their turn to catch up.
    waiting: usize,
    /// The last turn.
    until: Option<Timestamp>,
}

impl Acted {
    fn deferred(turn: Timestamp) -> Self {
        Self {
            waiting: 1,
            until: Some(turn),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.waiting += other.waiting;
        self.until = self.until.max(other.until);
    }

    /// Says that late fires are caught up one after the other, if some are.
    pub(super) fn report(&self, engine: &Engine, now: Timestamp) {
        let (waiting, Some(until)) = (self.waiting, self.until) else {
            return;
        };
        let seconds = until.since(now).as_secs();
        tracing::info!(
            waiting,
            seconds,
            "many schedules are late: they catch up one every five seconds"
        );
        engine
            .scheduler
            .tell(ScheduleEvent::CatchingUp { waiting, until });
    }
}

/// Does what is to be done with a schedule now, and must not be dropped before it is done.
pub(super) async fn act(engine: &Arc<Engine>, schedule: Arc<Schedule>) -> Result<Acted, Error> {
    let now = engine.clock.now();
    match plan(&schedule, now) {
        Plan::Nothing | Plan::Wait { .. } => Ok(Acted::default()),
        Plan::PassOver { missed, last } => {
            change(engine, schedule.passed_over(missed, last, now)).await?;
            Ok(Acted::default())
        }
        Plan::Run { missed, runs } => run(engine, schedule, missed, runs).await,
    }
}

/// The fire time of a schedule of which nothing is to be done but to fire it now: nothing was
/// missed, nothing is late, and no file is read first.
pub(super) fn simply_fires(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let Plan::Run { missed, runs } = plan(schedule, now) else {
        return None;
    };
    let reads_file = matches!(schedule.keeper, Keeper::Heartbeat(_));
    match runs.as_slice() {
        [run] if missed.is_empty() && !run.is_late && !reads_file => {
            let next = schedule.next()?;
            (next.fire_time == run.fire_time).then_some(run.fire_time)
        }
        _ => None,
    }
}

/// Fires what runs, the oldest first, as far as it is its turn.
async fn run(
    engine: &Arc<Engine>,
    mut schedule: Arc<Schedule>,
    mut missed: Missed,
    runs: Vec<Run>,
) -> Result<Acted, Error> {
    let longest = longest_wait(&schedule, &runs);
    for run in runs {
        if engine.is_draining() {
            break;
        }
        let now = engine.clock.now();
        let turn = match longest {
            Wait::Until(longest) if run.is_late => {
                engine.scheduler.desk().stagger.turn(now).no_later(longest)
            }
            Wait::Until(_) | Wait::Over => Turn::Now,
        };
        let due_at = match turn {
            Turn::Now => now,
            Turn::At(turn) => turn,
        };
        if turn != Turn::Now || !missed.is_empty() {
            let next = Next {
                fire_time: run.fire_time,
                due_at,
                owed: true,
            };
            let changed = schedule.deferred(std::mem::take(&mut missed), next, now);
            let Some(changed) = change(engine, changed).await? else {
                break;
            };
            schedule = Arc::new(changed);
        }
        if let Turn::At(turn) = turn {
            return Ok(Acted::deferred(turn));
        }
        let is_next = schedule
            .next()
            .is_some_and(|next| next.fire_time == run.fire_time);
        let slot = if run.is_late { Slot::Late } else { Slot::Due };
        if !is_next {
            break;
        }
        let Some(fired) = fire_whole(engine, &schedule, run.fire_time, slot).await? else {
            break;
        };
        schedule = fired.schedule;
    }
    Ok(Acted::default())
}

/// How long what is late may wait for its turn.
#[derive(Debug, Clone, Copy)]
enum Wait {
    /// Not beyond this instant, if there is one.
    Until(Option<Timestamp>),
    /// Not any more.
    Over,
}

/// Until the fire time after those that run: see [`stagger`](super::stagger).
fn longest_wait(schedule: &Schedule, runs: &[Run]) -> Wait {
    let has_waited = schedule.next().is_some_and(|next| next.owed);
    match runs.last() {
        Some(newest) if has_waited && !newest.is_late => Wait::Over,
        newest => Wait::Until(newest.and_then(|newest| {
            let following = schedule.following(newest.fire_time)?;
            Some(following.saturating_add(schedule.delay()))
        })),
    }
}

/// Writes a change; none if somebody else has changed the schedule meanwhile.
async fn change(engine: &Engine, change: Change) -> Result<Option<Schedule>, Error> {
    let schedule = change.schedule.clone();
    match engine.store.change_schedule(change).await {
        Ok(()) => {
            let id = schedule.spec.id.clone();
            engine.scheduler.tell(ScheduleEvent::Changed(id));
            Ok(Some(schedule))
        }
        Err(error) if is_stale(&error) => Ok(None),
        Err(error) => {
            let doing = format!("going on with schedule `{}`", schedule.spec.id);
            Err(error).during(doing)
        }
    }
}

/// Fires one fire time; none if the schedule has changed since it was planned, or is gone.
pub(super) async fn fire(
    engine: &Arc<Engine>,
    schedule: &Schedule,
    fire_time: Timestamp,
    slot: Slot,
) -> Result<Option<Fired>, Error> {
    let engine_of_task = Arc::clone(engine);
    let schedule = Arc::new(schedule.clone());
    let firing = async move { fire_whole(&engine_of_task, &schedule, fire_time, slot).await };
    engine.whole(firing).await
}

async fn fire_whole(
    engine: &Arc<Engine>,
    schedule: &Arc<Schedule>,
    fire_time: Timestamp,
    slot: Slot,
) -> Result<Option<Fired>, Error> {
    let broken = match heartbeat::follow(engine, schedule).await? {
        Followed::Unchanged => None,
        // A backfill asks nothing of the schedule; for others, what is due is planned anew.
        Followed::Changed if slot == Slot::Backfill => None,
        Followed::Changed => return Ok(None),
        Followed::Broken(reason) => Some(reason),
    };
    let mut ready = match broken {
        Some(reason) => Err(reason),
        None => ready(engine, schedule, fire_time).await?,
    };
    loop {
        let firing = firing(engine, schedule, (fire_time, slot), &ready);
        match engine.store.fire(vec![firing], &engine.owner).await {
            Ok(fired) => {
                let fired = fired.into_iter().next();
                return fired.map(|fired| after(engine, fired, ready)).transpose();
            }
            Err(error) if is_stale(&error) && slot != Slot::Backfill => {
                let gone = engine.reads.schedule(&schedule.spec.id).await;
                let gone = gone.during("reading a schedule")?;
                // If it is the schedule that has changed, the next look tells what to do now.
                if gone.is_none_or(|found| found.revision != schedule.revision) {
                    return Ok(None);
                }
                ready = once_more(schedule, &ready, error)?;
            }
            Err(error) if error.is_transient() => {
                return Err(error).during(format_args!("firing schedule `{}`", schedule.spec.id));
            }
            Err(error) => ready = once_more(schedule, &ready, error)?,
        }
    }
}

/// What a fire starts, or why nothing can be started.
pub(super) type Ready = Result<Prepared, String>;

/// Makes what a fire starts.
pub(super) async fn ready(
    engine: &Arc<Engine>,
    schedule: &Schedule,
    fire_time: Timestamp,
) -> Result<Ready, Error> {
    let input = schedule.spec.input.clone();
    match new(engine, schedule, Some(fire_time), input).await {
        Ok(new) => Ok(Ok(engine.prepare(new))),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => Ok(Err(reason(&error))),
    }
}

/// What the store is asked for.
pub(super) fn firing(
    engine: &Engine,
    schedule: &Arc<Schedule>,
    (fire_time, slot): (Timestamp, Slot),
    ready: &Ready,
) -> Firing {
    let start = match ready {
        Ok(prepared) => Ok(Arc::clone(&prepared.start)),
        Err(reason) => Err(reason.clone()),
    };
    Firing {
        schedule: Arc::clone(schedule),
        fire_time,
        slot,
        start,
        at: engine.clock.now(),
    }
}

/// What could not be started is fired without an execution, which is recorded with the reason;
/// what failed without one stays an error.
fn once_more(
    schedule: &Schedule,
    ready: &Ready,
    error: crate::store::StoreError,
) -> Result<Ready, Error> {
    match ready {
        Ok(_) => Ok(Err(error.to_string())),
        Err(_) => Err(error).during(format_args!("firing schedule `{}`", schedule.spec.id)),
    }
}

/// What follows the commit of a fire.
pub(super) fn after(engine: &Arc<Engine>, mut fired: Fired, ready: Ready) -> Result<Fired, Error> {
    for (id, cancelling) in &fired.cancelled {
        engine.cancelled(*id, cancelling);
    }
    if let (Some(started), Ok(prepared)) = (fired.started.take(), ready)
        && !matches!(started, Started::Skipped(_))
    {
        engine.set_going(prepared, started)?;
    }
    if fired.is_new {
        report(engine, &fired.record);
    }
    held::fired(engine, &fired);
    Ok(fired)
}

fn report(engine: &Engine, record: &FireRecord) {
    let FireRecord {
        schedule,
        fire_time,
        outcome,
        ..
    } = record;
    match outcome {
        FireOutcome::FailedToStart { reason } => {
            tracing::warn!(
                schedule.id = %schedule,
                %fire_time,
                reason,
                "schedule `{schedule}` could not start its workflow"
            );
            engine.beats.look();
        }
        FireOutcome::Buffered => engine.scheduler.buffered(),
        FireOutcome::Started { .. } | FireOutcome::SkippedOverlap { .. } | FireOutcome::Missed => {
            tracing::debug!(
                schedule.id = %schedule,
                %fire_time,
                outcome = outcome.word().as_str(),
                "schedule `{schedule}` fired"
            );
        }
    }
    engine.scheduler.tell(ScheduleEvent::Fired(record.clone()));
}

/// Starts an execution of a schedule now, at no fire time of it.
pub(super) async fn start_now(
    engine: &Arc<Engine>,
    schedule: &Schedule,
    input: Option<Value>,
) -> Result<Execution, Error> {
    if let Followed::Broken(reason) = heartbeat::follow(engine, schedule).await? {
        let context = format!("schedule `{}` starts nothing: {reason}", schedule.spec.id);
        return Err(Error::new(ErrorKind::Invalid, context));
    }
    let input = input.unwrap_or_else(|| schedule.spec.input.clone());
    let new = new(engine, schedule, None, input).await?;
    engine.begin(new).await
}

/// The execution of a schedule, of the definition that its workflow has now.
async fn new(
    engine: &Arc<Engine>,
    schedule: &Schedule,
    fire_time: Option<Timestamp>,
    input: Value,
) -> Result<NewExecution, Error> {
    let spec = &schedule.spec;
    let Some(id) = &spec.workflow else {
        return Err(Error::new(ErrorKind::Invalid, nothing_to_start(&spec.id)));
    };
    // Asked of memory: thousands that are due at one instant do not each read the database first.
    let (digest, definition) = engine.current_definition(id).await?;
    let input = validated(id, &definition, input)?;
    Ok(NewExecution {
        workflow_id: id.clone(),
        digest,
        definition,
        input,
        triggered_by: match (&schedule.keeper, fire_time) {
            (Keeper::Heartbeat(_), _) => TriggeredBy::Heartbeat,
            (Keeper::People | Keeper::Trigger(_), Some(_)) => TriggeredBy::Cron,
            (Keeper::People | Keeper::Trigger(_), None) => TriggeredBy::Manual,
        },
        idempotency_key: None,
        schedule: Some(spec.id.clone()),
        scheduled_for: fire_time,
        repeat: None,
    })
}

fn nothing_to_start(id: &ScheduleId) -> String {
    format!("schedule `{id}` names no workflow, so it starts nothing; edit it")
}

/// An error with its causes, in one line.
fn reason(error: &Error) -> String {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    reason
}

fn is_stale(error: &crate::store::StoreError) -> bool {
    use crate::store::StoreErrorKind;
    matches!(
        error.kind(),
        StoreErrorKind::Conflict | StoreErrorKind::NotFound
    )
}
