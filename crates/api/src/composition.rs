//! The composition root: which adapter stands behind which port.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use doorbell_application::{Doorbell, Ports};
use doorbell_domain::ports::Sealer;
use doorbell_domain::store::Store;
use doorbell_domain::web_push::EndpointPolicy;
use doorbell_domain::{Clock, Entropy};
use doorbell_http::{Api, Cors, Metrics, TrustedProxies};
use doorbell_keys::{CodeMacs, Jwks, JwtTokens, KeyRing, RefreshMacs, Sealing, Secrets, SystemEntropy};
use doorbell_standards::{IanaTimeZones, LibPhoneNumber, P256};
use doorbell_storage_postgres as postgres;
use doorbell_storage_sqlite as sqlite;
use doorbell_workers::{Bell, Codes, Events, Workers};

use crate::clock::SystemClock;
use crate::configuration::{Configuration, Mode, Switch};
use crate::database::Database;
use crate::development_secret;
use crate::following::Following;
use crate::opened::Opened;

/// A server's parts.
pub(crate) struct Composed {
    /// What handlers work with.
    pub(crate) api: Api,
    /// What keeps its keys up with the database.
    pub(crate) following: Following,
    /// What works beside the handlers, not yet started.
    pub(crate) workers: Workers,
}

/// The database, and what it takes to open what is sealed in it.
pub(crate) struct Custody {
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) secrets: Secrets,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) opened: Opened,
    /// For requests.
    pub(crate) store: Arc<dyn Store>,
}

impl Custody {
    /// Opens the database, and brings its schema up to this program if `migrate` says so.
    pub(crate) fn open(configuration: &Configuration, migrate: Switch) -> anyhow::Result<Self> {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let clock = configuration.clock();
        let database = Database::parse(&configuration.database_url)?;
        let secrets = secrets(configuration, &database, entropy.as_ref())?;
        let sealer: Arc<dyn Sealer> = Arc::new(Sealing::new(&secrets, Arc::clone(&entropy))?);
        let opened = Opened::open(&database, Arc::clone(&sealer), configuration, migrate)?;
        Ok(Self {
            entropy,
            clock,
            secrets,
            sealer,
            store: opened.store(),
            opened,
        })
    }
}

