//! Three processes that all want to serve one database, while a schedule fires every second of a
//! clock that is sixty times as fast: they are killed at random moments and start again.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use gateway::workflow_types::Timestamp;
use gateway::{Clock as _, SystemClock};
use rusqlite::Connection;

use crate::chance::Chance;
use crate::ledger::lines;
use crate::live;
use crate::serving::{self, NAME, Options, Owner, Tick, owners_path, ticks_path};

const RIVALS: usize = 3;
const SPEED: u32 = 60;
/// The shortest and the longest time, in milliseconds, until one of them is killed.
const TIMES: (u64, u64) = (300, 3_000);

/// Lets them compete for so many seconds of the machine's clock.
pub(crate) fn run(seconds: u64, seed: u64) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let begun = SystemClock.now();
    let until = begun.saturating_add(Duration::from_secs(seconds) * SPEED);
    let options = Options {
        directory: directory.path().to_owned(),
        begun: begun.as_millis(),
        speed: SPEED,
        until: until.as_millis(),
    };
    serving::prepare(&options)?;
    let kills = compete(&options, &mut Chance::new(seed))?;
    let account = Account::read(&options, until)?;
    account.show(kills);
    if !account.wrong.is_empty() {
        bail!("{}", account.wrong.join("\n"));
    }
    Ok(())
}

