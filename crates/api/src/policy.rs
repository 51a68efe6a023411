//! The service's policy, as its settings have it.

use anyhow::Context;
use doorbell_application::Policy;
use doorbell_domain::code::{CodeLength, CodePolicy};
use doorbell_domain::destination::{Countries, Country};
use doorbell_domain::phone::NumberingPlan;
use doorbell_domain::session::SessionPolicy;
use doorbell_domain::test_numbers::TestNumbers;
use doorbell_domain::{Code, Timestamp};
use doorbell_standards::LibPhoneNumber;
use time::Duration;

use crate::configuration::{Configuration, Mode, Switch};

impl Configuration {
    fn countries(&self) -> anyhow::Result<Countries> {
        let all = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case("all"));
        match &self.otp_countries[..] {
            [] => Ok(Countries::All),
            [_] if all(&self.otp_countries) => Ok(Countries::All),
            names => {
                let read = names.iter().map(|name| {
                    Country::parse(name).with_context(|| {
                        format!("DOORBELL_OTP_COUNTRIES: `{name}` is no country's two letters")
                    })
                });
                read.collect::<anyhow::Result<_>>().map(Countries::Only)
            }
        }
    }

    /// Reads the test numbers, by a numbering plan. A refusal never holds the code.
    fn numbers_for_tests(&self, plan: &LibPhoneNumber) -> anyhow::Result<TestNumbers> {
        let read = |entry: &String| {
            let (number, code) = entry
                .split_once('=')
                .context("DOORBELL_TEST_NUMBERS must be +NUMBER=CODE,…")?;
            let phone = plan
                .parse_e164(number)
                .with_context(|| format!("DOORBELL_TEST_NUMBERS: `{number}` is no phone number"))?;
            let code = Code::parse(code).with_context(|| {
                format!("DOORBELL_TEST_NUMBERS: the code of {number} is not 4 to 8 digits")
            })?;
            Ok((phone, code))
        };
        let numbers = self
            .test_numbers
            .iter()
            .map(read)
            .collect::<anyhow::Result<_>>()?;
        let format = time::macros::format_description!("[year]-[month]-[day]");
        let until = self.test_numbers_until.as_deref().map(|day| {
            time::Date::parse(day, format)
                .map(|day| Timestamp::from_datetime(day.midnight().assume_utc()))
                .context("DOORBELL_TEST_NUMBERS_UNTIL must be a day such as 2026-12-31")
        });
        Ok(TestNumbers::new(numbers, until.transpose()?))
    }

    /// The service's policy.
    pub(crate) fn policy(&self, plan: &LibPhoneNumber) -> anyhow::Result<Policy> {
        let length = CodeLength::new(self.otp_length).context("DOORBELL_OTP_LENGTH must be 4 to 8")?;
        let cooldown = if self.limits == Switch::Off {
            0
        } else {
            self.otp_cooldown
        };
        Ok(Policy {
            codes: CodePolicy {
                length,
                ttl: Duration::seconds(self.otp_ttl.into()),
                attempts: self.otp_attempts,
                cooldown: Duration::seconds(cooldown.into()),
            },
            limits: (self.limits == Switch::On).then(|| self.limit.policy()),
            countries: self.countries()?,
            test_numbers: self.numbers_for_tests(plan)?,
            sessions: SessionPolicy::STANDARD,
            deletion_grace: Duration::seconds(self.deletion_grace.into()),
            max_devices: self.max_devices,
            reveal_codes: self.mode == Mode::Development,
        })
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::limits::LimitPolicy;

    use super::*;

    fn policy(args: &[&str]) -> anyhow::Result<Policy> {
        Configuration::of(args).policy(&LibPhoneNumber::load().expect("numbering plans"))
    }

    #[test]
    fn limits_off_lift_the_cool_down_and_the_limits_but_no_codes_attempts() {
        let policy = policy(&["--limits=off"]).expect("a policy");
        assert_eq!(
            (policy.codes.cooldown, policy.codes.attempts),
            (Duration::ZERO, 5)
        );
        assert!(policy.limits.is_none());
    }

    #[test]
    fn each_limit_has_its_setting() {
        let of = |args: &[&str]| policy(args).expect("a policy").limits.expect("on");
        assert_eq!(format!("{:?}", of(&[])), format!("{:?}", LimitPolicy::STANDARD));
        for (flag, got) in [
            ("phone-burst", of(&["--limit-phone-burst=3"]).phone_burst.most),
            ("phone-day", of(&["--limit-phone-day=3"]).phone_day.most),
            ("phone-failures", of(&["--limit-phone-failures=3"]).lock.failures),
            (
                "network-sends",
                of(&["--limit-network-sends=3"]).network_sends.most,
            ),
            (
                "network-verifies",
                of(&["--limit-network-verifies=3"]).network_verifies.most,
            ),
            (
                "network-refreshes",
                of(&["--limit-network-refreshes=3"]).network_refreshes.most,
            ),
            ("prefix-sends", of(&["--limit-prefix-sends=3"]).prefix_sends.most),
            (
                "country-sends",
                of(&["--limit-country-sends=3"]).country_sends.most,
            ),
            ("all-sends", of(&["--limit-all-sends=3"]).all_sends.most),
        ] {
            assert_eq!(got, 3, "{flag}");
        }
    }

    #[test]
    fn countries_and_test_numbers_are_read_or_refused_by_name() {
        let listed = policy(&["--otp-countries=tr,DE"]).expect("a policy").countries;
        let countries = ["TR", "DE"].map(|code| Country::parse(code).expect("two letters"));
        assert_eq!(listed, Countries::Only(countries.to_vec()));
        for all in [&[][..], &["--otp-countries=all"]] {
            assert_eq!(policy(all).expect("a policy").countries, Countries::All);
        }
        let numbers = policy(&[
            "--test-numbers=+905551234567=1234",
            "--test-numbers-until=2026-12-31",
        ]);
        let numbers = numbers.expect("a policy").test_numbers;
        let phone = doorbell_domain::PhoneNumber::from_parts(90, "5551234567").expect("well-formed");
        let at = |text: &str| {
            let format = &time::format_description::well_known::Rfc3339;
            Timestamp::from_datetime(time::OffsetDateTime::parse(text, format).expect("an instant"))
        };
        assert!(numbers.code_of(&phone, at("2026-12-30T23:59:59Z")).is_some());
        assert!(numbers.code_of(&phone, at("2026-12-31T00:00:00Z")).is_none());
        for (args, variable) in [
            (&["--otp-countries=TR,90"][..], "DOORBELL_OTP_COUNTRIES"),
            (&["--otp-countries=TR,all"], "DOORBELL_OTP_COUNTRIES"),
            (&["--test-numbers=+905551234567"], "DOORBELL_TEST_NUMBERS"),
            (&["--test-numbers=5551234567=1234"], "DOORBELL_TEST_NUMBERS"),
            (&["--test-numbers=+905551234567=12"], "DOORBELL_TEST_NUMBERS"),
            (&["--test-numbers-until=tomorrow"], "DOORBELL_TEST_NUMBERS_UNTIL"),
        ] {
            let refusal = policy(args).expect_err(variable).to_string();
            assert!(refusal.starts_with(variable), "{refusal}");
        }
    }
}
