//! The schedule that the `trigger` of a workflow asks for.

use serde_json::Value;
use workflow_types::WorkflowDefinition;
use workflow_types::definition::Trigger;
use workflow_types::id::{ScheduleId, WorkflowId};
use workflow_types::schedule::{ScheduleName, ScheduleSpec, TimeZone, Timing, TriggerSchedule};

/// The schedule of a workflow that starts itself; none of one that waits for requests.
pub(crate) fn spec(
    id: &WorkflowId,
    definition: &WorkflowDefinition,
    default_zone: TimeZone,
) -> Option<ScheduleSpec> {
    let trigger = definition.trigger();
    let timing = match trigger {
        Trigger::Manual => return None,
        Trigger::Cron(cron) => {
            let trigger = TriggerSchedule::new(cron.clone());
            Timing::of_trigger(&trigger, default_zone)
        }
        Trigger::Schedule(trigger) => Timing::of_trigger(trigger, default_zone),
    };
    // What is an id of a workflow is one of a schedule; a name that is none gives way to it.
    let schedule = ScheduleId::try_new(id.to_string()).ok()?;
    let name = ScheduleName::try_new(definition.name())
        .or_else(|_| ScheduleName::try_new(id.to_string()))
        .ok()?;
    Some(ScheduleSpec {
        id: schedule,
        name,
        workflow: Some(id.clone()),
        input: Value::Object(serde_json::Map::new()),
        timing,
        policies: trigger.policies(),
    })
}