/// Starts them, kills whoever is drawn, most often the owner, and waits for the end; how many kills.
fn compete(options: &Options, chance: &mut Chance) -> Result<usize> {
    let mut rivals = Vec::new();
    for _ in 0..RIVALS {
        rivals.push(start(options)?);
    }
    let clock = options.clock()?;
    let until = Timestamp::from_millis(options.until)?;
    let (_never, time) = mpsc::channel::<()>();
    let mut kills = 0;
    loop {
        let wait = TIMES.0 + chance.below(TIMES.1 - TIMES.0);
        let passed = Duration::from_millis(wait);
        if clock.now().saturating_add(passed * SPEED) >= until {
            break;
        }
        // Nothing is ever sent: the time passes.
        let _ = time.recv_timeout(passed);
        let owners: Vec<Owner> = lines(&owners_path(&options.directory))?;
        let owner = owners.last().map(|owner| owner.process);
        let its_place = rivals.iter().position(|rival| Some(rival.id()) == owner);
        let drawn = usize::try_from(chance.below(RIVALS as u64))?;
        let place = match its_place {
            Some(place) if chance.below(4) > 0 => place,
            Some(_) | None => drawn,
        };
        let rival = rivals.get_mut(place).context("there is no such rival")?;
        rival.kill()?;
        rival.wait()?;
        kills += 1;
        *rival = start(options)?;
    }
    for rival in rivals {
        let output = rival.wait_with_output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    Ok(kills)
}

fn start(options: &Options) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").arg("--directory");
    command.arg(&options.directory);
    for (name, value) in [
        ("--begun", options.begun),
        ("--until", options.until),
        ("--speed", i64::from(options.speed)),
    ] {
        command.arg(name).arg(value.to_string());
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = command.stderr(Stdio::piped()).spawn();
    started.context("starting a process failed")
}

/// What became of each second.
#[derive(Debug, Default)]
struct Account {
    seconds: usize,
    started: usize,
    missed: usize,
    in_gaps: usize,
    calls: usize,
    /// Executions that were interrupted before their call.
    interrupted: usize,
    changes: usize,
    wrong: Vec<String>,
}

impl Account {
    fn read(options: &Options, until: Timestamp) -> Result<Self> {
        let mut account = Self::default();
        let owners: Vec<Owner> = lines(&owners_path(&options.directory))?;
        let pairs = owners.windows(2);
        account.changes = pairs.filter(|pair| pair[0] != pair[1]).count();
        let database = Connection::open(live::database(&options.directory))?;
        let fires = account.seconds(&database, until)?;
        let ticks: Vec<Tick> = lines(&ticks_path(&options.directory))?;
        account.compare(&database, &fires, &ticks)?;
        Ok(account)
    }

    /// Every second from the first on is recorded once; the execution of each that was started.
    fn seconds(
        &mut self,
        database: &Connection,
        until: Timestamp,
    ) -> Result<BTreeMap<String, String>> {
        let sql = "SELECT fire_time, outcome, execution_id FROM schedule_fires ORDER BY fire_time";
        let mut statement = database.prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut fires, mut recorded) = (BTreeMap::new(), BTreeSet::new());
        while let Some(row) = rows.next()? {
            let (time, outcome): (String, String) = (row.get(0)?, row.get(1)?);
            let second: Timestamp = time.parse()?;
            recorded.insert(second.as_millis() / 1_000);
            let execution: Option<String> = row.get(2)?;
            match (outcome.as_str(), execution) {
                ("started", Some(execution)) => {
                    self.started += 1;
                    fires.insert(execution, time);
                }
                ("missed", None) => self.missed += 1,
                (outcome, _) => self.wrong.push(format!("{time} is {outcome}")),
            }
        }
        let mut gaps = database.prepare("SELECT first, before FROM schedule_gaps")?;
        let mut rows = gaps.query([])?;
        while let Some(row) = rows.next()? {
            let (first, before): (String, String) = (row.get(0)?, row.get(1)?);
            let (first, before): (Timestamp, Timestamp) = (first.parse()?, before.parse()?);
            for second in first.as_millis() / 1_000..before.as_millis() / 1_000 {
                self.in_gaps += 1;
                if !recorded.insert(second) {
                    self.wrong
                        .push(format!("second {second} is recorded twice"));
                }
            }
        }
        let first: String = database.query_row(
            "SELECT created_at FROM schedules WHERE id = ?",
            [NAME],
            |row| row.get(0),
        )?;
        let first = first.parse::<Timestamp>()?.as_millis() / 1_000 + 1;
        let end = recorded.last().copied().unwrap_or(0);
        if end < until.as_millis() / 1_000 {
            self.wrong.push("it ended before its time".to_owned());
        }
        self.seconds = usize::try_from(end - first + 1)?;
        let lost = (first..=end).filter(|second| !recorded.contains(second));
        self.wrong
            .extend(lost.map(|second| format!("nothing is known of second {second}")));
        Ok(fires)
    }

    /// Each call is that of a fire, and no execution and no second has two.
    fn compare(
        &mut self,
        database: &Connection,
        fires: &BTreeMap<String, String>,
        ticks: &[Tick],
    ) -> Result<()> {
        let (mut executions, mut times) = (BTreeSet::new(), BTreeSet::new());
        self.calls = ticks.len();
        for tick in ticks {
            let Tick { execution, at } = tick;
            let is_new = executions.insert(execution.as_str());
            if !times.insert(at.as_str()) || !is_new {
                self.wrong.push(format!("{tick:?} is a duplicate"));
            }
            if fires.get(execution) != Some(at) {
                self.wrong.push(format!("{tick:?} is of no fire"));
            }
        }
        let sql = "SELECT id, status FROM workflow_executions";
        let mut statement = database.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, status): (String, String) = (row.get(0)?, row.get(1)?);
            let was_called = executions.contains(id.as_str());
            match status.as_str() {
                "completed" | "failed" if was_called => {}
                "failed" => self.interrupted += 1,
                status => self
                    .wrong
                    .push(format!("execution {id} is {status}, called: {was_called}")),
            }
            if !fires.contains_key(&id) {
                self.wrong.push(format!("execution {id} is of no fire"));
            }
        }
        Ok(())
    }

    fn show(&self, kills: usize) {
        let Self {
            seconds,
            started,
            missed,
            in_gaps,
            calls,
            interrupted,
            changes,
            wrong,
        } = self;
        println!("{RIVALS} processes for one database, a fire every second, {SPEED} times as fast");
        println!("  {kills:>6} kills, the owner changed {changes} times");
        println!("  {seconds:>6} seconds");
        println!("  {started:>6} started, {missed} missed, {in_gaps} more in stretches");
        println!("  {calls:>6} calls in the ledger, {interrupted} executions killed before theirs");
        println!("  {:>6} lost, doubled or unexplained", wrong.len());
    }
}
