-- The registry. Ids, instants and hashes come from the program; nothing here has a default of its own making.
-- Keys are compared byte by byte (COLLATE "C"): what is unique must not hang on a locale.
-- Tables whose rows are rewritten in place leave room on their pages, so that a rewrite needs no index entry.

CREATE TABLE users (
    id                     uuid PRIMARY KEY,
    phone                  text COLLATE "C",
    country_code           smallint,
    username               text,
    username_key           text COLLATE "C",
    username_changed_at    timestamptz,
    profile                jsonb NOT NULL,
    signup_source          text,
    signup_campaign        text,
    timezone               text,
    deletion_status        text,
    deletion_requested_at  timestamptz,
    deletion_scheduled_for timestamptz,
    deletion_cancelled_at  timestamptz,
    deletion_finalized_at  timestamptz,
    last_login_at          timestamptz NOT NULL,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL,
    CONSTRAINT users_phone UNIQUE (phone),
    CONSTRAINT users_username UNIQUE (username_key),
    CONSTRAINT users_phone_whole CHECK ((phone IS NULL) = (country_code IS NULL)),
    CONSTRAINT users_username_whole CHECK ((username IS NULL) = (username_key IS NULL))
);

CREATE TABLE otp_phones (
    phone        text COLLATE "C" PRIMARY KEY,
    last_sent_at timestamptz
);

CREATE TABLE otp_sessions (
    id            uuid PRIMARY KEY,
    phone         text COLLATE "C" NOT NULL,
    country_code  smallint NOT NULL,
    purpose       text COLLATE "C" NOT NULL,
    key_id        text NOT NULL,
    mac           bytea NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    attempts      bigint NOT NULL CHECK (attempts >= 0),
    used_at       timestamptz,
    superseded_at timestamptz
);

CREATE UNIQUE INDEX otp_sessions_current ON otp_sessions (phone, purpose) WHERE superseded_at IS NULL;
CREATE INDEX otp_sessions_expires_at ON otp_sessions (expires_at);

-- Before sessions: when a user is deleted, the devices go first and take their tokens along, so that no token is left
-- to refer to a deleted session.
CREATE TABLE devices (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id    text COLLATE "C" NOT NULL,
    platform     text NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    environment  text NOT NULL,
    status       text NOT NULL CHECK (status IN ('active', 'revoked')),
    timezone     text,
    mobile       jsonb NOT NULL,
    web          jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    CONSTRAINT devices_name UNIQUE (user_id, device_id)
) WITH (fillfactor = 80);

CREATE INDEX devices_newest ON devices (user_id, created_at DESC, id DESC);

CREATE TABLE sessions (
    id                  uuid PRIMARY KEY,
    user_id             uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    counter             bigint NOT NULL CHECK (counter >= 0),
    salt                bytea NOT NULL,
    rotated_at          timestamptz NOT NULL,
    fingerprint         text,
    device_id           text,
    user_agent          text,
    ip                  text,
    created_at          timestamptz NOT NULL,
    last_used_at        timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    absolute_expires_at timestamptz NOT NULL,
    ended_at            timestamptz,
    end_reason          text,
    CONSTRAINT sessions_end_whole CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) WITH (fillfactor = 80);

CREATE INDEX sessions_of_user ON sessions (user_id, ended_at);

-- Who may be rung where. One row an address makes its one owner a constraint: whatever refers to an address
-- refers to its owner too.
CREATE TABLE push_addresses (
    provider   text COLLATE "C" NOT NULL CHECK (provider IN ('apns', 'fcm', 'webpush')),
    value_hash bytea NOT NULL CHECK (octet_length(value_hash) = 32),
    owner      uuid NOT NULL,
    moved_at   timestamptz NOT NULL,
    PRIMARY KEY (provider, value_hash),
    CONSTRAINT push_addresses_owner UNIQUE (provider, value_hash, owner)
);

CREATE TABLE push_tokens (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL,
    device_id   uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    session_id  uuid NOT NULL REFERENCES sessions (id),
    provider    text COLLATE "C" NOT NULL,
    app         text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('alert', 'push_to_start', 'live_activity')),
    -- Empty for other kinds: a column that may be null could not make the place unique.
    activity_id text COLLATE "C" NOT NULL DEFAULT '',
    stream_id   text,
    value_hash  bytea NOT NULL,
    sealed      bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT push_tokens_place UNIQUE (device_id, provider, app, kind, activity_id),
    CONSTRAINT push_tokens_activity_whole CHECK ((kind = 'live_activity') = (activity_id <> '')),
    CONSTRAINT push_tokens_stream_whole CHECK ((kind = 'live_activity') = (stream_id IS NOT NULL)),
    CONSTRAINT push_tokens_owner FOREIGN KEY (provider, value_hash, user_id)
        REFERENCES push_addresses (provider, value_hash, owner)
) WITH (fillfactor = 80);

-- Live activities alone have a stream. A prepared statement can use this index: no bound value is in its condition.
CREATE UNIQUE INDEX push_tokens_live_activity ON push_tokens (user_id, activity_id) WHERE stream_id IS NOT NULL;
CREATE INDEX push_tokens_address ON push_tokens (provider, value_hash);
CREATE INDEX push_tokens_session ON push_tokens (session_id);

CREATE TABLE subscriptions (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL,
    device_id       uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    session_id      uuid NOT NULL REFERENCES sessions (id),
    provider        text COLLATE "C" NOT NULL DEFAULT 'webpush' CHECK (provider = 'webpush'),
    endpoint_hash   bytea NOT NULL,
    sealed_endpoint bytea NOT NULL,
    sealed_keys     bytea NOT NULL,
    vapid_key       text NOT NULL,
    device_name     text,
    user_agent      text,
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz NOT NULL,
    CONSTRAINT subscriptions_endpoint UNIQUE (endpoint_hash),
    CONSTRAINT subscriptions_owner FOREIGN KEY (provider, endpoint_hash, user_id)
        REFERENCES push_addresses (provider, value_hash, owner)
) WITH (fillfactor = 80);

CREATE INDEX subscriptions_user ON subscriptions (user_id);
CREATE INDEX subscriptions_device ON subscriptions (device_id);
CREATE INDEX subscriptions_session ON subscriptions (session_id);

-- Refers to nothing: the trail outlives what it speaks of.
CREATE TABLE audit_events (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    at         timestamptz NOT NULL,
    action     text NOT NULL,
    session_id uuid,
    device_id  uuid,
    reason     text
);

CREATE INDEX audit_events_trail ON audit_events (user_id, id DESC);

CREATE TABLE keys (
    id         uuid PRIMARY KEY,
    usage      text COLLATE "C" NOT NULL,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE INDEX keys_newest ON keys (usage, created_at);
