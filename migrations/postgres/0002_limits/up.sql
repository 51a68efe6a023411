-- Failures in a row belong to the phone, not to its codes: a resend never resets them.
ALTER TABLE otp_phones
    ADD COLUMN failures  bigint NOT NULL DEFAULT 0 CHECK (failures >= 0),
    ADD COLUMN failed_at timestamptz;

-- How many requests were accepted in a key's window, which begins with the first of them. A key that everybody counts
-- against has several rows, so that not everybody waits for one.
CREATE TABLE limit_counters (
    scope   text COLLATE "C" NOT NULL,
    key     text COLLATE "C" NOT NULL,
    shard   integer NOT NULL,
    ends_at timestamptz NOT NULL,
    count   bigint NOT NULL,
    -- The row's share of the limit when it was last counted.
    most    bigint NOT NULL,
    PRIMARY KEY (scope, key, shard)
) WITH (fillfactor = 80);

CREATE INDEX limit_counters_ends_at ON limit_counters (ends_at);
