//! Decisions in the lake: keep one, list them, find one, read its tenants and its roster.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use crate::decision::{Basis, DecisionHead, DecisionRow, HEAD_COLUMNS, sort_oldest_first};
use crate::error::{Error, Result};
use crate::rosters::StoredRoster;
use crate::step_writer::write_steps;
use crate::tenants::{VERDICT_COLUMNS, check_count};
use crate::{rosters, tenants};
use lightsout_lake::Lake;
use lightsout_lake::commit::Manifest;
use lightsout_lake::schema::Table;
use lightsout_lake::write::write_file;
use lightsout_model::evidence::TenantEvidence;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::{Assessment, TenantAssessment};

/// Decisions that a message lists.
const LISTED_MAX: usize = 5;

/// Keeps the decision unless the lake has it: its tenants and its roster before its own row, all in one batch.
///
/// # Errors
/// Fails if the lake can't be read or written.
pub async fn keep(
    lake: &mut Lake,
    row: &DecisionRow,
    assessment: &Assessment,
    basis: &Basis<'_>,
) -> Result<()> {
    let is_kept = |lake: &Lake| -> Result<bool> {
        Ok(heads(lake)?.iter().any(|kept| kept.decision_id == row.decision_id))
    };
    if is_kept(lake)? {
        return Ok(lake.await_durable().await?);
    }
    let lock = lake.lock().await?;
    // Another process may have reached the same decision meanwhile.
    if is_kept(lake)? {
        return Ok(());
    }
    let manifest = write(lake, row, assessment, basis)?;
    Ok(lake.commit(&lock, &manifest, row.decided_at.timestamp_millis()).await?)
}

/// Writes the files of a decision, not yet committed.
fn write(lake: &Lake, row: &DecisionRow, assessment: &Assessment, basis: &Basis<'_>) -> Result<Manifest> {
    let batch_id = uuid::Uuid::new_v4().simple().to_string();
    let name = format!("part-{batch_id}");
    let mut files = Vec::new();
    let steps = tenants::batches(assessment, basis.evidence);
    files.extend(write_steps(lake, Table::DecisionTenants, &name, steps)?);
    if roster_rows(lake, &row.roster_hash)?.next().is_none() {
        let steps = rosters::batches(&row.roster_hash, basis.roster, None);
        files.extend(write_steps(lake, Table::Rosters, &name, steps)?);
    }
    let decision = lightsout_lake::rows::to_batch(Table::Decisions, std::slice::from_ref(row))?;
    files.push(write_file(lake.root(), Table::Decisions, &name, &decision)?);
    Ok(Manifest { batch_id, files, replaced: Vec::new() })
}

/// The roster that a decision was made with.
///
/// # Errors
/// Fails if the lake does not have it as it was.
pub fn roster(lake: &Lake, row: &DecisionRow) -> Result<Roster> {
    if !row.has_verdicts() {
        return row.roster_in_row().map_err(unreadable);
    }
    let mut stored = StoredRoster::default();
    for rows in roster_rows(lake, &row.roster_hash)? {
        stored.add(&rows?)?;
    }
    stored.into_roster_of(row)
}

/// The roster of the campaign's newest decision that was made with one, and the id of that decision.
///
/// # Errors
/// Fails if the lake can't be read, or does not have the roster as it was.
pub fn newest_roster(lake: &Lake, campaign: &str) -> Result<Option<(String, Roster)>> {
    let none = rosters::hash(&Roster::default())?;
    let made_with_one = |head: &DecisionHead| head.campaign == campaign && head.roster_hash != none;
    let Some(head) = heads(lake)?.into_iter().rfind(made_with_one) else { return Ok(None) };
    let roster = roster(lake, &find(lake, &head.decision_id)?)?;
    Ok(Some((head.decision_id, roster)))
}

fn roster_rows(
    lake: &Lake,
    roster_hash: &str,
) -> Result<impl Iterator<Item = lightsout_lake::Result<RecordBatch>>> {
    Ok(lake.read_where(Table::Rosters, "roster_hash", roster_hash, None)?)
}

/// What was decided of each tenant, sorted by tenant id; `None`: an earlier program kept no verdicts.
///
/// # Errors
/// Fails if the lake does not have all of its tenants.
pub fn verdicts(lake: &Lake, row: &DecisionRow) -> Result<Option<Vec<TenantAssessment>>> {
    if !row.has_verdicts() {
        return Ok(None);
    }
    let mut found = Vec::new();
    for rows in tenant_rows(lake, &row.decision_id, &VERDICT_COLUMNS)? {
        found.extend(tenants::verdicts(&rows?)?);
    }
    check_count(row, found.len() as u64)?;
    found.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    Ok(Some(found))
}

