//! Where a campaign stands, for pages: the tenants of an assessment and of the ledger, as a session sees them.

use chrono::NaiveDate;

use crate::error::Result;
use lightsout_campaign::status::{StatusRow, status};
use lightsout_model::campaign::Campaign;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::Assessment;
use lightsout_query::Queries;

/// The tenants of the campaign on a day; none where nothing was announced.
///
/// # Errors
/// Fails if the ledger can't be read.
pub async fn standing(
    queries: &Queries,
    campaign: &Campaign,
    roster: &Roster,
    assessment: &Assessment,
    today: NaiveDate,
) -> Result<Vec<StatusRow>> {
    let ledger = lightsout_ledger::read(queries, &campaign.name).await?;
    if ledger.tenants.is_empty() {
        return Ok(Vec::new());
    }
    Ok(status(campaign, roster, Some(assessment), &ledger, today))
}
