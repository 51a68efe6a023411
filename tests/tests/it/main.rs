//! What clients and operators see of the binary, on both databases.

#[cfg(test)]
mod access_tokens;
#[cfg(test)]
mod account;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod transport;
