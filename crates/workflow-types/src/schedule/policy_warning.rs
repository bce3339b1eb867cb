//! What may surprise whoever chose the policies of a schedule: two of them that do not go together.
//!
//! Knows neither files nor command lines, which say where it stands.

use std::fmt;

use super::policy::{Misfire, Overlap, Policies};

/// All missed fire times are to run, and what overlaps does not.
///
/// ```
/// use workflow_types::schedule::{Misfire, Overlap, Policies, PolicyWarning};
///
/// let all = Policies { misfire: Misfire::All, ..Policies::default() };
/// assert!(PolicyWarning::of(&all).is_some());
/// let one_by_one = Policies { overlap: Overlap::BufferAll, ..all };
/// assert!(PolicyWarning::of(&one_by_one).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyWarning {
    what: Lost,
}

/// What becomes of the fire times that do not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// All that come while an execution is not finished.
    All,
    /// All but one.
    AllButOne,
}

impl PolicyWarning {
    /// What is surprising about policies, if something is.
    pub fn of(policies: &Policies) -> Option<Self> {
        let is_one_run = || policies.max_runs.is_some_and(|most| most.into_inner() == 1);
        match policies.misfire {
            Misfire::Latest | Misfire::Skip => return None,
            Misfire::All if is_one_run() => return None,
            Misfire::All => {}
        }
        let what = match policies.overlap {
            Overlap::Skip => Lost::All,
            Overlap::BufferOne => Lost::AllButOne,
            // The one before is cancelled, but has begun.
            Overlap::BufferAll | Overlap::CancelOther | Overlap::Allow => return None,
        };
        Some(Self { what })
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        "with the overlap policy buffer_all they run one after the other, with allow side by side; \
         with the misfire policy latest only the last one runs"
    }
}

impl fmt::Display for PolicyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.what {
            Lost::All => {
                "with the overlap policy skip, missed times that come while an earlier execution \
                 is not finished are skipped"
            }
            Lost::AllButOne => {
                "with the overlap policy buffer_one, missed times that come while an earlier \
                 execution is not finished are skipped, but for one"
            }
        })
    }
}
