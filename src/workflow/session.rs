//! Opens sessions in which every view can be queried. `query` knows the names of all views; the crates that compute
//! some of them register those here.

use arrow::array::RecordBatch;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use lightsout_query::{Queries, Result};

/// A session over the lake's current snapshot, with all views.
///
/// # Errors
/// Fails if the lake's log can't be read.
pub async fn open(lake: &Lake, memory_limit_bytes: usize) -> Result<Queries> {
    with_all_views(Queries::over(lake, memory_limit_bytes).await?)
}

/// The same over rows in memory; tables that are not given are empty.
///
/// # Errors
/// Fails if the columns of a batch are not those of its table.
pub async fn over_rows(rows: Vec<(Table, RecordBatch)>, memory_limit_bytes: usize) -> Result<Queries> {
    with_all_views(Queries::over_rows(rows, memory_limit_bytes).await?)
}

fn with_all_views(queries: Queries) -> Result<Queries> {
    lightsout_decisions::views::register(&queries)?;
    lightsout_ledger::campaign_changes::register(&queries)?;
    lightsout_ledger::campaign_status::register(&queries)?;
    Ok(queries)
}
