DROP INDEX subscriptions_suspect_at;
ALTER TABLE subscriptions DROP COLUMN suspect_at;
DROP TABLE pruning_stops, resting_lanes, finished_jobs, push_jobs, idempotency_keys, messages, api_keys;
