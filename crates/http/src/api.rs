//! What handlers work with.

use std::sync::Arc;
use std::time::Duration;

use doorbell_application::Doorbell;
use doorbell_domain::Entropy;
use doorbell_domain::phone::NumberingPlan;
use doorbell_domain::ports::PublishedKeys;
use doorbell_domain::time_zone::TimeZones;
use doorbell_domain::web_push::{CurvePoints, EndpointPolicy};

use crate::client::TrustedProxies;
use crate::cors::Cors;
use crate::metrics::Metrics;

/// The use cases, and the ports by which requests are read.
pub struct Api {
    /// The use cases.
    pub doorbell: Doorbell,
    /// Reads phone numbers.
    pub numbering: Arc<dyn NumberingPlan>,
    /// Reads time zones.
    pub zones: Arc<dyn TimeZones>,
    /// Checks subscription keys.
    pub curve: Arc<dyn CurvePoints>,
    /// Which endpoints are believed to be push services.
    pub endpoints: EndpointPolicy,
    /// Makes request ids.
    pub entropy: Arc<dyn Entropy>,
    /// The public signing keys.
    pub keys: Arc<dyn PublishedKeys>,
    /// Whether what is for developers is there: the demo, and the way from `/` to the playground.
    pub is_development: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// Which pages of other origins may call.
    pub cors: Cors,
    /// Whether browsers are told to come by https alone (RFC 6797).
    pub strict_transport: bool,
    /// How long a request may take in all.
    pub request_time: Duration,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}
