//! The variables of the environment that settings are read from.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, CommandFactory, Error, Parser};

use crate::configuration::CommandLine;

/// Reads the command line, or ends the program with what is wrong with it.
pub(crate) fn read(arguments: &[OsString]) -> CommandLine {
    CommandLine::try_parse_from(arguments).unwrap_or_else(|mut error| {
        name_variable(&mut error, arguments);
        error.exit()
    })
}

/// Has a refusal name the variable that it is about: whoever set one knows nothing of its flag.
fn name_variable(error: &mut Error, arguments: &[OsString]) {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return;
    };
    let flag = argument.split(' ').next().unwrap_or_default();
    let is_flag = |given: &OsStr| {
        let given = given.to_str().unwrap_or_default();
        given
            .strip_prefix(flag)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    if arguments.iter().any(|given| is_flag(given)) {
        return;
    }
    let command = CommandLine::command();
    let settings = arguments_of(&command).into_iter();
    let mut settings = settings.filter(|setting| setting.get_long() == flag.strip_prefix("--"));
    if let Some(variable) = settings.find_map(Arg::get_env) {
        let named = format!("{} ({flag})", variable.to_string_lossy());
        error.insert(ContextKind::InvalidArg, ContextValue::String(named));
    }
}

/// The arguments of a command, and of every command below it.
pub(crate) fn arguments_of(command: &Command) -> Vec<&Arg> {
    let below = command.get_subcommands().flat_map(arguments_of);
    command.get_arguments().chain(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said against a value, as though it had come from a variable, or by its flag.
    fn refused(flag: &str, value: &str, given: &[&str]) -> String {
        let line = ["doorbell", "serve", flag, value];
        let mut error = CommandLine::try_parse_from(line).expect_err("it is wrong");
        let given: Vec<OsString> = given.iter().map(OsString::from).collect();
        name_variable(&mut error, &given);
        error.to_string()
    }

    #[test]
    fn a_refusal_names_the_variable_that_was_set() {
        for (flag, value, told) in [
            (
                "--otp-ttl",
                "5m",
                "'DOORBELL_OTP_TTL (--otp-ttl)': it must be whole seconds, from 1 to 600",
            ),
            (
                "--trusted-proxies",
                "proxy",
                "'DOORBELL_TRUSTED_PROXIES (--trusted-proxies)': it must be a network",
            ),
            ("--mode", "test", "'DOORBELL_MODE (--mode)'"),
            (
                "--limit-phone-day",
                "0",
                "'DOORBELL_LIMIT_PHONE_DAY (--limit-phone-day)'",
            ),
        ] {
            let said = refused(flag, value, &["doorbell", "serve"]);
            assert!(said.contains(told), "{said}");
        }
    }

    #[test]
    fn a_refusal_names_the_flag_that_was_given() {
        for given in [
            &["doorbell", "serve", "--otp-ttl", "0"][..],
            &["doorbell", "serve", "--otp-ttl=0"],
        ] {
            let said = refused("--otp-ttl", "0", given);
            assert!(said.contains("'--otp-ttl <OTP_TTL>'"), "{said}");
        }
        // Another flag that begins alike is another.
        let said = refused("--otp-ttl", "0", &["doorbell", "serve", "--otp-ttl-of-another=1"]);
        assert!(said.contains("DOORBELL_OTP_TTL"), "{said}");
    }
}
