-- Messages and their delivery.

-- Keys by which back ends send, hashed: 32 random bytes need no more. A revoked key frees its name.
CREATE TABLE api_keys (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CHECK (length(id) = 16),
    CHECK (length(hash) = 32)
) STRICT;
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

CREATE TABLE messages (
    id           BLOB    NOT NULL PRIMARY KEY,
    api_key      BLOB,
    sealed       BLOB    NOT NULL,
    urgency      TEXT    NOT NULL,
    collapse_key TEXT,
    ttl          INTEGER NOT NULL CHECK (ttl >= 0),
    created_at   INTEGER NOT NULL,
    send_at      INTEGER NOT NULL,
    cancelled_at INTEGER,
    -- How many jobs it has, and how many of them are not over.
    jobs         INTEGER NOT NULL CHECK (jobs >= 0),
    open_jobs    INTEGER NOT NULL CHECK (open_jobs BETWEEN 0 AND jobs),
    CHECK (length(id) = 16)
) STRICT;

CREATE TABLE idempotency_keys (
    api_key      BLOB    NOT NULL,
    key          TEXT    NOT NULL,
    request_hash BLOB    NOT NULL,
    message_id   BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (api_key, key),
    CHECK (length(request_hash) = 32)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

-- Jobs that are not over. Refers to nothing, since what it rings may be gone by then, which is for the claim to see. `due_at` is the
-- next attempt's time, or the end of the claim's lease.
CREATE TABLE push_jobs (
    id            BLOB    NOT NULL PRIMARY KEY,
    message_id    BLOB    NOT NULL,
    user_id       BLOB    NOT NULL,
    device_id     BLOB    NOT NULL,
    provider      TEXT    NOT NULL CHECK (provider IN ('apns', 'fcm', 'webpush')),
    credential_id BLOB    NOT NULL,
    lane          TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    claimed       INTEGER NOT NULL CHECK (claimed IN (0, 1)),
    fence         INTEGER NOT NULL CHECK (fence >= 0),
    failures      INTEGER NOT NULL CHECK (failures >= 0),
    receives      INTEGER NOT NULL CHECK (receives >= 0),
    reason        TEXT,
    updated_at    INTEGER NOT NULL,
    CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;
-- With the lane, since a claim passes over what waits for a slow one.
CREATE INDEX push_jobs_due_at ON push_jobs (due_at, lane);
CREATE INDEX push_jobs_message ON push_jobs (message_id, id);
CREATE INDEX push_jobs_user ON push_jobs (user_id, id DESC);

-- Jobs that are over.
CREATE TABLE finished_jobs (
    id            BLOB    NOT NULL PRIMARY KEY,
    message_id    BLOB    NOT NULL,
    user_id       BLOB    NOT NULL,
    device_id     BLOB    NOT NULL,
    provider      TEXT    NOT NULL,
    credential_id BLOB    NOT NULL,
    lane          TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('delivered', 'dead', 'failed', 'expired', 'cancelled', 'superseded')),
    reason        TEXT,
    attempts      INTEGER NOT NULL CHECK (attempts >= 0),
    -- The last claim, since a job that was set aside may be put back, and no fence may be given twice.
    fence         INTEGER NOT NULL CHECK (fence >= 0),
    finished_at   INTEGER NOT NULL,
    CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;
CREATE INDEX finished_jobs_message ON finished_jobs (message_id, id);
CREATE INDEX finished_jobs_user ON finished_jobs (user_id, id DESC);
CREATE INDEX finished_jobs_finished_at ON finished_jobs (finished_at);
CREATE INDEX finished_jobs_set_aside ON finished_jobs (expires_at) WHERE reason = 'set_aside';

-- Lanes that rest, because their provider does not believe this service.
CREATE TABLE resting_lanes (
    lane  TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row while nobody is held for dead.
CREATE TABLE pruning_stops (
    only  INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    since INTEGER NOT NULL
) STRICT;

ALTER TABLE subscriptions ADD COLUMN suspect_at INTEGER;
CREATE INDEX subscriptions_suspect_at ON subscriptions (suspect_at) WHERE suspect_at IS NOT NULL;
