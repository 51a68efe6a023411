-- Failures in a row belong to the phone, not to its codes: a resend never resets them.
ALTER TABLE otp_phones ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE otp_phones ADD COLUMN failed_at INTEGER;

-- How many requests were accepted in a key's window, which begins with the first of them.
CREATE TABLE limit_counters (
    scope   TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    shard   INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    -- The row's share of the limit when it was last counted.
    most    INTEGER NOT NULL,
    PRIMARY KEY (scope, key, shard)
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_counters_ends_at ON limit_counters (ends_at);
