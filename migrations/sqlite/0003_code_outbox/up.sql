-- One-time codes that no sender has taken yet, sealed. The id is the code's in otp_sessions; a phone has one row a purpose, since a
-- newer code takes the place of the one before. Rows live for seconds.
CREATE TABLE code_outbox (
    id           BLOB    NOT NULL PRIMARY KEY,
    phone        TEXT    NOT NULL,
    country_code INTEGER NOT NULL,
    purpose      TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    sealed       BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL CHECK (attempts >= 0),
    leased_until INTEGER,
    fence        INTEGER NOT NULL CHECK (fence >= 0),
    UNIQUE (phone, purpose),
    CHECK (length(id) = 16)
) STRICT;
CREATE INDEX code_outbox_due_at ON code_outbox (due_at);
CREATE INDEX code_outbox_expires_at ON code_outbox (expires_at);
