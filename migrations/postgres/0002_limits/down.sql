DROP TABLE limit_counters;
DROP INDEX otp_sessions_sent;
ALTER TABLE otp_phones DROP COLUMN failures, DROP COLUMN failed_at;
