//! The key pair by which this server names itself to push services (RFC 8292).

use std::fmt;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use doorbell_domain::Entropy;
use doorbell_domain::ports::{KeyFailure, VapidKeys};
use uuid::Uuid;
use zeroize::Zeroizing;

/// A key pair on P-256, named by the id of its row. Its private half stays sealed in the row.
#[derive(Clone, PartialEq, Eq)]
pub struct VapidKey {
    id: String,
    public: [u8; 65],
}

impl VapidKey {
    /// A private scalar for a new key pair: 32 octets, drawn again in the one case of 2³² where they are no number
    /// from 1 to the curve's order (FIPS 186-5 A.2.2).
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Zeroizing<[u8; 32]>, KeyFailure> {
        // A source that gives four of those in a row is no source.
        for _ in 0..4 {
            let scalar = Zeroizing::new(entropy.bytes());
            if public_of(&scalar).is_ok() {
                return Ok(scalar);
            }
        }
        Err(KeyFailure("no P-256 scalar was drawn"))
    }

    /// The key pair of `scalar`, under the name `id`.
    pub fn restore(id: Uuid, scalar: &[u8; 32]) -> Result<Self, KeyFailure> {
        Ok(Self {
            id: id.as_hyphenated().to_string(),
            public: public_of(scalar)?,
        })
    }
}

fn public_of(scalar: &[u8; 32]) -> Result<[u8; 65], KeyFailure> {
    let private = PrivateKey::from_private_key(&ECDH_P256, scalar).map_err(|_| KeyFailure("P-256 scalar"))?;
    let public = private
        .compute_public_key()
        .map_err(|_| KeyFailure("P-256 key"))?;
    public.as_ref().try_into().map_err(|_| KeyFailure("P-256 point"))
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VapidKey({})", self.id)
    }
}

/// The key that browsers subscribe under.
#[derive(Clone, Debug)]
pub struct Vapid {
    current: VapidKey,
}

impl Vapid {
    /// Names this server by `current`.
    pub const fn new(current: VapidKey) -> Self {
        Self { current }
    }
}

impl VapidKeys for Vapid {
    fn current_id(&self) -> &str {
        &self.current.id
    }

    fn current_public(&self) -> &[u8; 65] {
        &self.current.public
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The application server's scalar and point of RFC 8291, Appendix A.
    const SCALAR: [u8; 32] = [
        0xc9, 0xf5, 0x8f, 0x89, 0x81, 0x3e, 0x9f, 0x8e, 0x87, 0x2e, 0x71, 0xf4, 0x2a, 0xa6, 0x4e, 0x17, 0x57,
        0xc9, 0x25, 0x4d, 0xcc, 0x62, 0xb7, 0x2d, 0xdc, 0x01, 0x0b, 0xb4, 0x04, 0x3e, 0xa1, 0x1c,
    ];
    const POINT: [u8; 65] = [
        0x04, 0xfe, 0x33, 0xf4, 0xab, 0x0d, 0xea, 0x71, 0x91, 0x4d, 0xb5, 0x58, 0x23, 0xf7, 0x3b, 0x54, 0x94,
        0x8f, 0x41, 0x30, 0x6d, 0x92, 0x07, 0x32, 0xdb, 0xb9, 0xa5, 0x9a, 0x53, 0x28, 0x64, 0x82, 0x20, 0x0e,
        0x59, 0x7a, 0x7b, 0x7b, 0xc2, 0x60, 0xba, 0x1c, 0x22, 0x79, 0x98, 0x58, 0x09, 0x92, 0xe9, 0x39, 0x73,
        0x00, 0x2f, 0x30, 0x12, 0xa2, 0x8a, 0xe8, 0xf0, 0x6b, 0xbb, 0x78, 0xe5, 0xec, 0x0f,
    ];

    #[test]
    fn the_public_half_is_the_standards() {
        let key = VapidKey::restore(Uuid::nil(), &SCALAR).expect("a scalar");
        let vapid = Vapid::new(key);
        assert_eq!(vapid.current_public(), &POINT);
        assert_eq!(vapid.current_id(), "00000000-0000-0000-0000-000000000000");
    }

    /// Gives its draws in order, then repeats the last.
    struct Draws(Mutex<Vec<[u8; 32]>>);

    impl Entropy for Draws {
        fn fill(&self, bytes: &mut [u8]) {
            let mut draws = self.0.lock().expect("not poisoned");
            let draw = if draws.len() > 1 {
                draws.remove(0)
            } else {
                draws[0]
            };
            bytes.copy_from_slice(&draw);
        }
    }

    #[test]
    fn a_draw_that_is_no_scalar_is_drawn_again_but_not_for_ever() {
        let draws = Draws(Mutex::new(vec![[0; 32], [0xff; 32], SCALAR]));
        assert_eq!(VapidKey::draw(&draws).as_deref(), Ok(&SCALAR));
        let broken = Draws(Mutex::new(vec![[0; 32]]));
        assert!(VapidKey::draw(&broken).is_err());
    }
}
