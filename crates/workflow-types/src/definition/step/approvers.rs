//! Reads who may answer a gate and how many of them must, so that enough people can.

use std::collections::HashSet;
use std::num::NonZeroU32;

use crate::definition::fields::Fields;
use crate::diagnostic::Remedy;
use crate::id::Actor;

/// `approvers` and `count`; nobody's name and one approval where the keys are absent.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> (Vec<Actor>, NonZeroU32) {
    let approvers = fields.placed_list::<Actor>("approvers");
    let count = fields.positive("count");
    let mut different = HashSet::with_capacity(approvers.len());
    for (approver, at) in &approvers {
        // One person's second approval repeats the first, so a name counts once.
        if !different.insert(approver.as_ref()) && fields.report.judges() {
            let remedy = Remedy::told("remove it, each person approves once");
            let reason = format!("the approver {approver} is named twice");
            fields.report.invalid_but(at, reason, Some(remedy));
        }
    }
    if let Some((count, at)) = &count
        && !different.is_empty()
        && different.len() < count.get() as usize
        && fields.report.judges()
    {
        let reason = match different.len() {
            1 => format!("{count} approvals cannot come from 1 approver"),
            people => format!("{count} approvals cannot come from {people} different approvers"),
        };
        let help = "name more people in `approvers`, or ask for fewer approvals";
        fields
            .report
            .invalid_but(at, reason, Some(Remedy::told(help)));
    }
    let count = count.map_or(NonZeroU32::MIN, |(count, _)| count);
    let approvers = approvers.into_iter().map(|(approver, _)| approver);
    (approvers.collect(), count)
}
