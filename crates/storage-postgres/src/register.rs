//! Registration: load, let the domain decide, apply, in one transaction for the whole batch.

mod apply;
mod load;
mod rewrites;
pub(crate) mod writes;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::PgConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use doorbell_domain::registration::{Refusal, Registered, Registration, Wants, plan};
use doorbell_domain::store::{RegisterError, StoreError};
use doorbell_storage::blocking::Deadline;
use doorbell_storage::{Announcer, Vault};

use crate::pool::Pool;
use crate::trouble::{Again, Trouble};

/// How often a batch is tried before the database counts as unavailable. Many, since whoever meets others at one row loses to
/// some of them each time; [`PATIENCE`] is what ends it.
const TRIES: u32 = 20;

/// For how long.
const PATIENCE: Duration = Duration::from_secs(3);

type Answers = Vec<Result<Registered, Refusal>>;

/// Registers `batch`, and gives its answers in its order. Nothing is committed after `deadline`, when nobody
/// waits for the answer any more.
///
/// An error that trying again does not cure is some registration's own: the batch is halved until it stands
/// alone, and the others are made.
pub(crate) fn register(
    pool: &Pool,
    vault: &Vault,
    announcer: Announcer,
    batch: &[Registration],
    deadline: &Deadline,
) -> Vec<Result<Registered, RegisterError>> {
    if batch.is_empty() {
        return Vec::new();
    }
    match persist(pool, vault, announcer, batch, deadline) {
        Ok(answers) => answers
            .into_iter()
            .map(|answer| answer.map_err(RegisterError::Refused))
            .collect(),
        Err(StoreError::Unavailable(why)) => {
            let error = RegisterError::Store(StoreError::Unavailable(why));
            vec![Err(error); batch.len()]
        }
        Err(error) if batch.len() == 1 => vec![Err(RegisterError::Store(error))],
        Err(_) => {
            let (first, rest) = batch.split_at(batch.len() / 2);
            let mut answers = register(pool, vault, announcer, first, deadline);
            answers.extend(register(pool, vault, announcer, rest, deadline));
            answers
        }
    }
}

/// Tries until the database takes the batch or says what is wrong with it.
fn persist(
    pool: &Pool,
    vault: &Vault,
    announcer: Announcer,
    batch: &[Registration],
    deadline: &Deadline,
) -> Result<Answers, StoreError> {
    let began = Instant::now();
    let mut tries = 0;
    loop {
        let trouble = match once(pool, vault, announcer, batch, deadline) {
            Ok(answers) => return Ok(answers),
            Err(trouble) => trouble,
        };
        tries += 1;
        // What a constraint refuses again and again is some registration's own, and is looked for by halving.
        let refused = batch.len() > 1 && matches!(trouble.error, StoreError::Failed(_));
        let limit = match trouble.again {
            Again::Never => 1,
            Again::Once => 2,
            Again::Often if refused => 3,
            Again::Often => TRIES,
        };
        if tries >= limit || began.elapsed() > PATIENCE || deadline.has_passed() {
            tracing::warn!(error = %trouble.error, tries, size = batch.len(), "a batch was not written");
            return Err(match trouble.again {
                Again::Often if !refused => {
                    StoreError::Unavailable("the database is too busy with these rows".to_owned())
                }
                Again::Never | Again::Once | Again::Often => trouble.error,
            });
        }
        sleep(pause(batch, tries));
    }
}

/// How long to wait before the next try: longer each time, and another while for each batch, so that two that
/// met once do not meet again.
fn pause(batch: &[Registration], tries: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    for registration in batch {
        registration.caller.session.hash(&mut hasher);
    }
    tries.hash(&mut hasher);
    let most = 4_000_u64 << tries.min(6);
    Duration::from_micros(1_000 + hasher.finish() % most)
}

fn once(
    pool: &Pool,
    vault: &Vault,
    announcer: Announcer,
    batch: &[Registration],
    deadline: &Deadline,
) -> Result<Answers, Trouble> {
    let mut link = pool.begin()?;
    let done = work(&mut link.connection, vault, announcer, batch).and_then(|answers| {
        deadline.begin_commit()?;
        AnsiTransactionManager::commit_transaction(&mut link.connection)?;
        Ok(answers)
    });
    done.inspect_err(|trouble| {
        pool.judge(&mut link, trouble);
        if !trouble.lost {
            // If even this fails, the pool sees a connection with an open transaction and closes it.
            drop(AnsiTransactionManager::rollback_transaction(&mut link.connection));
        }
    })
}

fn work(
    connection: &mut PgConnection,
    vault: &Vault,
    announcer: Announcer,
    batch: &[Registration],
) -> Result<Answers, Trouble> {
    let wants = Wants::of(batch);
    let state = load::state(connection, vault, batch, &wants)?;
    let plan = plan(&state, batch);
    apply::writes(connection, vault, announcer, &state, &plan.writes)?;
    Ok(plan.answers)
}
