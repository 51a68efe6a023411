//! What is held about one person. A reader's statements all see one instant.

use diesel::prelude::*;
use doorbell_domain::personal_data::{Export, HeldSubscription, HeldToken, Newest, PersonalData, SentCode};
use doorbell_domain::store::{ForSession, Found, Reads, StoreError, TrailLine};
use doorbell_domain::{AuditId, Caller, Device, PhoneNumber, Session, UserId};
use uuid::Uuid;

use super::Repositories;
use super::audit::{LineRow, line};
use crate::rows::{DeviceRow, HeldTokenRow, SentCodeRow, SessionRow, SubscriptionRow};
use crate::schema::{audit_events, devices, otp_sessions, push_tokens, sessions, subscriptions};
use crate::trouble::Around;
use crate::values::Id;

impl PersonalData for Repositories<'_> {
    fn activity(&mut self, user: UserId, before: Option<AuditId>, limit: u32) -> Found<Vec<TrailLine>> {
        // The greatest id stands for none, so that one statement does for both.
        let before = before.map_or(Id(Uuid::max()), Id::from);
        let lines: Vec<LineRow> = audit_events::table
            .filter(audit_events::user_id.eq(Id::from(user)))
            .filter(audit_events::id.lt(before))
            .order(audit_events::id.desc())
            .limit(limit.into())
            .select(LineRow::as_select())
            .load(self.connection)
            .around("audit_events")?;
        Ok(lines.into_iter().map(line).collect())
    }

    fn export(&mut self, caller: Caller, most: u32) -> Found<Option<ForSession<Export>>> {
        let Some(ForSession { session, found: user }) = self.session_user(caller)? else {
            return Ok(None);
        };
        let one_more = most.saturating_add(1);
        let phone = user.phone.as_ref().map(PhoneNumber::e164);
        let (codes, number) = match &phone {
            Some(phone) => (self.codes_sent_to(phone, one_more)?, self.find_phone_row(phone)?),
            None => (Vec::new(), None),
        };
        let found = Export {
            sessions: Newest::of(self.all_sessions_of(caller.user, one_more)?, most),
            devices: self.all_devices_of(caller.user)?,
            tokens: Newest::of(self.tokens_of(caller.user, one_more)?, most),
            subscriptions: self.all_subscriptions_of(caller.user)?,
            codes: Newest::of(codes, most),
            number: number.unwrap_or_default(),
            events: Newest::of(self.activity(caller.user, None, one_more)?, most),
            user,
        };
        Ok(Some(ForSession { session, found }))
    }
}

fn read<R, T: TryFrom<R, Error = StoreError>>(rows: Vec<R>) -> Found<Vec<T>> {
    rows.into_iter().map(T::try_from).collect()
}

impl Repositories<'_> {
    fn all_sessions_of(&mut self, user: UserId, limit: u32) -> Found<Vec<Session>> {
        let rows: Vec<SessionRow> = sessions::table
            .filter(sessions::user_id.eq(Id::from(user)))
            .order((sessions::created_at.desc(), sessions::id.desc()))
            .limit(limit.into())
            .select(SessionRow::as_select())
            .load(self.connection)
            .around("sessions")?;
        read(rows)
    }

    fn all_devices_of(&mut self, user: UserId) -> Found<Vec<Device>> {
        let rows: Vec<DeviceRow> = devices::table
            .filter(devices::user_id.eq(Id::from(user)))
            .order((devices::created_at.desc(), devices::id.desc()))
            .select(DeviceRow::as_select())
            .load(self.connection)
            .around("devices")?;
        read(rows)
    }

    fn tokens_of(&mut self, user: UserId, limit: u32) -> Found<Vec<HeldToken>> {
        let rows: Vec<HeldTokenRow> = devices::table
            .inner_join(push_tokens::table.on(push_tokens::device_id.eq(devices::id)))
            .filter(devices::user_id.eq(Id::from(user)))
            .order((push_tokens::created_at.desc(), push_tokens::id.desc()))
            .limit(limit.into())
            .select(HeldTokenRow::as_select())
            .load(self.connection)
            .around("push_tokens")?;
        read(rows)
    }

    fn all_subscriptions_of(&mut self, user: UserId) -> Found<Vec<HeldSubscription>> {
        let rows: Vec<SubscriptionRow> = subscriptions::table
            .filter(subscriptions::user_id.eq(Id::from(user)))
            .order((subscriptions::created_at.desc(), subscriptions::id.desc()))
            .select(SubscriptionRow::as_select())
            .load(self.connection)
            .around("subscriptions")?;
        // Whether the session of one has ended is told by the list of sessions.
        let opened = rows.into_iter().map(|row| row.open(None, self.vault));
        opened
            .map(|subscription| subscription.map(HeldSubscription::from))
            .collect()
    }

    fn codes_sent_to(&mut self, phone: &str, limit: u32) -> Found<Vec<SentCode>> {
        let rows: Vec<SentCodeRow> = otp_sessions::table
            .filter(otp_sessions::phone.eq(phone))
            .order((otp_sessions::created_at.desc(), otp_sessions::id.desc()))
            .limit(limit.into())
            .select(SentCodeRow::as_select())
            .load(self.connection)
            .around("otp_sessions")?;
        read(rows)
    }
}
