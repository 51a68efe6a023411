-- One-time codes that no sender has taken yet, sealed. The id is the code's in otp_sessions; a phone has one row a purpose, since a
-- newer code takes the place of the one before. Rows live for seconds.
CREATE TABLE code_outbox (
    id           uuid PRIMARY KEY,
    phone        text COLLATE "C" NOT NULL,
    country_code smallint NOT NULL,
    purpose      text COLLATE "C" NOT NULL,
    language     text NOT NULL,
    sealed       bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    attempts     bigint NOT NULL CHECK (attempts >= 0),
    leased_until timestamptz,
    fence        bigint NOT NULL CHECK (fence >= 0),
    CONSTRAINT code_outbox_phone UNIQUE (phone, purpose)
);

CREATE INDEX code_outbox_due_at ON code_outbox (due_at);
CREATE INDEX code_outbox_expires_at ON code_outbox (expires_at);
