//! The audit trail: what happened to whom, when and why. Lines are only ever added.

use crate::{AuditId, DeviceUid, SessionId, Timestamp, UserId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditAction {
    /// A session began.
    SignedIn,
    /// A wrong code was compared. The user is the one whose phone it was for, where there is one.
    CodeRefused,
    /// Too many wrong codes in a row: the phone is locked for a while.
    PhoneLocked,
    /// A session ended; the reason says why.
    SessionEnded,
    /// A fingerprint other than the pinned one was shown.
    ForeignFingerprint,
    /// A device was made.
    DeviceAdded,
    /// A device was revoked.
    DeviceRevoked,
    /// A revoked device was made active again.
    DeviceRevived,
    /// A push address came to this user from another.
    AddressGained,
    /// A push address left this user for another.
    AddressLost,
    /// A credential was removed by its user.
    CredentialRemoved,
    /// The account's deletion was asked for.
    DeletionRequested,
    /// The account's deletion was taken back.
    DeletionCancelled,
}

impl AuditAction {
    /// The name that rows carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::CodeRefused => "code_refused",
            Self::PhoneLocked => "phone_locked",
            Self::SessionEnded => "session_ended",
            Self::ForeignFingerprint => "foreign_fingerprint",
            Self::DeviceAdded => "device_added",
            Self::DeviceRevoked => "device_revoked",
            Self::DeviceRevived => "device_revived",
            Self::AddressGained => "address_gained",
            Self::AddressLost => "address_lost",
            Self::CredentialRemoved => "credential_removed",
            Self::DeletionRequested => "deletion_requested",
            Self::DeletionCancelled => "deletion_cancelled",
        }
    }
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
