//! Keys, and what is made with them: access and refresh tokens, keyed hashes of codes, sealed columns, the
//! published keys, the names this service has at push services.
//!
//! Everything hangs on two roots. [`Secrets`], which the operator gives, is what MACs and sealing derive from;
//! the [`KeyRing`], which is made once a database and kept there sealed, is what access tokens are signed with.

mod access;
mod code_macs;
mod entropy;
mod following;
mod jwks;
mod key_ring;
mod key_set;
mod refresh;
mod resealing;
mod rotation;
mod sealing;
mod secrets;
mod shared;
mod signing;
mod vapid;
mod vapid_rotation;

#[cfg(test)]
mod rows;

pub use access::JwtTokens;
pub use code_macs::CodeMacs;
pub use entropy::SystemEntropy;
pub use following::Follower;
pub use jwks::Jwks;
pub use key_ring::{KeyRing, KeyRingError, open_vapid};
pub use refresh::RefreshMacs;
pub use resealing::{Stretch, Stuck, reseal_stretch};
pub use rotation::{RotateError, Rotated, rotate};
pub use sealing::Sealing;
pub use secrets::{Secrets, SecretsError};
pub use shared::Shared;
pub use signing::{SharedKeys, SigningKey, SigningKeys};
pub use vapid::{SharedVapidKeys, VapidKey, VapidKeySet};
pub use vapid_rotation::{AddVapidError, add_vapid_key};
