-- What is over is found by indexes, as everything is.
--
-- An index on a column that most updates move would make each of them write to every index of its table. So what is registered or
-- refreshed over and over is indexed by the week in which that last happened, which changes once a week; the sweeps look closer
-- at the last week only. (Audit lines need no index of their own: their ids begin with the time.)

CREATE INDEX users_deletion ON users (deletion_status, deletion_scheduled_for) WHERE deletion_status IS NOT NULL;

-- A phone's failures in a row last until it signs in.
CREATE INDEX otp_phones_last_sent_at ON otp_phones (last_sent_at) WHERE failures = 0;
CREATE INDEX otp_sessions_phone ON otp_sessions (phone, created_at DESC, id DESC);

-- Set where an expired session had to stay, because something is registered under it: it counts as expired then.
ALTER TABLE sessions ADD COLUMN held_at timestamptz;
ALTER TABLE sessions ADD COLUMN over_week date
    GENERATED ALWAYS AS (date_trunc('week', greatest(expires_at, held_at) AT TIME ZONE 'UTC')::date) STORED;
CREATE INDEX sessions_ended_at ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_over ON sessions (over_week) WHERE ended_at IS NULL;

ALTER TABLE push_tokens ADD COLUMN seen_week date
    GENERATED ALWAYS AS (date_trunc('week', updated_at AT TIME ZONE 'UTC')::date) STORED;
CREATE INDEX push_tokens_seen ON push_tokens (seen_week);
