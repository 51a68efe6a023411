//! What a person may see of what is held about them.

use doorbell_domain::personal_data::{Export, MOST};
use doorbell_domain::store::{self, TrailLine};
use doorbell_domain::{AuditId, Caller};

use crate::{AccessError, Doorbell};

/// A page of a person's trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// What happened, newest first.
    pub lines: Vec<TrailLine>,
    /// The last of them, if older ones follow: what the next page is asked for by.
    pub next_before: Option<AuditId>,
}

impl Activity {
    /// The first `limit` of what was asked for with one beyond them.
    fn of(mut lines: Vec<TrailLine>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = lines.len() > limit;
        lines.truncate(limit);
        let last = lines.last().map(|line| line.id);
        Self {
            next_before: last.filter(|_| more),
            lines,
        }
    }
}

impl Doorbell {
    /// What happened to the caller, newest first, at most `limit` lines; those before the line `before`.
    pub async fn activity(
        &self,
        caller: Caller,
        before: Option<AuditId>,
        limit: u32,
    ) -> Result<Activity, AccessError> {
        let (session, lines) = store::read(self.ports.store.as_ref(), move |unit| {
            let session = unit.session(caller)?;
            let lines = unit.activity(caller.user, before, limit.saturating_add(1))?;
            Ok((session, lines))
        })
        .await?;
        self.admit_session(caller, session.as_ref(), None).await?;
        Ok(Activity::of(lines, limit))
    }

    /// Everything that is held about the caller, as it was at one instant.
    pub async fn export(&self, caller: Caller) -> Result<Export, AccessError> {
        let found = store::read(self.ports.store.as_ref(), move |unit| unit.export(caller, MOST)).await?;
        let found = found.ok_or(AccessError::SessionOver)?;
        self.admit_session(caller, Some(&found.session), None).await?;
        Ok(found.found)
    }
}

#[cfg(test)]
mod tests {
    use doorbell_domain::{Entropy, FreshIds, Timestamp};

    use super::*;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn lines(count: usize) -> Vec<TrailLine> {
        let at = Timestamp::from_micros(0);
        let mut ids = FreshIds::draw(at, &Zeros);
        let line = |_| TrailLine {
            id: AuditId::from_uuid(ids.take()),
            at,
            action: "signed_in".to_owned(),
            session: None,
            device: None,
            reason: None,
        };
        (0..count).map(line).collect()
    }

    #[test]
    fn a_page_names_the_next_one_exactly_where_older_lines_follow() {
        let three = lines(3);
        let page = Activity::of(three.clone(), 2);
        assert_eq!(page.next_before, three.get(1).map(|line| line.id));
        assert_eq!(page.lines.as_slice(), three.get(..2).expect("two of three"));
        assert_eq!(Activity::of(three, 3).next_before, None);
        assert_eq!(Activity::of(lines(0), 3).next_before, None);
    }
}
