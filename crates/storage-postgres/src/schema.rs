//! The tables as `migrations/postgres` makes them. Column order matters: rows are read by it.

diesel::table! {
    users (id) {
        id -> Uuid,
        phone -> Nullable<Text>,
        country_code -> Nullable<SmallInt>,
        username -> Nullable<Text>,
        username_key -> Nullable<Text>,
        username_changed_at -> Nullable<Timestamptz>,
        profile -> Jsonb,
        signup_source -> Nullable<Text>,
        signup_campaign -> Nullable<Text>,
        timezone -> Nullable<Text>,
        deletion_status -> Nullable<Text>,
        deletion_requested_at -> Nullable<Timestamptz>,
        deletion_scheduled_for -> Nullable<Timestamptz>,
        deletion_cancelled_at -> Nullable<Timestamptz>,
        deletion_finalized_at -> Nullable<Timestamptz>,
        last_login_at -> Timestamptz,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    otp_phones (phone) {
        phone -> Text,
        last_sent_at -> Nullable<Timestamptz>,
        failures -> BigInt,
        failed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    limit_counters (scope, key, shard) {
        scope -> Text,
        key -> Text,
        shard -> Integer,
        ends_at -> Timestamptz,
        count -> BigInt,
        most -> BigInt,
    }
}

diesel::table! {
    otp_sessions (id) {
        id -> Uuid,
        phone -> Text,
        country_code -> SmallInt,
        purpose -> Text,
        key_id -> Text,
        mac -> Binary,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        attempts -> BigInt,
        used_at -> Nullable<Timestamptz>,
        superseded_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    code_outbox (id) {
        id -> Uuid,
        phone -> Text,
        country_code -> SmallInt,
        purpose -> Text,
        language -> Text,
        sealed -> Binary,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        due_at -> Timestamptz,
        attempts -> BigInt,
        leased_until -> Nullable<Timestamptz>,
        fence -> BigInt,
    }
}

diesel::table! {
    devices (id) {
        id -> Uuid,
        user_id -> Uuid,
        device_id -> Text,
        platform -> Text,
        environment -> Text,
        status -> Text,
        timezone -> Nullable<Text>,
        mobile -> Jsonb,
        web -> Jsonb,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        last_used_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        counter -> BigInt,
        salt -> Binary,
        rotated_at -> Timestamptz,
        fingerprint -> Nullable<Text>,
        device_id -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        ip -> Nullable<Text>,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        absolute_expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    push_tokens (id) {
        id -> Uuid,
        user_id -> Uuid,
        device_id -> Uuid,
        session_id -> Uuid,
        provider -> Text,
        app -> Text,
        kind -> Text,
        activity_id -> Text,
        stream_id -> Nullable<Text>,
        value_hash -> Binary,
        sealed -> Binary,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Uuid,
        user_id -> Uuid,
        device_id -> Uuid,
        session_id -> Uuid,
        provider -> Text,
        endpoint_hash -> Binary,
        sealed_endpoint -> Binary,
        sealed_keys -> Binary,
        vapid_key -> Text,
        device_name -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        suspect_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        name -> Text,
        hash -> Binary,
        created_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    messages (id) {
        id -> Uuid,
        api_key -> Nullable<Uuid>,
        sealed -> Binary,
        urgency -> Text,
        collapse_key -> Nullable<Text>,
        ttl -> BigInt,
        created_at -> Timestamptz,
        send_at -> Timestamptz,
        cancelled_at -> Nullable<Timestamptz>,
        jobs -> BigInt,
        open_jobs -> BigInt,
    }
}

diesel::table! {
    idempotency_keys (api_key, key) {
        api_key -> Uuid,
        key -> Text,
        request_hash -> Binary,
        message_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    push_jobs (id) {
        id -> Uuid,
        message_id -> Uuid,
        user_id -> Uuid,
        device_id -> Uuid,
        provider -> Text,
        credential_id -> Uuid,
        lane -> Text,
        expires_at -> Timestamptz,
        due_at -> Timestamptz,
        claimed -> Bool,
        fence -> BigInt,
        failures -> BigInt,
        receives -> BigInt,
        reason -> Nullable<Text>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    pruning_stops (sole) {
        sole -> Bool,
        since -> Timestamptz,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Uuid,
        user_id -> Uuid,
        at -> Timestamptz,
        action -> Text,
        session_id -> Nullable<Uuid>,
        device_id -> Nullable<Uuid>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    event_outbox (id) {
        id -> Uuid,
        kind -> Text,
        at -> Timestamptz,
        user_id -> Nullable<Uuid>,
        device_id -> Nullable<Uuid>,
        session_id -> Nullable<Uuid>,
        message_id -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        due_at -> Timestamptz,
        failures -> BigInt,
        fence -> BigInt,
    }
}

diesel::table! {
    keys (id) {
        id -> Uuid,
        usage -> Text,
        sealed -> Binary,
        created_at -> Timestamptz,
        starts_at -> Nullable<Timestamptz>,
        retires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// What `diesel_migrations` keeps its books in.
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(devices, push_tokens, sessions, subscriptions, users);
diesel::allow_tables_to_appear_in_same_query!(idempotency_keys, messages);
