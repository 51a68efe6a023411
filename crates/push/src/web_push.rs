//! Web Push: messages to browsers (RFC 8030), encrypted for them alone (RFC 8291, RFC 8188), under this service's name
//! (RFC 8292).

mod answers;
mod destinations;
mod encryption;
mod payload;
mod sender;
mod subject;
mod topic;
mod vapid;

pub use destinations::{Destinations, EndpointLookups};
pub use encryption::{EncryptionError, MAX_PLAINTEXT, encrypt};
pub use sender::WebPush;
pub use subject::{Subject, SubjectError};
pub use vapid::{Authorizations, VapidError};
