//! `lightsout explain`: why one tenant has its verdict.

use clap::Args;

use super::screen::Screen;
use super::shared::{Global, Output, Rules, find_tenant, open_lake, print_note};
use crate::cli::failure::{Failure, Result};
use lightsout_assess::assess;
use lightsout_model::tenant::Roster;
use lightsout_query::catalog::Report;
use lightsout_report::Format;
use lightsout_report::explain::{Explanation, Judged, Layout};
use lightsout_workflow::assess::{AssessRequest, window};
use lightsout_workflow::known_tenants::missing_logs_note;
use lightsout_workflow::{Error, MEMORY_LIMIT_BYTES, session};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Tenant id, or a domain or name of the roster
    #[arg(value_name = "TENANT")]
    tenant: String,
    #[command(flatten)]
    rules: Rules,
    /// Also show the SQL behind each number
    #[arg(long)]
    sql: bool,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let rules = arguments.rules.load()?;
    let lake = open_lake(global).await?;
    let AssessRequest { campaign, roster, as_of, .. } = rules.in_lake(&lake, global)?;
    let queries = session::open_for_verdicts(&lake, MEMORY_LIMIT_BYTES).await?;
    let coverage = queries.coverage().await?;
    let with_settings = queries.tenants_with_settings().await?;
    let mut known: Vec<&str> = coverage.iter().map(|tenant| tenant.tenant_id.as_str()).collect();
    known.extend(with_settings.iter().map(String::as_str));
    known.sort_unstable();
    known.dedup();
    let tenant_id = find_tenant("TENANT", &arguments.tenant, &roster, &known)?;
    let window = window(as_of, &campaign, &roster, &coverage, &lake)?;
    if let Some(note) = missing_logs_note(&queries, Some(window), &tenant_id, &roster).await? {
        print_note(&format!("lightsout: {note}"));
    }
    let mut evidence = queries.evidence_on(coverage, &campaign, window).await?;
    evidence.retain(|tenant| tenant.tenant_id == tenant_id);
    // Nothing of another tenant reaches this one's verdict.
    let settings = roster.tenants.get(&tenant_id).cloned();
    let alone = Roster {
        tenants: settings.clone().map(|settings| (tenant_id.clone(), settings)).into_iter().collect(),
    };
    let Some(tenant) = assess(&campaign, &alone, &evidence, window).pop() else {
        return Err(Error::EmptyLake { lake: lake.name() }.into());
    };
    let evidence = evidence.pop().unwrap_or_default();
    let format = arguments.output.format();
    if format.is_some_and(|format| !matches!(format, Format::Table | Format::Json)) {
        let report = Report::find("tenant_activity")?;
        let parameters = report.bind(&campaign, window, &tenant_id);
        return arguments.output.write(&queries.run(report.name, report.sql, &parameters).await?).map(|()| 0);
    }
    let judged = Judged { tenant, evidence, settings };
    let explanation = Explanation::gather(&queries, &campaign, window, judged).await?;
    if format == Some(Format::Json) {
        let json = serde_json::to_string_pretty(&explanation)
            .map_err(|source| Failure::Json { what: "an explanation", source })?;
        arguments.output.write_text(&json)?;
    } else {
        let screen = Screen::of_person(&arguments.output, false);
        let width = screen.as_ref().map(Screen::columns);
        let text = explanation.text(Layout { width, sql: arguments.sql });
        match screen {
            Some(screen) => screen.page(text.trim_end())?,
            None => arguments.output.write_text(&text)?,
        }
    }
    Ok(0)
}
