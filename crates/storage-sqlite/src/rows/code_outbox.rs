//! `code_outbox`.

use diesel::prelude::*;
use doorbell_domain::code_delivery::{CodeDelivery, Schedule};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedCode, Found};
use doorbell_storage::{Vault, parts};

use crate::schema::code_outbox;
use crate::values::{Id, Instant};

const TABLE: &str = "code_outbox";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = code_outbox, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct OutboxRow {
    pub(crate) id: Id,
    phone: String,
    country_code: i32,
    purpose: String,
    language: String,
    sealed: Vec<u8>,
    created_at: Instant,
    expires_at: Instant,
    due_at: Instant,
    attempts: i64,
    leased_until: Option<Instant>,
    fence: i64,
}

impl OutboxRow {
    /// The row of a code that nobody has claimed.
    pub(crate) fn of(delivery: &CodeDelivery, vault: &Vault) -> Found<Self> {
        let schedule = Schedule::of_new(delivery);
        Ok(Self {
            id: delivery.id.into(),
            phone: delivery.phone.e164(),
            country_code: delivery.phone.country_code().into(),
            purpose: delivery.purpose.name().to_owned(),
            language: delivery.language.name().to_owned(),
            sealed: vault.seal_code(delivery.id, &delivery.code)?,
            created_at: delivery.created_at.into(),
            expires_at: schedule.expires_at.into(),
            due_at: schedule.due_at.into(),
            attempts: schedule.failures.into(),
            leased_until: schedule.leased_until.map(Instant),
            fence: schedule.fence.0.into(),
        })
    }

    /// What the row says of its attempts.
    pub(crate) fn schedule(&self) -> Found<Schedule> {
        Ok(Schedule {
            due_at: self.due_at.into(),
            failures: parts::count(self.attempts, TABLE, "attempts")?,
            leased_until: self.leased_until.map(Into::into),
            fence: Fence(parts::count(self.fence, TABLE, "fence")?),
            expires_at: self.expires_at.into(),
        })
    }

    /// The claim on this row that `schedule` tells of.
    pub(crate) fn claimed(&self, schedule: &Schedule, vault: &Vault) -> ClaimedCode {
        ClaimedCode {
            id: self.id.into(),
            fence: schedule.fence,
            failures: schedule.failures,
            delivery: self.delivery(vault),
        }
    }

    fn delivery(&self, vault: &Vault) -> Found<CodeDelivery> {
        let id = self.id.into();
        Ok(CodeDelivery {
            id,
            phone: parts::phone(&self.phone, self.country_code, TABLE)?,
            purpose: parts::purpose(&self.purpose, TABLE)?,
            language: parts::language(&self.language, TABLE)?,
            code: vault.open_code(id, &self.sealed)?,
            created_at: self.created_at.into(),
            expires_at: self.expires_at.into(),
        })
    }
}
