//! Reads: one statement each, from the caller's session outwards.

use diesel::prelude::*;
use doorbell_domain::device::Device;
use doorbell_domain::limits::{Claim, Counter};
use doorbell_domain::store::{DeviceKey, DevicePage, ForSession, Found, Page, Reads};
use doorbell_domain::{Caller, DeviceStatus, DeviceView, Session, Subscription, Timestamp, Token, User};
use doorbell_storage::Vault;

use super::Repositories;
use crate::rows::{DeviceRow, SessionRow, SubscriptionRow, TokenRow, UserRow};
use crate::schema::{devices, push_tokens, sessions, subscriptions, users};
use crate::trouble::Around;
use crate::values::{Id, Instant};

const SESSIONS: &str = "sessions";
const DEVICES: &str = "devices";
const SUBSCRIPTIONS: &str = "subscriptions";

// The session that asks, where others are listed; the one under which a token or subscription was registered; and
// all of the user's devices, where one page of them is shown.
diesel::alias! {
    const ASKING: Alias<Asking> = sessions as asking;
    const OWNING: Alias<Owning> = sessions as owning;
    const OWNED: Alias<Owned> = devices as owned;
}

/// A device with one of its tokens, as many times as it has tokens.
type DeviceLine = (Option<DeviceRow>, Option<TokenRow>, Option<Instant>);

impl Reads for Repositories<'_> {
    fn session(&mut self, caller: Caller) -> Found<Option<Session>> {
        let row: Option<SessionRow> = sessions::table
            .find(Id::from(caller.session))
            .filter(sessions::user_id.eq(Id::from(caller.user)))
            .select(SessionRow::as_select())
            .first(self.connection)
            .optional()
            .around(SESSIONS)?;
        row.map(Session::try_from).transpose()
    }

    fn session_user(&mut self, caller: Caller) -> Found<Option<ForSession<User>>> {
        let row: Option<(SessionRow, UserRow)> = sessions::table
            .inner_join(users::table.on(users::id.eq(sessions::user_id)))
            .filter(sessions::id.eq(Id::from(caller.session)))
            .filter(sessions::user_id.eq(Id::from(caller.user)))
            .select((SessionRow::as_select(), UserRow::as_select()))
            .first(self.connection)
            .optional()
            .around(SESSIONS)?;
        let read = |(session, user): (SessionRow, UserRow)| {
            Ok(ForSession {
                session: session.try_into()?,
                found: user.try_into()?,
            })
        };
        row.map(read).transpose()
    }

    fn sessions_of(&mut self, caller: Caller, now: Timestamp) -> Found<Option<ForSession<Vec<Session>>>> {
        let now = Instant(now);
        let alive = sessions::user_id
            .eq(Id::from(caller.user))
            .and(sessions::ended_at.is_null())
            .and(sessions::expires_at.gt(now))
            .and(sessions::absolute_expires_at.gt(now));
        let rows: Vec<(SessionRow, Option<SessionRow>)> = ASKING
            .left_join(sessions::table.on(alive))
            .filter(ASKING.field(sessions::id).eq(Id::from(caller.session)))
            .filter(ASKING.field(sessions::user_id).eq(Id::from(caller.user)))
            .order((sessions::created_at.desc(), sessions::id.desc()))
            .select((
                ASKING.fields(sessions::all_columns),
                Option::<SessionRow>::as_select(),
            ))
            .load(self.connection)
            .around(SESSIONS)?;
        hang(rows, |listed| {
            listed.into_iter().flatten().map(Session::try_from).collect()
        })
    }

    fn devices(&mut self, caller: Caller, page: Page) -> Found<Option<ForSession<DevicePage>>> {
        let user = Id::from(caller.user);
        let shown = OWNED
            .filter(OWNED.field(devices::user_id).eq(user))
            .order((
                OWNED.field(devices::created_at).desc(),
                OWNED.field(devices::id).desc(),
            ))
            .limit(page.limit.into())
            .offset(i64::try_from(page.offset).unwrap_or(i64::MAX))
            .select(OWNED.field(devices::id));
        let total = OWNED
            .filter(OWNED.field(devices::user_id).eq(user))
            .count()
            .single_value();
        let rows: Vec<(SessionRow, (Option<i64>, DeviceLine))> = sessions::table
            .left_join(devices::table.on(devices::id.eq_any(shown)))
            .left_join(
                push_tokens::table.on(push_tokens::device_id
                    .eq(devices::id)
                    .and(push_tokens::kind.eq("alert"))),
            )
            .left_join(OWNING.on(OWNING.field(sessions::id).eq(push_tokens::session_id)))
            .filter(sessions::id.eq(Id::from(caller.session)))
            .filter(sessions::user_id.eq(user))
            .order((devices::created_at.desc(), devices::id.desc()))
            .select((
                SessionRow::as_select(),
                (
                    total,
                    (
                        Option::<DeviceRow>::as_select(),
                        Option::<TokenRow>::as_select(),
                        OWNING.field(sessions::ended_at).nullable(),
                    ),
                ),
            ))
            .load(self.connection)
            .around(DEVICES)?;
        let vault = self.vault;
        hang(rows, |found| {
            let total = found.first().and_then(|(total, _)| *total).unwrap_or(0);
            Ok(DevicePage {
                devices: views(found.into_iter().map(|(_, line)| line), vault)?,
                total: u64::try_from(total).unwrap_or(0),
            })
        })
    }

    fn device(&mut self, caller: Caller, key: &DeviceKey) -> Found<Option<ForSession<Option<DeviceView>>>> {
        macro_rules! load {
            ($is_asked_for:expr) => {
                sessions::table
                    .left_join(devices::table.on(devices::user_id.eq(sessions::user_id).and($is_asked_for)))
                    .left_join(
                        push_tokens::table.on(push_tokens::device_id
                            .eq(devices::id)
                            .and(push_tokens::kind.eq("alert"))),
                    )
                    .left_join(OWNING.on(OWNING.field(sessions::id).eq(push_tokens::session_id)))
                    .filter(sessions::id.eq(Id::from(caller.session)))
                    .filter(sessions::user_id.eq(Id::from(caller.user)))
                    .select((
                        SessionRow::as_select(),
                        (
                            Option::<DeviceRow>::as_select(),
                            Option::<TokenRow>::as_select(),
                            OWNING.field(sessions::ended_at).nullable(),
                        ),
                    ))
                    .load(self.connection)
                    .around(DEVICES)?
            };
        }
        // Two types of statement, so that each is prepared once.
        let rows: Vec<(SessionRow, DeviceLine)> = match key {
            DeviceKey::Uid(uid) => load!(devices::id.eq(Id::from(*uid))),
            DeviceKey::DeviceId(name) => load!(devices::device_id.eq(name.as_str().to_owned())),
        };
        let vault = self.vault;
        hang(rows, |lines| Ok(views(lines, vault)?.pop()))
    }

    fn subscriptions(&mut self, caller: Caller) -> Found<Option<ForSession<Vec<Subscription>>>> {
        type Line = (Option<SubscriptionRow>, Option<Instant>, Option<String>);
        let rows: Vec<(SessionRow, Line)> = sessions::table
            .left_join(
                subscriptions::table.on(subscriptions::user_id
                    .eq(sessions::user_id)
                    .and(subscriptions::suspect_at.is_null())),
            )
            .left_join(OWNING.on(OWNING.field(sessions::id).eq(subscriptions::session_id)))
            .left_join(devices::table.on(devices::id.eq(subscriptions::device_id)))
            .filter(sessions::id.eq(Id::from(caller.session)))
            .filter(sessions::user_id.eq(Id::from(caller.user)))
            .order((subscriptions::created_at.desc(), subscriptions::id.desc()))
            .select((
                SessionRow::as_select(),
                (
                    Option::<SubscriptionRow>::as_select(),
                    OWNING.field(sessions::ended_at).nullable(),
                    devices::status.nullable(),
                ),
            ))
            .load(self.connection)
            .around(SUBSCRIPTIONS)?;
        let vault = self.vault;
        hang(rows, |lines| {
            lines
                .into_iter()
                .filter(|(_, ended_at, status)| {
                    ended_at.is_none() && status.as_deref() == Some(DeviceStatus::Active.name())
                })
                .filter_map(|(row, ended_at, _)| Some(row?.open(ended_at, vault)))
                .collect()
        })
    }

    fn counters(&mut self, claims: &[Claim]) -> Found<Vec<Counter>> {
        self.counters_of(claims)
    }
}

