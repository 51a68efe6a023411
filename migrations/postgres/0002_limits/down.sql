DROP TABLE limit_counters;
ALTER TABLE otp_phones DROP COLUMN failures, DROP COLUMN failed_at;
