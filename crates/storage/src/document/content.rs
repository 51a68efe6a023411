//! What messages say: read and written whole, and sealed in between.

use doorbell_domain::message::{Content, Data, Notification};
use doorbell_domain::store::{Found, StoreError};
use serde::{Deserialize, Serialize};

use super::{Malformed, out, text};
use crate::parts::OrInconsistent;

/// The document that is sealed into `messages.sealed`.
pub(crate) fn content(content: &Content) -> Found<Vec<u8>> {
    serde_json::to_vec(&ContentDocument::from(content))
        .map_err(|_| StoreError::Failed("a message has no JSON".to_owned()))
}

/// Reads what was sealed into `messages.sealed`.
pub(crate) fn read_content(document: &[u8]) -> Found<Content> {
    let document: Option<ContentDocument> = serde_json::from_slice(document).ok();
    document
        .and_then(|document| Content::try_from(document).ok())
        .or_inconsistent("messages", "sealed")
}

/// Short names, since every message has one.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct ContentDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    badge: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sound: Option<String>,
    /// The object's own text, so that it is passed on to the byte as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

impl From<&Content> for ContentDocument {
    fn from(content: &Content) -> Self {
        let notification = content.notification();
        Self {
            title: out(notification.title.as_ref()),
            body: out(notification.body.as_ref()),
            image: out(notification.image.as_ref()),
            url: out(notification.url.as_ref()),
            badge: notification.badge,
            sound: out(notification.sound.as_ref()),
            data: content.data().map(|data| data.expose().to_owned()),
        }
    }
}

impl TryFrom<ContentDocument> for Content {
    type Error = Malformed;

    fn try_from(document: ContentDocument) -> Result<Self, Malformed> {
        let notification = Notification {
            title: text(document.title)?,
            body: text(document.body)?,
            image: text(document.image)?,
            url: text(document.url)?,
            badge: document.badge,
            sound: text(document.sound)?,
        };
        Self::new(notification, document.data.map(Data::restore)).ok_or(Malformed)
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::text::Text;

    use super::*;
    use crate::parts::inconsistent;

    fn t(text: &str) -> Option<Text> {
        Text::parse(text).ok()
    }

    fn full() -> Notification {
        Notification {
            title: t("title 😀"),
            body: t("body"),
            image: t("image"),
            url: t("url"),
            badge: Some(7),
            sound: t("sound"),
        }
    }

    #[test]
    fn what_a_message_says_reads_back_whole_and_its_data_to_the_byte() {
        let data = "{ \"b\": 1.0,\n\"a\": \"\\u00e9\" }";
        for said in [
            Content::new(full(), Some(Data::restore(data))),
            Content::new(full(), None),
            Content::new(Notification::default(), Some(Data::restore(data))),
        ] {
            let said = said.expect("something");
            let document = content(&said).expect("JSON");
            let read = read_content(&document).expect("a document");
            assert_eq!(read, said);
            assert_eq!(read.data().map(Data::expose), said.data().map(Data::expose));
        }
    }

    #[test]
    fn what_a_later_version_added_is_passed_over() {
        let read = read_content(b"{\"title\":\"t\",\"subtitle\":{\"a\":[1]}}").expect("a document");
        let title = Notification {
            title: t("t"),
            ..Notification::default()
        };
        assert_eq!(Some(read), Content::new(title, None));
    }

    #[test]
    fn a_document_that_says_nothing_or_nonsense_is_an_inconsistent_row() {
        for bad in [
            "",
            "{}",
            "[]",
            "null",
            "{\"subtitle\":\"new\"}",
            "{\"title\":\"\"}",
            "{\"badge\":-1}",
        ] {
            assert_eq!(
                read_content(bad.as_bytes()).map(drop),
                Err(inconsistent("messages", "sealed")),
                "{bad}"
            );
        }
    }
}
