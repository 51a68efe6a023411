//! A sealer that hides nothing from anybody who looks, but keeps the port's promises.

use doorbell_domain::ports::{KeyFailure, Sealer};
use uuid::Uuid;

/// Writes the row's id before the flipped bytes, and opens nothing for another row.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeSealer;

impl Sealer for FakeSealer {
    fn seal(&self, row: Uuid, plain: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let flipped = plain.iter().map(|byte| !byte);
        Ok(row.into_bytes().into_iter().chain(flipped).collect())
    }

    fn open(&self, row: Uuid, sealed: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let flipped = sealed
            .strip_prefix(row.as_bytes())
            .ok_or(KeyFailure("sealed for another row"))?;
        Ok(flipped.iter().map(|byte| !byte).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_for_one_row_opens_for_no_other() {
        let (row, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = FakeSealer.seal(row, b"token").expect("sealed");
        assert!(!sealed.windows(5).any(|window| window == b"token"));
        assert_eq!(FakeSealer.open(row, &sealed), Ok(b"token".to_vec()));
        assert_eq!(
            FakeSealer.open(other, &sealed),
            Err(KeyFailure("sealed for another row"))
        );
    }
}
