-- What a service of the operator's is to be told and has not taken yet: ids and fixed words. Where no such service is named the table stays
-- empty. `due_at` is the next attempt's time, or the end of the claim's lease.
CREATE TABLE event_outbox (
    id         uuid PRIMARY KEY,
    kind       text COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL,
    user_id    uuid,
    device_id  uuid,
    session_id uuid,
    message_id uuid,
    reason     text COLLATE "C",
    due_at     timestamptz NOT NULL,
    failures   bigint NOT NULL CHECK (failures >= 0),
    fence      bigint NOT NULL CHECK (fence >= 0)
);

CREATE INDEX event_outbox_due_at ON event_outbox (due_at);
CREATE INDEX event_outbox_user ON event_outbox (user_id) WHERE user_id IS NOT NULL;
