//! Letting go of decisions: each pins the versions of the tables that it was made from, so that `vacuum` keeps their
//! files. What an event of a campaign names stays, and so does the latest decision of each campaign.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array as _, AsArray, BooleanArray, RecordBatch};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::decision::DecisionHead;
use crate::error::Result;
use crate::store::heads;
use lightsout_lake::Lake;
use lightsout_lake::remove::{Removal, RemovedRows};
use lightsout_lake::schema::Table;

/// Which decisions may go, and whether they do.
#[derive(Debug, Clone, Copy)]
pub struct ForgetSettings {
    /// A decision that was made since then stays.
    pub keep_since: DateTime<Utc>,
    /// Tell what would go; write nothing.
    pub dry_run: bool,
    pub now: DateTime<Utc>,
}

/// A decision that was let go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    pub decision_id: String,
    pub campaign: String,
    pub decided_at: DateTime<Utc>,
}

/// What was let go, and why the others stay.
#[derive(Debug, Default, Serialize)]
pub struct ForgetReport {
    pub forgotten: Vec<Forgotten>,
    pub kept_as_young: usize,
    /// An event of a campaign names them.
    pub kept_for_campaigns: usize,
    /// Older ones that are the latest of their campaign.
    pub kept_as_latest: usize,
    pub rows: Vec<RemovedRows>,
}

/// Removes decisions with their tenants, and the rosters that only they were made with.
///
/// # Errors
/// Fails if the lake can't be read or written; then every decision stays.
pub async fn forget(lake: &mut Lake, settings: ForgetSettings) -> Result<ForgetReport> {
    let lock = if settings.dry_run { None } else { Some(lake.lock().await?) };
    let heads = heads(lake)?;
    let mut report = ForgetReport::default();
    let going = going(&heads, &named_by_events(lake)?, settings.keep_since, &mut report);
    if going.is_empty() {
        return Ok(report);
    }
    let rosters: BTreeSet<&str> = heads
        .iter()
        .filter(|head| !going.contains(head.decision_id.as_str()))
        .map(|head| head.roster_hash.as_str())
        .collect();
    let of_going = |rows: &RecordBatch| -> lightsout_lake::Result<BooleanArray> {
        Ok(is_in(rows, "decision_id", |id| going.contains(id)))
    };
    let of_no_decision = |rows: &RecordBatch| -> lightsout_lake::Result<BooleanArray> {
        let versions = rows.column_by_name("roster_version");
        let unused = is_in(rows, "roster_hash", |hash| !rosters.contains(hash));
        let is_kept = |row: usize| versions.is_some_and(|versions| versions.is_valid(row));
        Ok(unused
            .iter()
            .enumerate()
            .map(|(row, unused)| Some(unused == Some(true) && !is_kept(row)))
            .collect())
    };
    let removals = [
        Removal { table: Table::DecisionTenants, columns: &["decision_id"], leaves: &of_going },
        Removal {
            table: Table::Rosters,
            columns: &["roster_hash", "roster_version"],
            leaves: &of_no_decision,
        },
        Removal { table: Table::Decisions, columns: &["decision_id"], leaves: &of_going },
    ];
    report.rows = match &lock {
        None => lake.count_removed_rows(&removals)?,
        Some(lock) => lake.remove_rows(lock, &removals, settings.now.timestamp_millis()).await?,
    };
    Ok(report)
}

/// The decisions that go; the report says how many stay and why.
fn going<'a>(
    heads: &'a [DecisionHead],
    named: &BTreeSet<String>,
    keep_since: DateTime<Utc>,
    report: &mut ForgetReport,
) -> BTreeSet<&'a str> {
    let latest: BTreeMap<&str, &str> =
        heads.iter().map(|head| (head.campaign.as_str(), head.decision_id.as_str())).collect();
    let mut going = BTreeSet::new();
    for head in heads {
        let id = head.decision_id.as_str();
        if head.decided_at >= keep_since {
            report.kept_as_young += 1;
        } else if named.contains(id) {
            report.kept_for_campaigns += 1;
        } else if latest.get(head.campaign.as_str()) == Some(&id) {
            report.kept_as_latest += 1;
        } else if going.insert(id) {
            report.forgotten.push(Forgotten {
                decision_id: head.decision_id.clone(),
                campaign: head.campaign.clone(),
                decided_at: head.decided_at,
            });
        }
    }
    going
}

/// The decisions that an event of any campaign names.
fn named_by_events(lake: &Lake) -> Result<BTreeSet<String>> {
    let mut named = BTreeSet::new();
    for rows in lake.read(Table::CampaignEvents, Some(&["decision_id"]))? {
        let rows = rows?;
        let ids = rows.column_by_name("decision_id").and_then(|column| column.as_string_opt::<i32>());
        named.extend(ids.into_iter().flatten().flatten().map(str::to_owned));
    }
    Ok(named)
}

fn is_in(rows: &RecordBatch, column: &str, is: impl Fn(&str) -> bool) -> BooleanArray {
    let texts = rows.column_by_name(column).and_then(|column| column.as_string_opt::<i32>());
    match texts {
        Some(texts) => texts.iter().map(|text| Some(text.is_some_and(&is))).collect(),
        None => vec![Some(false); rows.num_rows()].into(),
    }
}
