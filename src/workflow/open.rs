//! Opening a lake: one that an earlier version made gets the tables and columns of this one first.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::Tell;
use crate::error::Result;
use lightsout_ingest::Upgraded;
use lightsout_lake::Lake;

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
    if let Some(Upgraded { tables, sources }) = upgraded {
        let tables: Vec<&str> = tables.iter().map(|table| table.as_str()).collect();
        let counted = if sources == 0 {
            String::new()
        } else {
            format!("; the days of {sources} sources were counted again from their sign-in records")
        };
        tell(&format!(
            "the lake at {} was made by an earlier version: {} got the columns of today{counted}",
            lake.name(),
            tables.join(" and ")
        ));
    }
    Ok(())
}
