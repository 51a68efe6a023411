//! One-time codes.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use doorbell_domain::code::{CodePolicy, Purpose};
use doorbell_domain::store::{Codes, Found, PhoneState, StoreError};
use doorbell_domain::{OtpSession, PhoneNumber, Timestamp};
use doorbell_storage::parts;

use super::Repositories;
use crate::rows::CodeRow;
use crate::schema::{otp_phones, otp_sessions};
use crate::statement::statement;
use crate::trouble::Around;
use crate::values::{Id, Instant};

const PHONES: &str = "otp_phones";
const TABLE: &str = "otp_sessions";

statement! {
    /// Notes a phone's last send.
    struct NoteSend<'a> { phone: str, at: Instant }
    "UPDATE otp_phones SET last_sent_at = ? WHERE phone = ?"
    [BigInt = at, Text = phone]
}

statement! {
    /// Makes way for a new code.
    struct Supersede<'a> { phone: str, purpose: &'static str, at: Instant }
    "UPDATE otp_sessions SET superseded_at = ? WHERE phone = ? AND purpose = ? AND superseded_at IS NULL"
    [BigInt = at, Text = phone, Text = purpose]
}

statement! {
    /// Counts a guess, exactly if `OtpSession::admits_guess` would.
    struct CountGuess<'a> { phone: str, purpose: &'static str, now: Instant, most: i64 }
    "UPDATE otp_sessions SET attempts = attempts + 1 \
     WHERE phone = ? AND purpose = ? AND superseded_at IS NULL \
        AND expires_at > ? AND used_at IS NULL AND attempts < ?"
    [Text = phone, Text = purpose, BigInt = now, BigInt = most]
}

statement! {
    /// Marks a code used.
    struct UseCode<'a> { id: Id, at: Instant }
    "UPDATE otp_sessions SET used_at = ? WHERE id = ?"
    [BigInt = at, Binary = id]
}

statement! {
    /// Notes a phone's failures in a row.
    struct NoteFailures<'a> { phone: str, failures: i64, failed_at: Option<Instant> }
    "UPDATE otp_phones SET failures = ?, failed_at = ? WHERE phone = ?"
    [BigInt = failures, Nullable<BigInt> = failed_at, Text = phone]
}

impl Repositories<'_> {
    pub(super) fn find_phone_row(&mut self, phone: &str) -> Found<Option<PhoneState>> {
        let row: Option<(Option<Instant>, i64, Option<Instant>)> = otp_phones::table
            .find(phone)
            .select((
                otp_phones::last_sent_at,
                otp_phones::failures,
                otp_phones::failed_at,
            ))
            .first(self.connection)
            .optional()
            .around(PHONES)?;
        row.map(|(last_sent_at, failures, failed_at)| {
            Ok(PhoneState {
                last_sent_at: last_sent_at.map(Timestamp::from),
                failures: parts::count(failures, PHONES, "failures")?,
                failed_at: failed_at.map(Timestamp::from),
            })
        })
        .transpose()
    }
}

impl Codes for Repositories<'_> {
    fn lock_phone(&mut self, phone: &PhoneNumber) -> Found<PhoneState> {
        let phone = phone.e164();
        diesel::insert_into(otp_phones::table)
            .values(otp_phones::phone.eq(&phone))
            .on_conflict_do_nothing()
            .execute(self.connection)
            .around(PHONES)?;
        self.find_phone_row(&phone)?
            .ok_or_else(|| StoreError::Failed("a phone's row is not there".to_owned()))
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
        let note = NoteFailures {
            phone: &phone.e164(),
            failures: &failures.into(),
            failed_at: &failed_at.map(Instant),
        };
        note.execute(self.connection).around(PHONES).map(drop)
    }

    fn sends_since(&mut self, phone: &PhoneNumber, since: Timestamp, most: u32) -> Found<Vec<Timestamp>> {
        let sent: Vec<Instant> = otp_sessions::table
            .filter(otp_sessions::phone.eq(phone.e164()))
            .filter(otp_sessions::created_at.gt(Instant(since)))
            .order(otp_sessions::created_at.desc())
            .limit(most.into())
            .select(otp_sessions::created_at)
            .load(self.connection)
            .around(TABLE)?;
        Ok(sent.into_iter().map(Timestamp::from).collect())
    }

    fn issue_code(&mut self, code: &OtpSession) -> Found<()> {
        let (phone, at) = (code.phone.e164(), Instant(code.created_at));
        let purpose = code.purpose.name();
        NoteSend {
            phone: &phone,
            at: &at,
        }
        .execute(self.connection)
        .around(PHONES)?;
        let supersede = Supersede {
            phone: &phone,
            purpose: &purpose,
            at: &at,
        };
        supersede.execute(self.connection).around(TABLE)?;
        diesel::insert_into(otp_sessions::table)
            .values(&CodeRow::from(code))
            .execute(self.connection)
            .around(TABLE)
            .map(drop)
    }

    fn count_guess(
        &mut self,
        phone: &PhoneNumber,
        purpose: Purpose,
        now: Timestamp,
        policy: &CodePolicy,
    ) -> Found<Option<OtpSession>> {
        let count = CountGuess {
            phone: &phone.e164(),
            purpose: &purpose.name(),
            now: &now.into(),
            most: &policy.attempts.into(),
        };
        if count.execute(self.connection).around(TABLE)? == 0 {
            return Ok(None);
        }
        self.current_code(phone, purpose)
    }

    fn current_code(&mut self, phone: &PhoneNumber, purpose: Purpose) -> Found<Option<OtpSession>> {
        let row: Option<CodeRow> = otp_sessions::table
            .filter(otp_sessions::phone.eq(phone.e164()))
            .filter(otp_sessions::purpose.eq(purpose.name()))
            .filter(otp_sessions::superseded_at.is_null())
            .select(CodeRow::as_select())
            .first(self.connection)
            .optional()
            .around(TABLE)?;
        row.map(OtpSession::try_from).transpose()
    }

    fn use_code(&mut self, code: &OtpSession, now: Timestamp) -> Found<()> {
        let used = UseCode {
            id: &code.id.into(),
            at: &now.into(),
        };
        used.execute(self.connection).around(TABLE).map(drop)
    }
}
