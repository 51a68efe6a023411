//! Bounded texts that clients choose.

use thiserror::Error;

/// Why a text was refused. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    /// An empty text is not a value.
    #[error("must not be empty")]
    Empty,
    /// Longer than `max` bytes of UTF-8.
    #[error("must be at most {max} bytes long")]
    TooLong {
        /// The bound in bytes.
        max: usize,
    },
    /// U+0000, which no database text can hold.
    #[error("must not contain a NUL character")]
    Nul,
}

/// Checks the form that every text of a client shares: 1 to `max` bytes, no NUL.
pub fn check(text: &str, max: usize) -> Result<(), TextError> {
    if text.is_empty() {
        Err(TextError::Empty)
    } else if text.len() > max {
        Err(TextError::TooLong { max })
    } else if text.contains('\0') {
        Err(TextError::Nul)
    } else {
        Ok(())
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $max:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The longest value, in bytes.
            pub const MAX: usize = $max;

            /// Accepts 1 to [`Self::MAX`] bytes without NUL.
            pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                check(&text, Self::MAX)?;
                Ok(Self(text))
            }

            /// The text as the client sent it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}

texts! {
    /// A device's name for itself, unique within its user.
    DeviceId: 256;
    /// The application that a push token belongs to, Rocket.Chat's `appName`.
    AppName: 256;
    /// A Live Activity's own identity.
    ActivityId: 256;
    /// The stream that a Live Activity shows.
    StreamId: 256;
    /// Where the application was built for: `production`, `sandbox`, `development`, or the client's own word.
    Environment: 256;
    /// What `x-fingerprint-id` says of the installation that speaks.
    Fingerprint: 256;
    /// Of waiting messages with one key a device is shown the last (RFC 8030 §5.4); as long as an `apns-collapse-id` may be.
    CollapseKey: 64;
    /// What a client calls a request, the same each time it repeats it.
    IdempotencyKey: 255;
    /// What an operator calls an API key, unique among those that are not revoked.
    ApiKeyName: 64;
    /// Any other text of a client.
    Text: 1024;
}

impl AppName {
    /// The application of those dialects that name none.
    pub fn default_app() -> Self {
        Self("default".to_owned())
    }
}

impl DeviceId {
    /// The name of a device that was made for a credential: the credential's own id.
    pub fn of_row(id: uuid::Uuid) -> Self {
        Self(id.as_hyphenated().to_string())
    }
}

impl Environment {
    /// The environment of those dialects that name none.
    pub fn production() -> Self {
        Self("production".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_bytes_and_the_bounds_are_inclusive() {
        assert_eq!(DeviceId::parse(""), Err(TextError::Empty));
        assert!(DeviceId::parse("x".repeat(256)).is_ok());
        assert_eq!(
            DeviceId::parse("x".repeat(257)),
            Err(TextError::TooLong { max: 256 })
        );
        assert!(DeviceId::parse("😀".repeat(64)).is_ok());
        assert_eq!(
            DeviceId::parse("😀".repeat(65)),
            Err(TextError::TooLong { max: 256 })
        );
        assert_eq!(DeviceId::parse("a\0b"), Err(TextError::Nul));
    }
}