/// Parts the session, which every line repeats, from what hangs on it.
fn hang<L, T>(
    rows: Vec<(SessionRow, L)>,
    read: impl FnOnce(Vec<L>) -> Found<T>,
) -> Found<Option<ForSession<T>>> {
    let mut session = None;
    let mut lines = Vec::with_capacity(rows.len());
    for (row, line) in rows {
        session.get_or_insert(row);
        lines.push(line);
    }
    let Some(session) = session else {
        return Ok(None);
    };
    Ok(Some(ForSession {
        session: session.try_into()?,
        found: read(lines)?,
    }))
}

/// The views of devices whose lines follow each other.
fn views(lines: impl IntoIterator<Item = DeviceLine>, vault: &Vault) -> Found<Vec<DeviceView>> {
    let mut found: Vec<(Device, Vec<Token>)> = Vec::new();
    for (device, token, ended_at) in lines {
        let Some(device) = device else {
            continue;
        };
        let token = token.map(|row| row.open(ended_at, vault)).transpose()?;
        match found.last_mut() {
            Some((last, tokens)) if Id::from(last.id) == device.id => tokens.extend(token),
            _ => found.push((device.try_into()?, token.into_iter().collect())),
        }
    }
    Ok(found
        .iter()
        .map(|(device, tokens)| DeviceView::of(device, tokens))
        .collect())
}
