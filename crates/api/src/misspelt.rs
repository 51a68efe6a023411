//! Variables that look like settings and are none.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use clap::{Arg, CommandFactory};

use crate::configuration::CommandLine;
use crate::variables::arguments_of;

/// Warns of each variable of the environment that begins like a setting and is none, by name: it is most likely misspelt.
pub(crate) fn warn() {
    for variable in unknown(std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!(variable, "no setting has this name");
    }
}

fn unknown(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let command = CommandLine::command();
    let settings: BTreeSet<&OsStr> = arguments_of(&command)
        .into_iter()
        .filter_map(Arg::get_env)
        .collect();
    names
        .filter(|name| !settings.contains(name.as_os_str()))
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with("DOORBELL_"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_known_and_what_is_like_one_is_not() {
        let names = [
            "DOORBELL_LISTEN",
            "DOORBELL_LISTNE",
            "DATABASE_URL",
            "PATH",
            "DOORBELL_LOG",
        ];
        assert_eq!(
            unknown(names.into_iter().map(OsString::from)),
            ["DOORBELL_LISTNE"]
        );
    }
}
