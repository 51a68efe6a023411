//! The audit trail: what happened to whom, when and why. Lines are only ever added, and go when they are old
//! ([`Retention`](crate::retention::Retention)).

use crate::{AuditId, DeviceUid, SessionId, Timestamp, UserId};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum AuditAction { $($(#[$doc])* $name,)* }

        impl AuditAction {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name that rows and answers carry.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

actions! {
    /// A session began.
    SignedIn = "signed_in",
    /// A wrong code was compared. The user is the one whose phone it was for, where there is one.
    CodeRefused = "code_refused",
    /// Too many wrong codes in a row: the phone is locked for a while.
    PhoneLocked = "phone_locked",
    /// A session ended; the reason says why.
    SessionEnded = "session_ended",
    /// A fingerprint other than the pinned one was shown.
    ForeignFingerprint = "foreign_fingerprint",
    /// A device was made.
    DeviceAdded = "device_added",
    /// A device was revoked.
    DeviceRevoked = "device_revoked",
    /// A revoked device was made active again.
    DeviceRevived = "device_revived",
    /// A push address came to this user from another.
    AddressGained = "address_gained",
    /// A push address left this user for another.
    AddressLost = "address_lost",
    /// A credential that had been silenced by the end of its session, or was suspected to be gone, was registered again.
    CredentialRevived = "credential_revived",
    /// A credential was removed by its user.
    CredentialRemoved = "credential_removed",
    /// A provider said that a credential is gone: it is rung no more unless that proves wrong.
    CredentialSuspect = "credential_suspect",
    /// It said so again, and the credential was removed.
    CredentialDead = "credential_dead",
    /// The account's deletion was asked for.
    DeletionRequested = "deletion_requested",
    /// The account's deletion was taken back.
    DeletionCancelled = "deletion_cancelled",
    /// The account's deletion was carried out.
    DeletionFinalized = "deletion_finalized",
}

/// A line of the trail. Holds ids and fixed words only, never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// The line's identity, in order of time.
    pub id: AuditId,
    /// Whose trail it is on.
    pub user: UserId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub action: AuditAction,
    /// Under which session.
    pub session: Option<SessionId>,
    /// To which device.
    pub device: Option<DeviceUid>,
    /// Why: the name of an [`EndReason`](crate::session::EndReason), or of a provider.
    pub reason: Option<&'static str>,
}
