//! What was decided, written set-wise in the order in which it must be: each statement once, and none for
//! nothing.

use diesel::prelude::*;
use doorbell_domain::registration::{State, Writes};
use doorbell_storage::{Announcer, Vault};
use uuid::Uuid;

use super::rewrites;
use super::writes::{InsertAudit, MoveAddresses, RemoveTokens, SetZones, TouchSessions, UpsertSubscriptions};
use crate::addresses::DropUnused;
use crate::announcements::Announce;
use crate::schema::{devices, subscriptions};
use crate::trouble::Trouble;

/// Applies `writes` to what was `before`, in the order of their fields.
pub(super) fn writes(
    connection: &mut PgConnection,
    vault: &Vault,
    announcer: Announcer,
    before: &State,
    writes: &Writes,
) -> Result<(), Trouble> {
    let Writes {
        removed_tokens,
        removed_subscriptions,
        removed_devices,
        claims,
        devices,
        tokens,
        subscriptions,
        unused,
        zones,
        sessions,
        audit,
    } = writes;
    if !removed_tokens.is_empty() {
        RemoveTokens::of(removed_tokens).execute(connection)?;
    }
    if !removed_subscriptions.is_empty() {
        let ids: Vec<Uuid> = removed_subscriptions.iter().map(|id| id.uuid()).collect();
        diesel::delete(subscriptions::table.filter(subscriptions::id.eq_any(ids))).execute(connection)?;
    }
    if !removed_devices.is_empty() {
        let ids: Vec<Uuid> = removed_devices.iter().map(|id| id.uuid()).collect();
        diesel::delete(devices::table.filter(devices::id.eq_any(ids))).execute(connection)?;
    }
    if !claims.is_empty() {
        MoveAddresses::of(claims).execute(connection)?;
    }
    rewrites::devices(connection, before, devices)?;
    rewrites::tokens(connection, vault, before, tokens)?;
    if !subscriptions.is_empty() {
        UpsertSubscriptions::of(subscriptions, vault)?.execute(connection)?;
    }
    if !unused.is_empty() {
        DropUnused::of(unused).execute(connection)?;
    }
    if !zones.is_empty() {
        SetZones::of(zones).execute(connection)?;
    }
    if !sessions.is_empty() {
        TouchSessions::of(sessions).execute(connection)?;
    }
    if !audit.is_empty() {
        InsertAudit::of(audit).execute(connection)?;
    }
    if let Some(announce) = Announce::of(&announcer.of_lines(audit)) {
        announce.execute(connection)?;
    }
    Ok(())
}
