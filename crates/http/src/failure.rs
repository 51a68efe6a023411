//! Everything that can go wrong with a request, as a closed set. One table a dialect answers it.

use std::borrow::Cow;
use std::sync::Arc;

use doorbell_application::{
    AccessError, AccountError, EndSessionError, MessageError, OwnMessageError, RefreshError, RemoveError,
    RequestCodeError, SendError, SubscribeError, TestPushError, VerifyCodeError,
};
use doorbell_domain::code::CodeRefusal;
use doorbell_domain::ports::KeyFailure;
use doorbell_domain::registration::Refusal;
use doorbell_domain::store::{RegisterError, StoreError};
use time::Duration;

/// A field that is missing or not what it must be. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadField {
    /// Its name on the wire.
    pub(crate) name: Cow<'static, str>,
    /// What it must be, as a phrase after the name.
    pub(crate) rule: String,
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No operation has this path.
    UnknownPath,
    /// The path has operations, with these methods only.
    MethodNotAllowed(Arc<str>),
    /// Nobody is signed in by what the request shows.
    Unauthenticated,
    /// Who is signed in may not do this.
    Forbidden,
    /// The body is larger than is read.
    TooLarge,
    /// The body did not arrive in time.
    Slow,
    /// The body is not JSON by its content type.
    UnsupportedMediaType,
    /// The body is not a JSON object.
    InvalidJson,
    /// Fields are missing or wrong, in the order of the operation's table.
    Invalid(Vec<BadField>),
    /// What the request names is not there.
    NotFound,
    /// What the request names is not in a state that allows this.
    Conflict,
    /// The device that the request names is not the caller's.
    UnknownDevice,
    /// The device that the request names is revoked.
    RevokedDevice,
    /// The caller has as many devices as a user may have.
    TooManyDevices,
    /// The device has as many tokens as a device may have.
    TooManyTokens,
    /// The idempotency key was used for another request.
    KeyReused,
    /// What the message says is more than a push carries.
    TooLargeForPush,
    /// No provider carries messages.
    PushOff,
    /// The caller has nothing that could ring.
    NoTokens,
    /// Too soon; again after this long.
    TooMany(Duration),
    /// The store, or another part that may be back soon, cannot be reached.
    Unavailable,
    /// A fault of this server.
    Internal,
}

impl Failure {
    /// One wrong field.
    pub(crate) fn field(name: &'static str, rule: impl std::fmt::Display) -> Self {
        Self::Invalid(vec![BadField {
            name: name.into(),
            rule: rule.to_string(),
        }])
    }

    /// Whether it was judged before anybody asked if the caller's session still lets them in, which
    /// outranks it, or before the first fingerprint that a session shows was kept.
    pub(crate) fn precedes_admission(&self) -> bool {
        matches!(
            self,
            Self::TooLarge
                | Self::Slow
                | Self::UnsupportedMediaType
                | Self::InvalidJson
                | Self::Invalid(_)
                | Self::NotFound
                // The store judged the session first, but a refused write pins no fingerprint.
                | Self::UnknownDevice
                | Self::RevokedDevice
                | Self::TooManyDevices
                | Self::TooManyTokens
        )
    }

    /// After how many whole seconds to try again, at least one, rounded up so that the wait is enough.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany(wait) => {
                let seconds = u64::try_from(wait.whole_seconds()).unwrap_or(0);
                Some((seconds + u64::from(wait.subsec_nanoseconds() > 0)).max(1))
            }
            Self::Unavailable => Some(1),
            _ => None,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "store unavailable");
                Self::Unavailable
            }
            StoreError::Conflict(_) => Self::Conflict,
            StoreError::Inconsistent { .. } | StoreError::Failed(_) => {
                tracing::error!(%error, "store failure");
                Self::Internal
            }
        }
    }
}

impl From<KeyFailure> for Failure {
    fn from(error: KeyFailure) -> Self {
        tracing::error!(%error, "key failure");
        Self::Internal
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::SessionOver => Self::Unauthenticated,
            AccessError::ForeignFingerprint => Self::Forbidden,
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Refused(Refusal::SessionOver) => Self::Unauthenticated,
            RegisterError::Refused(Refusal::ForeignFingerprint) => Self::Forbidden,
            RegisterError::Refused(Refusal::UnknownDevice) => Self::UnknownDevice,
            RegisterError::Refused(Refusal::RevokedDevice) => Self::RevokedDevice,
            RegisterError::Refused(Refusal::TooManyDevices) => Self::TooManyDevices,
            RegisterError::Refused(Refusal::TooManyTokens) => Self::TooManyTokens,
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<SubscribeError> for Failure {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::ForbiddenEndpoint => {
                Self::field("endpoint", "must be at a push service that this server sends to")
            }
            SubscribeError::ForeignKey => {
                Self::field("applicationServerKey", "must be the key that `vapid-key` gave")
            }
            SubscribeError::Register(error) => error.into(),
        }
    }
}

impl From<RequestCodeError> for Failure {
    fn from(error: RequestCodeError) -> Self {
        match error {
            RequestCodeError::NotServed => {
                Self::field("phoneNumber", "must be a number that codes are sent to")
            }
            RequestCodeError::TooMany(wait) => Self::TooMany(wait),
            RequestCodeError::Store(error) => error.into(),
        }
    }
}

impl From<VerifyCodeError> for Failure {
    fn from(error: VerifyCodeError) -> Self {
        match error {
            VerifyCodeError::Refused(CodeRefusal::Absent) => Self::NotFound,
            VerifyCodeError::Refused(CodeRefusal::Used | CodeRefusal::Spent) => Self::Conflict,
            VerifyCodeError::Refused(CodeRefusal::Wrong) => {
                Self::field("code", "must be the code that was sent")
            }
            VerifyCodeError::TooMany(wait) => Self::TooMany(wait),
            VerifyCodeError::Key(error) => error.into(),
            VerifyCodeError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Failure {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid => Self::Unauthenticated,
            RefreshError::TooMany(wait) => Self::TooMany(wait),
            RefreshError::Key(error) => error.into(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<EndSessionError> for Failure {
    fn from(error: EndSessionError) -> Self {
        match error {
            EndSessionError::Access(error) => error.into(),
            EndSessionError::Unknown => Self::NotFound,
        }
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Access(error) => error.into(),
            AccountError::Conflict(_) => Self::Conflict,
        }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::KeyReused => Self::KeyReused,
            SendError::TooLarge => Self::TooLargeForPush,
            SendError::TooFarAhead => Self::field("sendAt", "must be at most 30 days ahead"),
            SendError::TooManyJobs => Self::field("to", "must reach at most 50000 devices together"),
            SendError::Store(error) => error.into(),
        }
    }
}

impl From<MessageError> for Failure {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Unknown => Self::NotFound,
            MessageError::Store(error) => error.into(),
        }
    }
}

impl From<OwnMessageError> for Failure {
    fn from(error: OwnMessageError) -> Self {
        match error {
            OwnMessageError::Access(error) => error.into(),
            OwnMessageError::Message(error) => error.into(),
        }
    }
}

impl From<TestPushError> for Failure {
    fn from(error: TestPushError) -> Self {
        match error {
            TestPushError::Access(error) => error.into(),
            TestPushError::Off => Self::PushOff,
            TestPushError::NoTokens => Self::NoTokens,
            TestPushError::TooLarge => Self::TooLargeForPush,
            TestPushError::TooMany(wait) => Self::TooMany(wait),
        }
    }
}

impl From<RemoveError> for Failure {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::Access(error) => error.into(),
            RemoveError::Unknown => Self::NotFound,
        }
    }
}
