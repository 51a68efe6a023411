//! `push_tokens`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use doorbell_domain::store::Found;
use doorbell_domain::text::AppName;
use doorbell_domain::{Provider, Token};
use doorbell_storage::{OrInconsistent, Vault, parts};

use crate::schema::push_tokens;
use crate::statement::statement;
use crate::values::{Id, Instant};

#[derive(Queryable, Selectable)]
#[diesel(table_name = push_tokens)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct TokenRow {
    pub(crate) id: Id,
    user_id: Id,
    device_id: Id,
    session_id: Id,
    provider: String,
    app: String,
    kind: String,
    activity_id: String,
    stream_id: Option<String>,
    value_hash: Vec<u8>,
    sealed: Vec<u8>,
    created_at: Instant,
    updated_at: Instant,
}

statement! {
    /// Writes a token whole, by its id.
    struct UpsertToken<'a> { row: TokenRow }
    "INSERT INTO push_tokens (id, user_id, device_id, session_id, provider, app, kind, activity_id, stream_id, \
        value_hash, sealed, created_at, updated_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (id) DO UPDATE SET session_id = excluded.session_id, stream_id = excluded.stream_id, \
        value_hash = excluded.value_hash, sealed = excluded.sealed, updated_at = excluded.updated_at"
    [
        Binary = row.id, Binary = row.user_id, Binary = row.device_id, Binary = row.session_id,
        Text = row.provider, Text = row.app, Text = row.kind, Text = row.activity_id,
        Nullable<Text> = row.stream_id, Binary = row.value_hash, Binary = row.sealed,
        BigInt = row.created_at, BigInt = row.updated_at,
    ]
}

impl TokenRow {
    pub(crate) fn of(token: &Token, vault: &Vault) -> Found<Self> {
        Ok(Self {
            id: token.id.into(),
            user_id: token.user.into(),
            device_id: token.device.into(),
            session_id: token.session.into(),
            provider: token.provider.name().to_owned(),
            app: token.app.as_str().to_owned(),
            kind: token.kind.name().to_owned(),
            activity_id: parts::activity_of(&token.kind).to_owned(),
            stream_id: parts::stream_of(&token.kind).map(str::to_owned),
            value_hash: token.value.hash().as_bytes().to_vec(),
            sealed: vault.seal_token(token.id, &token.value)?,
            created_at: token.created_at.into(),
            updated_at: token.updated_at.into(),
        })
    }

    /// The name of who carries it.
    pub(crate) fn provider(&self) -> &str {
        &self.provider
    }

    /// The token, given when its session ended.
    pub(crate) fn open(self, session_ended_at: Option<Instant>, vault: &Vault) -> Found<Token> {
        const TABLE: &str = "push_tokens";
        let id = self.id.into();
        Ok(Token {
            id,
            user: self.user_id.into(),
            device: self.device_id.into(),
            session: self.session_id.into(),
            session_ended: session_ended_at.is_some(),
            provider: Provider::from_name(&self.provider).or_inconsistent(TABLE, "provider")?,
            app: AppName::parse(self.app).or_inconsistent(TABLE, "app")?,
            kind: parts::token_kind(&self.kind, self.activity_id, self.stream_id)?,
            value: vault.open_token(id, &self.sealed)?,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
        })
    }
}
