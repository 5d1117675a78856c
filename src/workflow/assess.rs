//! From the lake to a decision that it keeps, and the files of that decision.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use crate::campaign::standing::standing;
use crate::error::{Error, Result};
use crate::{MEMORY_LIMIT_BYTES, session};
use lightsout_assess::default_as_of;
use lightsout_decisions::decision::decide;
pub use lightsout_decisions::reproduce::Assessed;
use lightsout_decisions::{reproduce, store};
use lightsout_lake::Lake;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::tenant::Roster;
use lightsout_output::atomic_file::write_content;
use lightsout_query::Resources;
use lightsout_query::cluster::Cluster;
use lightsout_report::page::{Links, Snapshot, Standing, render, rows_of_users};

/// The page beside the tables of an assessment.
pub const PAGE_FILE: &str = "report.html";

/// Which rules, which tenants, which window.
#[derive(Debug)]
pub struct AssessRequest {
    pub campaign: Campaign,
    pub roster: Roster,
    /// The window ends before this day; `None`: before the latest that the logs of half the tenants reach.
    pub as_of: Option<NaiveDate>,
    /// Where the lake is asked; `None`: in this process.
    pub cluster: Option<Cluster>,
}

/// Decides by the lake as it is, keeps the decision, then writes the tables of the assessment under `out`.
///
/// # Errors
/// Fails if the lake holds no records, or it or a file can't be written.
pub async fn assess(
    lake: &mut Lake,
    request: AssessRequest,
    out: &Path,
    now: DateTime<Utc>,
) -> Result<Assessed> {
    let AssessRequest { campaign, roster, as_of, cluster } = request;
    // Finishes what a killed run left.
    drop(lake.lock().await?);
    let resources = Resources { memory_limit_bytes: MEMORY_LIMIT_BYTES, cluster };
    let queries = session::open_for_verdicts(lake, resources).await?;
    let coverage = queries.coverage().await?;
    let window = window(as_of, &campaign, &roster, &coverage, lake)?;
    let evidence = queries.evidence_on(coverage, &campaign, window).await?;
    let basis = reproduce::basis(&campaign, &roster, &evidence, window, 0);
    let (assessment, row) = decide(&basis, now, store::versions(lake)?)?;
    // A decision over nobody says nothing.
    if assessment.tenants.is_empty() {
        return Err(Error::EmptyLake { lake: lake.name() });
    }
    // What is published follows from a decision that the lake knows.
    store::keep(lake, &row, &assessment, &basis).await?;
    lightsout_report::assessment::write_all(out, &assessment)
        .map_err(|error| Error::from(error).recorded())?;
    Ok(Assessed { campaign, roster, assessment, queries })
}

/// The window before `as_of`, or before the latest day that the logs of half the tenants reach.
///
/// # Errors
/// Fails if the lake holds no records and no day is named.
pub fn window(
    as_of: Option<NaiveDate>,
    campaign: &Campaign,
    roster: &Roster,
    coverage: &[TenantEvidence],
    lake: &Lake,
) -> Result<Window> {
    let as_of = as_of
        .or_else(|| default_as_of(campaign, roster, coverage))
        .ok_or_else(|| Error::EmptyLake { lake: lake.name() })?;
    Ok(Window::before(as_of, campaign.window_days))
}

/// Asks the lake what `report.html` shows besides the assessment, and writes it under `out`. The campaign stands there
/// as on the day that the window ends before, so that the page of a decision is always the same.
///
/// # Errors
/// Fails if a query does, or the file can't be written.
pub async fn write_page(assessed: &Assessed, out: &Path) -> Result<()> {
    let Assessed { campaign, roster, assessment, queries } = assessed;
    let window = assessment.window;
    let rows = rows_of_users(assessment);
    let rows_max = |tenant_id: &str| rows.get(tenant_id).copied().unwrap_or(0);
    let usage = queries.page_usage(campaign, window, "*", rows_max).await?;
    let today = window.end;
    let rows = standing(queries, campaign, roster, assessment, today).await?;
    let standing = Standing { rows: &rows, today };
    let snapshot = Snapshot { campaign, assessment, usage: &usage, standing };
    let page = render(&snapshot, &Links::BESIDE)?;
    write_content(&out.join(PAGE_FILE), page.as_bytes())?;
    Ok(())
}
