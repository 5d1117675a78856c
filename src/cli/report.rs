//! `lightsout report`: the shipped queries over the lake.

use clap::Args;

use super::answers::QueryLimits;
use super::shared::{self, Global, Output, Rules, print};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::query::Queries;
use crate::query::catalog::{REPORTS, Report};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The report's name; none lists them
    name: Option<String>,
    #[command(flatten)]
    rules: Rules,
    /// One tenant's id, for reports that take it [default: all]
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    limits: QueryLimits,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let Some(name) = &arguments.name else {
        for report in REPORTS {
            print(&format!("{:16} {}", report.name, report.purpose()));
        }
        return Ok(0);
    };
    let report = Report::find(name)?;
    if arguments.tenant.is_some() && !report.parameters().contains(&"tenant") {
        let able: Vec<&str> = REPORTS
            .iter()
            .filter(|report| report.parameters().contains(&"tenant"))
            .map(|report| report.name)
            .collect();
        return Err(Error::Usage {
            flag: "--tenant",
            expected: format!("a report that takes it ({})", able.join(", ")),
            found: name.clone(),
        });
    }
    let (campaign, roster) = arguments.rules.load()?;
    let lake = Lake::open(&global.lake).await?;
    let queries = Queries::over(&lake, arguments.limits.memory_limit).await?;
    // Only for the day that nobody named.
    let coverage = if arguments.rules.as_of.is_none() { queries.coverage().await? } else { Vec::new() };
    let window = shared::window(arguments.rules.as_of, &campaign, &roster, &coverage, &lake)?;
    let parameters = report.bind(&campaign, window, arguments.tenant.as_deref().unwrap_or("*"));
    arguments.limits.answer(&queries, &arguments.output, report.name, report.sql, &parameters).await?;
    Ok(0)
}
