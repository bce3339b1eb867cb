//! `agentspace executions watch`: what happened in an execution, event by event, and what happens
//! until its end, whichever process runs it.

use anyhow::Context as _;
use gateway::workflow_types::id::ExecutionId;
use gateway::{Event, EventSeq, Reader};

use crate::cli::{Global, WatchArgs};
use crate::exit::{self, Exit};
use crate::stop::Stop;
use crate::{host, output, view};

/// Events that are read at once.
const PAGE: usize = 200;

pub(super) async fn run(global: &Global, args: &WatchArgs) -> anyhow::Result<Exit> {
    let id = host::execution_id(&args.id)?;
    let reader = host::reader(global).await?;
    let after = EventSeq::from_number(args.after);
    if args.past {
        return past(global, &reader, (id, after)).await;
    }
    let stop = Stop::listen_quietly().context("listening for signals failed")?;
    let mut watch = reader.watch(id, after).await?;
    loop {
        let event = tokio::select! {
            event = watch.next() => event,
            () = stop.asked() => {
                go_on_words(id, watch.place());
                return Ok(Exit::Interrupted);
            }
        };
        match event {
            Some(event) => tell(global, &event?),
            None => return Ok(exit::of_state(&reader.execution(id).await?.state)),
        }
        if output::is_unread() {
            return Ok(Exit::Ok);
        }
    }
}

/// What has happened so far, and no more.
async fn past(
    global: &Global,
    reader: &Reader,
    (id, mut after): (ExecutionId, EventSeq),
) -> anyhow::Result<Exit> {
    loop {
        let page = reader.events(id, after, PAGE).await?;
        for event in &page.items {
            tell(global, event);
            after = event.seq;
        }
        if page.is_last {
            let execution = reader.execution(id).await?;
            return Ok(exit::of_state(&execution.state));
        }
        if page.items.is_empty() {
            go_on_words(id, after);
            return Ok(Exit::Ok);
        }
    }
}

fn tell(global: &Global, event: &Event) {
    if global.json {
        output::line(&view::event(event));
    } else {
        output::data(&view::event_line(event));
    }
}

fn go_on_words(id: ExecutionId, after: EventSeq) {
    output::talk(&format!(
        "it has not ended; `agentspace executions watch {id} --after {after}` tells what comes"
    ));
}
