//! Points on P-256.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use doorbell_domain::web_push::CurvePoints;

/// NIST's curve P-256 (SEC 2 §2.4.2, secp256r1), as AWS-LC computes on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct P256;

impl CurvePoints for P256 {
    fn is_on_p256(&self, point: &[u8; 65]) -> bool {
        // The parser also reads DER; of 65 octets only the uncompressed form is meant.
        point.first() == Some(&0x04) && ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The receiver's public key of RFC 8291, Appendix A.
    const POINT: [u8; 65] = [
        0x04, 0x25, 0x71, 0xb2, 0xbe, 0xcd, 0xfd, 0xe3, 0x60, 0x55, 0x1a, 0xaf, 0x1e, 0xd0, 0xf4, 0xcd, 0x36,
        0x6c, 0x11, 0xce, 0xbe, 0x55, 0x5f, 0x89, 0xbc, 0xb7, 0xb1, 0x86, 0xa5, 0x33, 0x39, 0x17, 0x31, 0x68,
        0xec, 0xe2, 0xeb, 0xe0, 0x18, 0x59, 0x7b, 0xd3, 0x04, 0x79, 0xb8, 0x6e, 0x3c, 0x8f, 0x8e, 0xce, 0xd5,
        0x77, 0xca, 0x59, 0x18, 0x7e, 0x92, 0x46, 0x99, 0x0d, 0xb6, 0x82, 0x00, 0x8b, 0x0e,
    ];

    #[test]
    fn a_browsers_key_is_on_the_curve() {
        assert!(P256.is_on_p256(&POINT));
    }

    #[test]
    fn a_point_beside_the_curve_is_not() {
        for at in 0..POINT.len() {
            let mut point = POINT;
            point[at] ^= 1;
            assert!(!P256.is_on_p256(&point), "octet {at}");
        }
        let mut infinity = [0; 65];
        assert!(!P256.is_on_p256(&infinity));
        infinity[0] = 4;
        assert!(!P256.is_on_p256(&infinity), "(0, 0)");
        let mut beyond = [0xff; 65];
        beyond[0] = 4;
        assert!(!P256.is_on_p256(&beyond), "coordinates past the field's prime");
    }
}
