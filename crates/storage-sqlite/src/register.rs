//! Registration: load, let the domain decide, apply.

mod apply;
mod load;

use diesel::SqliteConnection;
use doorbell_domain::registration::{Refusal, Registered, Registration, Wants, plan};
use doorbell_domain::store::Found;
use doorbell_storage::{Announcer, Vault};

/// Registers `batch` in the open transaction, which no other runs beside.
pub(crate) fn register(
    connection: &mut SqliteConnection,
    vault: &Vault,
    announcer: Announcer,
    batch: &[Registration],
) -> Found<Vec<Result<Registered, Refusal>>> {
    let Some(at) = batch.iter().map(|registration| registration.at).max() else {
        return Ok(Vec::new());
    };
    let loaded = load::load(connection, vault, &Wants::of(batch))?;
    let plan = plan(&loaded.state, batch);
    apply::apply(connection, vault, announcer, &plan.writes, &loaded.missing, at)?;
    Ok(plan.answers)
}
