//! What clients and operators see of the binary, on both databases.

#[cfg(test)]
mod starting;
