//! Group commit: many jobs in one transaction, each spared from the failures of the others.
//!
//! A job is answered only after the commit, so what was answered stays true. The thread that
//! collects jobs, and what the jobs do, is decided by the caller.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::connection::{Connection, Pace, Savepoint};
use crate::error::{Error, ErrorKind};

/// A piece of work for the writer, with the one who waits for its result.
pub struct Job(Box<dyn Work + Send>);

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Job {
    /// A job that does `work` and hands its result to `answer` after the commit.
    ///
    /// An error of `work` rolls back what it wrote and nothing else. It may be called a second
    /// time, after what it wrote the first time was rolled back. `answer` is called exactly once,
    /// and may not panic.
    pub fn new<T, W, A>(work: W, answer: A) -> Self
    where
        T: Send + 'static,
        W: FnMut(&mut Connection) -> Result<T, Error> + Send + 'static,
        A: FnOnce(Result<T, Error>) + Send + 'static,
    {
        Self(Box::new(Task {
            work,
            done: None,
            answer,
        }))
    }
}

trait Work {
    /// Does the work, keeps its value, and tells whether it failed.
    fn run(&mut self, connection: &mut Connection) -> Result<(), Error>;
    /// Answers the value, or the error that took it back.
    fn settle(self: Box<Self>, verdict: Result<(), Error>);
}

struct Task<T, W, A> {
    work: W,
    done: Option<T>,
    answer: A,
}

impl<T, W, A> Work for Task<T, W, A>
where
    W: FnMut(&mut Connection) -> Result<T, Error>,
    A: FnOnce(Result<T, Error>),
{
    fn run(&mut self, connection: &mut Connection) -> Result<(), Error> {
        // A connection is left as it is by an unwinding job: what it wrote is rolled back, and
        // Diesel puts its statements back as they are dropped.
        let done = catch_unwind(AssertUnwindSafe(|| (self.work)(connection)))
            .unwrap_or_else(|panic| Err(panicked(panic.as_ref())))?;
        self.done = Some(done);
        Ok(())
    }

    fn settle(self: Box<Self>, verdict: Result<(), Error>) {
        let done = self.done;
        (self.answer)(verdict.and_then(|()| done.ok_or_else(never_ran)));
    }
}

impl Connection {
    /// Runs jobs in one transaction and answers all of them after its commit.
    ///
    /// A job that fails, or panics, is rolled back alone and answered with its error. If the
    /// transaction cannot begin or commit, or is lost midway (a full disk), every job is answered
    /// with that error and nothing was written.
    pub fn group(&mut self, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        if let Err(error) = self.keep_pace(Pace::Patient) {
            let failed = |job: Job| job.0.settle(Err(error.clone()));
            return jobs.into_iter().for_each(failed);
        }
        match self.together(&mut jobs) {
            Ok(Group::Committed) => jobs.into_iter().for_each(|job| job.0.settle(Ok(()))),
            Ok(Group::Spoiled) => self.apart(jobs),
            Err(error) => jobs
                .into_iter()
                .for_each(|job| job.0.settle(Err(error.clone()))),
        }
    }

    /// Runs a job in a transaction of its own and answers it after the commit, as
    /// [`Connection::group`] does, but waits for nobody: if another connection is writing, the job
    /// is given back, and nothing was written.
    ///
    /// Nor does it move the log into the database file, which would wait for the disk: now and
    /// then, a group has to be run, which does so when it is time. Where commits survive a power
    /// cut, they wait for the disk all the same.
    pub fn at_once(&mut self, mut job: Job) -> Option<Job> {
        if self.keep_pace(Pace::Hasty).is_err() {
            return Some(job);
        }
        let (mut begun, mut spoiled) = (false, false);
        let committed = self.whole_transaction(|connection| {
            begun = true;
            job.0.run(connection)?;
            spoiled = connection.is_spoiled();
            Ok(())
        });
        match committed {
            // A group undoes a part alone.
            Err(_) if spoiled => Some(job),
            Err(error) if !begun && error.kind() == ErrorKind::Busy => Some(job),
            verdict => {
                job.0.settle(verdict);
                None
            }
        }
    }

    /// Runs jobs as one: what nearly always succeeds is not prepared for a failure.
    ///
    /// An error is the business of every job.
    fn together(&mut self, jobs: &mut [Job]) -> Result<Group, Error> {
        // One that is alone has no neighbours to be spared from its failure.
        let is_alone = jobs.len() == 1;
        let mut spoiled = false;
        let committed = self.whole_transaction(|connection| {
            for job in jobs {
                let run = job.0.run(connection);
                spoiled = match run {
                    Ok(()) => connection.is_spoiled(),
                    Err(_) => !is_alone,
                };
                run?;
                if spoiled {
                    break;
                }
            }
            Ok(())
        });
        match committed {
            Ok(()) => Ok(Group::Committed),
            Err(_) if spoiled => Ok(Group::Spoiled),
            Err(error) => Err(error),
        }
    }

    /// Runs jobs in one transaction so that each can be undone alone.
    fn apart(&mut self, jobs: Vec<Job>) {
        let mut jobs: Vec<(Job, Result<(), Error>)> =
            jobs.into_iter().map(|job| (job, Ok(()))).collect();
        let commit = self.transaction(|connection| {
            for (job, result) in &mut jobs {
                *result =
                    connection.savepoint(Savepoint::Job, |connection| job.0.run(connection))?;
            }
            Ok(())
        });
        for (job, result) in jobs {
            // A job's own error may rest on what a neighbour wrote, so a lost group tells all.
            job.0.settle(commit.clone().and(result));
        }
    }
}

