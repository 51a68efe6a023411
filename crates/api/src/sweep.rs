//! Sweeping by hand, or from a timetable, as servers do by themselves.

use std::io::Write;

use anyhow::Context;
use doorbell_application::Swept;

use crate::composition::{self, Composed};
use crate::configuration::Configuration;
use crate::key_commands::demand_file;

/// Sweeps until nothing is left to do, and prints what that took, a kind a line.
pub(crate) async fn sweep(configuration: &Configuration) -> anyhow::Result<()> {
    demand_file(configuration)?;
    let Composed { api, .. } = composition::compose(configuration).await?;
    let mut total = Swept::default();
    loop {
        let swept = api.doorbell.sweep().await.context("the sweep failed")?;
        add(&mut total, swept);
        if !swept.more {
            break;
        }
    }
    let mut out = std::io::stdout().lock();
    for (kind, count) in [
        ("accounts", total.accounts),
        ("tokens", total.tokens),
        ("subscriptions", total.subscriptions),
        ("sessions", total.sessions),
        ("codes", total.codes),
        ("phones", total.phones),
        ("counters", total.counters),
        ("events", total.events),
        ("jobs", total.jobs),
        ("messages", total.messages),
        ("idempotency_keys", total.idempotency_keys),
        ("untold_events", total.untold_events),
        ("unreached", total.unreached),
        ("rests", total.rests),
    ] {
        writeln!(out, "{kind} {count}")?;
    }
    Ok(out.flush()?)
}

fn add(total: &mut Swept, swept: Swept) {
    total.accounts += swept.accounts;
    total.tokens += swept.tokens;
    total.subscriptions += swept.subscriptions;
    total.sessions += swept.sessions;
    total.codes += swept.codes;
    total.phones += swept.phones;
    total.counters += swept.counters;
    total.events += swept.events;
    total.jobs += swept.jobs;
    total.messages += swept.messages;
    total.idempotency_keys += swept.idempotency_keys;
    total.untold_events += swept.untold_events;
    total.unreached += swept.unreached;
    total.rests += swept.rests;
}
