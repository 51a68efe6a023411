//! Secrets in rows: sealed when written, opened when read, bound to the column and the row that hold them.

use std::sync::Arc;

use doorbell_domain::message::Content;
use doorbell_domain::ports::{KeyFailure, Sealer};
use doorbell_domain::sealed::{SealedColumn, SealedPlace};
use doorbell_domain::secret::Secret;
use doorbell_domain::store::{Found, StoreError};
use doorbell_domain::web_push::SubscriptionKeys;
use doorbell_domain::{Code, MessageId, OtpSessionId, PushToken, SubscriptionId, TokenId, WebPushEndpoint};
use uuid::Uuid;

use crate::document;
use crate::parts::{OrInconsistent, inconsistent};

const CODES: &str = "code_outbox";
const TOKENS: &str = "push_tokens";
const SUBSCRIPTIONS: &str = "subscriptions";

/// The sealer, in the terms of the rows that it seals for.
#[derive(Clone)]
pub struct Vault(Arc<dyn Sealer>);

impl Vault {
    /// Seals and opens by `sealer`.
    pub fn new(sealer: Arc<dyn Sealer>) -> Self {
        Self(sealer)
    }

    /// What `push_tokens.sealed` holds.
    pub fn seal_token(&self, row: TokenId, value: &PushToken) -> Found<Vec<u8>> {
        self.seal(SealedColumn::PushTokens, row.uuid(), value.expose().as_bytes())
    }

    /// Reads `push_tokens.sealed`.
    pub fn open_token(&self, row: TokenId, sealed: &[u8]) -> Found<PushToken> {
        let value = self.open_text(SealedColumn::PushTokens, row.uuid(), sealed)?;
        PushToken::parse(value.expose()).or_inconsistent(TOKENS, "sealed")
    }

    /// What `subscriptions.sealed_endpoint` holds.
    pub fn seal_endpoint(&self, row: SubscriptionId, endpoint: &WebPushEndpoint) -> Found<Vec<u8>> {
        let text = endpoint.expose().as_bytes();
        self.seal(SealedColumn::SubscriptionEndpoints, row.uuid(), text)
    }

    /// Reads `subscriptions.sealed_endpoint`.
    pub fn open_endpoint(&self, row: SubscriptionId, sealed: &[u8]) -> Found<WebPushEndpoint> {
        let text = self.open_text(SealedColumn::SubscriptionEndpoints, row.uuid(), sealed)?;
        Ok(WebPushEndpoint::restore(text.expose().to_owned()))
    }

    /// What `subscriptions.sealed_keys` holds: `p256dh`'s 65 bytes, then `auth`'s 16.
    pub fn seal_keys(&self, row: SubscriptionId, keys: &SubscriptionKeys) -> Found<Vec<u8>> {
        let both = [&keys.p256dh()[..], &keys.auth()[..]].concat();
        self.seal(SealedColumn::SubscriptionKeys, row.uuid(), &both)
    }

    /// Reads `subscriptions.sealed_keys`.
    pub fn open_keys(&self, row: SubscriptionId, sealed: &[u8]) -> Found<SubscriptionKeys> {
        let plain = self.open(SealedColumn::SubscriptionKeys, row.uuid(), sealed)?;
        plain
            .split_first_chunk::<65>()
            .and_then(|(p256dh, auth)| Some(SubscriptionKeys::restore(*p256dh, auth.try_into().ok()?)))
            .or_inconsistent(SUBSCRIPTIONS, "sealed_keys")
    }

    /// What `code_outbox.sealed` holds.
    pub fn seal_code(&self, row: OtpSessionId, code: &Code) -> Found<Vec<u8>> {
        self.seal(SealedColumn::CodeOutbox, row.uuid(), code.expose().as_bytes())
    }

    /// Reads `code_outbox.sealed`.
    pub fn open_code(&self, row: OtpSessionId, sealed: &[u8]) -> Found<Code> {
        let code = self.open_text(SealedColumn::CodeOutbox, row.uuid(), sealed)?;
        Code::parse(code.expose()).or_inconsistent(CODES, "sealed")
    }

    /// What `messages.sealed` holds.
    pub fn seal_message(&self, row: MessageId, content: &Content) -> Found<Vec<u8>> {
        self.seal(SealedColumn::Messages, row.uuid(), &document::content(content)?)
    }

    /// Reads `messages.sealed`.
    pub fn open_message(&self, row: MessageId, sealed: &[u8]) -> Found<Content> {
        document::read_content(&self.open(SealedColumn::Messages, row.uuid(), sealed)?)
    }

    fn seal(&self, column: SealedColumn, row: Uuid, plain: &[u8]) -> Found<Vec<u8>> {
        let sealed = self.0.seal(SealedPlace { column, row }, plain);
        sealed.map_err(|KeyFailure(why)| StoreError::Failed(format!("sealing: {why}")))
    }

