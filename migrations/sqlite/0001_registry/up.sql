-- Ids are 16-byte BLOBs (UUIDv7), instants INTEGER microseconds since the Unix epoch, documents JSON text.
-- Every referencing column of a foreign key is indexed.

CREATE TABLE users (
    id                     BLOB    NOT NULL PRIMARY KEY,
    phone                  TEXT    UNIQUE,
    country_code           INTEGER,
    username               TEXT,
    username_key           TEXT    UNIQUE,
    username_changed_at    INTEGER,
    profile                TEXT    NOT NULL,
    signup_source          TEXT,
    signup_campaign        TEXT,
    timezone               TEXT,
    deletion_status        TEXT,
    deletion_requested_at  INTEGER,
    deletion_scheduled_for INTEGER,
    deletion_cancelled_at  INTEGER,
    deletion_finalized_at  INTEGER,
    last_login_at          INTEGER NOT NULL,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL,
    CHECK (length(id) = 16),
    CHECK ((phone IS NULL) = (country_code IS NULL)),
    CHECK ((username IS NULL) = (username_key IS NULL))
) STRICT;

-- When a phone was last sent a code, whether or not it belongs to anybody.
CREATE TABLE otp_phones (
    phone        TEXT    NOT NULL PRIMARY KEY,
    last_sent_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE otp_sessions (
    id            BLOB    NOT NULL PRIMARY KEY,
    phone         TEXT    NOT NULL,
    country_code  INTEGER NOT NULL,
    purpose       TEXT    NOT NULL,
    key_id        TEXT    NOT NULL,
    mac           BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    used_at       INTEGER,
    superseded_at INTEGER,
    CHECK (length(id) = 16),
    CHECK (length(mac) = 32)
) STRICT;
-- At most one current code per (phone, purpose).
CREATE UNIQUE INDEX otp_sessions_current ON otp_sessions (phone, purpose) WHERE superseded_at IS NULL;
CREATE INDEX otp_sessions_expires_at ON otp_sessions (expires_at);

CREATE TABLE sessions (
    id                  BLOB    NOT NULL PRIMARY KEY,
    user_id             BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    counter             INTEGER NOT NULL,
    salt                BLOB    NOT NULL,
    rotated_at          INTEGER NOT NULL,
    fingerprint         TEXT,
    device_id           TEXT,
    user_agent          TEXT,
    ip                  TEXT,
    created_at          INTEGER NOT NULL,
    last_used_at        INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL,
    absolute_expires_at INTEGER NOT NULL,
    ended_at            INTEGER,
    end_reason          TEXT,
    CHECK (length(id) = 16),
    CHECK (length(salt) = 16),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;
CREATE INDEX sessions_user_id_ended_at ON sessions (user_id, ended_at);

CREATE TABLE devices (
    id           BLOB    NOT NULL PRIMARY KEY,
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id    TEXT    NOT NULL,
    platform     TEXT    NOT NULL,
    environment  TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    timezone     TEXT,
    mobile       TEXT    NOT NULL,
    web          TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    UNIQUE (user_id, device_id),
    CHECK (length(id) = 16)
) STRICT;
CREATE INDEX devices_newest ON devices (user_id, created_at DESC, id DESC);

-- What belongs to one user at a time. A token or subscription refers to its address together with its owner,
-- so that a value with two owners cannot be written.
CREATE TABLE push_addresses (
    provider   TEXT    NOT NULL,
    value_hash BLOB    NOT NULL,
    owner      BLOB    NOT NULL,
    moved_at   INTEGER NOT NULL,
    PRIMARY KEY (provider, value_hash),
    UNIQUE (provider, value_hash, owner),
    CHECK (length(value_hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE push_tokens (
    id          BLOB    NOT NULL PRIMARY KEY,
    user_id     BLOB    NOT NULL,
    device_id   BLOB    NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    session_id  BLOB    NOT NULL REFERENCES sessions (id),
    provider    TEXT    NOT NULL,
    app         TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    activity_id TEXT    NOT NULL DEFAULT '',
    stream_id   TEXT,
    value_hash  BLOB    NOT NULL,
    sealed      BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (device_id, provider, app, kind, activity_id),
    FOREIGN KEY (provider, value_hash, user_id) REFERENCES push_addresses (provider, value_hash, owner),
    CHECK ((kind = 'live_activity') = (activity_id <> '')),
    CHECK ((kind = 'live_activity') = (stream_id IS NOT NULL)),
    CHECK (length(id) = 16)
) STRICT;
-- Live activities alone have a stream. A prepared statement can use this index: no bound value is in its condition.
CREATE UNIQUE INDEX push_tokens_live_activity ON push_tokens (user_id, activity_id)
    WHERE stream_id IS NOT NULL;
CREATE INDEX push_tokens_address ON push_tokens (provider, value_hash);
CREATE INDEX push_tokens_session_id ON push_tokens (session_id);

CREATE TABLE subscriptions (
    id              BLOB    NOT NULL PRIMARY KEY,
    user_id         BLOB    NOT NULL,
    device_id       BLOB    NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    session_id      BLOB    NOT NULL REFERENCES sessions (id),
    provider        TEXT    NOT NULL DEFAULT 'webpush' CHECK (provider = 'webpush'),
    endpoint_hash   BLOB    NOT NULL UNIQUE,
    sealed_endpoint BLOB    NOT NULL,
    sealed_keys     BLOB    NOT NULL,
    vapid_key       TEXT    NOT NULL,
    device_name     TEXT,
    user_agent      TEXT,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER NOT NULL,
    FOREIGN KEY (provider, endpoint_hash, user_id) REFERENCES push_addresses (provider, value_hash, owner),
    CHECK (length(id) = 16)
) STRICT;
CREATE INDEX subscriptions_user_id ON subscriptions (user_id);
CREATE INDEX subscriptions_device_id ON subscriptions (device_id);
CREATE INDEX subscriptions_session_id ON subscriptions (session_id);

-- Only ever added to. Refers to nothing, since it outlives what it speaks of.
CREATE TABLE audit_events (
    id         BLOB    NOT NULL PRIMARY KEY,
    user_id    BLOB    NOT NULL,
    at         INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    session_id BLOB,
    device_id  BLOB,
    reason     TEXT,
    CHECK (length(id) = 16)
) STRICT;
CREATE INDEX audit_events_trail ON audit_events (user_id, id DESC);

CREATE TABLE keys (
    id         BLOB    NOT NULL PRIMARY KEY,
    usage      TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK (length(id) = 16)
) STRICT;
CREATE INDEX keys_newest ON keys (usage, created_at);
