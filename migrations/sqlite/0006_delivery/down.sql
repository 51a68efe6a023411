DROP INDEX subscriptions_suspect_at;
ALTER TABLE subscriptions DROP COLUMN suspect_at;
DROP TABLE pruning_stops;
DROP TABLE resting_lanes;
DROP TABLE finished_jobs;
DROP TABLE push_jobs;
DROP TABLE idempotency_keys;
DROP TABLE messages;
DROP TABLE api_keys;
