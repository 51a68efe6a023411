-- What nobody has signed in by since goes too, once its lock is long over.
CREATE INDEX otp_phones_failed_at ON otp_phones (failed_at) WHERE failures > 0;
