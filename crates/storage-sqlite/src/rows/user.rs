//! `users`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use doorbell_domain::profile::Username;
use doorbell_domain::store::{Found, StoreError};
use doorbell_domain::text;
use doorbell_domain::{PhoneNumber, TimeZoneName, Timestamp, User};
use doorbell_storage::parts::{self, DeletionParts};
use doorbell_storage::{OrInconsistent, document};

use crate::schema::users;
use crate::statement::statement;
use crate::values::{Id, Instant, Json};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct UserRow {
    id: Id,
    phone: Option<String>,
    country_code: Option<i32>,
    username: Option<String>,
    username_key: Option<String>,
    username_changed_at: Option<Instant>,
    profile: Json,
    signup_source: Option<String>,
    signup_campaign: Option<String>,
    timezone: Option<String>,
    deletion_status: Option<String>,
    deletion_requested_at: Option<Instant>,
    deletion_scheduled_for: Option<Instant>,
    deletion_cancelled_at: Option<Instant>,
    deletion_finalized_at: Option<Instant>,
    last_login_at: Instant,
    created_at: Instant,
    updated_at: Instant,
}

statement! {
    /// Writes an account whole, by its id.
    struct SaveUser<'a> { row: UserRow }
    "UPDATE users SET phone = ?, country_code = ?, username = ?, username_key = ?, username_changed_at = ?, \
        profile = ?, signup_source = ?, signup_campaign = ?, timezone = ?, deletion_status = ?, \
        deletion_requested_at = ?, deletion_scheduled_for = ?, deletion_cancelled_at = ?, \
        deletion_finalized_at = ?, last_login_at = ?, created_at = ?, updated_at = ? \
     WHERE id = ?"
    [
        Nullable<Text> = row.phone, Nullable<Integer> = row.country_code, Nullable<Text> = row.username,
        Nullable<Text> = row.username_key, Nullable<BigInt> = row.username_changed_at, Text = row.profile,
        Nullable<Text> = row.signup_source, Nullable<Text> = row.signup_campaign,
        Nullable<Text> = row.timezone, Nullable<Text> = row.deletion_status,
        Nullable<BigInt> = row.deletion_requested_at, Nullable<BigInt> = row.deletion_scheduled_for,
        Nullable<BigInt> = row.deletion_cancelled_at, Nullable<BigInt> = row.deletion_finalized_at,
        BigInt = row.last_login_at, BigInt = row.created_at, BigInt = row.updated_at, Binary = row.id,
    ]
}

impl UserRow {
    pub(crate) fn of(user: &User) -> Found<Self> {
        let text = |text: &Option<text::Text>| text.as_ref().map(|text| text.as_str().to_owned());
        let username = user.profile.username.as_ref();
        let deletion = DeletionParts::of(user.deletion.as_ref());
        let at = |at: Option<Timestamp>| at.map(Instant);
        Ok(Self {
            id: user.id.into(),
            phone: user.phone.as_ref().map(PhoneNumber::e164),
            country_code: user.phone.as_ref().map(|phone| phone.country_code().into()),
            username: username.map(|name| name.as_str().to_owned()),
            username_key: username.map(Username::key),
            username_changed_at: at(user.username_changed_at),
            profile: Json(document::profile(&user.profile)?),
            signup_source: text(&user.signup_source),
            signup_campaign: text(&user.signup_campaign),
            timezone: user.timezone.as_ref().map(|zone| zone.as_str().to_owned()),
            deletion_status: deletion.status,
            deletion_requested_at: at(deletion.requested_at),
            deletion_scheduled_for: at(deletion.scheduled_for),
            deletion_cancelled_at: at(deletion.cancelled_at),
            deletion_finalized_at: at(deletion.finalized_at),
            last_login_at: user.last_login_at.into(),
            created_at: user.created_at.into(),
            updated_at: user.updated_at.into(),
        })
    }
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Found<Self> {
        const TABLE: &str = "users";
        let at = |at: Option<Instant>| at.map(Timestamp::from);
        let deletion = DeletionParts {
            status: row.deletion_status,
            requested_at: at(row.deletion_requested_at),
            scheduled_for: at(row.deletion_scheduled_for),
            cancelled_at: at(row.deletion_cancelled_at),
            finalized_at: at(row.deletion_finalized_at),
        };
        let phone = match row.phone {
            Some(phone) => {
                let code = row.country_code.or_inconsistent(TABLE, "country_code")?;
                Some(parts::phone(&phone, code, TABLE)?)
            }
            None => None,
        };
        Ok(Self {
            id: row.id.into(),
            phone,
            profile: document::read_profile(row.profile.0, row.username)?,
            username_changed_at: at(row.username_changed_at),
            signup_source: parts::optional(row.signup_source, text::Text::parse, TABLE, "signup_source")?,
            signup_campaign: parts::optional(
                row.signup_campaign,
                text::Text::parse,
                TABLE,
                "signup_campaign",
            )?,
            timezone: row.timezone.map(TimeZoneName::known),
            deletion: deletion.read()?,
            last_login_at: row.last_login_at.into(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}
