//! The folder of runbooks: for each tenant its scripts, for all of them a runner and an index.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::LIST_COLUMNS;
use super::apply::{DUE, RUNBOOKS};
use super::notice_batch::NoticeBatch;
use super::state::{CampaignState, Decided};
use crate::error::{Error, Result};
use lightsout_campaign::AnnouncedTenant;
use lightsout_campaign::plan::Due;
use lightsout_campaign::runbook::{
    RunbookTenant, RunnerTenant, organization, runbook, runner, still_allowed,
};
use lightsout_config::request_file;
use lightsout_model::change::{ProtocolChange, Request};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::TenantAssessment;
use lightsout_output::atomic_file::write_content;
use lightsout_output::table::write_csv;
use lightsout_output::text::folder_name;
use lightsout_report::columns::Columns;

const TURN_OFF: &str = "turn-off.ps1";
const UNDO: &str = "undo.ps1";
const RUN_ALL: &str = "run-all.ps1";
const INDEX: &str = "index.csv";

/// What was written, in numbers of tenants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunbookCount {
    pub written: usize,
    /// Of those written, the ones that the roster gives no domain: their scripts find nothing to compare with what
    /// the server says, unless it states the tenant's id.
    pub without_domain: usize,
    /// Due, and Exchange has no switch for what is.
    pub without_switch: usize,
}

/// The runbooks of one `apply`.
pub struct Runbooks {
    folder: PathBuf,
    today: NaiveDate,
    rows: Vec<IndexRow>,
    count: RunbookCount,
}

struct IndexRow {
    announced_on: NaiveDate,
    announcement_id: String,
    tenant_id: String,
    display_name: Option<String>,
    domains: Vec<String>,
    protocols: Vec<Protocol>,
    still_allowed: Vec<Protocol>,
    effective_date: NaiveDate,
    valid_until: NaiveDate,
    folder: String,
}

impl Runbooks {
    pub fn begin(out: &Path, today: NaiveDate) -> Self {
        let (rows, count) = (Vec::new(), RunbookCount::default());
        Self { folder: out.join(RUNBOOKS), today, rows, count }
    }

    /// A tenant's scripts. Those of an earlier run are replaced; what they have kept beside them stays.
    ///
    /// # Errors
    /// Fails if a file can't be written.
    pub fn add(
        &mut self,
        state: &CampaignState,
        decided: &Decided,
        due: &Due,
        judged: Option<&TenantAssessment>,
        batch: &mut NoticeBatch,
    ) -> Result<()> {
        let announced = &state.ledger.tenants[&due.tenant_id];
        let settings = decided.roster.tenants.get(&due.tenant_id);
        let domains = settings.map(|settings| settings.domains.as_slice()).unwrap_or_default();
        let tenant = RunbookTenant {
            due,
            name: settings.and_then(|settings| settings.display_name.as_deref()),
            domains,
            still_allowed: still_allowed(due, &announced.change, judged),
            announcement_id: &announced.announcement.announcement_id,
        };
        let Some(scripts) = runbook(&decided.campaign, &tenant, self.today) else {
            self.count.without_switch += 1;
            return Ok(());
        };
        let name = folder_name(&due.tenant_id).into_owned();
        let folder = self.folder.join(&name);
        std::fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
        let paths = [folder.join(TURN_OFF), folder.join(UNDO)];
        for (path, script) in paths.iter().zip([&scripts.turn_off, &scripts.undo]) {
            write_content(path, script.as_bytes())?;
        }
        batch.add(&paths, Some(&due.tenant_id))?;
        self.count.written += 1;
        self.count.without_domain += usize::from(domains.is_empty());
        self.rows.push(IndexRow {
            announced_on: announced.change.announced_on,
            announcement_id: tenant.announcement_id.to_owned(),
            tenant_id: due.tenant_id.clone(),
            display_name: tenant.name.map(str::to_owned),
            domains: domains.to_vec(),
            protocols: due.protocols.clone(),
            still_allowed: tenant.still_allowed,
            effective_date: due.effective_date,
            valid_until: scripts.valid_until,
            folder: name,
        });
        Ok(())
    }

