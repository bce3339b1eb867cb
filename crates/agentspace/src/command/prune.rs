//! `agentspace executions prune` and `agentspace db prune`: deletes what is not to be kept.

use gateway::{Clock as _, Pruned, Retention, SystemClock};
use serde_json::json;

use crate::cli::{Global, PruneArgs};
use crate::exit::Exit;
use crate::host::{self, Trusted};
use crate::output;

pub(super) async fn run(global: &Global, args: &PruneArgs) -> anyhow::Result<Exit> {
    let retention = Retention {
        older_than: args.older_than,
        keep_per_workflow: args.keep,
    };
    let reader = host::reader(global).await?;
    if args.dry_run {
        let count = reader.count_prunable(retention, SystemClock.now()).await?;
        if global.json {
            output::envelope("prune", &json!({"executions": count, "dryRun": true}));
        } else {
            output::data(&format!("{} would be deleted", executions(count)));
        }
        return Ok(Exit::Ok);
    }
    drop(reader);
    let hosted = host::start(host::builder(global, &Trusted::default())).await?;
    let pruned = tokio::select! {
        pruned = hosted.gateway.prune(retention) => Some(pruned),
        () = hosted.stop.asked() => None,
    };
    hosted.shutdown().await?;
    let Some(pruned) = pruned else {
        return Ok(Exit::Interrupted);
    };
    let Pruned {
        executions: count,
        definitions,
    } = pruned?;
    if global.json {
        let shown = json!({"executions": count, "definitions": definitions, "dryRun": false});
        output::envelope("prune", &shown);
    } else {
        output::data(&format!("deleted {}", executions(count)));
        if definitions > 0 {
            let many = if definitions == 1 { "" } else { "s" };
            output::data(&format!(
                "deleted {definitions} definition{many} that nothing needs"
            ));
        }
    }
    Ok(Exit::Ok)
}

fn executions(count: usize) -> String {
    if count == 1 {
        "1 execution".to_owned()
    } else {
        format!("{count} executions")
    }
}
