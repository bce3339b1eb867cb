//! Checks what expressions read: the names exist, and a step that is read can have run before.

use std::collections::HashMap;

use super::step::StepDraft;
use crate::diagnostic::Report;
use crate::id::StepId;
use crate::output_schema::InputSchema;

pub(super) fn check(
    _drafts: &[StepDraft<'_>],
    _positions: &HashMap<StepId, usize>,
    _input: Option<&InputSchema>,
    _report: &mut Report,
) {
}
