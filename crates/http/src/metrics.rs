//! What is counted of requests, and how Prometheus is told.
//!
//! No label has a client's value: dialects, operations, statuses and outcomes are closed sets, and all paths that no
//! operation has are one.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use doorbell_domain::Provider;
use doorbell_domain::job::FinalState;
use doorbell_domain::watch::{
    CodeOutcome, DeliveryOutcome, Gauge, GuessOutcome, PushOutcome, PushTally, Tally, Watched,
};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use crate::dialect::Dialect;

/// The media type of [`Metrics::text`].
pub(crate) const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The upper bounds of the histogram's buckets, in seconds. The last is beyond what the store lets anybody wait.
const SECONDS: &[f64] = &[
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What an operation is called that nobody has: an unknown path, or a method that a path does not take.
pub(crate) const UNKNOWN: &str = "unknown";
/// What a browser's question whether a page may ask is called.
pub(crate) const PREFLIGHT: &str = "preflight";

/// Everything that is counted. One is shared by all threads of a server.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    codes: IntCounterVec,
    deliveries: IntCounterVec,
    events: IntCounterVec,
    guesses: IntCounterVec,
    attempts: IntCounterVec,
    jobs: IntCounterVec,
    pruning_stopped: IntGauge,
    store: Arc<dyn Watched>,
    gauges: Vec<(Gauge, IntGauge)>,
}

