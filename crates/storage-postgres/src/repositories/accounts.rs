//! Accounts and their sign-ins.

use diesel::prelude::*;
use doorbell_domain::session::EndReason;
use doorbell_domain::store::{Found, Sessions, StoreError, Users};
use doorbell_domain::text::Fingerprint;
use doorbell_domain::{PhoneNumber, Session, SessionId, Timestamp, User, UserId};

use super::Repositories;
use crate::moment::Moment;
use crate::rows::{SessionRow, UserRow};
use crate::schema::{sessions, users};

/// Users' rows are locked FOR NO KEY UPDATE: what refers to them can still be written, and two that change the
/// same user's credentials still wait for each other.
impl Users for Repositories<'_> {
    fn user_by_phone(&mut self, phone: &PhoneNumber) -> Found<Option<User>> {
        let phone = phone.e164();
        let row = self.ask(|connection| {
            users::table
                .filter(users::phone.eq(&phone))
                .for_no_key_update()
                .first::<UserRow>(connection)
                .optional()
        })?;
        row.map(UserRow::read).transpose()
    }

    fn find_or_insert_user(&mut self, user: &User) -> Found<User> {
        let Some(phone) = &user.phone else {
            return Err(StoreError::Failed(
                "users: one without a phone signs up".to_owned(),
            ));
        };
        let row = UserRow::of(user)?;
        self.ask(|connection| {
            diesel::insert_into(users::table)
                .values(&row)
                .on_conflict(users::phone)
                .do_nothing()
                .execute(connection)
        })?;
        self.user_by_phone(phone)?
            .ok_or_else(|| StoreError::Unavailable("an account left as it was looked for".to_owned()))
    }

    fn lock_user(&mut self, id: UserId) -> Found<Option<User>> {
        let row = self.ask(|connection| {
            users::table
                .filter(users::id.eq(id.uuid()))
                .for_no_key_update()
                .first::<UserRow>(connection)
                .optional()
        })?;
        row.map(UserRow::read).transpose()
    }

    fn save_user(&mut self, user: &User) -> Found<()> {
        let row = UserRow::of(user)?;
        let save = |connection: &mut PgConnection| {
            diesel::update(users::table.find(user.id.uuid()))
                .set(&row)
                .execute(connection)
        };
        let saved = if user.profile.username.is_some() {
            self.ask_or_conflict(save)?
        } else {
            self.ask(save)?
        };
        if saved == 1 {
            Ok(())
        } else {
            Err(StoreError::Failed(
                "users: the row to save is not there".to_owned(),
            ))
        }
    }
}

impl Sessions for Repositories<'_> {
    fn insert_session(&mut self, session: &Session) -> Found<()> {
        let row = SessionRow::of(session);
        self.ask(|connection| {
            diesel::insert_into(sessions::table)
                .values(&row)
                .execute(connection)
        })?;
        Ok(())
    }

    fn lock_session(&mut self, id: SessionId) -> Found<Option<Session>> {
        let row = self.ask(|connection| {
            sessions::table
                .filter(sessions::id.eq(id.uuid()))
                .for_no_key_update()
                .first::<SessionRow>(connection)
                .optional()
        })?;
        row.map(SessionRow::read).transpose()
    }

    fn rotate_session(&mut self, session: &Session) -> Found<bool> {
        let before = i64::from(session.counter) - 1;
        let moved = self.ask(|connection| {
            diesel::update(sessions::table)
                .filter(sessions::id.eq(session.id.uuid()))
                .filter(sessions::counter.eq(before))
                .set((
                    sessions::counter.eq(i64::from(session.counter)),
                    sessions::rotated_at.eq(Moment(session.rotated_at)),
                    sessions::last_used_at.eq(Moment(session.last_used_at)),
                    sessions::expires_at.eq(Moment(session.expires_at)),
                ))
                .execute(connection)
        })?;
        Ok(moved == 1)
    }

    fn pin_fingerprint(&mut self, id: SessionId, fingerprint: &Fingerprint) -> Found<bool> {
        let pinned = self.ask(|connection| {
            diesel::update(sessions::table)
                .filter(sessions::id.eq(id.uuid()))
                .filter(sessions::fingerprint.is_null())
                .set(sessions::fingerprint.eq(Some(fingerprint.as_str())))
                .execute(connection)
        })?;
        Ok(pinned == 1)
    }

    fn end_session(&mut self, id: SessionId, at: Timestamp, reason: EndReason) -> Found<bool> {
        let ended = self.ask(|connection| {
            diesel::update(sessions::table)
                .filter(sessions::id.eq(id.uuid()))
                .filter(sessions::ended_at.is_null())
                .set((
                    sessions::ended_at.eq(Some(Moment(at))),
                    sessions::end_reason.eq(Some(reason.name())),
                ))
                .execute(connection)
        })?;
        Ok(ended == 1)
    }

    fn end_sessions_of(
        &mut self,
        user: UserId,
        except: Option<SessionId>,
        at: Timestamp,
        reason: EndReason,
    ) -> Found<Vec<SessionId>> {
        let except = except.map(SessionId::uuid);
        // Locked in order first: an update locks in whatever order it finds them.
        let open: Vec<uuid::Uuid> = self.ask(|connection| {
            sessions::table
                .filter(sessions::user_id.eq(user.uuid()))
                .filter(sessions::ended_at.is_null())
                .filter(sessions::id.nullable().is_distinct_from(except))
                .order(sessions::id)
                .select(sessions::id)
                .for_no_key_update()
                .load(connection)
        })?;
        if open.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(|connection| {
            diesel::update(sessions::table)
                .filter(sessions::id.eq_any(&open))
                .set((
                    sessions::ended_at.eq(Some(Moment(at))),
                    sessions::end_reason.eq(Some(reason.name())),
                ))
                .execute(connection)
        })?;
        Ok(open.into_iter().map(SessionId::from_uuid).collect())
    }
}
