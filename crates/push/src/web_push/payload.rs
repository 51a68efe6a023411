//! What a browser decrypts.

use doorbell_domain::MessageId;
use doorbell_domain::message::{Content, Data, Notification};
use doorbell_domain::text::Text;
use serde_json::{Map, Value};

/// A message as JSON, for the page's service worker: `{"messageId", "notification", "data"}`. All three are always there, the last two
/// empty objects if there is nothing in them; `data` is passed through as it came.
pub(crate) fn payload(id: MessageId, content: &Content) -> String {
    let notification = seen(content.notification());
    let data = content.data().map_or("{}", Data::expose);
    format!(r#"{{"messageId":"{id}","notification":{notification},"data":{data}}}"#)
}

fn seen(notification: &Notification) -> Value {
    let Notification {
        title,
        body,
        image,
        url,
        badge,
        sound,
    } = notification;
    let text = |text: &Option<Text>| text.as_ref().map(|text| Value::from(text.as_str()));
    let parts = [
        ("title", text(title)),
        ("body", text(body)),
        ("image", text(image)),
        ("url", text(url)),
        ("badge", badge.map(Value::from)),
        ("sound", text(sound)),
    ];
    let given = parts
        .into_iter()
        .filter_map(|(name, part)| Some((name.to_owned(), part?)));
    Value::Object(given.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const ID: MessageId = MessageId::from_uuid(Uuid::from_u128(7));

    fn told(notification: Notification, data: Option<&str>) -> Value {
        let content = Content::new(notification, data.map(Data::restore)).expect("something");
        serde_json::from_str(&payload(ID, &content)).expect("JSON")
    }

    #[test]
    fn a_browser_is_told_what_was_given() {
        let text = |text: &str| Text::parse(text).ok();
        let everything = Notification {
            title: text("Your \"table\""),
            body: text("is ready 😀\n"),
            image: text("https://example.com/table.png"),
            url: text("/tables/7"),
            badge: Some(0),
            sound: text("bell"),
        };
        let id = ID.to_string();
        assert_eq!(
            told(everything, Some(r#"{"table": [7, null]}"#)),
            json!({"messageId": id, "notification": {"title": "Your \"table\"", "body": "is ready 😀\n",
                "image": "https://example.com/table.png", "url": "/tables/7", "badge": 0, "sound": "bell"},
                "data": {"table": [7, null]}})
        );
        assert_eq!(
            told(Notification::default(), Some("{}")),
            json!({"messageId": id, "notification": {}, "data": {}})
        );
        let title = Notification {
            title: text("Ding"),
            ..Notification::default()
        };
        assert_eq!(
            told(title, None),
            json!({"messageId": id, "notification": {"title": "Ding"}, "data": {}})
        );
    }
}
