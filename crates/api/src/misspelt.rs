//! Variables that look like settings and are none.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory};

use crate::configuration::CommandLine;

/// Warns of each variable of the environment that begins like a setting and is none, by name: it is most likely misspelt.
pub(crate) fn warn() {
    for variable in unknown(std::env::vars_os().map(|(name, _)| name)) {
        tracing::warn!(variable, "no setting has this name");
    }
}

fn unknown(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut settings = BTreeSet::new();
    collect(&CommandLine::command(), &mut settings);
    names
        .filter(|name| !settings.contains(name))
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with("DOORBELL_"))
        .collect()
}

/// The variables of a command, and of every command below it.
fn collect(command: &Command, settings: &mut BTreeSet<OsString>) {
    settings.extend(
        command
            .get_arguments()
            .filter_map(Arg::get_env)
            .map(OsString::from),
    );
    for below in command.get_subcommands() {
        collect(below, settings);
    }
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
