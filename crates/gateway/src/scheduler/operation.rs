//! What a host does to schedules, and asks of them.

use std::sync::Arc;

use serde_json::Value;
use workflow_types::Timestamp;
use workflow_types::damage::Listed;
use workflow_types::execution::Execution;
use workflow_types::id::{ScheduleId, WorkflowId};
use workflow_types::schedule::{
    Change, FirePage, FireRecord, Gap, Keeper, MOST_CAUGHT_UP, Off, Schedule, ScheduleSpec, Slot,
    Standing, TimeZone,
};

use super::{
    Backfill, Backfilled, ScheduleEdit, ScheduleEvent, ScheduleEvents, ScheduleRequest, act,
};
use crate::builder::Scheduling;
use crate::engine::{Engine, MAX_DEPTH, is_deeper};
use crate::error::{During as _, Error, ErrorKind};
use crate::gateway::Gateway;
use crate::store::StoreErrorKind;

/// How often a change is worked out anew because somebody else came first.
const TRIES: usize = 20;
/// Fire times of a stretch that are looked at for a backfill.
const LONGEST_STRETCH: usize = 100_000;

/// The schedules of a gateway; made by [`Gateway::schedules`].
///
/// Whatever is answered is durable. Listing, showing and editing never consume a fire time that is
/// due.
#[derive(Clone, Copy)]
pub struct Schedules<'a> {
    gateway: &'a Gateway,
}

impl Gateway {
    /// The schedules.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gateway::{Gateway, ScheduleRequest};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let workflows = dir.path().join("workflows");
    /// # std::fs::create_dir(&workflows)?;
    /// # std::fs::write(workflows.join("greet.yaml"), "name: Greet\nsteps:\n  - {id: hello, action: noop}\n")?;
    /// let gateway = Gateway::builder()
    ///     .database(dir.path().join("agentspace.db"))
    ///     .workflows(&workflows)
    ///     .timezone("Europe/Berlin".parse()?)
    ///     .start()
    ///     .await?;
    /// let request = ScheduleRequest::new("mornings".parse()?, "0 9 * * MON-FRI".parse()?)
    ///     .starting("greet".parse()?);
    /// let schedule = gateway.schedules().add(request).await?;
    /// assert!(schedule.is_active());
    /// assert_eq!(gateway.schedules().next_n(&schedule.spec.id, 5).await?.len(), 5);
    /// gateway.shutdown().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn schedules(&self) -> Schedules<'_> {
        Schedules { gateway: self }
    }
}

