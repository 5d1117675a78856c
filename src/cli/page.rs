//! `report.html`, which `run` and `assess` leave beside their tables.

use std::path::Path;

use super::deciding::Assessed;
use crate::error::Result;
use crate::report::page::{Links, Snapshot, render, rows_of_users};
use lightsout_output::atomic_file::write_content;

/// Its name under `--out`.
pub(super) const FILE: &str = "report.html";

/// Asks the lake what the page shows besides the assessment, and writes it.
pub(super) async fn write(assessed: &Assessed, out: &Path) -> Result<()> {
    let Assessed { campaign, assessment, queries, .. } = assessed;
    let window = assessment.window;
    let rows = rows_of_users(assessment);
    let rows_max = |tenant_id: &str| rows.get(tenant_id).copied().unwrap_or(0);
    let usage = queries.page_usage(campaign, window, "*", rows_max).await?;
    let snapshot = Snapshot { campaign, assessment, usage: &usage };
    let page = render(&snapshot, &Links::BESIDE)?;
    write_content(&out.join(FILE), page.as_bytes())?;
    Ok(())
}
