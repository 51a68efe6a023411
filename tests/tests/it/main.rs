//! What clients and operators see of the binary, on both databases.

#[cfg(test)]
mod access_tokens;
#[cfg(test)]
mod account;
#[cfg(test)]
mod activity;
#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod code_delivery;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod dead_browsers;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod device_token;
#[cfg(test)]
mod document;
#[cfg(test)]
mod easyflow;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod events;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod interrupted_delivery;
#[cfg(test)]
mod key_rotation;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod ocore;
#[cfg(test)]
mod one_registry;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod push_test;
#[cfg(test)]
mod races;
#[cfg(test)]
mod resealing;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rocketchat;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod stolen_database;
#[cfg(test)]
mod superseded;
#[cfg(test)]
mod timing;
#[cfg(test)]
mod token_headers;
#[cfg(test)]
mod trail;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod two_servers;
#[cfg(test)]
mod vapid_rotation;
