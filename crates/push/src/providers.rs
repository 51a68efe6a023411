//! Who carries messages, as one.

use doorbell_domain::job::{Answer, Reason, Target};
use doorbell_domain::message::Content;
use doorbell_domain::ports::{BoxFuture, Push, PushSender};
use doorbell_domain::{MessageId, Provider};

use crate::web_push::WebPush;

/// The providers that messages are delivered by.
#[derive(Default)]
pub struct Providers {
    web_push: Option<WebPush>,
}

impl Providers {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the push services of browsers.
    #[must_use]
    pub fn browsers(mut self, web_push: WebPush) -> Self {
        self.web_push = Some(web_push);
        self
    }
}

impl PushSender for Providers {
    fn carries(&self, provider: Provider) -> bool {
        provider == Provider::WebPush && self.web_push.is_some()
    }

    fn fits(&self, id: MessageId, content: &Content) -> bool {
        self.web_push.is_none() || WebPush::fits(id, content)
    }

    fn send<'a>(&'a self, push: &'a Push) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            match (&push.target, &self.web_push) {
                (Target::Subscription(subscription), Some(web_push)) => {
                    web_push.send(push, subscription).await
                }
                _ => Answer::Refused(Reason::ProviderOff),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::message::{Data, Notification};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn who_is_not_there_carries_nothing_and_limits_nobody() {
        let nobody = Providers::new();
        assert!(Provider::ALL.iter().all(|provider| !nobody.carries(*provider)));
        let data = Data::restore(format!(r#"{{"x":"{}"}}"#, "x".repeat(9_000)));
        let content = Content::new(Notification::default(), Some(data)).expect("something");
        assert!(nobody.fits(MessageId::from_uuid(Uuid::nil()), &content));
    }
}
