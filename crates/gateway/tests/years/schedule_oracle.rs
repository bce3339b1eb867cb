//! The oracle of `workflow-types`, which is written from the rules alone.

#[path = "../../../workflow-types/tests/schedule_oracle/clock.rs"]
pub(crate) mod clock;
#[expect(dead_code, reason = "by how much clocks change is asked elsewhere")]
#[path = "../../../workflow-types/tests/schedule_oracle/draw.rs"]
pub(crate) mod draw;
#[path = "../../../workflow-types/tests/schedule_oracle/pattern.rs"]
pub(crate) mod pattern;
#[path = "../../../workflow-types/tests/schedule_oracle/window.rs"]
pub(crate) mod window;
