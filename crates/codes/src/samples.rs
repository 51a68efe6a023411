//! What the senders' tests send.

use doorbell_domain::code::Purpose;
use doorbell_domain::{Clock, Code, CodeDelivery, Language, OtpSessionId, PhoneNumber, Timestamp};
use uuid::Uuid;

use crate::wording::{Autofill, Title, Wording};

/// A code for an English phone in Türkiye.
pub(crate) fn delivery() -> CodeDelivery {
    CodeDelivery {
        id: OtpSessionId::from_uuid(Uuid::from_u128(0x0192_f0c1_2b3d_7c4e_8f50_1234_5678_9abc)),
        phone: PhoneNumber::from_parts(90, "5551234567").expect("well-formed"),
        purpose: Purpose::SignIn,
        language: Language::English,
        code: Code::parse("012345").expect("digits"),
        created_at: Timestamp::from_micros(1_789_999_700_000_000),
        expires_at: Timestamp::from_micros(1_790_000_000_000_000),
    }
}

/// The wording of an application called Doorbell.
pub(crate) fn wording() -> Wording {
    Wording::new(Title::parse("Doorbell").expect("a title"), Autofill::OFF)
}

/// A clock that stands still.
pub(crate) struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_789_999_701_000_000)
    }
}
