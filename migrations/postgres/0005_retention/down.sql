ALTER TABLE push_tokens DROP COLUMN seen_week;
DROP INDEX sessions_ended_at;
ALTER TABLE sessions DROP COLUMN over_week;
ALTER TABLE sessions DROP COLUMN held_at;
DROP INDEX otp_sessions_phone;
DROP INDEX otp_phones_last_sent_at;
DROP INDEX users_deletion;
