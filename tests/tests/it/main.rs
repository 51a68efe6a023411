//! What clients and operators see of the binary, on both databases.

#[cfg(test)]
mod access_tokens;
#[cfg(test)]
mod account;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod code_delivery;
#[cfg(test)]
mod device_token;
#[cfg(test)]
mod document;
#[cfg(test)]
mod easyflow;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod ocore;
#[cfg(test)]
mod one_registry;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod races;
#[cfg(test)]
mod rocketchat;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod transport;
