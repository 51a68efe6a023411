-- Messages and their delivery.

-- Keys by which back ends send, hashed: 32 random bytes need no more. A revoked key frees its name.
CREATE TABLE api_keys (
    id         uuid PRIMARY KEY,
    name       text COLLATE "C" NOT NULL,
    hash       bytea NOT NULL CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT api_keys_hash UNIQUE (hash)
);

CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

CREATE TABLE messages (
    id           uuid PRIMARY KEY,
    api_key      uuid,
    sealed       bytea NOT NULL,
    urgency      text COLLATE "C" NOT NULL,
    collapse_key text COLLATE "C",
    ttl          bigint NOT NULL CHECK (ttl >= 0),
    created_at   timestamptz NOT NULL,
    send_at      timestamptz NOT NULL,
    cancelled_at timestamptz,
    -- How many jobs it has, and how many of them are not over.
    jobs         bigint NOT NULL CHECK (jobs >= 0),
    open_jobs    bigint NOT NULL CHECK (open_jobs BETWEEN 0 AND jobs)
) WITH (fillfactor = 80);

CREATE TABLE idempotency_keys (
    api_key      uuid NOT NULL,
    key          text COLLATE "C" NOT NULL,
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    message_id   uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (api_key, key)
);

CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

-- Jobs that are not over: a small table, whose rows are rewritten at every claim. Refers to nothing, since what it rings may be
-- gone by then, which is for the claim to see. `due_at` is the next attempt's time, or the end of the claim's lease.
CREATE TABLE push_jobs (
    id            uuid PRIMARY KEY,
    message_id    uuid NOT NULL,
    user_id       uuid NOT NULL,
    device_id     uuid NOT NULL,
    provider      text COLLATE "C" NOT NULL CHECK (provider IN ('apns', 'fcm', 'webpush')),
    credential_id uuid NOT NULL,
    lane          text COLLATE "C" NOT NULL,
    expires_at    timestamptz NOT NULL,
    due_at        timestamptz NOT NULL,
    claimed       boolean NOT NULL,
    fence         bigint NOT NULL CHECK (fence >= 0),
    failures      bigint NOT NULL CHECK (failures >= 0),
    receives      bigint NOT NULL CHECK (receives >= 0),
    reason        text COLLATE "C",
    updated_at    timestamptz NOT NULL
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- By lanes first, since a claim passes over what waits in a slow one, however much that is.
CREATE INDEX push_jobs_due ON push_jobs (lane, due_at);
CREATE INDEX push_jobs_message ON push_jobs (message_id, id);
CREATE INDEX push_jobs_user ON push_jobs (user_id, id DESC);

-- Jobs that are over, a partition a day of their end; whole days are dropped when they are old. What no partition is made for yet
-- goes to the last one.
CREATE TABLE finished_jobs (
    id            uuid NOT NULL,
    message_id    uuid NOT NULL,
    user_id       uuid NOT NULL,
    device_id     uuid NOT NULL,
    provider      text COLLATE "C" NOT NULL,
    credential_id uuid NOT NULL,
    lane          text COLLATE "C" NOT NULL,
    expires_at    timestamptz NOT NULL,
    state         text COLLATE "C" NOT NULL CHECK (state IN ('delivered', 'dead', 'failed', 'expired', 'cancelled', 'superseded')),
    reason        text COLLATE "C",
    attempts      bigint NOT NULL CHECK (attempts >= 0),
    -- The last claim, since a job that was set aside may be put back, and no fence may be given twice.
    fence         bigint NOT NULL CHECK (fence >= 0),
    finished_at   timestamptz NOT NULL
) PARTITION BY RANGE (finished_at);

CREATE TABLE finished_jobs_rest PARTITION OF finished_jobs DEFAULT;
CREATE INDEX finished_jobs_rest_finished_at ON finished_jobs_rest (finished_at);

CREATE INDEX finished_jobs_message ON finished_jobs (message_id, id);
CREATE INDEX finished_jobs_user ON finished_jobs (user_id, id DESC);
CREATE INDEX finished_jobs_set_aside ON finished_jobs (expires_at) WHERE reason = 'set_aside';

-- Lanes that rest, because their provider does not believe this service.
CREATE TABLE resting_lanes (
    lane  text COLLATE "C" PRIMARY KEY,
    until timestamptz NOT NULL
);

-- One row while nobody is held for dead.
CREATE TABLE pruning_stops (
    sole  boolean PRIMARY KEY CHECK (sole),
    since timestamptz NOT NULL
);

ALTER TABLE subscriptions ADD COLUMN suspect_at timestamptz;
CREATE INDEX subscriptions_suspect_at ON subscriptions (suspect_at) WHERE suspect_at IS NOT NULL;
