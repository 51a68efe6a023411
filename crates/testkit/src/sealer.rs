//! A sealer that hides nothing from anybody who looks, but keeps the port's promises.

use doorbell_domain::ports::{KeyFailure, Sealer};
use doorbell_domain::sealed::SealedPlace;

/// Writes the place before the flipped bytes, and opens nothing for another place. It has one secret only.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeSealer;

impl Sealer for FakeSealer {
    fn seal(&self, place: SealedPlace, plain: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let flipped = plain.iter().map(|byte| !byte);
        Ok(place.binding().into_iter().chain(flipped).collect())
    }

    fn open(&self, place: SealedPlace, sealed: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let flipped = sealed
            .strip_prefix(place.binding().as_slice())
            .ok_or(KeyFailure("sealed for another place"))?;
        Ok(flipped.iter().map(|byte| !byte).collect())
    }

    fn is_current(&self, _sealed: &[u8]) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::sealed::SealedColumn;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_sealed_for_one_place_opens_for_no_other() {
        let place = SealedPlace {
            column: SealedColumn::PushTokens,
            row: Uuid::from_u128(1),
        };
        let sealed = FakeSealer.seal(place, b"value").expect("sealed");
        assert!(!sealed.windows(5).any(|window| window == b"value"));
        assert_eq!(FakeSealer.open(place, &sealed), Ok(b"value".to_vec()));
        let other_row = SealedPlace {
            row: Uuid::from_u128(2),
            ..place
        };
        let other_column = SealedPlace {
            column: SealedColumn::SubscriptionKeys,
            ..place
        };
        for other in [other_row, other_column] {
            assert_eq!(
                FakeSealer.open(other, &sealed),
                Err(KeyFailure("sealed for another place"))
            );
        }
    }
}
