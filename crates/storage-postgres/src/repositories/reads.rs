//! Reads: one statement each, from the session's row on.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use doorbell_domain::device::DeviceView;
use doorbell_domain::limits::{Claim, Counter};
use doorbell_domain::store::{DeviceKey, DevicePage, ForSession, Found, Page, Reads};
use doorbell_domain::{Caller, Device, Session, Subscription, Timestamp, Token, User};
use doorbell_storage::Vault;
use uuid::Uuid;

use super::Repositories;
use crate::moment::Moment;
use crate::rows::{DeviceRow, SessionRow, SubscriptionRow, TokenRow, UserRow};
use crate::schema::{devices, push_tokens, sessions, subscriptions, users};
use crate::statement::statement;

type DeviceColumns = Nullable<devices::SqlType>;
type TokenColumns = Nullable<push_tokens::SqlType>;

statement! {
    /// A page of devices, a row for each of their alert tokens.
    DevicesOf -> (sessions::SqlType, BigInt, DeviceColumns, TokenColumns, Bool):
    "SELECT " {sessions::all_columns}
    ", (SELECT count(*) FROM devices counted WHERE counted.user_id = sessions.user_id), "
    {devices::all_columns} ", " {push_tokens::all_columns} ", holder.ended_at IS NOT NULL
    FROM sessions
    LEFT JOIN LATERAL (
        SELECT * FROM devices listed WHERE listed.user_id = sessions.user_id
        ORDER BY listed.created_at DESC, listed.id DESC LIMIT " [limit: i64 => BigInt]
        " OFFSET " [offset: i64 => BigInt]
    ") AS devices ON true
    LEFT JOIN push_tokens ON push_tokens.device_id = devices.id AND push_tokens.kind = 'alert'
    LEFT JOIN sessions holder ON holder.id = push_tokens.session_id
    WHERE sessions.id = " [session: Uuid => SqlUuid] " AND sessions.user_id = " [user: Uuid => SqlUuid]
    " ORDER BY devices.created_at DESC, devices.id DESC"
}

statement! {
    /// One device by its id or, where that is null, by its name.
    DeviceOf -> (sessions::SqlType, DeviceColumns, TokenColumns, Bool):
    "SELECT " {sessions::all_columns} ", " {devices::all_columns} ", " {push_tokens::all_columns}
    ", holder.ended_at IS NOT NULL
    FROM sessions
    LEFT JOIN devices ON devices.user_id = sessions.user_id AND devices.id = coalesce("
        [id: Option<Uuid> => Nullable<SqlUuid>]
        ", (SELECT named.id FROM devices named
            WHERE named.user_id = sessions.user_id AND named.device_id = "
        [name: Option<String> => Nullable<Text>] "))
    LEFT JOIN push_tokens ON push_tokens.device_id = devices.id AND push_tokens.kind = 'alert'
    LEFT JOIN sessions holder ON holder.id = push_tokens.session_id
    WHERE sessions.id = " [session: Uuid => SqlUuid] " AND sessions.user_id = " [user: Uuid => SqlUuid]
}

statement! {
    /// Subscriptions that can be rung. Asked for each by its key: joined, a planner that has seen only empty tables looks
    /// through every live session of everybody.
    SubscriptionsOf -> (sessions::SqlType, Nullable<subscriptions::SqlType>):
    "SELECT " {sessions::all_columns} ", " {subscriptions::all_columns}
    " FROM sessions
    LEFT JOIN subscriptions ON subscriptions.user_id = sessions.user_id AND subscriptions.suspect_at IS NULL
        AND 'active' = (SELECT devices.status FROM devices WHERE devices.id = subscriptions.device_id)
        AND (SELECT holder.ended_at IS NULL FROM sessions holder WHERE holder.id = subscriptions.session_id)
    WHERE sessions.id = " [session: Uuid => SqlUuid] " AND sessions.user_id = " [user: Uuid => SqlUuid]
    " ORDER BY subscriptions.created_at DESC, subscriptions.id DESC"
}

impl Reads for Repositories<'_> {
    fn session(&mut self, caller: Caller) -> Found<Option<Session>> {
        let row = self.ask(|connection| {
            sessions::table
                .filter(sessions::id.eq(caller.session.uuid()))
                .filter(sessions::user_id.eq(caller.user.uuid()))
                .first::<SessionRow>(connection)
                .optional()
        })?;
        row.map(SessionRow::read).transpose()
    }

    fn session_user(&mut self, caller: Caller) -> Found<Option<ForSession<User>>> {
        let row = self.ask(|connection| {
            sessions::table
                .inner_join(users::table.on(users::id.eq(sessions::user_id)))
                .filter(sessions::id.eq(caller.session.uuid()))
                .filter(sessions::user_id.eq(caller.user.uuid()))
                .first::<(SessionRow, UserRow)>(connection)
                .optional()
        })?;
        let Some((session, user)) = row else {
            return Ok(None);
        };
        Ok(Some(ForSession {
            session: session.read()?,
            found: user.read()?,
        }))
    }

    fn sessions_of(&mut self, caller: Caller, now: Timestamp) -> Found<Option<ForSession<Vec<Session>>>> {
        let rows = self.ask(|connection| {
            // The caller's own, whatever has become of it, and those that live.
            sessions::table
                .filter(sessions::user_id.eq(caller.user.uuid()))
                .filter(
                    sessions::ended_at
                        .is_null()
                        .and(sessions::expires_at.gt(Moment(now)))
                        .and(sessions::absolute_expires_at.gt(Moment(now)))
                        .or(sessions::id.eq(caller.session.uuid())),
                )
                .order((sessions::created_at.desc(), sessions::id.desc()))
                .load::<SessionRow>(connection)
        })?;
        let mut found: Vec<Session> = rows.into_iter().map(SessionRow::read).collect::<Found<_>>()?;
        let own = found.iter().find(|session| session.id == caller.session).cloned();
        found.retain(|session| session.is_live(now));
        Ok(own.map(|session| ForSession { session, found }))
    }

    fn devices(&mut self, caller: Caller, page: Page) -> Found<Option<ForSession<DevicePage>>> {
        type Row = (SessionRow, i64, Option<DeviceRow>, Option<TokenRow>, bool);
        let statement = DevicesOf {
            limit: i64::from(page.limit),
            offset: i64::try_from(page.offset).unwrap_or(i64::MAX),
            session: caller.session.uuid(),
            user: caller.user.uuid(),
        };
        let rows: Vec<Row> = self.ask(|connection| (&statement).load(connection))?;
        let mut views = Views::default();
        let mut asking = None;
        for (session, total, device, token, session_ended) in rows {
            asking = Some((session, total));
            views.add(device, token, session_ended, self.vault)?;
        }
        let Some((session, total)) = asking else {
            return Ok(None);
        };
        Ok(Some(ForSession {
            session: session.read()?,
            found: DevicePage {
                devices: views.read(),
                total: u64::try_from(total).unwrap_or(0),
            },
        }))
    }

    fn device(&mut self, caller: Caller, key: &DeviceKey) -> Found<Option<ForSession<Option<DeviceView>>>> {
        type Row = (SessionRow, Option<DeviceRow>, Option<TokenRow>, bool);
        let (id, name) = match key {
            DeviceKey::Uid(uid) => (Some(uid.uuid()), None),
            DeviceKey::DeviceId(name) => (None, Some(name.as_str().to_owned())),
        };
        let statement = DeviceOf {
            id,
            name,
            session: caller.session.uuid(),
            user: caller.user.uuid(),
        };
        let rows: Vec<Row> = self.ask(|connection| (&statement).load(connection))?;
        let mut views = Views::default();
        let mut asking = None;
        for (session, device, token, session_ended) in rows {
            asking = Some(session);
            views.add(device, token, session_ended, self.vault)?;
        }
        let Some(session) = asking else {
            return Ok(None);
        };
        Ok(Some(ForSession {
            session: session.read()?,
            found: views.read().pop(),
        }))
    }

    fn subscriptions(&mut self, caller: Caller) -> Found<Option<ForSession<Vec<Subscription>>>> {
        let statement = SubscriptionsOf {
            session: caller.session.uuid(),
            user: caller.user.uuid(),
        };
        let rows: Vec<(SessionRow, Option<SubscriptionRow>)> =
            self.ask(|connection| (&statement).load(connection))?;
        let mut found = Vec::new();
        let mut asking = None;
        for (session, subscription) in rows {
            asking = Some(session);
            if let Some(row) = subscription {
                found.push(row.read(false, self.vault)?);
            }
        }
        let Some(session) = asking else {
            return Ok(None);
        };
        Ok(Some(ForSession {
            session: session.read()?,
            found,
        }))
    }

    fn counters(&mut self, claims: &[Claim]) -> Found<Vec<Counter>> {
        self.counters_of(claims)
    }
}

/// Devices with their tokens, gathered from the rows of a join in their order.
#[derive(Default)]
struct Views(Vec<(Device, Vec<Token>)>);

impl Views {
    fn add(
        &mut self,
        device: Option<DeviceRow>,
        token: Option<TokenRow>,
        session_ended: bool,
        vault: &Vault,
    ) -> Found<()> {
        let Some(device) = device else {
            return Ok(());
        };
        let token = token.map(|row| row.read(session_ended, vault)).transpose()?;
        match self.0.last_mut() {
            Some((last, tokens)) if last.id.uuid() == device.id => tokens.extend(token),
            _ => self.0.push((device.read()?, token.into_iter().collect())),
        }
        Ok(())
    }

    fn read(self) -> Vec<DeviceView> {
        let views = self.0.into_iter();
        views
            .map(|(device, tokens)| DeviceView::of(&device, &tokens))
            .collect()
    }
}
