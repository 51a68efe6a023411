-- People with a session, a device and a token each, numbered from :first to :last, as registrations leave them.
-- Every row that is referred to is written here too: asking for each would take most of the time.
SET session_replication_role = replica;
INSERT INTO users (id, phone, country_code, profile, timezone, last_login_at, created_at, updated_at)
    SELECT md5('user' || n)::uuid, '+1' || (2000000000 + n), 1, '{}', 'Europe/Istanbul', now(), now(), now()
    FROM generate_series(:first, :last) n;
INSERT INTO sessions (id, user_id, counter, salt, rotated_at, created_at, last_used_at, expires_at, absolute_expires_at)
    SELECT md5('session' || n)::uuid, md5('user' || n)::uuid, 0, decode(md5('salt' || n), 'hex'), now(), now(), now(),
        now() + interval '30 days', now() + interval '180 days'
    FROM generate_series(:first, :last) n;
INSERT INTO devices (id, user_id, device_id, platform, environment, status, timezone, mobile, web,
        created_at, updated_at, last_seen_at, last_used_at)
    SELECT md5('device' || n)::uuid, md5('user' || n)::uuid, 'pixel-8-' || n, 'android', 'default', 'active',
        'Europe/Istanbul', '{}', '{}', now(), now(), now(), now()
    FROM generate_series(:first, :last) n;
INSERT INTO push_addresses (provider, value_hash, owner, moved_at)
    SELECT 'fcm', sha256(('token' || n)::bytea), md5('user' || n)::uuid, now() FROM generate_series(:first, :last) n;
INSERT INTO push_tokens (id, user_id, device_id, session_id, provider, app, kind, value_hash, sealed, created_at, updated_at)
    SELECT md5('token' || n)::uuid, md5('user' || n)::uuid, md5('device' || n)::uuid, md5('session' || n)::uuid, 'fcm',
        'default', 'alert', sha256(('token' || n)::bytea), decode(repeat(md5(n::text), 6), 'hex'), now(), now()
    FROM generate_series(:first, :last) n;