impl Schedules<'_> {
    /// The zone of schedules that name none.
    pub fn default_zone(&self) -> TimeZone {
        self.engine().scheduler.zone()
    }

    /// Whether this gateway fires schedules.
    pub fn scheduling(&self) -> Scheduling {
        self.engine().scheduler.scheduling
    }

    /// Adds a schedule, whose first fire time is later than now.
    ///
    /// Fails with [`ErrorKind::Invalid`] if it never fires, with [`ErrorKind::NotFound`] if there is
    /// no such workflow, and with [`ErrorKind::Conflict`] if its id is taken.
    pub async fn add(&self, request: ScheduleRequest) -> Result<Schedule, Error> {
        let now = self.gateway.now();
        let spec = request.resolve(self.default_zone(), now);
        let spec = spec.map_err(|error| invalid("adding a schedule failed", error))?;
        check_input(&spec)?;
        let id = spec.id.clone();
        let schedule = Schedule::create(spec, Keeper::People, now)
            .map_err(|error| invalid(format!("adding schedule `{id}` failed"), error))?;
        let added = self.engine().store.add_schedule(schedule.clone()).await;
        added.during(format_args!("adding schedule `{id}`"))?;
        self.changed(&schedule);
        Ok(schedule)
    }

    /// At most `limit` schedules in the order of their ids, after one; of one workflow, if one is
    /// named. Damaged ones are named beside them.
    pub async fn list(
        &self,
        workflow: Option<WorkflowId>,
        after: Option<ScheduleId>,
        limit: usize,
    ) -> Result<Listed<Schedule>, Error> {
        self.gateway
            .reader()
            .schedules(workflow, after, limit)
            .await
    }

    /// A schedule; fails with [`ErrorKind::NotFound`] if there is none.
    pub async fn show(&self, id: &ScheduleId) -> Result<Schedule, Error> {
        self.gateway.reader().schedule(id).await
    }

    /// Changes a schedule; its run count and its history stay.
    ///
    /// With another timing its next fire time is computed anew; one that was due already runs yet.
    /// Fails with [`ErrorKind::Invalid`] if it would never fire, with [`ErrorKind::NotFound`] if
    /// there is none, and with [`ErrorKind::Conflict`] if it follows the `trigger` of a workflow.
    pub async fn edit(&self, id: &ScheduleId, edit: ScheduleEdit) -> Result<Schedule, Error> {
        self.settle(id).await?;
        self.alter(id, |schedule, now| {
            if let Some(file) = followed(&schedule.keeper) {
                let context = format!("schedule `{id}` follows {file}: change it there");
                return Err(Error::new(ErrorKind::Conflict, context));
            }
            let spec = edit.apply(schedule, now);
            let spec =
                spec.map_err(|error| invalid(format!("editing schedule `{id}` failed"), error))?;
            check_input(&spec)?;
            let change = schedule.edited(spec, now);
            if schedule.is_active() && !change.schedule.is_active() {
                let why = change.schedule.wake_problem(now);
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                let context = format!("editing schedule `{id}` failed{why}");
                return Err(Error::new(ErrorKind::Invalid, context));
            }
            Ok(Some(change))
        })
        .await
    }

    /// Switches a schedule off, until it is resumed; repeating it changes nothing.
    ///
    /// What is buffered of it is recorded as missed. Fails with [`ErrorKind::NotFound`] if there is
    /// none, and with [`ErrorKind::Conflict`] if it has completed.
    pub async fn pause(&self, id: &ScheduleId) -> Result<Schedule, Error> {
        self.settle(id).await?;
        self.alter(id, |schedule, now| match schedule.standing {
            Standing::Active(_) => Ok(Some(schedule.stopped(Off::Paused, now))),
            Standing::Off {
                why: Off::Paused, ..
            } => Ok(None),
            Standing::Off { why, since } => {
                let context = format!("schedule `{id}` does not fire: it is {why} since {since}");
                Err(Error::new(ErrorKind::Conflict, context))
            }
        })
        .await
    }

    /// Switches a schedule on again; what came meanwhile is not caught up. Repeating it changes
    /// nothing.
    ///
    /// Fails with [`ErrorKind::NotFound`] if there is none, and with [`ErrorKind::Conflict`] if it
    /// cannot go on: its limit is reached, no fire time is left, or the workflow whose `trigger` it
    /// follows has none any more.
    pub async fn resume(&self, id: &ScheduleId) -> Result<Schedule, Error> {
        self.alter(id, |schedule, now| match schedule.standing {
            Standing::Active(_) => Ok(None),
            Standing::Off {
                why: Off::Detached, ..
            } => {
                let what = match &schedule.keeper {
                    Keeper::People | Keeper::Trigger(_) => "its workflow has no trigger any more",
                    Keeper::Heartbeat(_) => "its heartbeat is not configured any more",
                };
                let context = format!("schedule `{id}` cannot be resumed: {what}");
                Err(Error::new(ErrorKind::Conflict, context))
            }
            Standing::Off { .. } => schedule.resumed(now).map(Some).map_err(|error| {
                let context = format!("schedule `{id}` cannot be resumed: {error}");
                Error::new(ErrorKind::Conflict, context)
            }),
        })
        .await
    }

    /// Starts the workflow of a schedule now, whatever else of it runs; `input` takes the place of
    /// the schedule's own. It is no fire: `maxRuns` does not count it, and the next fire time stays.
    pub async fn trigger_now(
        &self,
        id: &ScheduleId,
        input: Option<Value>,
    ) -> Result<Execution, Error> {
        let schedule = self.show(id).await?;
        act::start_now(self.engine(), &schedule, input).await
    }

    /// Deletes a schedule with its history; executions that it started stay.
    ///
    /// Fails with [`ErrorKind::NotFound`] if there is none, and with [`ErrorKind::Conflict`] if it
    /// follows the `trigger` of a workflow, which would add it again.
    pub async fn delete(&self, id: &ScheduleId) -> Result<(), Error> {
        let schedule = self.show(id).await?;
        let is_detached = matches!(
            schedule.standing,
            Standing::Off {
                why: Off::Detached,
                ..
            }
        );
        if let (Some(file), false) = (followed(&schedule.keeper), is_detached) {
            let context =
                format!("schedule `{id}` follows {file}: remove that, or pause the schedule");
            return Err(Error::new(ErrorKind::Conflict, context));
        }
        let now = self.engine().clock.now();
        let deleted = self.engine().store.delete_schedule(id.clone(), now).await;
        deleted.during(format_args!("deleting schedule `{id}`"))?;
        let event = ScheduleEvent::Deleted(id.clone());
        self.engine().scheduler.tell(event);
        self.engine().alerts.look();
        Ok(())
    }

    /// The next `count` fire times, were nothing changed; none of one that is off.
    pub async fn next_n(&self, id: &ScheduleId, count: usize) -> Result<Vec<Timestamp>, Error> {
        let schedule = self.show(id).await?;
        Ok(schedule.upcoming().take(count).collect())
    }

    /// Starts, or names, the fire times from `from` to `to` (both included) that did not run: those
    /// of which nothing is recorded, and those that were missed, skipped, or could not start. They
    /// do not count for `maxRuns`, and none waits for another.
    ///
    /// Fails with [`ErrorKind::Invalid`] if the stretch ends before it begins or reaches beyond now or
    /// the next fire time, or if more than 1,000 would be started.
    pub async fn backfill(
        &self,
        id: &ScheduleId,
        from: Timestamp,
        to: Timestamp,
        mode: Backfill,
    ) -> Result<Backfilled, Error> {
        let schedule = self.show(id).await?;
        let mut filled = self.unfilled(&schedule, from, to).await?;
        if mode == Backfill::DryRun {
            return Ok(filled);
        }
        for time in &filled.times {
            let fired = act::fire(self.engine(), &schedule, *time, Slot::Backfill).await?;
            filled.fires.extend(fired.map(|fired| fired.record));
        }
        Ok(filled)
    }

    /// What became of the fire times of a schedule, the newest first.
    pub async fn history(
        &self,
        id: &ScheduleId,
        page: FirePage,
    ) -> Result<Listed<FireRecord>, Error> {
        self.gateway.reader().fires(id, page).await
    }

    /// Stretches of which so many fire times were missed that the history does not hold them one by
    /// one, the newest first.
    pub async fn gaps(&self, id: &ScheduleId, limit: usize) -> Result<Vec<Gap>, Error> {
        self.gateway.reader().gaps(id, limit).await
    }

    /// Listens to what happens to schedules from now on.
    pub fn watch(&self) -> ScheduleEvents {
        ScheduleEvents(self.engine().scheduler.events.subscribe())
    }

    fn engine(&self) -> &Arc<Engine> {
        &self.gateway.engine
    }

    /// What is due of a schedule runs before it is changed, if this gateway fires.
    async fn settle(&self, id: &ScheduleId) -> Result<(), Error> {
        if self.scheduling() == Scheduling::Rest {
            return Ok(());
        }
        let schedule = self.show(id).await?;
        let engine = Arc::clone(self.engine());
        let acting = async move { act::act(&engine, Arc::new(schedule)).await.map(|_| ()) };
        self.engine().whole(acting).await
    }

    /// Works a change out, and writes it unless somebody else came first; none changes nothing.
    async fn alter(
        &self,
        id: &ScheduleId,
        work: impl Fn(&Schedule, Timestamp) -> Result<Option<Change>, Error>,
    ) -> Result<Schedule, Error> {
        let mut tries = 0;
        loop {
            let found = self.show(id).await?;
            let Some(change) = work(&found, self.gateway.now())? else {
                return Ok(found);
            };
            let changed = change.schedule.clone();
            match self.engine().store.change_schedule(change).await {
                Ok(()) => {
                    self.changed(&changed);
                    return Ok(changed);
                }
                Err(error) if error.kind() == StoreErrorKind::Conflict && tries < TRIES => {
                    tries += 1;
                }
                Err(error) => {
                    return Err(error).during(format_args!("changing schedule `{id}`"));
                }
            }
        }
    }

    fn changed(self, schedule: &Schedule) {
        let scheduler = &self.engine().scheduler;
        if schedule.spec.policies.pause_after_failures.is_some() {
            scheduler.watched();
        }
        scheduler.tell(ScheduleEvent::Changed(schedule.spec.id.clone()));
        scheduler.look();
        self.engine().alerts.look();
    }

    /// The fire times of a stretch that did not run.
    async fn unfilled(
        &self,
        schedule: &Schedule,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Backfilled, Error> {
        let refused = |why: String| {
            let context = format!("backfilling schedule `{}` failed: {why}", schedule.spec.id);
            Error::new(ErrorKind::Invalid, context)
        };
        let now = self.gateway.now();
        let next = schedule.next().map(|next| next.fire_time);
        if from > to {
            return Err(refused(format!(
                "it would begin at {from}, after its end at {to}"
            )));
        }
        if to > now {
            return Err(refused(format!("{to} has not come yet, it is {now}")));
        }
        if let Some(next) = next.filter(|next| *next <= to) {
            let why = format!("its next fire time {next} lies within, and runs by itself");
            return Err(refused(format!("{why}; name an earlier end")));
        }
        let mut filled = Backfilled::default();
        let times = schedule.times_between(from, to).take(LONGEST_STRETCH + 1);
        for (count, time) in times.enumerate() {
            if count == LONGEST_STRETCH || filled.times.len() > MOST_CAUGHT_UP {
                let why = format!("{MOST_CAUGHT_UP} fire times at most are started at once");
                return Err(refused(format!("{why}; name a shorter stretch")));
            }
            if self.is_done(schedule, time).await? {
                filled.left_alone += 1;
            } else {
                filled.times.push(time);
            }
        }
        Ok(filled)
    }

    /// Whether a fire time ran, or waits in the buffer.
    async fn is_done(&self, schedule: &Schedule, time: Timestamp) -> Result<bool, Error> {
        use workflow_types::schedule::FireWord;
        let after = time.saturating_add(std::time::Duration::from_millis(1));
        let page = FirePage {
            before: Some(after),
            limit: 1,
        };
        let found = self.history(&schedule.spec.id, page).await?.items.pop();
        Ok(found
            .filter(|fire| fire.fire_time == time)
            .is_some_and(|fire| {
                matches!(fire.outcome.word(), FireWord::Started | FireWord::Buffered)
            }))
    }
}

/// What a schedule follows, in words; none if people keep it.
fn followed(keeper: &Keeper) -> Option<String> {
    match keeper {
        Keeper::People => None,
        Keeper::Trigger(workflow) => Some(format!("the trigger of workflow `{workflow}`")),
        Keeper::Heartbeat(name) => Some(format!("the file of heartbeat `{name}`")),
    }
}

fn invalid(
    context: impl Into<String>,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let context = format!("{}: {error}", context.into());
    Error::new(ErrorKind::Invalid, context)
}

/// Refuses an input that no workflow takes.
fn check_input(spec: &ScheduleSpec) -> Result<(), Error> {
    if spec.input.is_object() && !is_deeper(&spec.input, MAX_DEPTH) {
        return Ok(());
    }
    let context = format!(
        "the input of schedule `{}` is not valid: an object of at most {MAX_DEPTH} levels is \
         expected",
        spec.id
    );
    Err(Error::new(ErrorKind::Invalid, context))
}
