-- What is over is found by indexes, as everything is. (Audit lines need none of their own: their ids begin with the time.)

CREATE INDEX users_deletion ON users (deletion_status, deletion_scheduled_for) WHERE deletion_status IS NOT NULL;

-- A phone's failures in a row last until it signs in.
CREATE INDEX otp_phones_last_sent_at ON otp_phones (last_sent_at) WHERE failures = 0;
CREATE INDEX otp_sessions_phone ON otp_sessions (phone, created_at DESC, id DESC);

-- Set where an expired session had to stay, because something is registered under it: it counts as expired then.
ALTER TABLE sessions ADD COLUMN held_at INTEGER;
ALTER TABLE sessions ADD COLUMN over_at INTEGER GENERATED ALWAYS AS (max(expires_at, ifnull(held_at, 0))) VIRTUAL;
CREATE INDEX sessions_ended_at ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_over ON sessions (over_at) WHERE ended_at IS NULL;

CREATE INDEX push_tokens_seen ON push_tokens (updated_at);
