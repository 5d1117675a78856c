//! Taking back what was recorded: an announcement, an opt-out, a confirmation. Each is an event with its reason, and the
//! tenants are told.

use std::collections::{BTreeMap, BTreeSet};

use super::notice_batch::{NoticeBatch, NoticeCount, NoticeFiles, TenantNotice, out_belongs_to};
use super::runbooks::remove_turn_off;
use super::state::{CampaignState, tenant_of};
use crate::error::{Error, Result};
use lightsout_campaign::ValidatedRequests;
use lightsout_campaign::correct::correct as corrections_of;
use lightsout_campaign::opt_in::opt_in as opt_ins_of;
use lightsout_campaign::withdraw::{
    UnknownAnnouncement, announcement_of_wave, tenants_of_announcement, withdraw as withdrawals_of,
};
use lightsout_model::change::{Change, Request};
use lightsout_model::protocol::Protocol;
use lightsout_notify::lists::ListRow;
use lightsout_notify::notice::NoticeKind;

/// What was taken back.
pub struct TakenBack {
    pub done: ValidatedRequests,
    /// The changes that notices were written of, by tenant id: also those of an earlier run, whose files may be missing.
    pub changes: BTreeMap<String, Change>,
    pub notices: NoticeCount,
}

/// A part of a campaign that is withdrawn at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawnPart {
    /// By its id.
    Announcement(String),
    /// By its number in the order of announcements, from 1 on.
    Wave(u32),
}

impl From<UnknownAnnouncement> for Error {
    fn from(UnknownAnnouncement { found, expected }: UnknownAnnouncement) -> Self {
        Self::UnknownAnnouncement { found, expected }
    }
}

/// The requests that stand for a part: one for each of its tenants.
///
/// # Errors
/// Fails if the campaign has no such announcement.
pub fn requests_of(state: &CampaignState, part: &WithdrawnPart, by_whom: &str) -> Result<Vec<Request>> {
    let id = match part {
        WithdrawnPart::Announcement(id) => id.as_str(),
        WithdrawnPart::Wave(number) => announcement_of_wave(&state.ledger, *number)?,
    };
    let request = |tenant_id| Request {
        tenant_id,
        protocols: None,
        by_whom: Some(by_whom.to_owned()),
        happened_at: None,
        line: None,
    };
    Ok(tenants_of_announcement(&state.ledger, id)?.into_iter().map(request).collect())
}

/// Takes back announcements, and removes the scripts that would turn off what they announced.
///
/// # Errors
/// Fails if the lake or a file can't be written.
pub async fn withdraw(
    state: &mut CampaignState,
    requests: &[Request],
    why: &str,
    files: &NoticeFiles,
) -> Result<TakenBack> {
    out_belongs_to(&files.out, state)?;
    let batch = NoticeBatch::begin(files, "withdrawn")?;
    let lock = state.lock().await?;
    let done = withdrawals_of(&state.campaign, &state.ledger, requests, why, state.now);
    state.record(&lock, &done.events).await?;
    drop(lock);
    remove_turn_off(tenants(&done).iter(), &files.out).map_err(Error::recorded)?;
    let of = |id: &String| state.ledger.withdrawn.get(id).map(|tenant| tenant.change.clone());
    let changes: BTreeMap<String, Change> =
        tenants(&done).into_iter().filter_map(|id| Some((id.clone(), of(&id)?))).collect();
    let notices =
        write(state, batch, NoticeKind::Withdrawn, &changes, Change::announced).map_err(Error::recorded)?;
    Ok(TakenBack { done, changes, notices })
}

/// Takes back opt-outs.
///
/// # Errors
/// Fails if the lake or a file can't be written.
pub async fn opt_in(
    state: &mut CampaignState,
    requests: &[Request],
    why: &str,
    files: &NoticeFiles,
) -> Result<TakenBack> {
    out_belongs_to(&files.out, state)?;
    let batch = NoticeBatch::begin(files, "opted_in")?;
    let lock = state.lock().await?;
    let done = opt_ins_of(&state.campaign, &state.ledger, requests, why, state.clock());
    state.record(&lock, &done.events).await?;
    drop(lock);
    let changes = announced(state, &done);
    let notices =
        write(state, batch, NoticeKind::OptedIn, &changes, Change::pending).map_err(Error::recorded)?;
    Ok(TakenBack { done, changes, notices })
}

/// Takes back confirmations.
///
/// # Errors
/// Fails if the lake or a file can't be written.
pub async fn correct(
    state: &mut CampaignState,
    requests: &[Request],
    why: &str,
    files: &NoticeFiles,
) -> Result<TakenBack> {
    out_belongs_to(&files.out, state)?;
    let batch = NoticeBatch::begin(files, "corrected")?;
    let lock = state.lock().await?;
    let done = corrections_of(&state.campaign, &state.ledger, requests, why, state.now);
    state.record(&lock, &done.events).await?;
    drop(lock);
    let changes = announced(state, &done);
    let notices =
        write(state, batch, NoticeKind::Corrected, &changes, Change::pending).map_err(Error::recorded)?;
    Ok(TakenBack { done, changes, notices })
}

/// The tenants of requests that were taken, now or before.
fn tenants(done: &ValidatedRequests) -> BTreeSet<String> {
    done.events.iter().map(|event| &event.tenant_id).chain(&done.already).cloned().collect()
}

fn announced(state: &CampaignState, done: &ValidatedRequests) -> BTreeMap<String, Change> {
    let of = |id: &String| state.ledger.tenants.get(id).map(|tenant| tenant.change.clone());
    tenants(done).into_iter().filter_map(|id| Some((id.clone(), of(&id)?))).collect()
}

/// Notices and list. A tenant whose change has nothing of the kind any more is on the list alone.
fn write(
    state: &CampaignState,
    mut batch: NoticeBatch,
    kind: NoticeKind,
    changes: &BTreeMap<String, Change>,
    protocols: fn(&Change) -> Vec<Protocol>,
) -> Result<NoticeCount> {
    let today = state.now.date_naive();
    for (id, decided) in state.decisions(changes.values().map(|change| change.decision_id.as_str()))? {
        let of_this = changes.values().filter(|change| change.decision_id == id);
        let notices = of_this.filter_map(|change| {
            let assessment = tenant_of(&decided.assessment, &change.tenant_id)?.clone();
            let protocols = protocols(change);
            let kind = (!protocols.is_empty()).then_some(kind);
            Some(TenantNotice { kind, assessment, protocols, notice_date: Some(today) })
        });
        let notices = notices.collect();
        batch.write_changes(state, &decided, decided.window, notices, &BTreeMap::new(), changes)?;
    }
    let why = |row: &ListRow| changes.get(&row.tenant_id)?.why.clone();
    batch.finish(state, &[("why", &why)])
}