    /// Writes runner and index, if there is a script that they can name.
    ///
    /// # Errors
    /// Fails if a file can't be written.
    pub fn finish(mut self, state: &CampaignState, batch: &mut NoticeBatch) -> Result<RunbookCount> {
        // Wave by wave; of a wave by tenant id, as in every list.
        let key = |row: &IndexRow| (row.announced_on, row.announcement_id.clone(), row.tenant_id.clone());
        self.rows.sort_by_cached_key(key);
        let due = self.rows.iter().map(|row| RunnerTenant {
            tenant_id: row.tenant_id.clone(),
            folder: row.folder.clone(),
            organization: organization(&row.tenant_id, &row.domains),
            announcement_id: row.announcement_id.clone(),
            is_due: true,
        });
        let tenants: Vec<RunnerTenant> = due.chain(self.earlier(state)?).collect();
        if tenants.is_empty() {
            return Ok(self.count);
        }
        let paths = [self.folder.join(RUN_ALL), self.folder.join(INDEX)];
        write_content(&paths[0], runner(&state.campaign, &tenants, self.today).as_bytes())?;
        write_content(&paths[1], &self.index()?)?;
        batch.add(&paths, None)?;
        Ok(self.count)
    }

    /// Tenants that nothing is due in any more and that have an undo.
    fn earlier(&self, state: &CampaignState) -> Result<Vec<RunnerTenant>> {
        let due: BTreeSet<&str> = self.rows.iter().map(|row| row.tenant_id.as_str()).collect();
        let roster = state.current_roster()?;
        let others = state.ledger.tenants.iter().filter(|(id, _)| !due.contains(id.as_str()));
        let with_undo = others.filter_map(|(id, tenant)| {
            let folder = folder_name(id).into_owned();
            let domains = roster.tenants.get(id).map(|settings| settings.domains.as_slice());
            self.folder.join(&folder).join(UNDO).exists().then(|| RunnerTenant {
                tenant_id: id.clone(),
                organization: organization(id, domains.unwrap_or_default()),
                folder,
                announcement_id: tenant.announcement.announcement_id.clone(),
                is_due: false,
            })
        });
        Ok(with_undo.collect())
    }

    /// CSV with a byte order mark, for spreadsheets and Windows PowerShell.
    fn index(&self) -> Result<Vec<u8>> {
        let rows = Columns::of(&self.rows)
            .day("announced_on", |row| Some(row.announced_on))
            .text("announcement_id", |row| Some(row.announcement_id.clone()))
            .text("tenant_id", |row| Some(row.tenant_id.clone()))
            .text("display_name", |row| row.display_name.clone())
            .text("domains", |row| Some(row.domains.join(";")))
            .protocols("protocols", |row| &row.protocols)
            .protocols("still_allowed", |row| &row.still_allowed)
            .day("effective_date", |row| Some(row.effective_date))
            .day("valid_until", |row| Some(row.valid_until))
            .text("turn_off", |row| Some(format!("{}/{TURN_OFF}", row.folder)))
            .text("undo", |row| Some(format!("{}/{UNDO}", row.folder)))
            .batch()?;
        let mut csv = b"\xef\xbb\xbf".to_vec();
        write_csv(&mut csv, &[rows]).map_err(lightsout_output::Error::rows(&self.folder.join(INDEX)))?;
        Ok(csv)
    }
}

/// Columns of the index that say nothing of what a script turns off.
const INDEX_COLUMNS: [&str; 9] = [
    "announced_on",
    "announcement_id",
    "display_name",
    "domains",
    "still_allowed",
    "effective_date",
    "valid_until",
    "turn_off",
    "undo",
];

