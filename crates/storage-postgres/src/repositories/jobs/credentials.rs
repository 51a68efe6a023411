//! What attempts told of credentials.

use diesel::prelude::*;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::job::CredentialId;
use doorbell_domain::store::Found;
use doorbell_domain::{SubscriptionId, Timestamp, UserId};
use uuid::Uuid;

use crate::moment::Moment;
use crate::repositories::Repositories;
use crate::repositories::credentials::address;
use crate::schema::subscriptions;
use crate::statement::statement;

statement! {
    /// Notes of subscriptions that they rang, and of the devices on which they and tokens lie.
    NoteRung:
    "WITH rung AS MATERIALIZED (
        SELECT s.id, s.device_id FROM subscriptions s WHERE s.id = ANY("
    [subscriptions: Vec<Uuid> => Array<SqlUuid>]
    ") ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED
    ), noted AS (
        UPDATE subscriptions SET suspect_at = NULL, last_used_at = greatest(subscriptions.last_used_at, "
    [at: Moment => Timestamptz] ") FROM rung WHERE subscriptions.id = rung.id
    ), used AS MATERIALIZED (
        SELECT d.id FROM devices d WHERE d.id = ANY(ARRAY(
            SELECT rung.device_id FROM rung UNION SELECT t.device_id FROM push_tokens t WHERE t.id = ANY("
    [tokens: Vec<Uuid> => Array<SqlUuid>]
    "))) ORDER BY d.id FOR NO KEY UPDATE OF d SKIP LOCKED
    )
    UPDATE devices SET last_used_at = greatest(devices.last_used_at, $2) FROM used WHERE devices.id = used.id"
}

statement! {
    /// Makes subscriptions suspects that are none, and were not registered or rung since.
    NoteSuspects -> SqlUuid:
    "WITH held AS MATERIALIZED (
        SELECT s.id FROM subscriptions s WHERE s.id = ANY(" [ids: Vec<Uuid> => Array<SqlUuid>]
    ") AND s.suspect_at IS NULL AND s.last_used_at <= " [claimed_at: Moment => Timestamptz]
    " ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED
    ) UPDATE subscriptions SET suspect_at = " [at: Moment => Timestamptz]
    " WHERE subscriptions.id = ANY(ARRAY(SELECT held.id FROM held)) RETURNING subscriptions.id"
}

impl Repositories<'_> {
    pub(super) fn note_use(&mut self, credentials: &[CredentialId], at: Timestamp) -> Found<()> {
        if credentials.is_empty() {
            return Ok(());
        }
        let (mut tokens, mut subscriptions) = (Vec::new(), Vec::new());
        for credential in credentials {
            match credential {
                CredentialId::Apns(token) | CredentialId::Fcm(token) => tokens.push(token.uuid()),
                CredentialId::WebPush(subscription) => subscriptions.push(subscription.uuid()),
            }
        }
        let statement = NoteRung {
            subscriptions,
            at: Moment(at),
            tokens,
        };
        self.ask(|connection| (&statement).execute(connection))?;
        Ok(())
    }

    pub(super) fn note_suspects(
        &mut self,
        credentials: &[CredentialId],
        claimed_at: Timestamp,
        at: Timestamp,
    ) -> Found<Vec<CredentialId>> {
        let ids = credentials.iter().filter_map(|credential| match credential {
            CredentialId::WebPush(subscription) => Some(subscription.uuid()),
            CredentialId::Apns(_) | CredentialId::Fcm(_) => None,
        });
        let statement = NoteSuspects {
            at: Moment(at),
            ids: ids.collect(),
            claimed_at: Moment(claimed_at),
        };
        if statement.ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut ids: Vec<Uuid> = self.ask(|connection| (&statement).load(connection))?;
        ids.sort_unstable();
        let suspects = ids.into_iter().map(SubscriptionId::from_uuid);
        Ok(suspects.map(CredentialId::WebPush).collect())
    }

    /// Removes a subscription that is still suspect, was not registered or rung since `claimed_at`, and is still that user's.
    pub(super) fn remove_suspect(
        &mut self,
        user: UserId,
        id: SubscriptionId,
        claimed_at: Timestamp,
    ) -> Found<bool> {
        self.hold_user(user)?;
        let suspect: Option<(String, Vec<u8>)> = self.ask(|connection| {
            subscriptions::table
                .find(id.uuid())
                .filter(subscriptions::user_id.eq(user.uuid()))
                .filter(subscriptions::suspect_at.is_not_null())
                .select((subscriptions::provider, subscriptions::endpoint_hash))
                .first(connection)
                .optional()
        })?;
        let Some((provider, hash)) = suspect else {
            return Ok(false);
        };
        let addresses = [address(&provider, &hash)?];
        self.hold_addresses(&addresses)?;
        // Whoever notes that it rang holds neither its user nor its address, so what makes it dead is looked at once more.
        let emptied: Vec<Uuid> = self.ask(|connection| {
            diesel::delete(subscriptions::table.find(id.uuid()))
                .filter(subscriptions::suspect_at.is_not_null())
                .filter(subscriptions::last_used_at.le(Moment(claimed_at)))
                .returning(subscriptions::device_id)
                .get_results(connection)
        })?;
        if emptied.is_empty() {
            return Ok(false);
        }
        self.drop_emptied(emptied)?;
        self.drop_unused(&addresses)?;
        Ok(true)
    }
}
