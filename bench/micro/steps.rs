//! What single steps of a request cost: `make bench-micro`.
#![expect(clippy::expect_used, reason = "a benchmark may fail loudly")]

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use doorbell_domain::phone::NumberingPlan;
use doorbell_domain::ports::AccessTokens;
use doorbell_domain::registration::{Registration, State, UserSlice, plan};
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::{Clock, FreshIds, Platform, SessionId, UserId};
use doorbell_keys::{JwtTokens, SharedKeys, SigningKey, SigningKeys};
use doorbell_standards::LibPhoneNumber;
use doorbell_testkit::build::{self, Draft, alert};
use doorbell_testkit::{CountingEntropy, FakeClock};
use time::Duration;
use uuid::Uuid;

/// As many as 64 connections fill in practice, and as many as a batch has at most.
const BATCHES: [usize; 2] = [32, 256];

fn token_verification(criterion: &mut Criterion) {
    let now = FakeClock::default().now();
    let key = SigningKey::restore(Uuid::from_u128(1), KeyLife::since(now), &[7; 32]).expect("a seed");
    let public = *key.public();
    let keys = SigningKeys::new([key]).expect("a key");
    let tokens = JwtTokens::new("https://doorbell.example", Arc::new(SharedKeys::new(keys)));
    let (user, session) = (
        UserId::from_uuid(Uuid::from_u128(2)),
        SessionId::from_uuid(Uuid::from_u128(3)),
    );
    let token = tokens
        .issue(user, session, now, Duration::hours(1))
        .expect("signs");
    let token = token.expose();
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");

    let mut group = criterion.benchmark_group("token");
    group.bench_function("verified, as a server does it", |bencher| {
        bencher.iter(|| tokens.verify(black_box(token), now).expect("ours"));
    });
    group.bench_function("its signature alone, by the public key", |bencher| {
        let key = UnparsedPublicKey::new(&ED25519, public);
        bencher.iter(|| {
            key.verify(black_box(message.as_bytes()), &signature)
                .expect("ours")
        });
    });
    group.bench_function("issued", |bencher| {
        bencher.iter(|| {
            tokens
                .issue(user, session, black_box(now), Duration::hours(1))
                .expect("signs")
        });
    });
    group.finish();
}

fn phone_parsing(criterion: &mut Criterion) {
    let plans = LibPhoneNumber::load().expect("the metadata");
    let mut group = criterion.benchmark_group("phone");
    for (name, country, number) in [
        ("national", "90", "5551234567"),
        ("with its trunk prefix and spaces", "90", "0555 123 45 67"),
        ("that cannot exist", "90", "123"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| plans.parse(black_box(country), black_box(number)));
        });
    }
    group.finish();
}

/// People who each register one device with one token, and what the database knew of them: nothing, or the same as they say.
fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    for size in BATCHES {
        let (fresh, batch) = registrations(size);
        let mut known = fresh.clone();
        for registration in &batch {
            known.register(registration).expect("admitted");
        }
        group.throughput(Throughput::Elements(u64::try_from(size).expect("few")));
        group.bench_function(format!("{size} new devices"), |bencher| {
            bencher.iter(|| plan(black_box(&fresh), black_box(&batch)));
        });
        group.bench_function(format!("{size} known devices"), |bencher| {
            bencher.iter(|| plan(black_box(&known), black_box(&batch)));
        });
    }
    group.finish();
}

fn registrations(size: usize) -> (State, Vec<Registration>) {
    let (clock, entropy) = (FakeClock::default(), CountingEntropy::default());
    let mut state = State::default();
    let mut batch = Vec::new();
    for n in 0..size {
        let now = clock.advance(Duration::seconds(1));
        let mut ids = FreshIds::draw(now, &entropy);
        let session = build::session(
            SessionId::from_uuid(ids.take()),
            UserId::from_uuid(ids.take()),
            now,
        );
        let caller = build::caller(&session);
        state.users.insert(
            caller.user,
            UserSlice {
                timezone: None,
                devices: 0,
            },
        );
        state.sessions.insert(caller.session, session);
        let draft = Draft::new(caller, now, ids).on("phone", Platform::Ios);
        batch.push(draft.with(alert(&format!("token {n}"))).build());
    }
    (state, batch)
}

/// The largest answer there is.
fn rendering(criterion: &mut Criterion) {
    criterion.bench_function("rendering/the OpenAPI document", |bencher| {
        bencher.iter(|| doorbell_http::openapi().expect("a document"));
    });
}

criterion_group!(steps, token_verification, phone_parsing, planning, rendering);
criterion_main!(steps);
