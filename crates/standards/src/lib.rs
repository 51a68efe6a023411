//! What the world fixes, behind the domain's ports: numbering plans, time zones, points on a curve.

mod destinations;
mod dialled;
mod numbering_plan;
mod p256;
mod time_zones;

pub use numbering_plan::{BrokenMetadata, LibPhoneNumber};
pub use p256::P256;
pub use time_zones::IanaTimeZones;
