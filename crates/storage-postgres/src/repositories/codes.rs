//! One-time codes.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use doorbell_domain::code::{CodePolicy, Purpose};
use doorbell_domain::store::{Codes, Found, PhoneState, StoreError};
use doorbell_domain::{OtpSession, PhoneNumber, Timestamp};
use doorbell_storage::parts;

use super::Repositories;
use crate::moment::Moment;
use crate::rows::OtpRow;
use crate::schema::{otp_phones, otp_sessions};
use crate::statement::statement;

statement! {
    /// Counts a guess where [`OtpSession::admits_guess`] would let it in.
    CountGuess -> otp_sessions::SqlType:
    "UPDATE otp_sessions SET attempts = attempts + 1 WHERE superseded_at IS NULL AND phone = "
    [phone: String => Text] " AND purpose = " [purpose: &'static str => Text] " AND expires_at > "
    [now: Moment => Timestamptz] " AND used_at IS NULL AND attempts < " [limit: i64 => BigInt]
    " RETURNING " {otp_sessions::all_columns}
}

statement! {
    /// Notes a phone's failures in a row.
    NoteFailures:
    "UPDATE otp_phones SET failures = " [failures: i64 => BigInt] ", failed_at = "
    [failed_at: Option<Moment> => Nullable<Timestamptz>] " WHERE phone = " [phone: String => Text]
}

impl Repositories<'_> {
    fn find_phone_row(&mut self, phone: &str) -> Found<Option<PhoneState>> {
        let row = self.ask(|connection| {
            otp_phones::table
                .filter(otp_phones::phone.eq(phone))
                .select((
                    otp_phones::last_sent_at,
                    otp_phones::failures,
                    otp_phones::failed_at,
                ))
                .for_update()
                .first::<(Option<Moment>, i64, Option<Moment>)>(connection)
                .optional()
        })?;
        row.map(phone_state).transpose()
    }
}

/// When a phone was last sent a code, its failures in a row, and the last of them.
pub(super) fn phone_state(
    (last_sent_at, failures, failed_at): (Option<Moment>, i64, Option<Moment>),
) -> Found<PhoneState> {
    Ok(PhoneState {
        last_sent_at: last_sent_at.map(|Moment(at)| at),
        failures: parts::count(failures, "otp_phones", "failures")?,
        failed_at: failed_at.map(|Moment(at)| at),
    })
}

impl Codes for Repositories<'_> {
    fn lock_phone(&mut self, phone: &PhoneNumber) -> Found<PhoneState> {
        let phone = phone.e164();
        // A sweep may take the row away between the two, but not again and again.
        for _ in 0..3 {
            self.put_phone(&phone)?;
            if let Some(state) = self.find_phone_row(&phone)? {
                return Ok(state);
            }
        }
        Err(StoreError::Unavailable(
            "a phone left as it was looked for".to_owned(),
        ))
    }

    fn find_phone(&mut self, phone: &PhoneNumber) -> Found<Option<PhoneState>> {
        self.find_phone_row(&phone.e164())
    }

    fn note_failures(
        &mut self,
        phone: &PhoneNumber,
        failures: u32,
        failed_at: Option<Timestamp>,
    ) -> Found<()> {
        let statement = NoteFailures {
            failures: failures.into(),
            failed_at: failed_at.map(Moment),
            phone: phone.e164(),
        };
        self.ask(|connection| (&statement).execute(connection))?;
        Ok(())
    }

    fn sends_since(&mut self, phone: &PhoneNumber, since: Timestamp, most: u32) -> Found<Vec<Timestamp>> {
        let phone = phone.e164();
        let sent = self.ask(|connection| {
            otp_sessions::table
                .filter(otp_sessions::phone.eq(&phone))
                .filter(otp_sessions::created_at.gt(Moment(since)))
                .order(otp_sessions::created_at.desc())
                .limit(most.into())
                .select(otp_sessions::created_at)
                .load::<Moment>(connection)
        })?;
        Ok(sent.into_iter().map(|Moment(at)| at).collect())
    }

    fn issue_code(&mut self, code: &OtpSession) -> Found<()> {
        let row = OtpRow::of(code)?;
        let phone = code.phone.e164();
        let at = Moment(code.created_at);
        self.ask(|connection| {
            diesel::update(otp_sessions::table)
                .filter(otp_sessions::phone.eq(&phone))
                .filter(otp_sessions::purpose.eq(code.purpose.name()))
                .filter(otp_sessions::superseded_at.is_null())
                .set(otp_sessions::superseded_at.eq(Some(at)))
                .execute(connection)
        })?;
        self.ask(|connection| {
            diesel::insert_into(otp_sessions::table)
                .values(&row)
                .execute(connection)
        })?;
        self.ask(|connection| {
            diesel::update(otp_phones::table.find(&phone))
                .set(otp_phones::last_sent_at.eq(Some(at)))
                .execute(connection)
        })?;
        Ok(())
    }

    fn count_guess(
        &mut self,
        phone: &PhoneNumber,
        purpose: Purpose,
        now: Timestamp,
        policy: &CodePolicy,
    ) -> Found<Option<OtpSession>> {
        let statement = CountGuess {
            now: Moment(now),
            limit: i64::from(policy.attempts),
            phone: phone.e164(),
            purpose: purpose.name(),
        };
        let row: Option<OtpRow> = self.ask(|connection| (&statement).get_result(connection).optional())?;
        row.map(OtpRow::read).transpose()
    }

    fn current_code(&mut self, phone: &PhoneNumber, purpose: Purpose) -> Found<Option<OtpSession>> {
        let phone = phone.e164();
        let row = self.ask(|connection| {
            otp_sessions::table
                .filter(otp_sessions::phone.eq(&phone))
                .filter(otp_sessions::purpose.eq(purpose.name()))
                .filter(otp_sessions::superseded_at.is_null())
                .first::<OtpRow>(connection)
                .optional()
        })?;
        row.map(OtpRow::read).transpose()
    }

    fn use_code(&mut self, code: &OtpSession, now: Timestamp) -> Found<()> {
        self.ask(|connection| {
            diesel::update(otp_sessions::table.find(code.id.uuid()))
                .set(otp_sessions::used_at.eq(Some(Moment(now))))
                .execute(connection)
        })?;
        Ok(())
    }
}

impl Repositories<'_> {
    fn put_phone(&mut self, phone: &str) -> Found<()> {
        self.ask(|connection| {
            diesel::insert_into(otp_phones::table)
                .values(otp_phones::phone.eq(phone))
                .on_conflict_do_nothing()
                .execute(connection)
        })?;
        Ok(())
    }
}
