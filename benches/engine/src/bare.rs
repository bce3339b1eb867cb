//! The control: bare SQLite that appends one row per step, in a transaction of its own or in the
//! groups that one writer thread makes of what has arrived.

use std::sync::mpsc;

use anyhow::Result;
use rusqlite::{Connection, params};

use crate::measure::{Place, Taken, Watch};

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Full,
    Normal,
}

const TABLE: &str = "CREATE TABLE journal (
    execution TEXT NOT NULL,
    visit INTEGER NOT NULL,
    output TEXT NOT NULL,
    PRIMARY KEY (execution, visit)
) STRICT, WITHOUT ROWID";
const INSERT: &str = "INSERT INTO journal VALUES (?1, ?2, ?3)";
const OUTPUT: &str = r#"{"ok":true}"#;
/// Steps of one execution.
const STEPS: usize = 10;

fn open(place: &Place, sync: Sync) -> Result<(Connection, tempfile::TempDir)> {
    let directory = place.fresh()?;
    let connection = Connection::open(directory.path().join("bare.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let level = match sync {
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", level)?;
    connection.execute(TABLE, [])?;
    Ok((connection, directory))
}

/// One transaction for each step, one after the other.
pub(crate) fn alone(place: &Place, steps: usize, sync: Sync) -> Result<Taken> {
    let (mut connection, _directory) = open(place, sync)?;
    let watch = Watch::start();
    for number in 0..steps {
        let transaction = connection.transaction()?;
        let execution = format!("execution-{:032}", number / STEPS);
        let visit = i64::try_from(number % STEPS)?;
        transaction
            .prepare_cached(INSERT)?
            .execute(params![execution, visit, OUTPUT])?;
        transaction.commit()?;
    }
    Ok(watch.taken())
}

struct Job {
    execution: String,
    visit: i64,
    done: tokio::sync::oneshot::Sender<()>,
}

/// `clients` tasks that each append a step, wait until it is durable, and append the next.
pub(crate) fn together(place: &Place, steps: usize, clients: usize) -> Result<Taken> {
    let (connection, _directory) = open(place, Sync::Full)?;
    let (queue, jobs) = mpsc::channel::<Job>();
    let writer = std::thread::spawn(move || write(connection, &jobs));
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let watch = Watch::start();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for client in 0..clients {
            let queue = queue.clone();
            tasks.push(tokio::spawn(async move {
                append(&queue, client, steps / clients).await
            }));
        }
        for task in tasks {
            task.await??;
        }
        anyhow::Ok(())
    })?;
    let taken = watch.taken();
    drop(queue);
    writer
        .join()
        .map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    Ok(taken)
}

async fn append(queue: &mpsc::Sender<Job>, client: usize, steps: usize) -> Result<()> {
    for number in 0..steps {
        let (done, answer) = tokio::sync::oneshot::channel();
        let execution = format!("execution-{client:08}-{:024}", number / STEPS);
        let visit = i64::try_from(number % STEPS)?;
        queue.send(Job {
            execution,
            visit,
            done,
        })?;
        answer.await?;
    }
    Ok(())
}

fn write(mut connection: Connection, jobs: &mpsc::Receiver<Job>) -> Result<()> {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(511));
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for job in &group {
                insert.execute(params![job.execution, job.visit, OUTPUT])?;
            }
        }
        transaction.commit()?;
        for job in group {
            // The client may have given up.
            let _ = job.done.send(());
        }
    }
    Ok(())
}
