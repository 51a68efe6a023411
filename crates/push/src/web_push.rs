//! Web Push: messages to browsers (RFC 8030), encrypted for them alone (RFC 8291, RFC 8188), under this service's name
//! (RFC 8292).

mod encryption;
mod provisional;
mod subject;
mod topic;
mod vapid;

pub use encryption::{EncryptionError, MAX_PLAINTEXT, encrypt};
pub use provisional::Provisional;
pub use subject::{Subject, SubjectError};
pub use topic::topic;
pub use vapid::{Authorizations, VapidError};
