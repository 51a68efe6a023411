-- What a registration locks and writes, one a transaction, and nothing of what it reads. The people are those of people.sql.
\set id random(1, :people)
BEGIN;
SELECT timezone FROM users WHERE id = md5('user' || :id::text)::uuid FOR NO KEY UPDATE;
INSERT INTO push_addresses (provider, value_hash, owner, moved_at)
    VALUES ('fcm', sha256(('token' || :id::text)::bytea), md5('user' || :id::text)::uuid, now()) ON CONFLICT DO NOTHING;
SELECT owner FROM push_addresses WHERE provider = 'fcm' AND value_hash = sha256(('token' || :id::text)::bytea) FOR UPDATE;
INSERT INTO devices (id, user_id, device_id, platform, environment, status, timezone, mobile, web,
        created_at, updated_at, last_seen_at, last_used_at)
    VALUES (md5('device' || :id::text)::uuid, md5('user' || :id::text)::uuid, 'pixel-8-' || :id::text, 'android', 'default',
        'active', 'Europe/Istanbul', '{}', '{}', now(), now(), now(), now())
    ON CONFLICT (id) DO UPDATE SET platform = excluded.platform, environment = excluded.environment,
        status = excluded.status, timezone = excluded.timezone, mobile = excluded.mobile, web = excluded.web,
        updated_at = excluded.updated_at, last_seen_at = excluded.last_seen_at, last_used_at = excluded.last_used_at;
INSERT INTO push_tokens (id, user_id, device_id, session_id, provider, app, kind, activity_id, stream_id,
        value_hash, sealed, created_at, updated_at)
    VALUES (md5('token' || :id::text)::uuid, md5('user' || :id::text)::uuid, md5('device' || :id::text)::uuid,
        md5('session' || :id::text)::uuid, 'fcm', 'default', 'alert', '', NULL,
        sha256(('token' || :id::text)::bytea), decode(repeat(md5(:id::text), 6), 'hex'), now(), now())
    ON CONFLICT (id) DO UPDATE SET session_id = excluded.session_id, stream_id = excluded.stream_id,
        value_hash = excluded.value_hash, sealed = excluded.sealed, updated_at = excluded.updated_at;
COMMIT;
