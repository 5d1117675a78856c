//! Decisions in the lake: keep one, list them, find one.

use std::collections::BTreeMap;

use crate::decision::DecisionRow;
use crate::error::{Error, Result};
use crate::recorded::DecisionHead;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;

/// Decisions that a message lists.
const LISTED_MAX: usize = 5;

/// Keeps the decision unless the lake has it.
///
/// # Errors
/// Fails if the lake can't be read or written.
pub async fn keep(lake: &mut Lake, row: &DecisionRow) -> Result<()> {
    let is_kept = |lake: &Lake| -> Result<bool> {
        Ok(heads(lake)?.iter().any(|kept| kept.decision_id == row.decision_id))
    };
    if is_kept(lake)? {
        return Ok(());
    }
    let lock = lake.lock().await?;
    // Another process may have reached the same decision meanwhile.
    if is_kept(lake)? {
        return Ok(());
    }
    let rows = std::slice::from_ref(row);
    Ok(lake.append(&lock, Table::Decisions, rows, row.decided_at.timestamp_millis()).await?)
}

/// The versions of the lake's tables, as a decision keeps them.
///
/// # Errors
/// Fails if they can't be read.
pub fn versions(lake: &Lake) -> Result<String> {
    let versions: BTreeMap<Table, u64> = lake.versions()?.into_iter().collect();
    serde_json::to_string(&versions).map_err(|source| Error::Unreadable { source })
}

/// Every kept decision, the oldest first.
///
/// # Errors
/// Fails if the lake can't be read.
pub fn heads(lake: &Lake) -> Result<Vec<DecisionHead>> {
    let columns = ["decision_id", "decided_at", "campaign"];
    let mut heads = Vec::new();
    for batch in lake.read(Table::Decisions, Some(&columns))? {
        heads.extend(lightsout_lake::rows::from_batch::<DecisionHead>(&batch?)?);
    }
    heads.sort_by(|a, b| (a.decided_at, &a.decision_id).cmp(&(b.decided_at, &b.decision_id)));
    Ok(heads)
}

/// A kept decision by its id.
///
/// # Errors
/// Fails if there is none of that id.
pub fn find(lake: &Lake, id: &str) -> Result<DecisionRow> {
    for batch in lake.read_where(Table::Decisions, "decision_id", id)? {
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
