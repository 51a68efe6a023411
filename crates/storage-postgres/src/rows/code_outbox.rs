//! One-time codes on their way.

use diesel::prelude::*;
use doorbell_domain::OtpSessionId;
use doorbell_domain::code_delivery::{CodeDelivery, Schedule};
use doorbell_domain::outbox::Fence;
use doorbell_domain::store::{ClaimedCode, Found};
use doorbell_storage::{OrInconsistent, Vault, parts};
use uuid::Uuid;

use crate::moment::Moment;
use crate::schema::code_outbox;

const TABLE: &str = "code_outbox";

#[derive(Queryable, Insertable)]
#[diesel(table_name = code_outbox, treat_none_as_default_value = false)]
pub(crate) struct OutboxRow {
    id: Uuid,
    phone: String,
    country_code: i16,
    purpose: String,
    language: String,
    sealed: Vec<u8>,
    created_at: Moment,
    expires_at: Moment,
    due_at: Moment,
    attempts: i64,
    leased_until: Option<Moment>,
    fence: i64,
}

impl OutboxRow {
    /// The row of a code that nobody has claimed.
    pub(crate) fn of(delivery: &CodeDelivery, vault: &Vault) -> Found<Self> {
        let schedule = Schedule::of_new(delivery);
        let country_code = i16::try_from(delivery.phone.country_code());
        Ok(Self {
            id: delivery.id.uuid(),
            phone: delivery.phone.e164(),
            country_code: country_code.or_inconsistent(TABLE, "country_code")?,
            purpose: delivery.purpose.name().to_owned(),
            language: delivery.language.name().to_owned(),
            sealed: vault.seal_code(delivery.id, &delivery.code)?,
            created_at: Moment(delivery.created_at),
            expires_at: Moment(schedule.expires_at),
            due_at: Moment(schedule.due_at),
            attempts: i64::from(schedule.failures),
            leased_until: schedule.leased_until.map(Moment),
            fence: i64::from(schedule.fence.0),
        })
    }

    /// The claim that this row, just claimed, holds.
    pub(crate) fn read(self, vault: &Vault) -> Found<ClaimedCode> {
        Ok(ClaimedCode {
            id: OtpSessionId::from_uuid(self.id),
            fence: Fence(parts::count(self.fence, TABLE, "fence")?),
            failures: parts::count(self.attempts, TABLE, "attempts")?,
            delivery: self.delivery(vault),
        })
    }

    fn delivery(&self, vault: &Vault) -> Found<CodeDelivery> {
        let id = OtpSessionId::from_uuid(self.id);
        Ok(CodeDelivery {
            id,
            phone: parts::phone(&self.phone, i32::from(self.country_code), TABLE)?,
            purpose: parts::purpose(&self.purpose, TABLE)?,
            language: parts::language(&self.language, TABLE)?,
            code: vault.open_code(id, &self.sealed)?,
            created_at: self.created_at.0,
            expires_at: self.expires_at.0,
        })
    }
}
