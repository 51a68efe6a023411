//! What is left in the outbox of events.

use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use doorbell_domain::event::Event;
use doorbell_domain::{DeviceUid, MessageId, SessionId, UserId};
use uuid::Uuid;

use crate::moment::Moment;
use crate::statement::statement;

statement! {
    /// Leaves events to be told, due at once, and each once: a batch whose commit was not answered is done again.
    Announce:
    "INSERT INTO event_outbox (id, kind, at, user_id, device_id, session_id, message_id, reason, due_at, failures, fence)
    SELECT told.*, told.at, 0, 0 FROM unnest("
    [ids: Vec<Uuid> => Array<SqlUuid>] ", " [kinds: Vec<&'static str> => Array<Text>] ", "
    [at: Vec<Moment> => Array<Timestamptz>] ", " [users: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>] ", "
    [devices: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>] ", "
    [sessions: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>] ", "
    [messages: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>] ", "
    [reasons: Vec<Option<String>> => Array<Nullable<Text>>]
    ") AS told (id, kind, at, user_id, device_id, session_id, message_id, reason) ON CONFLICT (id) DO NOTHING"
}

impl Announce {
    /// The statement that leaves these events; `None` for none, so that nobody is asked for nothing.
    pub(crate) fn of(events: &[Event]) -> Option<Self> {
        let all = || events.iter();
        (!events.is_empty()).then(|| Self {
            ids: all().map(|event| event.id).collect(),
            kinds: all().map(|event| event.kind.name()).collect(),
            at: all().map(|event| Moment(event.at)).collect(),
            users: all().map(|event| event.user.map(UserId::uuid)).collect(),
            devices: all().map(|event| event.device.map(DeviceUid::uuid)).collect(),
            sessions: all().map(|event| event.session.map(SessionId::uuid)).collect(),
            messages: all().map(|event| event.message.map(MessageId::uuid)).collect(),
            reasons: all().map(|event| event.reason.clone()).collect(),
        })
    }
}
