//! `agentspace executions watch`: what happened in an execution, event by event.
//!
//! What is stored is told, whoever owns the database. It is not followed further: a database tells
//! nobody but its owner that it has changed, and asking it again and again is no way to wait.

use gateway::EventSeq;

use crate::cli::Global;
use crate::exit::{self, Exit};
use crate::{host, output, view};

/// Events that are read at once.
const PAGE: usize = 200;

pub(super) async fn run(global: &Global, id: &str, after: u64) -> anyhow::Result<Exit> {
    let id = host::execution_id(id)?;
    let reader = host::reader(global).await?;
    let mut after = EventSeq::from_number(after);
    loop {
        let page = reader.events(id, after, PAGE).await?;
        for event in &page.items {
            if global.json {
                output::line(&view::event(event));
            } else {
                output::data(&view::event_line(event));
            }
            after = event.seq;
        }
        if page.is_last {
            let execution = reader.execution(id).await?;
            return Ok(exit::of_state(&execution.state));
        }
        if page.items.is_empty() {
            output::talk(&format!(
                "it has not ended; `agentspace executions watch {id} --after {after}` tells what \
                 comes, live events are told by the process that runs it"
            ));
            return Ok(Exit::Ok);
        }
    }
}
