//! Servers that hand their codes, or what happens, to a [`Receiver`].

use crate::{Receiver, Setup};

/// What a webhook's requests are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What events are signed with.
pub const EVENTS_SECRET: &str = "whsec_ZXZlbnRzLW9mLWEtc2VydmVyLWFyZS1zaWduZWQ=";

/// What Twilio's account is opened with.
pub const TWILIO_TOKEN: &str = "canary-token-of-twilios-account";

impl Setup {
    /// With codes sent by a webhook at `/codes`.
    #[must_use]
    pub fn webhook(self, receiver: &Receiver) -> Self {
        self.env("DOORBELL_SENDERS", "webhook")
            .env("DOORBELL_OTP_WEBHOOK_URL", &receiver.url("/codes"))
            .env("DOORBELL_OTP_WEBHOOK_SECRET", WEBHOOK_SECRET)
    }

    /// With events posted to `/events`.
    #[must_use]
    pub fn events(self, receiver: &Receiver) -> Self {
        self.env("DOORBELL_EVENTS_WEBHOOK", &receiver.url("/events"))
            .env("DOORBELL_EVENTS_WEBHOOK_SECRET", EVENTS_SECRET)
    }

    /// With codes sent by what stands in for Twilio.
    #[must_use]
    pub fn twilio(self, receiver: &Receiver) -> Self {
        self.env("DOORBELL_SENDERS", "twilio")
            .env("DOORBELL_TWILIO_BASE_URL", &receiver.url(""))
            .env("DOORBELL_TWILIO_ACCOUNT_SID", "AC0123")
            .env("DOORBELL_TWILIO_AUTH_TOKEN", TWILIO_TOKEN)
            .env("DOORBELL_TWILIO_FROM", "MG0123")
    }
}
