//! Opening a lake: one that an earlier version made gets the tables and columns of this one first.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::Tell;
use crate::error::Result;
use lightsout_ingest::Upgraded;
use lightsout_lake::Lake;

/// Commits of other programs that a message names.
const COMMITS_TOLD: usize = 3;

/// Opens the lake and brings it up to date.
///
/// # Errors
/// Fails if there is no lake, or it can't be read or upgraded.
pub async fn open(root: &Path, now: DateTime<Utc>, tell: Tell) -> Result<Lake> {
    let mut lake = Lake::open(root).await?;
    upgrade(&mut lake, now, tell).await?;
    Ok(lake)
}

/// Brings an open lake up to date, and says what it did: other programs see the lake change.
///
/// # Errors
/// Fails if the lake can't be written.
pub async fn upgrade(lake: &mut Lake, now: DateTime<Utc>, tell: Tell) -> Result<()> {
    let upgraded = lightsout_ingest::upgrade(lake, now).await.map_err(|source| lake.not_upgraded(source))?;
    if let Some(Upgraded { tables, sources, format: (before, after) }) = upgraded {
        let mut told = format!("the lake at {} was made by an earlier version: ", lake.name());
        if !tables.is_empty() {
            let tables: Vec<&str> = tables.iter().map(|table| table.as_str()).collect();
            told += &format!("{} got the columns of today; ", tables.join(" and "));
        }
        if sources > 0 {
            told += &format!("the days of {sources} sources were counted again from their sign-in records; ");
        }
        told +=
            &format!("it had format {before} and has format {after} now, which earlier versions can't write");
        tell(&told);
    }
    if !lake.commits_by_others().is_empty() {
        let commits: Vec<String> =
            lake.commits_by_others().iter().take(COMMITS_TOLD).map(ToString::to_string).collect();
        let more = lake.commits_by_others().len() - commits.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        tell(&format!(
            "another program has changed the lake at {} since lightsout last wrote to it ({}{more}); see if its \
             accounts still hold with: lightsout lake verify",
            lake.name(),
            commits.join(", ")
        ));
    }
    Ok(())
}