/// The evidence that a decision was made from, sorted by tenant id; that of earlier rules as far as it says the same.
///
/// # Errors
/// Fails if the lake does not have all of its tenants.
pub fn evidence(lake: &Lake, row: &DecisionRow) -> Result<Vec<TenantEvidence>> {
    if !row.has_verdicts() {
        return row.evidence_in_row().map_err(unreadable);
    }
    let (mut found, mut count) = (Vec::new(), 0);
    for rows in tenant_rows(lake, &row.decision_id, &["evidence"])? {
        let rows = rows?;
        count += rows.num_rows() as u64;
        found.extend(tenants::evidence(&rows)?);
    }
    check_count(row, count)?;
    found.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    Ok(found)
}

fn tenant_rows(
    lake: &Lake,
    decision_id: &str,
    columns: &[&str],
) -> Result<impl Iterator<Item = lightsout_lake::Result<RecordBatch>> + use<>> {
    Ok(lake.read_where(Table::DecisionTenants, "decision_id", decision_id, Some(columns))?)
}

/// The decisions that the lake has not kept whole, each with what is wrong.
///
/// # Errors
/// Fails if the lake can't be read.
pub fn incomplete(lake: &Lake) -> Result<Vec<Error>> {
    let mut wrong = Vec::new();
    let mut rosters_checked = BTreeSet::new();
    for head in heads(lake)? {
        let row = find(lake, &head.decision_id)?;
        if !row.has_verdicts() {
            continue;
        }
        let mut found = 0;
        for rows in tenant_rows(lake, &row.decision_id, &["decision_id"])? {
            found += rows?.num_rows() as u64;
        }
        wrong.extend(check_count(&row, found).err());
        if rosters_checked.insert(row.roster_hash.clone()) {
            match roster(lake, &row) {
                Ok(_) => {}
                Err(lost @ Error::RosterLost { .. }) => wrong.push(lost),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(wrong)
}

const fn unreadable(source: serde_json::Error) -> Error {
    Error::Unreadable { source }
}

/// The versions of the lake's tables, as a decision keeps them.
///
/// # Errors
/// Fails if they can't be read.
pub fn versions(lake: &Lake) -> Result<String> {
    let versions: BTreeMap<Table, u64> = lake.versions()?.into_iter().collect();
    serde_json::to_string(&versions).map_err(unreadable)
}

/// Every kept decision, the oldest first.
///
/// # Errors
/// Fails if the lake can't be read.
pub fn heads(lake: &Lake) -> Result<Vec<DecisionHead>> {
    let mut heads = Vec::new();
    for batch in lake.read(Table::Decisions, Some(&HEAD_COLUMNS))? {
        heads.extend(lightsout_lake::rows::from_batch::<DecisionHead>(&batch?)?);
    }
    sort_oldest_first(&mut heads);
    Ok(heads)
}

/// A kept decision by its id.
///
/// # Errors
/// Fails if there is none of that id.
pub fn find(lake: &Lake, id: &str) -> Result<DecisionRow> {
    for batch in lake.read_where(Table::Decisions, "decision_id", id, None)? {
        for row in lightsout_lake::rows::from_batch::<DecisionRow>(&batch?)? {
            if row.decision_id == id {
                return Ok(row);
            }
        }
    }
    let latest = heads(lake)?.into_iter().rev().take(LISTED_MAX);
    let ids: Vec<String> = latest.map(|head| format!("{} ({})", head.decision_id, head.campaign)).collect();
    let known =
        if ids.is_empty() { "none, make one with: lightsout assess".to_owned() } else { ids.join(", ") };
    Err(Error::Unknown { id: id.to_owned(), known })
}

/// The latest decision of a campaign, if there is one.
///
/// # Errors
/// Fails if the lake can't be read.
pub fn latest_head(lake: &Lake, campaign: &str) -> Result<Option<DecisionHead>> {
    Ok(heads(lake)?.into_iter().rfind(|head| head.campaign == campaign))
}

/// The latest decision of a campaign.
///
/// # Errors
/// Fails if there is none.
pub fn latest(lake: &Lake, campaign: &str) -> Result<DecisionRow> {
    let head = latest_head(lake, campaign)?
        .ok_or_else(|| Error::NoneYet { campaign: campaign.to_owned(), lake: lake.name() })?;
    find(lake, &head.decision_id)
}