/// What became of jobs that were run as one.
enum Group {
    Committed,
    /// One of them failed, and nothing was written.
    Spoiled,
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::because(ErrorKind::Internal, "a job of the database panicked", text)
}

fn never_ran() -> Error {
    Error::new(ErrorKind::Internal, "a job of the database did not run")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::connection::Durability;

    /// Runs statements as jobs of one group on a prepared database; their answers, and how many
    /// rows there are in `schedules` afterwards.
    fn group(prepare: &'static str, jobs: &[&'static str]) -> (Vec<Option<Error>>, i64) {
        run(prepare, jobs, Connection::group)
    }

    fn run(
        prepare: &'static str,
        jobs: &[&'static str],
        group: impl FnOnce(&mut Connection, Vec<Job>),
    ) -> (Vec<Option<Error>>, i64) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agentspace.db");
        let mut connection = Connection::open_writer(&path, Durability::Full)
            .unwrap()
            .connection;
        connection.execute(prepare).unwrap();
        let (sender, answers) = mpsc::channel();
        let jobs = jobs.iter().map(|&sql| {
            let sender = sender.clone();
            Job::new(
                move |connection| connection.execute(sql),
                move |result: Result<(), Error>| sender.send(result.err()).unwrap(),
            )
        });
        group(&mut connection, jobs.collect());
        let count = connection.number("SELECT count(*) AS value FROM schedules");
        (answers.try_iter().collect(), count.unwrap())
    }

    const ROW: &str = "INSERT INTO schedules (id, name, cron_expression, created_at, updated_at)
        VALUES (hex(randomblob(8)), 'n', '* * * * *', '', '')";

    #[test]
    fn a_commit_that_fails_tells_everyone_its_cause_and_writes_nothing() {
        let orphan = "PRAGMA defer_foreign_keys = ON;
            INSERT INTO schedules (id, name, cron_expression, created_at, updated_at, workflow_id)
            VALUES ('s', 'n', '* * * * *', '', '', 'gone')";
        let (answers, rows) = group("SELECT 1", &[ROW, orphan, "nonsense", ROW]);
        assert_eq!((answers.len(), rows), (4, 0));
        for answer in answers {
            let error = answer.unwrap();
            assert!(error.to_string().contains("COMMIT"), "{error}");
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains("FOREIGN KEY"), "{cause}");
        }
    }

    #[test]
    fn a_transaction_that_is_lost_midway_answers_those_before_and_after() {
        for lost in ["ROLLBACK", "ROLLBACK; nonsense"] {
            // That nobody noticed the loss is found out by the savepoints only.
            let (answers, rows) = run("SELECT 1", &[ROW, lost, ROW], Connection::apart);
            assert_eq!((answers.len(), rows), (3, 0));
            assert!(answers.iter().all(Option::is_some));
        }
    }

    #[test]
    fn a_part_whose_failure_a_job_overlooks_is_undone_alone() {
        let overlooks = |connection: &mut Connection| {
            let failed = connection.write(|connection| {
                connection.execute(ROW)?;
                connection.execute("nonsense")
            });
            assert!(failed.is_err());
            connection.execute(ROW)
        };
        let inserts = |connection: &mut Connection| connection.execute(ROW);
        for neighbours in 0..3 {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("agentspace.db");
            let opened = Connection::open_writer(&path, Durability::Full);
            let mut connection = opened.unwrap().connection;
            let (sender, answers) = mpsc::channel();
            let answer = |sender: &mpsc::Sender<_>| {
                let sender = sender.clone();
                move |result: Result<(), Error>| sender.send(result.is_ok()).unwrap()
            };
            let mut jobs = vec![Job::new(overlooks, answer(&sender))];
            jobs.extend((0..neighbours).map(|_| Job::new(inserts, answer(&sender))));
            connection.group(jobs);
            let count = connection.number("SELECT count(*) AS value FROM schedules");
            assert_eq!(count.unwrap(), neighbours + 1);
            assert!(answers.try_iter().all(|answered| answered));
        }
    }

    #[test]
    fn a_panic_outside_of_a_job_leaves_the_connection_usable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agentspace.db");
        let opened = Connection::open_writer(&path, Durability::Full);
        let mut connection = opened.unwrap().connection;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            connection.write(|connection| -> Result<(), Error> {
                connection.execute(ROW)?;
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        let count = "SELECT count(*) AS value FROM schedules";
        let read = |connection: &mut Connection| connection.number(count);
        assert_eq!(connection.read(read).unwrap(), 0);
        connection
            .write(|connection| connection.execute(ROW))
            .unwrap();
        assert_eq!(connection.read(read).unwrap(), 1);
    }

    #[test]
    fn a_full_disk_is_named_and_what_was_answered_stays_true() {
        let big = "INSERT INTO schedules (id, name, cron_expression, created_at, updated_at)
            VALUES ('big', hex(zeroblob(1000000)), '* * * * *', '', '')";
        let (answers, rows) = group("PRAGMA max_page_count = 60", &[ROW, big, ROW]);
        let kept = answers.iter().filter(|answer| answer.is_none()).count();
        assert_eq!(rows, i64::try_from(kept).unwrap());
        let error = answers[1].as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
        assert!(error.retryable());
        let cause = std::error::Error::source(error).unwrap().to_string();
        assert!(cause.ends_with(": free some space there"), "{cause}");
    }
}
