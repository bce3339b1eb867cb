//! Group commit, savepoints and snapshots.

use std::sync::mpsc;

use db::{Connection, Error, ErrorKind, Job, execution};
use workflow_types::execution::{ExecutionFilter, ExecutionStatus};

use crate::support::{Database, id, running};

type Answers = mpsc::Receiver<(u32, Result<(), ErrorKind>)>;

type Works = Vec<fn(&mut Connection) -> Result<(), Error>>;

/// Jobs that each start an execution and then do something else.
fn jobs(works: Works) -> (Vec<Job>, Answers) {
    let (sender, answers) = mpsc::channel();
    let jobs = (1..).zip(works).map(|(number, work)| {
        let sender = sender.clone();
        Job::new(
            move |connection| {
                execution::start(connection, &running(number), "p1")?;
                work(connection)
            },
            move |result| {
                sender
                    .send((number, result.map_err(|error| error.kind())))
                    .unwrap();
            },
        )
    });
    (jobs.collect(), answers)
}

fn stored(database: &mut Database, number: u32) -> bool {
    execution::find(&mut database.connection, &id(number))
        .unwrap()
        .is_some()
}

#[test]
fn a_failing_and_a_panicking_job_spare_their_neighbours() {
    let mut database = Database::with_workflow();
    let fails = |connection: &mut Connection| execution::results(connection, &id(77)).map(|_| ());
    let panics = |connection: &mut Connection| {
        connection.write(|connection| {
            execution::find(connection, &id(1))?;
            panic!("on purpose")
        })
    };
    let (jobs, answers) = jobs(vec![|_| Ok(()), fails, panics, |_| Ok(())]);
    database.connection.group(jobs);
    assert_eq!(
        answers.try_iter().collect::<Vec<_>>(),
        [
            (1, Ok(())),
            (2, Err(ErrorKind::NotFound)),
            (3, Err(ErrorKind::Internal)),
            (4, Ok(()))
        ]
    );
    let found: Vec<bool> = (1..=4)
        .map(|number| stored(&mut database, number))
        .collect();
    assert_eq!(found, [true, false, false, true]);
}

#[test]
fn what_a_nested_write_undid_is_undone_alone() {
    let mut database = Database::with_workflow();
    let work = |connection: &mut Connection| {
        let failed = connection.write(|connection| {
            execution::start(connection, &running(50), "p1")?;
            execution::results(connection, &id(77)).map(|_| ())
        });
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::NotFound);
        Ok(())
    };
    let (jobs, answers) = jobs(vec![work]);
    database.connection.group(jobs);
    assert_eq!(answers.recv().unwrap(), (1, Ok(())));
    assert!(stored(&mut database, 1) && !stored(&mut database, 50));
}

#[test]
fn a_group_that_cannot_commit_answers_everyone_with_the_cause() {
    let mut database = Database::with_workflow();
    let full = |connection: &mut Connection| {
        let big = ExecutionFilter::default();
        execution::list(connection, &big, None, 1).map(|_| ())
    };
    let mut reader = Connection::open_reader(&database.path()).unwrap();
    let (jobs, answers) = jobs(vec![full, |_| Ok(())]);
    reader.group(jobs);
    assert_eq!(
        answers.try_iter().collect::<Vec<_>>(),
        [(1, Err(ErrorKind::ReadOnly)), (2, Err(ErrorKind::ReadOnly))]
    );
    assert!(!stored(&mut database, 1));
}

#[test]
fn a_read_sees_one_snapshot_whatever_is_written_meanwhile() {
    let mut database = Database::with_workflow();
    let mut reader = Connection::open_reader(&database.path()).unwrap();
    let counts = reader.read(|reader| {
        let mut count = || {
            let all = ExecutionFilter {
                status: Some(ExecutionStatus::Running),
                ..ExecutionFilter::default()
            };
            execution::list(reader, &all, None, 10).map(|page| page.items.len())
        };
        let before = count()?;
        database.start(&running(1));
        Ok((before, count()?))
    });
    assert_eq!(counts.unwrap(), (0, 0));
    assert!(execution::find(&mut reader, &id(1)).unwrap().is_some());
}
