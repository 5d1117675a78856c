//! Opens sessions in which every view can be queried. `query` knows the names of all views; the crates that compute
//! some of them register those here.

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::NaiveDate;

use crate::Error;
use crate::roster::kept_for_use;
use lightsout_assess::default_as_of;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;
use lightsout_query::catalog::own::Library;
use lightsout_query::report_views::{ReportRules, ReportViews};
use lightsout_query::{Error as QueryError, Queries, Resources, Result};

/// A session over the lake's current snapshot, with all views.
///
/// # Errors
/// Fails if the lake's log can't be read, or a data file is not there or not as long as it was written.
pub async fn open(lake: &Lake, resources: impl Into<Resources>) -> Result<Queries> {
    let resources = resources.into();
    // Executors read a store themselves; nothing is fetched for them.
    if resources.cluster.is_none() || !lake.is_in_store() {
        lake.check_sizes()?;
    }
    with_all_views(Queries::over(lake, resources).await?)
}

/// The same for a verdict: what it can rest on is what was written, byte by byte. A changed byte that can still be
/// decoded would only look like less usage.
///
/// # Errors
/// As [`open`], and if such a file was changed.
pub async fn open_for_verdicts(lake: &Lake, resources: impl Into<Resources>) -> Result<Queries> {
    lake.check_contents(&Table::ALL)?;
    open(lake, resources).await
}

/// The same over rows in memory; tables that are not given are empty.
///
/// # Errors
/// Fails if the columns of a batch are not those of its table.
pub async fn over_rows(rows: Vec<(Table, RecordBatch)>, memory_limit_bytes: usize) -> Result<Queries> {
    with_all_views(Queries::over_rows(rows, memory_limit_bytes).await?)
}

/// The reports as views over a session of a lake, asked as `lightsout report` without flags asks them: by the kept roster,
/// and for the window before the latest day that the logs of half the tenants reach, or before `today` where no log is.
#[must_use]
pub fn report_views(
    lake: &Lake,
    queries: Queries,
    campaign: Campaign,
    library: Arc<Library>,
    today: NaiveDate,
) -> Arc<ReportViews> {
    let root = lake.root().to_owned();
    let rules = campaign.clone();
    let find_window = move |queries: Queries| {
        let (root, campaign) = (root.clone(), rules.clone());
        let found = async move {
            let coverage = queries.coverage().await?;
            let lake = Lake::open(&root).await?;
            let roster = kept_for_use(&lake, today, |_| {}).map_err(as_query_error)?.unwrap_or_default();
            let as_of = default_as_of(&campaign, &roster, &coverage).unwrap_or(today);
            Ok(Window::before(as_of, campaign.window_days))
        };
        Box::pin(found) as _
    };
    let rules = ReportRules { campaign, library, find_window: Box::new(find_window) };
    Arc::new(ReportViews::new(queries, rules))
}

fn as_query_error(error: Error) -> QueryError {
    match error {
        Error::Query(error) => error,
        Error::Lake(error) => (*error).into(),
        other => {
            QueryError::Read { path: "the kept roster".to_owned(), source: std::io::Error::other(other) }
        }
    }
}

fn with_all_views(queries: Queries) -> Result<Queries> {
    lightsout_decisions::views::register(&queries)?;
    lightsout_ledger::campaign_changes::register(&queries)?;
    lightsout_ledger::campaign_status::register(&queries)?;
    Ok(queries)
}