impl Metrics {
    /// Counts from zero. The store is asked for its gauges whenever somebody looks.
    ///
    /// Fails where two metrics are named alike, which is a fault of this program.
    pub fn new(store: Arc<dyn Watched>) -> prometheus::Result<Self> {
        let counter =
            |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let seconds = HistogramOpts::new(
            "doorbell_request_seconds",
            "How long requests took, from their head to their answer.",
        );
        let metrics = Self {
            registry: Registry::new(),
            requests: counter(
                "doorbell_requests_total",
                "Requests that were answered.",
                &["dialect", "operation", "status"],
            )?,
            seconds: HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["dialect"])?,
            codes: counter(
                "doorbell_codes_total",
                "One-time codes that were asked for, by what became of that.",
                &["outcome"],
            )?,
            deliveries: counter(
                "doorbell_code_deliveries_total",
                "Attempts to have one-time codes sent, by what became of them.",
                &["outcome"],
            )?,
            events: counter(
                "doorbell_events_total",
                "Attempts to tell the events' webhook of something, by what became of them.",
                &["outcome"],
            )?,
            guesses: counter(
                "doorbell_verifications_total",
                "Guesses at one-time codes, by what became of them.",
                &["outcome"],
            )?,
            attempts: counter(
                "doorbell_push_attempts_total",
                "Attempts to ring a device, by provider and by what became of them.",
                &["provider", "outcome"],
            )?,
            jobs: counter(
                "doorbell_push_jobs_total",
                "Deliveries that are over, by provider and by how they ended.",
                &["provider", "state"],
            )?,
            pruning_stopped: IntGauge::new(
                "doorbell_pruning_stopped",
                "1 while nobody is held for dead, because providers said it of too many at once.",
            )?,
            gauges: gauges_of(store.as_ref())?,
            store,
        };
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.seconds.clone()))?;
        metrics.registry.register(Box::new(metrics.codes.clone()))?;
        metrics.registry.register(Box::new(metrics.deliveries.clone()))?;
        metrics.registry.register(Box::new(metrics.events.clone()))?;
        metrics.registry.register(Box::new(metrics.guesses.clone()))?;
        metrics.registry.register(Box::new(metrics.attempts.clone()))?;
        metrics.registry.register(Box::new(metrics.jobs.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.pruning_stopped.clone()))?;
        for (_, gauge) in &metrics.gauges {
            metrics.registry.register(Box::new(gauge.clone()))?;
        }
        // There from the start, so that the first of a kind is seen as a rise.
        for outcome in CodeOutcome::ALL {
            metrics.codes.get_metric_with_label_values(&[outcome.name()])?;
        }
        for outcome in DeliveryOutcome::ALL {
            metrics
                .deliveries
                .get_metric_with_label_values(&[outcome.name()])?;
            metrics.events.get_metric_with_label_values(&[outcome.name()])?;
        }
        for outcome in GuessOutcome::ALL {
            metrics.guesses.get_metric_with_label_values(&[outcome.name()])?;
        }
        for provider in Provider::ALL.map(Provider::name) {
            for outcome in PushOutcome::ALL {
                let labels = [provider, outcome.name()];
                metrics.attempts.get_metric_with_label_values(&labels)?;
            }
            for end in FinalState::ALL {
                let labels = [provider, end.name()];
                metrics.jobs.get_metric_with_label_values(&labels)?;
            }
        }
        Ok(metrics)
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, dialect: &str, operation: &str, status: StatusCode, took: Duration) {
        count(&self.requests, &[dialect, operation, status.as_str()]);
        if let Ok(seconds) = self.seconds.get_metric_with_label_values(&[dialect]) {
            seconds.observe(took.as_secs_f64());
        }
    }

    /// Everything in Prometheus' text format, version 0.0.4.
    pub(crate) fn text(&self) -> prometheus::Result<String> {
        for (now, amount) in self.store.gauges() {
            for (_, gauge) in self.gauges.iter().filter(|(known, _)| *known == now) {
                gauge.set(i64::try_from(amount).unwrap_or(i64::MAX));
            }
        }
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl Tally for Metrics {
    fn code(&self, outcome: CodeOutcome) {
        count(&self.codes, &[outcome.name()]);
    }

    fn delivery(&self, outcome: DeliveryOutcome) {
        count(&self.deliveries, &[outcome.name()]);
    }

    fn event(&self, outcome: DeliveryOutcome) {
        count(&self.events, &[outcome.name()]);
    }

    fn guess(&self, outcome: GuessOutcome) {
        count(&self.guesses, &[outcome.name()]);
    }
}

impl PushTally for Metrics {
    fn attempt(&self, provider: Provider, outcome: PushOutcome) {
        count(&self.attempts, &[provider.name(), outcome.name()]);
    }

    fn end(&self, provider: Provider, end: FinalState) {
        count(&self.jobs, &[provider.name(), end.name()]);
    }

    fn pruning(&self, stopped: bool) {
        self.pruning_stopped.set(stopped.into());
    }
}

/// What the dialect of a path is called: oCore, messages and the service's own operations answer their failures alike.
pub(crate) fn dialect_of(path: &str) -> &'static str {
    match Dialect::of(path) {
        Dialect::Allmine => "allmine",
        Dialect::RocketChat => "rocketchat",
        Dialect::Easyflow => "easyflow",
        Dialect::Problem if path.starts_with("/push/") || path.starts_with("/api/push/") => "ocore",
        Dialect::Problem if path.starts_with("/v1/") => "messages",
        Dialect::Problem => "service",
    }
}

/// Only a wrong number of labels could fail, and a test sees that.
fn count(counters: &IntCounterVec, labels: &[&str]) {
    if let Ok(counter) = counters.get_metric_with_label_values(labels) {
        counter.inc();
    }
}

/// A gauge for each of those that the store has.
fn gauges_of(store: &dyn Watched) -> prometheus::Result<Vec<(Gauge, IntGauge)>> {
    let known = store.gauges().into_iter();
    known
        .map(|(gauge, _)| {
            let (name, help) = described(gauge);
            IntGauge::new(name, help).map(|metric| (gauge, metric))
        })
        .collect()
}

