//! The four public dialects, one module each.

pub(crate) mod allmine;
pub(crate) mod easyflow;
pub(crate) mod ocore;
pub(crate) mod rocketchat;
