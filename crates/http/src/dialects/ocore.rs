//! oCore: Web Push subscriptions under `/push` and `/api/push`, bare bodies, RFC 9457 errors.

mod subscriptions;

use crate::routing::{Operation, operation};

/// The operations at both of their places, in the order of the document.
pub(crate) fn operations() -> Vec<Operation> {
    let subscribe = || operation::<subscriptions::__path_subscribe, _>(subscriptions::subscribe);
    let unsubscribe = || operation::<subscriptions::__path_unsubscribe, _>(subscriptions::unsubscribe);
    let list = || operation::<subscriptions::__path_list, _>(subscriptions::list);
    let vapid_key = || operation::<subscriptions::__path_vapid_key, _>(subscriptions::vapid_key);
    vec![
        subscribe(),
        unsubscribe(),
        list(),
        vapid_key(),
        subscribe().also_at("/api/push/subscribe", "UnderApi"),
        unsubscribe().also_at("/api/push/subscribe", "UnderApi"),
        list().also_at("/api/push/subscriptions", "UnderApi"),
        vapid_key().also_at("/api/push/vapid-key", "UnderApi"),
    ]
}
