//! For tests: the table of keys.

use doorbell_domain::Timestamp;
use doorbell_domain::store::{Found, KeyReads, KeyUse, Keys, StoredKey};
use uuid::Uuid;

/// The rows of a database, and a server that may write them just before this one does.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<StoredKey>,
    pub(crate) rivals: Vec<StoredKey>,
}

impl KeyReads for Rows {
    fn keys(&mut self, usage: KeyUse) -> Found<Vec<StoredKey>> {
        Ok(self
            .rows
            .iter()
            .filter(|key| key.usage == usage)
            .cloned()
            .collect())
    }
}

impl Keys for Rows {
    fn insert_first_key(&mut self, key: &StoredKey) -> Found<StoredKey> {
        self.rows.append(&mut self.rivals);
        if self.keys(key.usage)?.is_empty() {
            self.rows.push(key.clone());
        }
        let first = self.keys(key.usage)?.into_iter().next();
        Ok(first.expect("there is one now"))
    }

    fn lock_keys(&mut self, _usage: KeyUse) -> Found<()> {
        Ok(())
    }

    fn insert_key(&mut self, key: &StoredKey) -> Found<()> {
        self.rows.insert(0, key.clone());
        Ok(())
    }

    fn retire_key(&mut self, id: Uuid, at: Timestamp) -> Found<()> {
        for row in self.rows.iter_mut().filter(|row| row.id == id) {
            row.life.retires_at = Some(at);
        }
        Ok(())
    }

    fn remove_key(&mut self, id: Uuid) -> Found<()> {
        self.rows.retain(|row| row.id != id);
        Ok(())
    }
}
