-- What a service of the operator's is to be told and has not taken yet: ids and fixed words. Where no such service is named the table stays
-- empty. `due_at` is the next attempt's time, or the end of the claim's lease.
CREATE TABLE event_outbox (
    id         BLOB    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    user_id    BLOB,
    device_id  BLOB,
    session_id BLOB,
    message_id BLOB,
    reason     TEXT,
    due_at     INTEGER NOT NULL,
    failures   INTEGER NOT NULL CHECK (failures >= 0),
    fence      INTEGER NOT NULL CHECK (fence >= 0),
    CHECK (length(id) = 16)
) STRICT;
CREATE INDEX event_outbox_due_at ON event_outbox (due_at);
CREATE INDEX event_outbox_user ON event_outbox (user_id) WHERE user_id IS NOT NULL;
