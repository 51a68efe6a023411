//! The secret that a development server makes up for itself, once.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use doorbell_domain::Entropy;

use crate::database::Database;

/// Where a database's development secret lies: beside an SQLite file, else in `./data`.
pub(crate) fn path_for(database: &Database) -> PathBuf {
    let folder = match database {
        Database::Sqlite(file) => file.parent().map(Path::to_owned).unwrap_or_default(),
        Database::Postgres(_) => PathBuf::from("data"),
    };
    folder.join("doorbell.secret")
}

/// Reads the secret at `path`, or makes it: readable by its owner alone, and whole from the first moment, so
/// that servers which start at once share one.
pub(crate) fn read_or_make(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<String> {
    if let Some(found) = read(path)? {
        return Ok(found);
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let (first, last): ([u8; 16], [u8; 16]) = (entropy.bytes(), entropy.bytes());
    let secret = format!(
        "{:032x}{:032x}",
        u128::from_be_bytes(first),
        u128::from_be_bytes(last)
    );
    let draft_name: [u8; 4] = entropy.bytes();
    let draft = path.with_extension(format!("secret.{:08x}", u32::from_be_bytes(draft_name)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&draft)
        .and_then(|mut file| file.write_all(secret.as_bytes()));
    written.with_context(|| format!("cannot write {}", draft.display()))?;
    // A link appears at once and never replaces another server's.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).with_context(|| format!("cannot remove {}", draft.display()))?;
    match linked {
        Ok(()) => Ok(secret),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read(path)?.with_context(|| format!("{} vanished", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

fn read(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(secret) => Ok(Some(secret.trim_end().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_secret_is_made_once_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data").join("doorbell.secret");
        let made = read_or_make(&path, &Fixed(1)).expect("made");
        assert_eq!(made.len(), 64);
        assert_eq!(read_or_make(&path, &Fixed(2)).expect("read"), made);
        assert_eq!(
            fs::read_dir(folder.path().join("data"))
                .expect("a folder")
                .count(),
            1,
            "no draft is left"
        );
    }
}
