//! What is logged.

use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Which events are logged: a level, or `target=level` for each of several targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFilter(String);

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        // A bare word would be taken for a target, and everything else be silent: a misspelt level is refused instead.
        let is_whole = |part: &str| part.contains(['=', '[']) || part.parse::<LevelFilter>().is_ok();
        if let Some(part) = parts.iter().find(|part| part.is_empty() || !is_whole(part)) {
            return Err(format!(
                "DOORBELL_LOG: `{part}` is neither a level (error, warn, info, debug, trace, off) nor `target=level`"
            ));
        }
        let filter = parts.join(",");
        match EnvFilter::builder().parse(&filter) {
            Ok(_) => Ok(Self(filter)),
            Err(error) => Err(format!("DOORBELL_LOG: {error}")),
        }
    }
}

impl LogFilter {
    /// Begins to log, on standard error as JSON lines.
    pub(crate) fn start(&self) {
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(&self.0))
            .with_writer(std::io::stderr)
            .init();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_level_is_refused_by_name() {
        for good in [
            "info",
            "WARN",
            "off",
            "doorbell_http=debug",
            "warn,doorbell_http=debug",
            "info, doorbell_codes=trace",
            "warn,doorbell_http[request]=debug",
        ] {
            assert!(good.parse::<LogFilter>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "verbose",
            "doorbell=loud",
            "info,",
            "inof,doorbell_http=debug",
        ] {
            let refusal = bad.parse::<LogFilter>().expect_err(bad);
            assert!(refusal.starts_with("DOORBELL_LOG"), "{bad}: {refusal}");
        }
    }
}
