//! What a host asks of schedules: to be added, edited, filled in.

use serde_json::Value;
use workflow_types::Timestamp;
use workflow_types::id::{ScheduleId, WorkflowId};
use workflow_types::schedule::{
    ActiveHours, FireRecord, Policies, Schedule, ScheduleName, ScheduleSpec, TimeZone, Timing,
    TimingError, TimingKind, When,
};

/// A request to add a schedule.
///
/// ```
/// use gateway::ScheduleRequest;
///
/// let request = ScheduleRequest::new("nightly".parse()?, "0 2 * * *".parse()?)
///     .starting("backup".parse()?)
///     .zone("Europe/Berlin".parse()?);
/// # let _ = request;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a request does nothing before it is handed to a gateway"]
pub struct ScheduleRequest {
    id: ScheduleId,
    name: Option<ScheduleName>,
    workflow: Option<WorkflowId>,
    input: Value,
    when: When,
    zone: Option<TimeZone>,
    hours: Option<ActiveHours>,
    policies: Policies,
}

impl ScheduleRequest {
    /// A schedule of this id; it starts nothing until a workflow is named.
    pub fn new(id: ScheduleId, when: When) -> Self {
        Self {
            id,
            name: None,
            workflow: None,
            input: Value::Object(serde_json::Map::new()),
            when,
            zone: None,
            hours: None,
            policies: Policies::default(),
        }
    }

    /// What people call it. Default: its id.
    pub fn name(mut self, name: ScheduleName) -> Self {
        self.name = Some(name);
        self
    }

    /// The workflow that it starts.
    pub fn starting(mut self, workflow: WorkflowId) -> Self {
        self.workflow = Some(workflow);
        self
    }

    /// The input of what it starts, checked each time by the definition of that moment. Default:
    /// an empty object.
    pub fn input(mut self, input: Value) -> Self {
        self.input = input;
        self
    }

    /// The zone in which it is read. Default: that of the gateway.
    pub fn zone(mut self, zone: TimeZone) -> Self {
        self.zone = Some(zone);
        self
    }

    /// The window in which it may fire. Default: always.
    pub fn active_hours(mut self, hours: ActiveHours) -> Self {
        self.hours = Some(hours);
        self
    }

    /// What becomes of missed and overlapping fire times, and when it ends.
    pub fn policies(mut self, policies: Policies) -> Self {
        self.policies = policies;
        self
    }

    /// What is asked for, in a zone; intervals are counted from now.
    ///
    /// For previews: nothing is added.
    pub fn resolve(
        self,
        default_zone: TimeZone,
        now: Timestamp,
    ) -> Result<ScheduleSpec, TimingError> {
        let zone = self.zone.unwrap_or(default_zone);
        let timing = Timing::resolve(self.when, zone, self.hours, now)?;
        let name = self.name.unwrap_or_else(|| fallback(&self.id));
        Ok(ScheduleSpec {
            id: self.id,
            name,
            workflow: self.workflow,
            input: self.input,
            timing,
            policies: self.policies,
        })
    }
}

fn fallback(id: &ScheduleId) -> ScheduleName {
    // An id is one line of 1 to 64 characters.
    ScheduleName::try_new(id.to_string()).expect("an id is a name")
}

/// A request to change a schedule; what is not named stays.
#[derive(Debug, Clone, Default)]
#[must_use = "a request does nothing before it is handed to a gateway"]
#[expect(
    clippy::option_option,
    reason = "what stays, what is taken away, and what takes its place"
)]
pub struct ScheduleEdit {
    name: Option<ScheduleName>,
    workflow: Option<Option<WorkflowId>>,
    input: Option<Value>,
    when: Option<When>,
    zone: Option<TimeZone>,
    hours: Option<Option<ActiveHours>>,
    policies: Option<Policies>,
}

impl ScheduleEdit {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What people call it from now on.
    pub fn name(mut self, name: ScheduleName) -> Self {
        self.name = Some(name);
        self
    }

    /// The workflow that it starts from now on; `None` for none.
    pub fn workflow(mut self, workflow: Option<WorkflowId>) -> Self {
        self.workflow = Some(workflow);
        self
    }

    /// The input of what it starts from now on.
    pub fn input(mut self, input: Value) -> Self {
        self.input = Some(input);
        self
    }

    /// When it fires from now on; its next fire time is computed anew. The same interval keeps its
    /// anchor, another one is counted from now.
    pub fn when(mut self, when: When) -> Self {
        self.when = Some(when);
        self
    }

    /// The zone in which it is read from now on.
    pub fn zone(mut self, zone: TimeZone) -> Self {
        self.zone = Some(zone);
        self
    }

    /// The window in which it may fire from now on; `None` for always.
    pub fn active_hours(mut self, hours: Option<ActiveHours>) -> Self {
        self.hours = Some(hours);
        self
    }

    /// What becomes of missed and overlapping fire times, and when it ends; all of it.
    pub fn policies(mut self, policies: Policies) -> Self {
        self.policies = Some(policies);
        self
    }

    /// What a schedule is to do afterwards.
    pub(super) fn apply(
        &self,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<ScheduleSpec, TimingError> {
        let Self {
            name,
            workflow,
            input,
            when,
            zone,
            hours,
            policies,
        } = self.clone();
        let spec = schedule.spec.clone();
        let zone = zone.unwrap_or(spec.timing.zone());
        let hours = hours.unwrap_or_else(|| spec.timing.hours().cloned());
        let kept = match (when, spec.timing.kind()) {
            (None, kind) => Ok(kind.clone()),
            (
                Some(When::Every(interval)),
                TimingKind::Every {
                    interval: same,
                    anchor,
                },
            ) if interval == *same => Ok(TimingKind::Every {
                interval,
                anchor: *anchor,
            }),
            (Some(when), _) => Err(when),
        };
        let timing = match kept {
            Ok(kind) => Timing::try_new(kind, zone, hours)?,
            Err(when) => Timing::resolve(when, zone, hours, now)?,
        };
        Ok(ScheduleSpec {
            id: spec.id,
            name: name.unwrap_or(spec.name),
            workflow: workflow.unwrap_or(spec.workflow),
            input: input.unwrap_or(spec.input),
            timing,
            policies: policies.unwrap_or(spec.policies),
        })
    }
}

/// Whether fire times that did not run are started, or only named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backfill {
    /// They are named.
    DryRun,
    /// They are started.
    Run,
}

/// What a backfill did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backfilled {
    /// The fire times that did not run, in order: those that are started.
    pub times: Vec<Timestamp>,
    /// What became of them; none of a dry run.
    pub fires: Vec<FireRecord>,
    /// How many fire times of the stretch had run, or wait in the buffer, and were left alone.
    pub left_alone: usize,
}
