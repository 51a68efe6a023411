//! What is held about one person.

use diesel::prelude::*;
use doorbell_domain::personal_data::{Export, HeldSubscription, Newest, PersonalData};
use doorbell_domain::store::{ForSession, Found, PhoneState, TrailLine};
use doorbell_domain::{AuditId, Caller, UserId};
use doorbell_storage::Vault;
use uuid::Uuid;

use super::Repositories;
use super::codes::phone_state;
use crate::moment::Moment;
use crate::rows::{DeviceRow, HeldTokenRow, SentCodeRow, SessionRow, SubscriptionRow, TrailRow, UserRow};
use crate::schema::{
    audit_events as trail, devices, otp_phones, otp_sessions, push_tokens, sessions, subscriptions, users,
};

impl PersonalData for Repositories<'_> {
    fn activity(&mut self, user: UserId, before: Option<AuditId>, limit: u32) -> Found<Vec<TrailLine>> {
        let (user, limit) = (user.uuid(), i64::from(limit));
        // The greatest id stands for none, so that one statement does for both.
        let before = before.map_or(Uuid::max(), AuditId::uuid);
        let rows = self.ask(|connection| lines(connection, user, before, limit))?;
        Ok(rows.into_iter().map(TrailRow::read).collect())
    }

    fn export(&mut self, caller: Caller, most: u32) -> Found<Option<ForSession<Export>>> {
        let one_more = i64::from(most) + 1;
        let found = self.ask_at_one_instant(|connection| load(connection, caller, one_more))?;
        let Some(held) = found else {
            return Ok(None);
        };
        let (session, found) = held.read(most, self.vault)?;
        Ok(Some(ForSession {
            session: session.read()?,
            found,
        }))
    }
}

/// The rows of an export.
struct Held {
    session: SessionRow,
    user: UserRow,
    sessions: Vec<SessionRow>,
    devices: Vec<DeviceRow>,
    tokens: Vec<HeldTokenRow>,
    subscriptions: Vec<SubscriptionRow>,
    codes: Vec<SentCodeRow>,
    number: Option<(Option<Moment>, i64, Option<Moment>)>,
    events: Vec<TrailRow>,
}

impl Held {
    fn read(self, most: u32, vault: &Vault) -> Found<(SessionRow, Export)> {
        // Whether the session of a subscription has ended is told by the list of sessions.
        let subscriptions = self.subscriptions.into_iter().map(|row| {
            let subscription = row.read(false, vault)?;
            Ok(HeldSubscription::from(subscription))
        });
        let export = Export {
            user: self.user.read()?,
            sessions: newest(self.sessions, SessionRow::read, most)?,
            devices: self
                .devices
                .into_iter()
                .map(DeviceRow::read)
                .collect::<Found<_>>()?,
            tokens: newest(self.tokens, HeldTokenRow::read, most)?,
            subscriptions: subscriptions.collect::<Found<_>>()?,
            codes: newest(self.codes, SentCodeRow::read, most)?,
            number: self.number.map_or(Ok(PhoneState::default()), phone_state)?,
            events: newest(self.events, |row| Ok(row.read()), most)?,
        };
        Ok((self.session, export))
    }
}

fn newest<R, T>(rows: Vec<R>, read: impl Fn(R) -> Found<T>, most: u32) -> Found<Newest<T>> {
    let items = rows.into_iter().map(read).collect::<Found<_>>()?;
    Ok(Newest::of(items, most))
}

/// The newest lines of a user's trail, those before `before`.
pub(super) fn lines(
    connection: &mut PgConnection,
    user: Uuid,
    before: Uuid,
    limit: i64,
) -> QueryResult<Vec<TrailRow>> {
    trail::table
        .filter(trail::user_id.eq(user))
        .filter(trail::id.lt(before))
        .order(trail::id.desc())
        .limit(limit)
        .select((
            trail::id,
            trail::at,
            trail::action,
            trail::session_id,
            trail::device_id,
            trail::reason,
        ))
        .load(connection)
}

/// Everything about the caller, at most `limit` rows of a kind.
fn load(connection: &mut PgConnection, caller: Caller, limit: i64) -> QueryResult<Option<Held>> {
    let asking: Option<(SessionRow, UserRow)> = sessions::table
        .inner_join(users::table.on(users::id.eq(sessions::user_id)))
        .filter(sessions::id.eq(caller.session.uuid()))
        .filter(sessions::user_id.eq(caller.user.uuid()))
        .first(connection)
        .optional()?;
    let Some((session, user)) = asking else {
        return Ok(None);
    };
    let id = caller.user.uuid();
    let (mut codes, mut number) = (Vec::new(), None);
    if let Some(phone) = user.phone() {
        codes = otp_sessions::table
            .filter(otp_sessions::phone.eq(phone))
            .order((otp_sessions::created_at.desc(), otp_sessions::id.desc()))
            .limit(limit)
            .select(SentCodeRow::as_select())
            .load(connection)?;
        number = otp_phones::table
            .filter(otp_phones::phone.eq(phone))
            .select((
                otp_phones::last_sent_at,
                otp_phones::failures,
                otp_phones::failed_at,
            ))
            .first(connection)
            .optional()?;
    }
    Ok(Some(Held {
        session,
        sessions: sessions::table
            .filter(sessions::user_id.eq(id))
            .order((sessions::created_at.desc(), sessions::id.desc()))
            .limit(limit)
            .load(connection)?,
        devices: devices::table
            .filter(devices::user_id.eq(id))
            .order((devices::created_at.desc(), devices::id.desc()))
            .load(connection)?,
        tokens: devices::table
            .inner_join(push_tokens::table.on(push_tokens::device_id.eq(devices::id)))
            .filter(devices::user_id.eq(id))
            .order((push_tokens::created_at.desc(), push_tokens::id.desc()))
            .limit(limit)
            .select(HeldTokenRow::as_select())
            .load(connection)?,
        subscriptions: subscriptions::table
            .filter(subscriptions::user_id.eq(id))
            .order((subscriptions::created_at.desc(), subscriptions::id.desc()))
            .load(connection)?,
        events: lines(connection, id, Uuid::max(), limit)?,
        user,
        codes,
        number,
    }))
}
