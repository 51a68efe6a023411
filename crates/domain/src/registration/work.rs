//! One admitted registration at work.

use super::{Registration, State};
use crate::audit::AuditAction;
use crate::{DeviceUid, FreshIds, UserId};

/// One admitted registration at work on the state.
pub(super) struct Work<'a> {
    pub(super) state: &'a mut State,
    pub(super) registration: &'a Registration,
    pub(super) ids: FreshIds,
}

impl Work<'_> {
    pub(super) fn note(
        &mut self,
        user: UserId,
        action: AuditAction,
        device: Option<DeviceUid>,
        reason: Option<&'static str>,
    ) {
        self.state
            .note(self.registration, &mut self.ids, user, action, device, reason);
    }
}
