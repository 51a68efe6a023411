DROP TABLE limit_counters;
ALTER TABLE otp_phones DROP COLUMN failed_at;
ALTER TABLE otp_phones DROP COLUMN failures;