const fn described(gauge: Gauge) -> (&'static str, &'static str) {
    match gauge {
        Gauge::ConnectionsAllowed => (
            "doorbell_pool_connections",
            "Connections to PostgreSQL that the pool may hold.",
        ),
        Gauge::ConnectionsInUse => (
            "doorbell_pool_connections_in_use",
            "Connections of the pool that are at work.",
        ),
        Gauge::ConnectionsAwaited => (
            "doorbell_pool_waiting",
            "Units of work that wait for a connection of the pool.",
        ),
        Gauge::WritesQueued => (
            "doorbell_writes_queued",
            "Units of work that wait for SQLite's one writer.",
        ),
        Gauge::RegistrationsQueued => (
            "doorbell_registrations_queued",
            "Registrations that wait to be written together with others.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Busy;

    impl Watched for Busy {
        fn gauges(&self) -> Vec<(Gauge, u64)> {
            vec![
                (Gauge::ConnectionsAllowed, 8),
                (Gauge::ConnectionsInUse, 3),
                (Gauge::ConnectionsAwaited, 0),
                (Gauge::WritesQueued, 5),
                (Gauge::RegistrationsQueued, u64::MAX),
            ]
        }
    }

    #[test]
    fn what_is_counted_is_told() {
        let metrics = Metrics::new(Arc::new(Busy)).expect("metrics");
        let took = Duration::from_millis(3);
        metrics.answered("allmine", "sendOtp", StatusCode::OK, took);
        metrics.answered("allmine", "sendOtp", StatusCode::OK, took);
        metrics.answered("service", UNKNOWN, StatusCode::NOT_FOUND, took);
        metrics.code(CodeOutcome::Limited);
        metrics.delivery(DeliveryOutcome::TooLate);
        metrics.event(DeliveryOutcome::Again);
        metrics.guess(GuessOutcome::Wrong);
        metrics.attempt(Provider::WebPush, PushOutcome::Misconfigured);
        metrics.end(Provider::Fcm, FinalState::Superseded);
        metrics.pruning(true);
        let text = metrics.text().expect("text");
        for line in [
            "# TYPE doorbell_requests_total counter",
            r#"doorbell_requests_total{dialect="allmine",operation="sendOtp",status="200"} 2"#,
            r#"doorbell_requests_total{dialect="service",operation="unknown",status="404"} 1"#,
            "# TYPE doorbell_request_seconds histogram",
            r#"doorbell_request_seconds_bucket{dialect="allmine",le="0.0025"} 0"#,
            r#"doorbell_request_seconds_bucket{dialect="allmine",le="0.005"} 2"#,
            r#"doorbell_request_seconds_count{dialect="allmine"} 2"#,
            r#"doorbell_codes_total{outcome="accepted"} 0"#,
            r#"doorbell_codes_total{outcome="limited"} 1"#,
            r#"doorbell_code_deliveries_total{outcome="accepted"} 0"#,
            r#"doorbell_code_deliveries_total{outcome="too_late"} 1"#,
            r#"doorbell_events_total{outcome="accepted"} 0"#,
            r#"doorbell_events_total{outcome="again"} 1"#,
            r#"doorbell_verifications_total{outcome="wrong"} 1"#,
            r#"doorbell_push_attempts_total{outcome="misconfigured",provider="webpush"} 1"#,
            r#"doorbell_push_attempts_total{outcome="accepted",provider="webpush"} 0"#,
            r#"doorbell_push_jobs_total{provider="fcm",state="superseded"} 1"#,
            "# TYPE doorbell_pruning_stopped gauge",
            "doorbell_pruning_stopped 1",
            "# TYPE doorbell_pool_connections_in_use gauge",
            "doorbell_pool_connections_in_use 3",
            "doorbell_writes_queued 5",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}: {text}");
        }
    }

    #[test]
    fn those_who_answer_failures_alike_are_told_apart() {
        for (path, dialect) in [
            ("/push/subscribe", "ocore"),
            ("/api/push/subscribe", "ocore"),
            ("/pushed", "service"),
            ("/v1/messages", "messages"),
            ("/health/live", "service"),
            ("/api/v1/push.token", "rocketchat"),
            ("/api/v1/auth/me", "allmine"),
            ("/notifications/devices", "easyflow"),
        ] {
            assert_eq!(dialect_of(path), dialect, "{path}");
        }
    }
}
