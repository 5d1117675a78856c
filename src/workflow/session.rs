//! Opens sessions in which every view can be queried. `query` knows the names of all views; the crates that compute
//! some of them register those here.

use arrow::array::RecordBatch;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use lightsout_query::{Queries, Result};

/// A session over the lake's current snapshot, with all views.
///
/// # Errors
/// Fails if the lake's log can't be read, or a data file is not there or not as long as it was written.
pub async fn open(lake: &Lake, memory_limit_bytes: usize) -> Result<Queries> {
    lake.check_sizes()?;
    with_all_views(Queries::over(lake, memory_limit_bytes).await?)
}

/// The same for a verdict: what it can rest on is what was written, byte by byte. A changed byte that can still be
/// decoded would only look like less usage.
///
/// # Errors
/// As [`open`], and if such a file was changed.
pub async fn open_for_verdicts(lake: &Lake, memory_limit_bytes: usize) -> Result<Queries> {
    lake.check_contents(&Table::ALL)?;
    open(lake, memory_limit_bytes).await
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
