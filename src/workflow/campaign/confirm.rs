//! Confirming: what was turned off is recorded, and the follow-up notices are written.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::notice_batch::{NoticeBatch, NoticeCount, NoticeFiles, TenantNotice, out_belongs_to};
use super::state::{CampaignState, tenant_of};
use crate::error::{Error, Result};
use lightsout_campaign::ValidatedRequests;
use lightsout_campaign::confirm::confirm as taken;
use lightsout_model::change::{Change, ProtocolChange, Request};
use lightsout_notify::notice::NoticeKind;

/// What was confirmed.
pub struct Confirmed {
    pub done: ValidatedRequests,
    /// Tenants whose notices were written, also those that were confirmed before: their files may be missing.
    pub tenant_ids: Vec<String>,
    pub notices: NoticeCount,
}

/// Records the confirmations that the ledger takes, and writes their notices.
///
/// # Errors
/// Fails if the lake or a file can't be written.
pub async fn confirm(
    state: &mut CampaignState,
    requests: &[Request],
    files: &NoticeFiles,
) -> Result<Confirmed> {
    out_belongs_to(&files.out, state)?;
    let batch = NoticeBatch::begin(files, "confirmed")?;
    let lock = state.lock().await?;
    let done = taken(&state.campaign, &state.ledger, requests, state.clock());
    state.record(&lock, &done.events).await?;
    drop(lock);
    let mut tenant_ids: Vec<String> =
        done.events.iter().map(|event| event.tenant_id.clone()).chain(done.already.iter().cloned()).collect();
    tenant_ids.sort_unstable();
    tenant_ids.dedup();
    let notices = write(state, batch, &tenant_ids).map_err(Error::recorded)?;
    Ok(Confirmed { done, tenant_ids, notices })
}

fn write(state: &CampaignState, mut batch: NoticeBatch, tenant_ids: &[String]) -> Result<NoticeCount> {
    for (id, decided) in state.announced_on()? {
        let of_this = |tenant_id: &&String| state.ledger.tenants[*tenant_id].change.decision_id == id;
        let notices: Vec<TenantNotice> = tenant_ids
            .iter()
            .filter(of_this)
            .filter(|tenant_id| !state.ledger.tenants[*tenant_id].change.off().is_empty())
            .filter_map(|tenant_id| tenant_of(&decided.assessment, tenant_id))
            .map(|assessment| TenantNotice {
                kind: Some(NoticeKind::FollowUp),
                assessment: assessment.clone(),
                protocols: state.ledger.tenants[&assessment.tenant_id].change.off(),
                notice_date: off_on(&state.ledger.tenants[&assessment.tenant_id].change),
            })
            .collect();
        batch.write(state, &decided, decided.window, notices, &BTreeMap::new())?;
    }
    batch.finish(state, &[])
}

/// The day that the last of it was turned off.
fn off_on(change: &Change) -> Option<NaiveDate> {
    let days = change.protocols.values().filter_map(|state| match state {
        ProtocolChange::Off { on } => Some(*on),
        ProtocolChange::Pending
        | ProtocolChange::OnHold { .. }
        | ProtocolChange::OptedOut { .. }
        | ProtocolChange::UsedAfterChange { .. } => None,
    });
    days.max()
}
