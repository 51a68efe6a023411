//! What no server starts without, and what production refuses to start with.

use anyhow::bail;
use url::Url;

use crate::configuration::{Configuration, Mode, Switch};
use crate::senders::Sender;

impl Configuration {
    /// Refuses what must not be so: all of it at once, a line each, which names the variable.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let mut refused = self.lacks();
        if self.mode == Mode::Production {
            refused.extend(self.not_for_production().into_iter().map(str::to_owned));
        }
        if !refused.is_empty() {
            bail!("{} cannot start:\n  {}", self.mode.name(), refused.join("\n  "));
        }
        Ok(())
    }

    /// What is named and not there, or cannot be.
    fn lacks(&self) -> Vec<String> {
        let mut lacks = self.senders.lacks();
        lacks.extend(self.events.lacks());
        lacks.extend(self.push.refused(self.mode, &self.issuer));
        lacks
    }

    /// What production lacks, and what it has that is for developers.
    fn not_for_production(&self) -> Vec<&'static str> {
        let mut refused = Vec::new();
        if self.secret.is_none() {
            refused.push("DOORBELL_SECRET must be set in production");
        }
        if !is_https(&self.issuer) {
            refused.push(
                "DOORBELL_ISSUER must be the https URL that clients reach this service by, in production",
            );
        }
        if self.otp_countries.is_empty() {
            refused.push(
                "DOORBELL_OTP_COUNTRIES must name the countries that codes are sent to in production (or `all`)",
            );
        }
        if !self.test_numbers.is_empty() && self.test_numbers_until.is_none() {
            refused
                .push("DOORBELL_TEST_NUMBERS_UNTIL must be the day on which test numbers end, in production");
        }
        if self.limits == Switch::Off {
            refused.push("DOORBELL_LIMITS cannot be off in production");
        }
        if self.clock_offset_file.is_some() {
            refused.push("DOORBELL_CLOCK_OFFSET_FILE is for development only");
        }
        if self.otp_cooldown == 0 {
            refused.push("DOORBELL_OTP_COOLDOWN cannot be 0 in production");
        }
        if self.senders.senders.contains(&Sender::Log) {
            refused.push(
                "DOORBELL_SENDERS names `log`, which prints one-time codes: it is for development only",
            );
        }
        refused
    }
}

/// Whether `text` is a URL that may name an issuer (RFC 8414 §2): https, with a host, without query and fragment.
fn is_https(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        url.scheme() == "https" && url.has_host() && url.query().is_none() && url.fragment().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_names_every_variable_that_keeps_it_from_starting() {
        let variables = |args: &[&str]| -> Vec<String> {
            let refused = Configuration::of(args).not_for_production();
            let first = |line: &str| line.split(' ').next().map(str::to_owned);
            refused.into_iter().filter_map(first).collect()
        };
        let secret = "--secret=an example of a secret that is long enough";
        let (issuer, countries) = ("--issuer=https://doorbell.example.com", "--otp-countries=TR");
        assert_eq!(
            variables(&[]),
            [
                "DOORBELL_SECRET",
                "DOORBELL_ISSUER",
                "DOORBELL_OTP_COUNTRIES",
                "DOORBELL_SENDERS"
            ]
        );
        assert_eq!(variables(&[secret, issuer, countries]), ["DOORBELL_SENDERS"]);
        for (arg, variable) in [
            ("--test-numbers=+905551234567=1234", "DOORBELL_TEST_NUMBERS_UNTIL"),
            ("--limits=off", "DOORBELL_LIMITS"),
            ("--clock-offset-file=f", "DOORBELL_CLOCK_OFFSET_FILE"),
            ("--otp-cooldown=0", "DOORBELL_OTP_COOLDOWN"),
        ] {
            assert_eq!(
                variables(&[secret, issuer, countries, arg]),
                [variable, "DOORBELL_SENDERS"],
                "{arg}"
            );
        }
        let refusal = Configuration::of(&["--mode=production"])
            .check()
            .expect_err("it lacks much")
            .to_string();
        assert_eq!(refusal.lines().count(), 5, "a line each: {refusal}");
        assert!(Configuration::of(&[]).check().is_ok());
    }

    #[test]
    fn an_issuer_is_an_https_url() {
        for good in ["https://doorbell.example.com", "https://example.com/sign-in"] {
            assert!(is_https(good), "{good}");
        }
        for bad in [
            "doorbell",
            "",
            "http://doorbell.example.com",
            "https://",
            "https://e.example?q",
            "https://e.example#f",
        ] {
            assert!(!is_https(bad), "{bad}");
        }
    }
}
