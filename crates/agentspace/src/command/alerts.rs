//! `agentspace alerts`: what somebody has to look at, and that somebody has.

use anyhow::Context as _;
use gateway::workflow_types::alert::{Alert, AlertFilter, AlertKey, AlertPage};
use gateway::workflow_types::id::{Actor, AlertId};
use gateway::{Clock as _, Reader, SystemClock};
use serde_json::{Value, json};

use crate::cli::alerts::{Ack, AlertList, Alerts};
use crate::cli::{ActorArg, Global};
use crate::exit::{Exit, UsageError};
use crate::host::{self, Trusted, Turn};
use crate::stop::Stop;
use crate::{alerts, output, view};

pub(super) async fn run(global: &Global, command: Alerts) -> anyhow::Result<Exit> {
    match command {
        Alerts::Ls(args) => list(global, args).await,
        Alerts::Show { id } => show(global, &id).await,
        Alerts::Ack(args) => acknowledge(global, args).await,
        Alerts::Watch { after } => watch(global, after).await,
    }
}

async fn list(global: &Global, args: AlertList) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let after = match &args.after {
        None => None,
        Some(id) => {
            let Alert {
                first_raised_at,
                id,
                ..
            } = reader.alert(alert_id(id)?).await?;
            Some(AlertKey::new(first_raised_at.to_string(), id.to_string()))
        }
    };
    let filter = AlertFilter {
        open: args.open.then_some(true),
        unread: args.unread.then_some(true),
    };
    let is_any = args.all || args.open || args.unread;
    let page = if is_any {
        reader.alerts(filter, after, args.limit.get()).await?
    } else {
        to_be_seen(&reader, after, args.limit.get()).await?
    };
    if global.json {
        let all: Vec<Value> = page.items.iter().map(view::alert::alert).collect();
        output::list("alerts", &all, &page.damaged);
        return Ok(Exit::Ok);
    }
    if page.items.is_empty() && page.damaged.is_empty() {
        output::talk(if is_any {
            "there are no such alerts"
        } else {
            "nobody has to look at anything; --all shows what was"
        });
    }
    let now = SystemClock.now();
    for alert in &page.items {
        output::data(&view::alert::line(alert, now));
    }
    output::damaged(&page.damaged);
    if let Some(next) = &page.next {
        let (more, last) = (args.limit.get().saturating_mul(2), next.id());
        output::talk(&format!(
            "there are more; --limit {more} shows more of them, --after {last} the next ones"
        ));
    }
    Ok(Exit::Ok)
}

/// Alerts that are open, or that nobody has read: both lists are in the same order, and their first
/// ones are the first of both together.
async fn to_be_seen(
    reader: &Reader,
    after: Option<AlertKey>,
    limit: usize,
) -> anyhow::Result<AlertPage> {
    let one = |open, unread| AlertFilter { open, unread };
    let unread = reader
        .alerts(one(None, Some(true)), after.clone(), limit)
        .await?;
    let read = reader
        .alerts(one(Some(true), Some(false)), after, limit)
        .await?;
    let mut items = [unread.items, read.items].concat();
    items.sort_by_key(|alert| {
        let key = (alert.first_raised_at, alert.id.to_string());
        std::cmp::Reverse(key)
    });
    let is_whole = unread.next.is_none() && read.next.is_none() && items.len() <= limit;
    items.truncate(limit);
    let last = items.last().filter(|_| !is_whole);
    let next = last.map(|it| AlertKey::new(it.first_raised_at.to_string(), it.id.to_string()));
    Ok(AlertPage {
        items,
        damaged: [unread.damaged, read.damaged].concat(),
        next,
    })
}

