//! Opening a lake: one that an earlier version made gets the tables and columns of this one first.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::Tell;
use crate::error::Result;
use lightsout_ingest::Upgraded;
use lightsout_lake::Lake;
use lightsout_lake::lake_log::ForeignCommit;
use lightsout_lake::schema::Table;

/// The tables that nothing can bring back: what was decided, announced and said.
const KEPT: [Table; 6] = [
    Table::Decisions,
    Table::DecisionTenants,
    Table::Rosters,
    Table::CampaignEvents,
    Table::TenantSettings,
    Table::Dismissals,
];

/// Commits of other programs that a message names.
const COMMITS_TOLD: usize = 3;

/// Opens the lake and brings it up to date.
///
/// # Errors
/// Fails if there is no lake, or it can't be read or upgraded.
pub async fn open(root: &Path, now: DateTime<Utc>, tell: Tell) -> Result<Lake> {
    let mut lake = Lake::open(root).await?;
    lake.check_contents(&KEPT)?;
    upgrade(&mut lake, now, tell).await?;
    Ok(lake)
}

/// Brings an open lake up to date, and says what it did: other programs see the lake change.
///
/// # Errors
/// Fails if the lake can't be written.
pub async fn upgrade(lake: &mut Lake, now: DateTime<Utc>, tell: Tell) -> Result<()> {
    let upgraded = lightsout_ingest::upgrade(lake, now).await.map_err(|source| lake.not_upgraded(source))?;
    if let Some(upgraded) = upgraded {
        tell(&told_of_upgrade(&lake.name(), &upgraded));
    }
    if let Some(told) = changes_by_others(lake) {
        tell(&told);
    }
    Ok(())
}

/// What other programs have changed in the lake since lightsout last wrote to it, in words; `None` if nothing.
#[must_use]
pub fn changes_by_others(lake: &Lake) -> Option<String> {
    let commits = lake.commits_by_others();
    (!commits.is_empty()).then(|| told_of_others(&lake.name(), commits))
}

fn told_of_upgrade(lake: &str, upgraded: &Upgraded) -> String {
    let Upgraded { tables, sources, format: (before, after) } = upgraded;
    let mut parts = Vec::new();
    if !tables.is_empty() {
        let tables: Vec<&str> = tables.iter().map(|table| table.as_str()).collect();
        parts.push(format!("{} got the current columns", in_words(&tables)));
    }
    if *sources > 0 {
        parts.push(format!(
            "the days of {} counted again from the sign-in records",
            lightsout_output::text::count(*sources as u64, "source were", "sources were")
        ));
    }
    if before != after {
        parts.push(format!(
            "its format is now {after} (was {before}), so don't use earlier versions on it any more"
        ));
    }
    format!("the lake at {lake} was made by an earlier version: {}", parts.join("; "))
}

fn told_of_others(lake: &str, commits: &[ForeignCommit]) -> String {
    let mut told: Vec<String> = commits.iter().take(COMMITS_TOLD).map(ToString::to_string).collect();
    if commits.len() > COMMITS_TOLD {
        told.push(format!("{} more", commits.len() - COMMITS_TOLD));
    }
    format!(
        "another program has changed the lake at {lake} since lightsout last wrote to it ({}); check that its \
         accounts still add up with: lightsout lake verify",
        told.join(", ")
    )
}

fn in_words(tables: &[&str]) -> String {
    match tables.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => tables.concat(),
    }
}
