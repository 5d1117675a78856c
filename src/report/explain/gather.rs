//! What an explanation asks the lake, of one tenant that has been judged.

use serde::de::DeserializeOwned;

use super::{AttemptCode, Attempts, Explanation, SettingsShown, ShownQuery, WhoShown, calendar, gaps};
use crate::error::Result;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::tenant::RosterTenant;
use lightsout_model::verdict::TenantAssessment;
use lightsout_notify::{limits, reasons_text};
use lightsout_query::catalog::Report;
use lightsout_query::{Queries, explain_values};

/// A tenant's verdict, and what it was reached with.
#[derive(Debug, Clone)]
pub struct Judged {
    pub tenant: TenantAssessment,
    pub evidence: TenantEvidence,
    /// What the roster says of it.
    pub settings: Option<RosterTenant>,
}

impl Explanation {
    /// Asks for what the evidence does not hold: who, and what was only tried.
    ///
    /// # Errors
    /// Fails if a query exceeds the memory limit.
    pub async fn gather(
        queries: &Queries,
        campaign: &Campaign,
        window: Window,
        judged: Judged,
    ) -> Result<Self> {
        let Judged { tenant, evidence, settings } = judged;
        let tenant_id = tenant.tenant_id.clone();
        let mut codes: Vec<AttemptCode> = rows(queries, "attempts", campaign, window, &tenant_id).await?;
        // One without a status may have been a success, which is another doubt.
        codes.retain(|row| row.outcome != "unknown");
        let sources = rows(queries, "attempt_sources", campaign, window, &tenant_id).await?;
        let who = queries.who(campaign, window, &tenant_id).await?.remove(&tenant_id).unwrap_or_default();
        Ok(Self {
            campaign: campaign.name.clone(),
            window,
            because: reasons_text(&tenant, window),
            limits: limits(campaign, &tenant, window),
            calendar: calendar(campaign, settings.as_ref(), &evidence, window),
            gaps: gaps(&tenant, window),
            activity: rows(queries, "tenant_activity", campaign, window, &tenant_id).await?,
            attempts: Attempts { codes, sources },
            settings: SettingsShown::of(queries.settings_of(&tenant_id).await?, campaign, window),
            who: who.into_iter().map(WhoShown::of).collect(),
            queries: behind(campaign, window, &tenant_id)?,
            tenant,
        })
    }
}

/// The rows of a shipped query of one tenant.
///
/// # Errors
/// Fails if there is no such query, its columns are not the members of `T`, or it exceeds the memory limit.
pub async fn rows<T: DeserializeOwned>(
    queries: &Queries,
    name: &str,
    campaign: &Campaign,
    window: Window,
    tenant_id: &str,
) -> Result<Vec<T>> {
    let report = Report::find(name)?;
    let mut rows = Vec::new();
    for batch in queries.run(report.name, report.sql, &report.bind(campaign, window, tenant_id)).await? {
        rows.extend(lightsout_lake::rows::from_batch(&batch)?);
    }
    Ok(rows)
}

/// The queries behind the numbers, as they can be run.
fn behind(campaign: &Campaign, window: Window, tenant_id: &str) -> Result<Vec<ShownQuery>> {
    const BEHIND: [&str; 8] = [
        "protocol_usage",
        "users_in_scope",
        "unclear_clients",
        "coverage",
        "tenant_activity",
        "who",
        "attempts",
        "attempt_sources",
    ];
    BEHIND
        .into_iter()
        .map(|name| {
            let report = Report::find(name)?;
            Ok(ShownQuery {
                name,
                shows: report.purpose().to_owned(),
                sql: explain_values::for_tenant(
                    report.sql,
                    &report.bind(campaign, window, tenant_id),
                    tenant_id,
                ),
            })
        })
        .collect()
}