async fn show(global: &Global, id: &str) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let alert = reader.alert(alert_id(id)?).await?;
    let mut told = Vec::new();
    for notice in reader.notices_of(alert.id).await? {
        let receipts = reader.receipts(notice.id).await?;
        told.push((notice, receipts));
    }
    if global.json {
        output::envelope("alert", &view::alert::whole(&alert, &told));
        return Ok(Exit::Ok);
    }
    for line in view::alert::lines(&alert, &told, SystemClock.now()) {
        output::data(&line);
    }
    if alert.is_unread() {
        output::talk(&format!("next: `agentspace alerts ack {}`", alert.id));
    }
    Ok(Exit::Ok)
}

async fn acknowledge(global: &Global, args: Ack) -> anyhow::Result<Exit> {
    let by = host::actor(&ActorArg { actor: args.by })?;
    let Some(id) = args.which.id else {
        return acknowledge_all(global, by).await;
    };
    let id = alert_id(&id)?;
    let reader = host::reader(global).await?;
    // A mistaken id starts nothing.
    reader.alert(id).await?;
    let trusted = Trusted::default();
    let read = read_elsewhere(&reader, id);
    let turn = host::start_in_turn(|| host::builder(global, &trusted), read).await?;
    let alert = match turn {
        Turn::Needless(alert) => alert,
        Turn::Had(hosted) => {
            let read = hosted.gateway.alerts().acknowledge(id, by).await;
            hosted.shutdown().await?;
            read?
        }
    };
    if global.json {
        output::envelope("alert", &view::alert::alert(&alert));
    } else {
        output::data(&view::alert::line(&alert, SystemClock.now()));
    }
    Ok(Exit::Ok)
}

async fn acknowledge_all(global: &Global, by: Actor) -> anyhow::Result<Exit> {
    host::reader(global).await?;
    let trusted = Trusted::default();
    let never = std::future::pending::<anyhow::Result<()>>();
    let turn = host::start_in_turn(|| host::builder(global, &trusted), never).await?;
    let count = match turn {
        Turn::Needless(()) => 0,
        Turn::Had(hosted) => {
            let read = hosted.gateway.alerts().acknowledge_all(by).await;
            hosted.shutdown().await?;
            read?
        }
    };
    if global.json {
        output::envelope("alerts.acknowledged", &json!({ "count": count }));
    } else {
        output::data(&match count {
            1 => "1 alert was unread".to_owned(),
            count => format!("{count} alerts were unread"),
        });
    }
    Ok(Exit::Ok)
}

/// Waits until somebody else has acknowledged an alert.
async fn read_elsewhere(reader: &Reader, id: AlertId) -> anyhow::Result<Alert> {
    let mut commits = reader.commits().await?;
    loop {
        let alert = reader.alert(id).await?;
        if !alert.is_unread() {
            return Ok(alert);
        }
        commits.next().await;
    }
}

async fn watch(global: &Global, after: Option<u64>) -> anyhow::Result<Exit> {
    let reader = host::reader(global).await?;
    let after = match after {
        Some(after) => after,
        None => reader.latest_notice().await?,
    };
    let stop = Stop::listen_quietly().context("listening for signals failed")?;
    let mut watch = reader.watch_alerts(after).await?;
    loop {
        let notice = tokio::select! {
            notice = watch.next() => notice,
            () = stop.asked() => {
                let place = watch.place();
                output::talk(&format!(
                    "`agentspace alerts watch --after {place}` tells what comes"
                ));
                return Ok(Exit::Interrupted);
            }
        };
        let Some(notice) = notice else {
            return Ok(Exit::Ok);
        };
        let notice = notice?;
        if global.json {
            let mut told = alerts::envelope(&notice);
            told["place"] = json!(watch.place());
            output::envelope("alert.notice", &told);
        } else {
            output::data(&view::alert::notice_line(&notice));
        }
        if output::is_unread() {
            return Ok(Exit::Ok);
        }
    }
}

fn alert_id(text: &str) -> anyhow::Result<AlertId> {
    text.parse()
        .map_err(|error| UsageError(format!("{error}; `agentspace alerts ls` shows them")).into())
}
