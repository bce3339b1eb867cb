//! Makes cases from choices: any definition, any answers, any order of what people do.

mod definition;
mod script;

use crate::choices::Choices;
use crate::plan::{Death, Plan, Side};

/// Whether processes die in the middle of what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deaths {
    None,
    Some,
}

pub(crate) fn plan(choices: &mut Choices, deaths: Deaths) -> Plan {
    let deaths = match deaths {
        Deaths::None => Vec::new(),
        Deaths::Some => {
            let lives = 1 + choices.below(3);
            (0..lives).map(|_| death(choices)).collect()
        }
    };
    let replies = script::replies(choices);
    let flows = definition::flows(choices);
    let acts = script::acts(choices, flows.len());
    Plan {
        flows,
        replies,
        acts,
        deaths,
    }
}

/// Most cases have fewer than forty transactions in a life.
fn death(choices: &mut Choices) -> Option<Death> {
    let reach = choices.one(&[12, 24, 48]);
    let transaction = 1 + choices.below(reach) as usize;
    let side = choices.one(&[Side::Before, Side::After]);
    choices.chance(95).then_some(Death { transaction, side })
}
