DROP INDEX otp_phones_failed_at;
