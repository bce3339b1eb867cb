//! `agentspace serve`: lets schedules fire and carries all executions on, until a signal ends it.

mod settings;

use anyhow::Context as _;
use gateway::workflow_types::schedule::Keeper;
use gateway::{ErrorKind, LeftBehind, Reader, Reloaded, ScheduleEvent, Scheduling};
use tokio::signal::unix::{SignalKind, signal};

use super::reload;
use crate::cli::{Format, Global};
use crate::config::Loaded;
use crate::exit::Exit;
use crate::host::{self, Hosted, Trusted};
use crate::view::schedule as view;
use crate::{alerts, diagnostics, output};
use settings::SettingsFile;

/// Schedules that are read at once.
const PAGE: usize = 500;

pub(super) async fn run(loaded: &Loaded) -> anyhow::Result<Exit> {
    let global = &loaded.global;
    // Before the database is owned under this name: who sees that may send the signal.
    let mut reload = signal(SignalKind::user_defined1()).context("listening for signals failed")?;
    let trusted = trusted(global).await?;
    let builder = host::builder(global, &trusted)
        .called(reload::SERVER)
        .left_behind(LeftBehind::TakeUp)
        .scheduling(Scheduling::Fire)
        .workflows(&global.workflows)
        .watch_files();
    let mut settings = loaded.report.as_ref().map(SettingsFile::new);
    let builder = settings
        .iter()
        .fold(builder, |builder, file| builder.host_file(file.path()));
    if !global.workflows.is_dir() {
        output::talk(&format!(
            "there is no workflow directory {} yet; `agentspace init` makes one, --workflows names \
             another",
            global.workflows.display()
        ));
    }
    for missing in alerts::missing(&global.alerts) {
        output::talk(&format!(
            "{}: {missing}",
            output::paint(output::YELLOW, "warning")
        ));
    }
    let hosted = host::start(builder).await?;
    let mut events = hosted.gateway.schedules().watch();
    let mut files = hosted.gateway.files();
    for report in &hosted.gateway.started().files {
        diagnostics::show(report, Format::Human);
    }
    say_what_is_served(&hosted).await?;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => show(global, &event),
                None => break,
            },
            changed = files.next() => match changed {
                Some(changed) => {
                    if is_of_more_than_settings(&changed) {
                        reload::show(global, &changed);
                    }
                    look(global, &changed, settings.as_mut());
                }
                None => break,
            },
            Some(()) = reload.recv() => match hosted.gateway.reload().await {
                Ok(reloaded) => {
                    reload::show(global, &reloaded);
                    look(global, &reloaded, settings.as_mut());
                }
                Err(error) => output::error(&error.into()),
            },
            () = hosted.stop.asked() => break,
        }
    }
    hosted.shutdown().await?;
    Ok(Exit::Ok)
}

/// Tells of the settings, if they have a file and it is news.
fn look(global: &Global, reloaded: &Reloaded, settings: Option<&mut SettingsFile>) {
    if let Some(settings) = settings {
        settings.look(global, reloaded);
    }
}

/// Whether anything else than the settings was read again.
fn is_of_more_than_settings(changed: &Reloaded) -> bool {
    let Reloaded {
        files,
        registered,
        gone,
        unreadable,
        ..
    } = changed;
    let is_silent = files.is_empty() && registered.is_empty() && gone.is_empty();
    !(is_silent && unreadable.is_empty())
}

/// The hosts of URLs that an operator typed: for executions that are not finished, and for
/// schedules.
async fn trusted(global: &Global) -> anyhow::Result<Trusted> {
    let reader = match Reader::open(&global.db).await {
        Ok(reader) => reader,
        Err(error) if error.kind() == ErrorKind::Missing => return Ok(Trusted::default()),
        // The start of the gateway migrates it, or says what is wrong with it.
        Err(_) => return Ok(Trusted::default()),
    };
    let mut trusted = Trusted::of_unfinished(&reader).await?;
    let mut after = None;
    loop {
        let page = reader.schedules(None, after, PAGE).await?.items;
        for schedule in &page {
            if schedule.keeper == Keeper::People {
                trusted.add(&schedule.spec.input);
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.spec.id.clone()),
            Some(_) | None => return Ok(trusted),
        }
    }
}

async fn say_what_is_served(hosted: &Hosted) -> anyhow::Result<()> {
    let gateway = &hosted.gateway;
    let workflows = gateway.reader().workflows().await?.items.len();
    let schedules = gateway.schedules().list(None, None, PAGE).await?.items;
    let active = schedules.iter().filter(|schedule| schedule.is_active());
    let next = active.clone().filter_map(|schedule| {
        let next = schedule.next()?;
        Some((next.fire_time, schedule))
    });
    let count = active.count();
    let more = if schedules.len() == PAGE {
        "at least "
    } else {
        ""
    };
    output::talk(&format!(
        "serving: {}, {more}{}; a signal ends it",
        counted(workflows, "workflow"),
        counted(count, "active schedule"),
    ));
    if let Some((time, schedule)) = next.min_by_key(|(time, _)| *time) {
        let zone = schedule.spec.timing.zone();
        output::talk(&format!(
            "next: {} at {}",
            schedule.spec.id,
            view::both(time, zone)
        ));
    }
    Ok(())
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Tells what happened: programs by lines of JSON, people by talk.
fn show(global: &Global, event: &ScheduleEvent) {
    match event {
        ScheduleEvent::Fired(fire) if global.json => {
            output::envelope("schedule.fire", &view::fire(fire));
        }
        ScheduleEvent::Fired(fire) => output::talk(&view::fire_line_of_any(fire)),
        ScheduleEvent::CatchingUp { waiting, until } => output::talk(&format!(
            "{} late: one catches up every five seconds, the last one at {until}",
            counted(*waiting, "schedule")
        )),
        ScheduleEvent::Failing { schedule, failures } => output::talk(&format!(
            "{}: schedule {schedule} is paused, {failures} of its executions failed in a row; \
             `agentspace schedules resume {schedule}` lets it fire again",
            output::paint(output::RED, "alert")
        )),
        // Changes are answered to whoever makes them.
        ScheduleEvent::Changed(_) | ScheduleEvent::Deleted(_) | _ => {}
    }
}
