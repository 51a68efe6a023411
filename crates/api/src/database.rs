//! Which database a URL names.

use std::path::PathBuf;

use anyhow::{Context, bail};

/// Which database a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Database {
    /// Reads a URL by its scheme; every other scheme is refused by name, so that a mistyped one never becomes
    /// an empty file.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        let (scheme, rest) = url
            .split_once("://")
            .context("DATABASE_URL must be sqlite://PATH or postgres://…")?;
        match scheme {
            "sqlite" if rest.is_empty() => bail!("DATABASE_URL names no file: sqlite://PATH"),
            "sqlite" if rest.contains(['?', '#']) => bail!("DATABASE_URL takes no parameters for sqlite"),
            "sqlite" => Ok(Self::Sqlite(PathBuf::from(rest))),
            "postgres" | "postgresql" => Ok(Self::Postgres(url.to_owned())),
            other => bail!("DATABASE_URL has the scheme `{other}`; it must be `sqlite` or `postgres`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_its_scheme() {
        let sqlite = |path: &str| Database::Sqlite(PathBuf::from(path));
        assert_eq!(
            Database::parse("sqlite://data/doorbell.db").expect("named"),
            sqlite("data/doorbell.db")
        );
        assert_eq!(
            Database::parse("sqlite:///var/lib/d.db").expect("named"),
            sqlite("/var/lib/d.db")
        );
        for url in ["postgres://u:p@host/db", "postgresql:///db"] {
            assert_eq!(
                Database::parse(url).expect("named"),
                Database::Postgres(url.to_owned())
            );
        }
        for url in [
            "",
            "data.db",
            "mysql://host/db",
            "sqlite://",
            "file://x",
            "sqlite://a?mode=ro",
        ] {
            assert!(Database::parse(url).is_err(), "{url}");
        }
    }
}
