//! The tables, as `migrations/sqlite` makes them.

diesel::table! {
    users (id) {
        id -> Binary,
        phone -> Nullable<Text>,
        country_code -> Nullable<Integer>,
        username -> Nullable<Text>,
        username_key -> Nullable<Text>,
        username_changed_at -> Nullable<BigInt>,
        profile -> Text,
        signup_source -> Nullable<Text>,
        signup_campaign -> Nullable<Text>,
        timezone -> Nullable<Text>,
        deletion_status -> Nullable<Text>,
        deletion_requested_at -> Nullable<BigInt>,
        deletion_scheduled_for -> Nullable<BigInt>,
        deletion_cancelled_at -> Nullable<BigInt>,
        deletion_finalized_at -> Nullable<BigInt>,
        last_login_at -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    otp_phones (phone) {
        phone -> Text,
        last_sent_at -> Nullable<BigInt>,
        failures -> BigInt,
        failed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    limit_counters (scope, key, shard) {
        scope -> Text,
        key -> Text,
        shard -> Integer,
        ends_at -> BigInt,
        count -> BigInt,
        most -> BigInt,
    }
}

diesel::table! {
    otp_sessions (id) {
        id -> Binary,
        phone -> Text,
        country_code -> Integer,
        purpose -> Text,
        key_id -> Text,
        mac -> Binary,
        created_at -> BigInt,
        expires_at -> BigInt,
        attempts -> BigInt,
        used_at -> Nullable<BigInt>,
        superseded_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    code_outbox (id) {
        id -> Binary,
        phone -> Text,
        country_code -> Integer,
        purpose -> Text,
        language -> Text,
        sealed -> Binary,
        created_at -> BigInt,
        expires_at -> BigInt,
        due_at -> BigInt,
        attempts -> BigInt,
        leased_until -> Nullable<BigInt>,
        fence -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Binary,
        user_id -> Binary,
        counter -> BigInt,
        salt -> Binary,
        rotated_at -> BigInt,
        fingerprint -> Nullable<Text>,
        device_id -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        ip -> Nullable<Text>,
        created_at -> BigInt,
        last_used_at -> BigInt,
        expires_at -> BigInt,
        absolute_expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    devices (id) {
        id -> Binary,
        user_id -> Binary,
        device_id -> Text,
        platform -> Text,
        environment -> Text,
        status -> Text,
        timezone -> Nullable<Text>,
        mobile -> Text,
        web -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        last_seen_at -> BigInt,
        last_used_at -> BigInt,
    }
}

diesel::table! {
    push_addresses (provider, value_hash) {
        provider -> Text,
        value_hash -> Binary,
        owner -> Binary,
        moved_at -> BigInt,
    }
}

diesel::table! {
    push_tokens (id) {
        id -> Binary,
        user_id -> Binary,
        device_id -> Binary,
        session_id -> Binary,
        provider -> Text,
        app -> Text,
        kind -> Text,
        activity_id -> Text,
        stream_id -> Nullable<Text>,
        value_hash -> Binary,
        sealed -> Binary,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Binary,
        user_id -> Binary,
        device_id -> Binary,
        session_id -> Binary,
        endpoint_hash -> Binary,
        sealed_endpoint -> Binary,
        sealed_keys -> Binary,
        vapid_key -> Text,
        device_name -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at -> BigInt,
        last_used_at -> BigInt,
        suspect_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Binary,
        name -> Text,
        hash -> Binary,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    messages (id) {
        id -> Binary,
        api_key -> Nullable<Binary>,
        sealed -> Binary,
        urgency -> Text,
        collapse_key -> Nullable<Text>,
        ttl -> BigInt,
        created_at -> BigInt,
        send_at -> BigInt,
        cancelled_at -> Nullable<BigInt>,
        jobs -> BigInt,
        open_jobs -> BigInt,
    }
}

diesel::table! {
    idempotency_keys (api_key, key) {
        api_key -> Binary,
        key -> Text,
        request_hash -> Binary,
        message_id -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    push_jobs (id) {
        id -> Binary,
        message_id -> Binary,
        user_id -> Binary,
        device_id -> Binary,
        provider -> Text,
        credential_id -> Binary,
        lane -> Text,
        expires_at -> BigInt,
        due_at -> BigInt,
        claimed -> Bool,
        fence -> BigInt,
        failures -> BigInt,
        receives -> BigInt,
        reason -> Nullable<Text>,
        updated_at -> BigInt,
    }
}

diesel::table! {
    finished_jobs (id) {
        id -> Binary,
        message_id -> Binary,
        user_id -> Binary,
        device_id -> Binary,
        provider -> Text,
        credential_id -> Binary,
        lane -> Text,
        expires_at -> BigInt,
        state -> Text,
        reason -> Nullable<Text>,
        attempts -> BigInt,
        fence -> BigInt,
        finished_at -> BigInt,
    }
}

diesel::table! {
    unreached (message_id, user_id) {
        message_id -> Binary,
        user_id -> Binary,
    }
}

diesel::table! {
    resting_lanes (lane) {
        lane -> Text,
        until -> BigInt,
    }
}

diesel::table! {
    pruning_stops (only) {
        only -> Integer,
        since -> BigInt,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Binary,
        user_id -> Binary,
        at -> BigInt,
        action -> Text,
        session_id -> Nullable<Binary>,
        device_id -> Nullable<Binary>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    event_outbox (id) {
        id -> Binary,
        kind -> Text,
        at -> BigInt,
        user_id -> Nullable<Binary>,
        device_id -> Nullable<Binary>,
        session_id -> Nullable<Binary>,
        message_id -> Nullable<Binary>,
        reason -> Nullable<Text>,
        due_at -> BigInt,
        failures -> BigInt,
        fence -> BigInt,
    }
}

diesel::table! {
    keys (id) {
        id -> Binary,
        usage -> Text,
        sealed -> Binary,
        created_at -> BigInt,
        starts_at -> Nullable<BigInt>,
        retires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    users,
    sessions,
    devices,
    push_addresses,
    push_tokens,
    subscriptions,
);
diesel::allow_tables_to_appear_in_same_query!(idempotency_keys, messages);
