//! Reads what starts a workflow: `manual`, a cron expression, or a mapping with one.

mod policies;

use serde_json::Value;

use super::Trigger;
use super::fields::{Field, Fields};
use super::timing;
use crate::diagnostic::{Code, Diagnostic, Place, Remedy, Report, closest};
use crate::schedule::{ActiveHours, TriggerSchedule};
use crate::shape::timing::TRIGGER;

/// What an author writes for a workflow that only a request starts.
const MANUAL: &str = "manual";

fn is_nearly_manual(text: &str) -> bool {
    closest(&text.trim().to_ascii_lowercase(), [MANUAL]).is_some()
}

/// The trigger of a workflow; manual if its key is absent.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<Trigger> {
    let Some(field) = fields.take("trigger") else {
        return Some(Trigger::Manual);
    };
    match field.value {
        Value::String(text) if text == MANUAL => Some(Trigger::Manual),
        Value::String(text) if is_nearly_manual(text) => {
            let at = &field.at;
            let message =
                format!("`{at}` is \"{text}\", which is neither `manual` nor a cron expression");
            let diagnostic = Diagnostic::new(Code::BadCron, Place::value(at), message);
            fields.report.push(Remedy::meant(MANUAL).of(diagnostic));
            None
        }
        Value::String(text) => timing::cron(text, &field.at, fields.report).map(Trigger::Cron),
        Value::Object(_) => schedule(&field, fields.report).map(Trigger::Schedule),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            let expected = "`manual`, a cron expression, or a mapping with `cron`";
            fields.report.wrong_type(&field.at, expected, field.value);
            None
        }
    }
}

fn schedule(field: &Field<'_>, report: &mut Report) -> Option<Box<TriggerSchedule>> {
    let mut inner = Fields::open(field.value, &field.at, &TRIGGER, report)?;
    let cron = inner
        .require_string("cron")
        .and_then(|(text, at)| timing::cron(text, &at, inner.report));
    let zone = timing::zone(&mut inner);
    let hours = timing::active_hours(&mut inner);
    let policies = policies::read(&mut inner);
    let at = inner.at().clone();
    inner.finish();

    let mut schedule = TriggerSchedule::new(cron?);
    if let Some((hours, hours_at)) = hours {
        let place = Place::key(&hours_at);
        schedule = within(
            schedule,
            hours,
            place,
            Place::value(&at.key("cron")),
            report,
        )?;
    }
    if let Some(zone) = zone {
        schedule = schedule.in_zone(zone);
    }
    Some(Box::new(schedule.by(policies)))
}

/// The schedule inside its window; a window in which it never fires is reported.
fn within(
    schedule: TriggerSchedule,
    hours: ActiveHours,
    place: Place,
    cron: Place,
    report: &mut Report,
) -> Option<TriggerSchedule> {
    let message = format!(
        "`{}` never fires inside the active hours {hours}",
        schedule.cron()
    );
    schedule
        .within(hours)
        .map_err(|_| {
            report.push(
                Diagnostic::new(Code::BadActiveHours, place, message)
                    .label("no fire lies in this window")
                    .related(cron, "of this pattern")
                    .help("widen the hours, or move the pattern"),
            );
        })
        .ok()
}