    fn open(&self, column: SealedColumn, row: Uuid, sealed: &[u8]) -> Found<Vec<u8>> {
        self.0
            .open(SealedPlace { column, row }, sealed)
            .map_err(|KeyFailure(why)| {
                let (table, column) = parts_of(column);
                inconsistent(table, &format!("{column}: {why}"))
            })
    }

    fn open_text(&self, column: SealedColumn, row: Uuid, sealed: &[u8]) -> Found<Secret> {
        let plain = self.open(column, row, sealed)?;
        let (table, column) = parts_of(column);
        String::from_utf8(plain)
            .map(Secret::new)
            .or_inconsistent(table, column)
    }
}

/// The table, and the column in it.
fn parts_of(column: SealedColumn) -> (&'static str, &'static str) {
    let name = column.name();
    name.split_once('.').unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use doorbell_domain::message::{Data, Notification};

    use super::*;

    /// Writes the place before the bytes.
    struct Labels;

    impl Sealer for Labels {
        fn seal(&self, place: SealedPlace, plain: &[u8]) -> Result<Vec<u8>, KeyFailure> {
            Ok([place.binding().as_slice(), plain].concat())
        }

        fn open(&self, place: SealedPlace, sealed: &[u8]) -> Result<Vec<u8>, KeyFailure> {
            let plain = sealed.strip_prefix(place.binding().as_slice());
            plain.map(<[u8]>::to_vec).ok_or(KeyFailure("another place's"))
        }

        fn is_current(&self, _sealed: &[u8]) -> bool {
            true
        }
    }

    fn row(n: u128) -> SubscriptionId {
        SubscriptionId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn keys_come_back_whole_and_only_for_their_row() {
        let vault = Vault::new(Arc::new(Labels));
        let keys = SubscriptionKeys::restore([4; 65], [9; 16]);
        let sealed = vault.seal_keys(row(1), &keys).expect("sealed");
        assert_eq!(vault.open_keys(row(1), &sealed), Ok(keys));
        assert_eq!(
            vault.open_keys(row(2), &sealed),
            Err(inconsistent(SUBSCRIPTIONS, "sealed_keys: another place's"))
        );
        let place = SealedPlace {
            column: SealedColumn::SubscriptionKeys,
            row: row(1).uuid(),
        };
        let short = Labels.seal(place, &[4; 80]).expect("sealed");
        assert_eq!(
            vault.open_keys(row(1), &short),
            Err(inconsistent(SUBSCRIPTIONS, "sealed_keys"))
        );
    }

    #[test]
    fn a_value_that_was_put_into_another_column_of_its_row_does_not_open() {
        let vault = Vault::new(Arc::new(Labels));
        let keys = SubscriptionKeys::restore([4; 65], [9; 16]);
        let sealed = vault.seal_keys(row(1), &keys).expect("sealed");
        assert_eq!(
            vault.open_endpoint(row(1), &sealed).map(drop),
            Err(inconsistent(SUBSCRIPTIONS, "sealed_endpoint: another place's"))
        );
    }

    #[test]
    fn a_token_that_is_no_text_is_an_inconsistent_row() {
        let vault = Vault::new(Arc::new(Labels));
        let id = TokenId::from_uuid(Uuid::from_u128(3));
        let value = PushToken::parse("token 😀").expect("a token");
        let sealed = vault.seal_token(id, &value).expect("sealed");
        assert_eq!(vault.open_token(id, &sealed), Ok(value));
        let place = SealedPlace {
            column: SealedColumn::PushTokens,
            row: id.uuid(),
        };
        let bad = Labels.seal(place, &[0xff]).expect("sealed");
        assert_eq!(vault.open_token(id, &bad), Err(inconsistent(TOKENS, "sealed")));
    }

    #[test]
    fn a_code_comes_back_only_for_its_row_and_only_if_it_is_one() {
        let vault = Vault::new(Arc::new(Labels));
        let id = |n| OtpSessionId::from_uuid(Uuid::from_u128(n));
        let code = Code::parse("012345").expect("digits");
        let sealed = vault.seal_code(id(1), &code).expect("sealed");
        assert_eq!(vault.open_code(id(1), &sealed), Ok(code));
        assert!(vault.open_code(id(2), &sealed).is_err());
        let place = SealedPlace {
            column: SealedColumn::CodeOutbox,
            row: id(1).uuid(),
        };
        let bad = Labels.seal(place, b"012x45").expect("sealed");
        assert_eq!(vault.open_code(id(1), &bad), Err(inconsistent(CODES, "sealed")));
    }
    #[test]
    fn what_a_message_says_comes_back_only_for_its_row() {
        let vault = Vault::new(Arc::new(Labels));
        let id = |n| MessageId::from_uuid(Uuid::from_u128(n));
        let content = Content::new(Notification::default(), Some(Data::restore("{}"))).expect("data");
        let sealed = vault.seal_message(id(1), &content).expect("sealed");
        assert_eq!(vault.open_message(id(1), &sealed), Ok(content));
        assert_eq!(
            vault.open_message(id(2), &sealed),
            Err(inconsistent("messages", "sealed: another place's"))
        );
    }
}
