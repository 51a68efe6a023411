use std::sync::mpsc::{self, Sender};

use diesel::RunQueryDsl;
use diesel::sql_types::BigInt;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::connection::{self, Synchronous};

/// A writer over a file with one empty table.
async fn writer() -> (Arc<Writer>, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("test.db");
    let connection = connection::opening(&path, Synchronous::Full).expect("a connection");
    let writer = Arc::new(Writer::start(connection).expect("a thread"));
    let made = writer
        .run(|c| {
            c.batch_execute("CREATE TABLE notes (note BLOB NOT NULL) STRICT")
                .around("notes")
        })
        .await;
    assert_eq!(made, Ok(()));
    (writer, folder)
}

fn note(connection: &mut SqliteConnection) -> Found<()> {
    connection
        .batch_execute("INSERT INTO notes VALUES (x'00')")
        .around("notes")
}

fn page(connection: &mut SqliteConnection) -> Found<()> {
    connection
        .batch_execute("INSERT INTO notes VALUES (zeroblob(8000))")
        .around("notes")
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(connection: &mut SqliteConnection) -> Found<i64> {
    diesel::sql_query("SELECT count(*) AS count FROM notes")
        .get_result::<Count>(connection)
        .around("notes")
        .map(|row| row.count)
}

/// Holds the writer in a batch of one until the sender is used or dropped.
async fn hold(writer: &Arc<Writer>) -> (Sender<()>, tokio::task::JoinHandle<Found<()>>) {
    let (release, held) = mpsc::channel();
    let (begun, begins) = oneshot::channel();
    let writer = Arc::clone(writer);
    let holding = tokio::spawn(async move {
        writer
            .run(move |_| {
                let _ = begun.send(());
                let _ = held.recv();
                Ok(())
            })
            .await
    });
    begins.await.expect("the writer took the job");
    (release, holding)
}

/// Queues the jobs in their order while the writer is held, so that they share one transaction.
async fn batch(writer: &Arc<Writer>, jobs: Vec<fn(&mut SqliteConnection) -> Found<()>>) -> Vec<Found<()>> {
    let (release, holding) = hold(writer).await;
    let mut answers = Vec::new();
    for work in jobs {
        let (done, answer) = oneshot::channel();
        let work: Work = Box::new(work);
        let job = Job {
            work: Arc::new(Mutex::new(Some(work))),
            span: Span::none(),
            done,
        };
        writer.enqueue(job).expect("room in the queue");
        answers.push(answer);
    }
    drop(release);
    assert_eq!(holding.await.expect("no panic"), Ok(()));
    let mut outcomes = Vec::new();
    for answer in answers {
        outcomes.push(answer.await.expect("an answer"));
    }
    outcomes
}

#[tokio::test]
async fn a_job_that_fails_or_panics_takes_no_other_with_it() {
    let (writer, _folder) = writer().await;
    let fail = StoreError::Failed("abandoned".to_owned());
    let outcomes = batch(
        &writer,
        vec![
            note,
            |c| {
                note(c)?;
                Err(StoreError::Failed("abandoned".to_owned()))
            },
            |c| {
                note(c)?;
                panic!("a bug")
            },
            note,
        ],
    )
    .await;
    let panicked = StoreError::Failed("the work panicked".to_owned());
    assert_eq!(outcomes, [Ok(()), Err(fail), Err(panicked), Ok(())]);
    assert_eq!(writer.run(count).await, Ok(2));
}

#[tokio::test]
async fn when_sqlite_rolls_back_by_itself_no_job_that_had_begun_is_taken_for_written() {
    let (writer, _folder) = writer().await;
    let outcomes = batch(
        &writer,
        vec![
            note,
            |c| {
                note(c)?;
                // What a full or failing disk can make it do.
                c.batch_execute("ROLLBACK").around("notes")?;
                Err(StoreError::Unavailable("disk I/O error".to_owned()))
            },
            note,
        ],
    )
    .await;
    let lost = || Err(StoreError::Unavailable("disk I/O error".to_owned()));
    assert_eq!(outcomes, [lost(), lost(), Ok(())]);
    assert_eq!(writer.run(count).await, Ok(1));
    assert_eq!(writer.run(note).await, Ok(()));
    assert_eq!(writer.run(count).await, Ok(2));
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_passes() {
    let (writer, _folder) = writer().await;
    let limit = |pragma: &'static str| writer.run(move |c| c.batch_execute(pragma).around("pragma"));
    assert_eq!(limit("PRAGMA max_page_count = 16").await, Ok(()));
    let mut written = 0;
    let full = loop {
        match writer.run(page).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(
        full,
        StoreError::Unavailable("database or disk is full".to_owned())
    );
    assert!(written > 0);
    // What needs no room goes on.
    assert_eq!(writer.run(count).await, Ok(written));
    assert_eq!(limit("PRAGMA max_page_count = 1000").await, Ok(()));
    assert_eq!(writer.run(page).await, Ok(()));
    assert_eq!(writer.run(count).await, Ok(written + 1));
}

#[tokio::test]
async fn a_job_that_fills_the_disk_takes_only_those_before_it_along() {
    let (writer, _folder) = writer().await;
    let limit = writer
        .run(|c| c.batch_execute("PRAGMA max_page_count = 8").around("pragma"))
        .await;
    assert_eq!(limit, Ok(()));
    let outcomes = batch(&writer, vec![note, |c| (0..9).try_for_each(|_| page(c)), note]).await;
    let full = || Err(StoreError::Unavailable("database or disk is full".to_owned()));
    assert_eq!(outcomes, [full(), full(), Ok(())]);
    assert_eq!(writer.run(count).await, Ok(1));
}

#[tokio::test]
async fn more_than_the_queue_holds_is_turned_away_at_once() {
    let (writer, _folder) = writer().await;
    let (release, holding) = hold(&writer).await;
    let mut jobs = JoinSet::new();
    for _ in 0..QUEUE + 3 {
        let writer = Arc::clone(&writer);
        jobs.spawn(async move { writer.run(note).await });
    }
    for _ in 0..3 {
        let turned_away = jobs.join_next().await.expect("an answer").expect("no panic");
        assert_eq!(turned_away, Err(unavailable("too many writes are waiting")));
    }
    drop(release);
    assert_eq!(holding.await.expect("no panic"), Ok(()));
    assert!(jobs.join_all().await.iter().all(Result::is_ok));
    let queue = i64::try_from(QUEUE).expect("a small number");
    assert_eq!(writer.run(count).await, Ok(queue));
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_any_more_never_begins() {
    let (writer, _folder) = writer().await;
    let (release, holding) = hold(&writer).await;
    let late = writer.run_within(Duration::from_millis(20), note).await;
    assert_eq!(late, Err(unavailable("no answer in time")));
    drop(release);
    assert_eq!(holding.await.expect("no panic"), Ok(()));
    assert_eq!(writer.run(count).await, Ok(0));
}

#[tokio::test]
async fn a_write_that_has_begun_is_answered_however_late() {
    let (writer, _folder) = writer().await;
    let (begun, begins) = oneshot::channel();
    let (release, held) = mpsc::channel::<()>();
    let patient = Arc::clone(&writer);
    let late = tokio::spawn(async move {
        let work = move |connection: &mut SqliteConnection| {
            let _ = begun.send(());
            let _ = held.recv();
            note(connection)
        };
        patient.run_within(Duration::from_millis(20), work).await
    });
    begins.await.expect("the writer took the job");
    let deadline_has_passed = writer.run_within(Duration::from_millis(60), note).await;
    assert!(deadline_has_passed.is_err());
    drop(release);
    assert_eq!(late.await.expect("no panic"), Ok(()));
    assert_eq!(writer.run(count).await, Ok(1));
}

#[tokio::test]
async fn dropping_the_writer_writes_what_has_queued() {
    let (writer, folder) = writer().await;
    let (release, holding) = hold(&writer).await;
    let (done, answer) = oneshot::channel();
    let work: Work = Box::new(note);
    let job = Job {
        work: Arc::new(Mutex::new(Some(work))),
        span: Span::none(),
        done,
    };
    writer.enqueue(job).expect("room in the queue");
    drop(release);
    assert_eq!(holding.await.expect("no panic"), Ok(()));
    drop(writer);
    assert_eq!(answer.await.expect("an answer"), Ok(()));
    let path = folder.path().join("test.db");
    let mut connection = connection::opening(&path, Synchronous::Full).expect("a connection");
    assert_eq!(count(&mut connection), Ok(1));
}
