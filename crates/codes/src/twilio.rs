//! Twilio's Programmable Messaging.

use std::sync::Arc;

use doorbell_domain::outbox::SendOutcome;
use doorbell_domain::ports::{BoxFuture, CodeSender};
use doorbell_domain::secret::Secret;
use doorbell_domain::{Clock, CodeDelivery};
use doorbell_outward::Outward;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::post;
use crate::wording::Wording;

/// Whose account it is.
#[derive(Clone, Debug)]
pub struct TwilioAccount {
    sid: String,
    token: Secret,
}

impl TwilioAccount {
    /// An account by its SID, which is letters and digits, and its token; `None` if they cannot be.
    pub fn new(sid: &str, token: &str) -> Option<Self> {
        let well_formed = !sid.is_empty() && sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (well_formed && !token.is_empty()).then(|| Self {
            sid: sid.to_owned(),
            token: Secret::new(token),
        })
    }
}

/// What a message is sent from: a number in E.164, a name that the account may use, or a messaging service, which picks
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The form's field for it.
    field: &'static str,
    value: String,
}

impl Origin {
    /// What begins with `MG` is a messaging service; `None` for nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let field = if text.starts_with("MG") {
            "MessagingServiceSid"
        } else {
            "From"
        };
        (!text.is_empty()).then(|| Self {
            field,
            value: text.to_owned(),
        })
    }
}

/// Sends codes as text messages by Twilio's `Messages` resource.
pub struct Twilio {
    messages: Url,
    account: TwilioAccount,
    origin: Origin,
    wording: Wording,
    outward: Outward,
    clock: Arc<dyn Clock>,
}

impl Twilio {
    /// A sender on `account`, at the API that `base` is the root of.
    pub fn new(
        base: &Url,
        account: TwilioAccount,
        origin: Origin,
        wording: Wording,
        outward: Outward,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut messages = base.clone();
        let folder = base.path().trim_end_matches('/');
        messages.set_path(&format!(
            "{folder}/2010-04-01/Accounts/{}/Messages.json",
            account.sid
        ));
        Self {
            messages,
            account,
            origin,
            wording,
            outward,
            clock,
        }
    }
}

impl CodeSender for Twilio {
    fn send<'a>(&'a self, delivery: &'a CodeDelivery) -> BoxFuture<'a, SendOutcome> {
        Box::pin(async move {
            let form = Serializer::new(String::new())
                .append_pair("To", &delivery.phone.e164())
                .append_pair(self.origin.field, &self.origin.value)
                .append_pair("Body", &self.wording.text(delivery))
                .finish();
            let request = self
                .outward
                .post(
                    &self.messages,
                    "application/x-www-form-urlencoded",
                    form.into_bytes(),
                )
                .basic_auth(&self.account.sid, Some(self.account.token.expose()));
            post::send(request, self.clock.as_ref()).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use doorbell_domain::outbox::SendFailure;

    use doorbell_testkit::scripted::{Reply, Scripted};

    use super::*;
    use crate::samples::{Fixed, delivery, wording};

    fn twilio(base: &Url, origin: &str) -> Twilio {
        let account = TwilioAccount::new("AC0123", "a token: of sorts").expect("an account");
        let origin = Origin::parse(origin).expect("an origin");
        let outward = Outward::new().expect("a client");
        Twilio::new(base, account, origin, wording(), outward, Arc::new(Fixed))
    }

    #[tokio::test]
    async fn a_message_is_posted_as_a_form() {
        for (origin, field) in [
            ("+15550001111", "From"),
            ("Doorbell", "From"),
            ("MG0123", "MessagingServiceSid"),
        ] {
            let mut server = Scripted::start([Reply::Status(201)]).await;
            let outcome = twilio(&server.url("/"), origin).send(&delivery()).await;
            assert_eq!(outcome, SendOutcome::Accepted);
            let received = server.next().await;
            assert_eq!(
                received.line,
                "POST /2010-04-01/Accounts/AC0123/Messages.json HTTP/1.1"
            );
            assert_eq!(
                received.header("content-type"),
                "application/x-www-form-urlencoded"
            );
            // `AC0123:a token: of sorts`
            assert_eq!(
                received.header("authorization"),
                "Basic QUMwMTIzOmEgdG9rZW46IG9mIHNvcnRz"
            );
            let form: BTreeMap<String, String> =
                url::form_urlencoded::parse(&received.body).into_owned().collect();
            let expected = BTreeMap::from([
                ("To".to_owned(), "+905551234567".to_owned()),
                (field.to_owned(), origin.to_owned()),
                (
                    "Body".to_owned(),
                    "Your Doorbell code is 012345. Do not give it to anybody.".to_owned(),
                ),
            ]);
            assert_eq!(form, expected);
        }
    }

    #[tokio::test]
    async fn a_base_may_have_a_path_of_its_own() {
        let mut server = Scripted::start([Reply::Status(401)]).await;
        let outcome = twilio(&server.url("/proxy/"), "MG1").send(&delivery()).await;
        assert_eq!(outcome, SendOutcome::Refused(SendFailure::Answered(401)));
        let received = server.next().await;
        assert_eq!(
            received.line,
            "POST /proxy/2010-04-01/Accounts/AC0123/Messages.json HTTP/1.1"
        );
    }

    #[test]
    fn an_account_that_would_leave_its_path_is_none() {
        assert!(TwilioAccount::new("AC/../x", "token").is_none());
        assert!(TwilioAccount::new("", "token").is_none());
        assert!(TwilioAccount::new("AC1", "").is_none());
        let account = TwilioAccount::new("AC1", "s3ntinel").expect("an account");
        assert!(!format!("{account:?}").contains("s3ntinel"));
    }
}
