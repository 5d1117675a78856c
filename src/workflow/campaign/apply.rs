//! The plan of the day: what is to be turned off where. People, or their tools, do it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::NaiveDate;

use super::notice_batch::{NoticeBatch, NoticeFiles, TenantNotice};
use super::recheck::{Rechecked, recheck};
use super::state::{CampaignState, Decided};
use crate::error::{Error, Result};
use lightsout_campaign::plan::{Due, plan};
use lightsout_campaign::runbook::runbook;
use lightsout_notify::lists::ListRow;
use lightsout_output::atomic_file::write_content;
use lightsout_output::text::folder_name;

/// Under `--out`, a folder of scripts for each tenant.
pub const RUNBOOKS: &str = "runbooks";
const TURN_OFF: &str = "turn-off.ps1";
const UNDO: &str = "undo.ps1";

/// What is due, and what the recheck before it found.
pub struct Planned {
    pub rechecked: Rechecked,
    /// By tenant id.
    pub due: Vec<Due>,
    /// When the next tenants are due.
    pub next: Option<NaiveDate>,
}

/// Rechecks, then makes the plan and, where asked, its scripts. Changes no tenant.
///
/// # Errors
/// Fails if the lake or a file can't be written.
pub async fn apply(state: &mut CampaignState, files: &NoticeFiles, with_runbooks: bool) -> Result<Planned> {
    let rechecked = recheck(state, files).await?;
    let today = state.now.date_naive();
    let mut due: Vec<Due> = Vec::new();
    let mut batch = NoticeBatch::begin(files, "due")?;
    for (id, decided) in &rechecked.decided {
        let mut planned = plan(&decided.campaign, &decided.roster, &state.ledger, today);
        planned.retain(|tenant| state.ledger.tenants[&tenant.tenant_id].change.decision_id == *id);
        if with_runbooks {
            for tenant in &planned {
                batch.add(&write_runbook(decided, tenant, files)?, &tenant.tenant_id)?;
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
    remove_stale(state, &due, files)?;
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
    let next = pending.map(|tenant| tenant.change.effective_date).filter(|date| *date > today).min();
    Ok(Planned { rechecked, due, next })
}

fn runbook_folder(files: &NoticeFiles, tenant_id: &str) -> PathBuf {
    files.out.join(RUNBOOKS).join(folder_name(tenant_id).as_ref())
}

/// A tenant's scripts. Those of an earlier run are replaced; what they have kept beside them stays.
fn write_runbook(decided: &Decided, due: &Due, files: &NoticeFiles) -> Result<[PathBuf; 2]> {
    let settings = decided.roster.tenants.get(&due.tenant_id);
    let name = settings.and_then(|settings| settings.display_name.as_deref());
    let scripts = runbook(&decided.campaign, due, name);
    let folder = runbook_folder(files, &due.tenant_id);
    std::fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
    let paths = [folder.join(TURN_OFF), folder.join(UNDO)];
    for (path, script) in paths.iter().zip([&scripts.turn_off, &scripts.undo]) {
        write_content(path, script.as_bytes())?;
    }
    Ok(paths)
}

/// Whoever runs all scripts of the folder must turn nothing off that is not due any more. The undo stays.
fn remove_stale(state: &CampaignState, due: &[Due], files: &NoticeFiles) -> Result<()> {
    let due: BTreeSet<&str> = due.iter().map(|tenant| tenant.tenant_id.as_str()).collect();
    let not_due = state.ledger.tenants.keys().filter(|id| !due.contains(id.as_str()));
    for tenant_id in not_due {
        let path = runbook_folder(files, tenant_id).join(TURN_OFF);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Write { path, source });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
