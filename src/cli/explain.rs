//! `lightsout explain`: why one tenant has its verdict.

use arrow::array::RecordBatch;
use clap::Args;
use serde::de::DeserializeOwned;

use super::deciding;
use super::shared::{self, Global, MEMORY_LIMIT_BYTES, Output, Rules};
use crate::assess::assess;
use crate::campaign::Campaign;
use crate::error::{Error, Result};
use crate::evidence::Window;
use crate::lake::Lake;
use crate::notify::reasons_text;
use crate::query::catalog::Report;
use crate::query::{Queries, shown};
use crate::report::Format;
use crate::report::explain::{AttemptCode, Attempts, Explanation, ShownQuery, calendar, gaps};
use crate::tenant::Roster;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Tenant id, or a domain or name of the roster
    #[arg(value_name = "TENANT")]
    tenant: String,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let (campaign, roster) = arguments.rules.load()?;
    let lake = Lake::open(&global.lake).await?;
    let queries = Queries::over(&lake, MEMORY_LIMIT_BYTES).await?;
    let coverage = queries.coverage().await?;
    let known: Vec<&str> = coverage.iter().map(|tenant| tenant.tenant_id.as_str()).collect();
    let tenant_id = deciding::find_tenant(&arguments.tenant, &roster, &known)?;
    let window = shared::window(arguments.rules.as_of, &campaign, &roster, &coverage, &lake)?;
    let mut evidence = queries.evidence_on(coverage, &campaign, window.first, window.end_at()).await?;
    evidence.retain(|tenant| tenant.tenant_id == tenant_id);
    // Nothing of another tenant reaches this one's verdict.
    let settings = roster.tenants.get(&tenant_id).cloned();
    let declared = settings.as_ref().and_then(crate::tenant::RosterTenant::logs);
    let alone =
        Roster { tenants: settings.map(|settings| (tenant_id.clone(), settings)).into_iter().collect() };
    let Some(tenant) = assess(&campaign, &alone, &evidence, window).pop() else {
        return Err(Error::EmptyLake { lake: lake.name() });
    };
    let evidence = evidence.pop().unwrap_or_default();

    let ask = async |name: &str| {
        let report = Report::find(name)?;
        queries.run(report.name, report.sql, &report.bind(&campaign, window, &tenant_id)).await
    };
    let activity = ask("tenant_activity").await?;
    let mut codes: Vec<AttemptCode> = rows(&ask("attempts").await?)?;
    // One without a status may have been a success, which is another doubt.
    codes.retain(|row| row.outcome != "unknown");
    let attempts = Attempts { codes, sources: rows(&ask("attempt_sources").await?)? };
    let explanation = Explanation {
        campaign: campaign.name.clone(),
        window,
        because: reasons_text(&tenant, window),
        calendar: calendar(&evidence, declared, campaign.permitted_gap_days.keys().copied(), window),
        gaps: gaps(&tenant, window),
        activity: rows(&activity)?,
        attempts,
        who: queries.who(window, &tenant_id).await?.remove(&tenant_id).unwrap_or_default(),
        queries: behind(&campaign, window, &tenant_id)?,
        tenant,
    };
    match arguments.output.format {
        None | Some(Format::Table) => arguments.output.write_text(&explanation.text())?,
        Some(Format::Json) => {
            let json = serde_json::to_string_pretty(&explanation)
                .map_err(|source| Error::Json { what: "an explanation", source })?;
            arguments.output.write_text(&json)?;
        }
        Some(Format::Csv | Format::Ndjson | Format::Parquet) => arguments.output.write(&activity)?,
    }
    Ok(0)
}

fn rows<T: DeserializeOwned>(batches: &[RecordBatch]) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    for batch in batches {
        rows.extend(crate::lake::rows::from_batch(batch)?);
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
                sql: shown::for_tenant(report.sql, &report.bind(campaign, window, tenant_id), tenant_id),
            })
        })
        .collect()
}
