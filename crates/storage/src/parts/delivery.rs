//! What rows of messages, jobs, events and API keys hold.

use doorbell_domain::Provider;
use doorbell_domain::api_key::{ApiKeyHash, ApiKeyName};
use doorbell_domain::event::EventKind;
use doorbell_domain::job::{CredentialId, FinalState, Reason};
use doorbell_domain::message::{CollapseKey, Ttl, Urgency};
use doorbell_domain::store::Found;
use uuid::Uuid;

use super::{OrInconsistent, optional};

const MESSAGES: &str = "messages";
const API_KEYS: &str = "api_keys";

/// Who carries a credential, by its name.
pub fn provider(name: &str, table: &'static str) -> Found<Provider> {
    Provider::from_name(name).or_inconsistent(table, "provider")
}

/// What a job rings: its provider's name, and the credential's row.
pub fn credential(provider_name: &str, row: Uuid, table: &'static str) -> Found<CredentialId> {
    provider(provider_name, table).map(|provider| CredentialId::restore(provider, row))
}

/// How a job ended, by its name.
pub fn final_state(name: &str, table: &'static str) -> Found<FinalState> {
    FinalState::from_name(name).or_inconsistent(table, "state")
}

/// What happened, by the name of its kind.
pub fn event_kind(name: &str, table: &'static str) -> Found<EventKind> {
    EventKind::from_name(name).or_inconsistent(table, "kind")
}

/// Why a job was postponed, or ended as it did, by its name.
pub fn reason(name: Option<&str>, table: &'static str) -> Found<Option<Reason>> {
    name.map(|name| Reason::from_name(name).or_inconsistent(table, "reason"))
        .transpose()
}

/// How soon a message must be there, by its name.
pub fn urgency(name: &str) -> Found<Urgency> {
    Urgency::from_name(name).or_inconsistent(MESSAGES, "urgency")
}

/// Which others a message takes the place of.
pub fn collapse_key(text: Option<String>) -> Found<Option<CollapseKey>> {
    optional(text, CollapseKey::parse, MESSAGES, "collapse_key")
}

/// How long a message is worth delivering, in seconds.
pub fn ttl(seconds: i64) -> Found<Ttl> {
    u32::try_from(seconds)
        .ok()
        .and_then(|seconds| Ttl::new(seconds).ok())
        .or_inconsistent(MESSAGES, "ttl")
}

/// What an operator calls an API key.
pub fn api_key_name(text: String) -> Found<ApiKeyName> {
    ApiKeyName::parse(text).or_inconsistent(API_KEYS, "name")
}

/// What an API key's holder is known by.
pub fn api_key_hash(bytes: &[u8]) -> Found<ApiKeyHash> {
    bytes
        .try_into()
        .map(ApiKeyHash::from_bytes)
        .or_inconsistent(API_KEYS, "hash")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::inconsistent;

    #[test]
    fn every_name_reads_back_and_no_other_does() {
        for provider_name in Provider::ALL.map(Provider::name) {
            let read = credential(provider_name, Uuid::from_u128(7), "push_jobs").expect("a provider");
            assert_eq!(
                (read.provider().name(), read.row()),
                (provider_name, Uuid::from_u128(7))
            );
        }
        assert_eq!(provider("pager", "jobs"), Err(inconsistent("jobs", "provider")));
        assert_eq!(
            reason(Some("boredom"), "jobs"),
            Err(inconsistent("jobs", "reason"))
        );
        assert_eq!(reason(None, "jobs"), Ok(None));
        assert_eq!(final_state("pending", "jobs"), Err(inconsistent("jobs", "state")));
        assert_eq!(
            event_kind("rung", "event_outbox"),
            Err(inconsistent("event_outbox", "kind"))
        );
        assert_eq!(urgency("urgent"), Err(inconsistent(MESSAGES, "urgency")));
    }

    #[test]
    fn a_time_that_no_message_can_have_is_an_inconsistent_row() {
        assert_eq!(ttl(0), Ok(Ttl::new(0).expect("allowed")));
        for bad in [-1, i64::from(Ttl::MAX) + 1, i64::MAX] {
            assert_eq!(ttl(bad), Err(inconsistent(MESSAGES, "ttl")), "{bad}");
        }
    }
}