/// Whatever a command recorded: a script that turns off what is no longer to be turned off, or not yet, is gone. The
/// undo stays.
///
/// # Errors
/// Fails if a script can't be removed.
pub fn remove_outdated(state: &CampaignState, out: &Path) -> Result<()> {
    remove_outdated_plan(state, out)?;
    let folder = out.join(RUNBOOKS);
    if !folder.exists() {
        return Ok(());
    }
    let index = folder.join(INDEX);
    // What a script turns off can't be told without its index, as an apply that was killed leaves them: none may be run.
    let Ok(list) = request_file::read(&index, &INDEX_COLUMNS) else { return remove_stale(state, &[], out) };
    let today = state.now.date_naive();
    let listed: BTreeSet<&str> = list.requests.iter().map(|script| script.tenant_id.as_str()).collect();
    let all = state.ledger.tenants.keys().chain(state.ledger.withdrawn.keys());
    remove_turn_off(all.filter(|id| !listed.contains(id.as_str())), out)?;
    for script in &list.requests {
        let tenant = state.ledger.tenants.get(&script.tenant_id);
        let pending = tenant.filter(|tenant| tenant.due_on() <= today);
        let pending = pending.map(|tenant| tenant.change.pending()).unwrap_or_default();
        let is_due = |protocols: &Vec<Protocol>| protocols.iter().all(|protocol| pending.contains(protocol));
        if !script.protocols.as_ref().is_some_and(is_due) {
            remove_script(out, &script.tenant_id)?;
        }
    }
    Ok(())
}

/// A plan that lists what is kept by now is gone, with its manifest, until the next `apply`: other tools read it. One
/// whose tenants are confirmed stays, so that it can be confirmed again.
fn remove_outdated_plan(state: &CampaignState, out: &Path) -> Result<()> {
    let list = out.join("lists").join(format!("{DUE}.csv"));
    if !list.exists() {
        return Ok(());
    }
    let today = state.now.date_naive();
    let is_current = |row: &Request| {
        let tenant = state.ledger.tenants.get(&row.tenant_id);
        let protocols = row.protocols.iter().flatten();
        tenant.is_some_and(|tenant| protocols.into_iter().all(|of| is_due_or_off(tenant, *of, today)))
    };
    if request_file::read(&list, LIST_COLUMNS).is_ok_and(|list| list.requests.iter().all(is_current)) {
        return Ok(());
    }
    remove(out.join(format!("{DUE}.{}", lightsout_output::manifest::FILE)))?;
    for extension in ["csv", "json", "parquet"] {
        remove(list.with_extension(extension))?;
    }
    Ok(())
}

fn is_due_or_off(tenant: &AnnouncedTenant, protocol: Protocol, today: NaiveDate) -> bool {
    match tenant.change.protocols.get(&protocol) {
        Some(ProtocolChange::Pending) => tenant.due_on() <= today,
        Some(ProtocolChange::Off { .. } | ProtocolChange::UsedAfterChange { .. }) => true,
        Some(ProtocolChange::OnHold { .. } | ProtocolChange::OptedOut { .. }) | None => false,
    }
}

fn remove_script(out: &Path, tenant_id: &str) -> Result<()> {
    remove(out.join(RUNBOOKS).join(folder_name(tenant_id).as_ref()).join(TURN_OFF))
}

fn remove(path: PathBuf) -> Result<()> {
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::Write { path, source }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whoever runs all scripts of the folder must turn nothing off that is not due any more. The undo stays.
///
/// # Errors
/// Fails if a script can't be removed.
pub fn remove_stale(state: &CampaignState, due: &[Due], out: &Path) -> Result<()> {
    let due: BTreeSet<&str> = due.iter().map(|tenant| tenant.tenant_id.as_str()).collect();
    let all = state.ledger.tenants.keys().chain(state.ledger.withdrawn.keys());
    remove_turn_off(all.filter(|id| !due.contains(id.as_str())), out)
}

/// Removes the scripts that turn something off in these tenants.
///
/// # Errors
/// Fails if a script can't be removed.
pub fn remove_turn_off<'a>(tenant_ids: impl Iterator<Item = &'a String>, out: &Path) -> Result<()> {
    for tenant_id in tenant_ids {
        remove_script(out, tenant_id)?;
    }
    Ok(())
}