/// Builds everything that a server works with.
pub(crate) async fn compose(configuration: &Configuration) -> anyhow::Result<Composed> {
    configuration.check()?;
    // Before the database, so that what cannot be leaves no file behind.
    let clock = configuration.clock();
    let senders = configuration.senders.build(configuration.mode, &clock)?;
    let receiver = configuration.events.build(configuration.mode, &clock)?;
    // Reading the world's numbering plans takes longest of all that a start does, and needs nothing else.
    let numbering = std::thread::spawn(LibPhoneNumber::load);
    let Custody {
        entropy,
        secrets,
        sealer,
        opened,
        store,
        ..
    } = Custody::open(configuration, configuration.migrate)?;
    let code_bell = Bell::new();
    let push_bell = Bell::new();
    let metrics = Arc::new(Metrics::new(opened.watched()).context("the metrics cannot be made")?);
    let for_workers = opened.for_workers();
    let keys =
        KeyRing::load_or_create(store.as_ref(), sealer.as_ref(), entropy.as_ref(), clock.as_ref()).await;
    let keys = match configuration.migrate {
        Switch::On => keys?,
        Switch::Off => {
            keys.context("the keys cannot be had: is the schema there? `doorbell migrate` makes it")?
        }
    };
    let endpoints = match configuration.mode {
        Mode::Development => EndpointPolicy::LocalToo,
        Mode::Production => EndpointPolicy::Public,
    };
    let ringing = configuration.push.build(
        configuration.mode,
        &configuration.issuer,
        endpoints,
        keys.vapid(),
        &entropy,
        &clock,
    )?;
    tracing::info!(
        mode = configuration.mode.name(),
        database = %opened,
        events = configuration.events.announce(),
        "the registry is open"
    );
    let following = Following::new(keys.follower(), Arc::clone(&for_workers), sealer);
    let numbering = numbering
        .join()
        .map_err(|_| anyhow::anyhow!("reading the numbering plans panicked"))??;
    let policy = configuration.policy(&numbering)?;
    let numbering = Arc::new(numbering);
    let ports = Ports {
        store,
        clock,
        entropy: Arc::clone(&entropy),
        access_tokens: Arc::new(JwtTokens::new(configuration.issuer.as_str(), keys.signing())),
        refresh_tokens: Arc::new(RefreshMacs::new(&secrets)?),
        code_hasher: Arc::new(CodeMacs::new(&secrets)?),
        destinations: Arc::<LibPhoneNumber>::clone(&numbering),
        code_sender: Arc::new(senders),
        wake: Arc::new(code_bell.clone()),
        vapid: keys.vapid(),
        endpoints: ringing.endpoints,
        push: ringing.push,
        push_wake: Arc::new(push_bell.clone()),
        push_tally: metrics.clone(),
    };
    let beside = Ports {
        store: for_workers,
        ..ports.clone()
    };
    let beside = Doorbell::new(beside, policy.clone());
    let codes = Codes::new(beside.clone(), Arc::<Metrics>::clone(&metrics));
    let mut workers = workers(&beside, codes, code_bell, push_bell);
    if let Some(receiver) = receiver {
        let events = Events::new(beside, receiver, Arc::<Metrics>::clone(&metrics));
        // Nobody rings: events are looked for each second.
        workers = workers.deliver(events, Bell::new());
    }
    let doorbell = Doorbell::new(ports, policy);
    let api = Api {
        doorbell,
        numbering,
        zones: Arc::new(IanaTimeZones),
        curve: Arc::new(P256),
        endpoints,
        entropy,
        keys: Arc::new(Jwks::of(keys.signing())),
        is_development: configuration.mode == Mode::Development,
        trusted_proxies: TrustedProxies::new(configuration.trusted_proxies.clone()),
        cors: Cors::new(configuration.cors_origins.clone()),
        strict_transport: configuration.mode == Mode::Production,
        request_time: Duration::from_secs(configuration.request_timeout.into()),
        metrics,
    };
    Ok(Composed {
        api,
        following,
        workers,
    })
}

/// What a server does beside answering.
fn workers(doorbell: &Doorbell, codes: Codes, code_bell: Bell, push_bell: Bell) -> Workers {
    const MINUTE: Duration = Duration::from_mins(1);
    const QUARTER_MINUTE: Duration = Duration::from_secs(15);
    let (expired, swept, pruned) = (doorbell.clone(), doorbell.clone(), doorbell.clone());
    Workers::new()
        .deliver(codes, code_bell)
        .dispatch(doorbell.clone(), push_bell)
        .every(QUARTER_MINUTE, "whether pruning is stopped", move || {
            let doorbell = pruned.clone();
            async move { doorbell.note_pruning().await }
        })
        .every(MINUTE, "expired codes", move || {
            let doorbell = expired.clone();
            async move { doorbell.drop_expired_codes().await.map(drop) }
        })
        .every(MINUTE, "what is over", move || {
            let doorbell = swept.clone();
            async move { doorbell.sweep().await.map(drop) }
        })
}

/// Brings the database's schema up to this program, and says what that took.
pub(crate) fn migrate(configuration: &Configuration) -> anyhow::Result<()> {
    let applied = match Database::parse(&configuration.database_url)? {
        Database::Sqlite(path) => sqlite::migrate(&path),
        Database::Postgres(url) => postgres::migrate(&url),
    };
    for migration in applied.context("DATABASE_URL: cannot migrate this database")? {
        tracing::info!(migration, "the schema was migrated");
    }
    Ok(())
}

impl Configuration {
    /// The clock that everybody goes by.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock::new(self.clock_offset_file.clone()))
    }
}

fn secrets(
    configuration: &Configuration,
    database: &Database,
    entropy: &dyn Entropy,
) -> anyhow::Result<Secrets> {
    let text = match &configuration.secret {
        Some(text) => text.clone(),
        None if configuration.mode == Mode::Development => {
            let path = development_secret::path_for(database);
            development_secret::read_or_make(&path, entropy)?
        }
        None => anyhow::bail!("DOORBELL_SECRET must be set in production"),
    };
    Secrets::parse(&text).context("DOORBELL_SECRET cannot be used")
}
