//! The plan of the day: what is to be turned off where. People, or their tools, do it.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::notice_batch::{NoticeBatch, NoticeFiles, TenantNotice};
use super::recheck::{Rechecked, recheck};
use super::runbooks::{RunbookCount, Runbooks, remove_stale};
use super::state::CampaignState;
use crate::error::Result;
use lightsout_campaign::AnnouncedTenant;
use lightsout_campaign::guards;
use lightsout_campaign::plan::{Due, plan};
use lightsout_notify::lists::ListRow;

/// The list of the plan, and its manifest.
pub(super) const DUE: &str = "due";

/// Under `--out`, a folder of scripts for each tenant.
pub const RUNBOOKS: &str = "runbooks";

/// What is due, and what the recheck before it found.
pub struct Planned {
    pub rechecked: Rechecked,
    /// By tenant id.
    pub due: Vec<Due>,
    /// When the next tenants are due.
    pub next: Option<NaiveDate>,
    /// Tenants whose date has come by the time that it is said to be, and by the system's clock has not, or whose days of
    /// notice have not passed.
    pub in_notice: usize,
    /// Of the scripts, where they were asked for.
    pub runbooks: Option<RunbookCount>,
}

/// Rechecks, then makes the plan and, where asked, its scripts. Changes no tenant.
///
/// # Errors
/// Fails if nobody is said to run the campaign, or the lake or a file can't be written.
pub async fn apply(state: &mut CampaignState, files: &NoticeFiles, with_runbooks: bool) -> Result<Planned> {
    guards::operator(&state.campaign)?;
    let rechecked = recheck(state, files).await?;
    let today = state.now.date_naive();
    let mut due: Vec<Due> = Vec::new();
    let mut batch = NoticeBatch::begin(files, DUE)?;
    // What is only rehearsed must not lie about as a script.
    let mut runbooks = (with_runbooks && !state.is_rehearsal).then(|| Runbooks::begin(&files.out, today));
    for (id, decided) in &rechecked.decided {
        let mut planned = plan(&decided.campaign, &decided.roster, &state.ledger, state.clock());
        planned.retain(|tenant| state.ledger.tenants[&tenant.tenant_id].change.decision_id == *id);
        if let Some(runbooks) = &mut runbooks {
            for tenant in &planned {
                let judged = rechecked.judged.get(&tenant.tenant_id);
                runbooks.add(state, decided, tenant, judged, &mut batch)?;
            }
        }
        let listed = planned.iter().filter_map(|tenant| {
            let assessment = rechecked.judged.get(&tenant.tenant_id)?.clone();
            Some(TenantNotice {
                kind: None,
                assessment,
                protocols: tenant.protocols.clone(),
                notice_date: None,
            })
        });
        batch.write(state, decided, state.until_now(decided.window), listed.collect(), &BTreeMap::new())?;
        due.extend(planned);
    }
    remove_stale(state, &due, &files.out)?;
    let runbooks = runbooks.map(|runbooks| runbooks.finish(state, &mut batch)).transpose()?;
    due.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    let planned = |row: &ListRow| {
        let at = due.binary_search_by(|tenant| tenant.tenant_id.cmp(&row.tenant_id)).ok()?;
        due.get(at)
    };
    let smtp =
        |row: &ListRow| planned(row)?.disables_smtp_client_authentication.then(|| "disable".to_owned());
    let outlook = |row: &ListRow| planned(row)?.enables_outlook_modern_auth.then(|| "enable".to_owned());
    batch.finish(state, &[("smtp_client_authentication", &smtp), ("outlook_modern_auth", &outlook)])?;
    let pending = state.ledger.tenants.values().filter(|tenant| !tenant.change.pending().is_empty());
    let reached = state.clock().reached();
    let next = pending.map(AnnouncedTenant::due_on).filter(|date| *date > reached).min();
    let early = state.ledger.tenants.values().filter(|tenant| !tenant.change.pending().is_empty());
    let early = early.filter(|tenant| tenant.change.effective_date <= today && tenant.due_on() > reached);
    let in_notice = early.count();
    Ok(Planned { rechecked, due, next, in_notice, runbooks })
}
