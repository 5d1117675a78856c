//! `lightsout report` and `lightsout sql`: queries over the lake, shipped or your own.

use clap::Args;
use datafusion::common::ScalarValue;

use super::shared::{Global, MEMORY_LIMIT_BYTES, Output, Rules, print};
use crate::assess::default_as_of;
use crate::error::{Error, Result};
use crate::evidence::{Window, midnight};
use crate::lake::Lake;
use crate::protocol::Protocol;
use crate::query::catalog::{REPORTS, Report};
use crate::query::{Queries, timestamp};

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
}

#[derive(Debug, Args)]
pub(super) struct SqlArguments {
    // Not as documentation: its backticks would be the shell's.
    #[arg(help = "For example: \"SELECT protocol, count(*) FROM sign_ins GROUP BY 1\"")]
    query: String,
    #[command(flatten)]
    output: Output,
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
    let queries = Queries::over(&lake, MEMORY_LIMIT_BYTES).await?;
    let as_of = match arguments.rules.as_of {
        Some(as_of) => as_of,
        None => default_as_of(&campaign, &roster, &queries.coverage().await?)
            .ok_or_else(|| Error::EmptyLake { lake: lake.name() })?,
    };
    let window = Window::before(as_of, campaign.window_days);
    let lookback = Window::before(window.first, campaign.lookback_days);
    let text = |text: String| ScalarValue::Utf8(Some(text));
    let parameters: Vec<_> = report
        .parameters()
        .into_iter()
        .map(|name| {
            let value = match name {
                "window_start" => timestamp(window.start_at()),
                "window_end" => timestamp(window.end_at()),
                "lookback_start" => timestamp(midnight(lookback.first)),
                "protocols" => {
                    text(campaign.scope().into_iter().map(Protocol::as_str).collect::<Vec<_>>().join(","))
                }
                _ => text(arguments.tenant.as_deref().map_or("*".to_owned(), str::to_ascii_lowercase)),
            };
            (name.to_owned(), value)
        })
        .collect();
    arguments.output.write(&queries.run(report.name, report.sql, &parameters).await?)?;
    Ok(0)
}

pub(super) async fn run_sql(arguments: &SqlArguments, global: &Global) -> Result<u8> {
    let lake = Lake::open(&global.lake).await?;
    let queries = Queries::over(&lake, MEMORY_LIMIT_BYTES).await?;
    arguments.output.write(&queries.run("sql", &arguments.query, &[]).await?)?;
    Ok(0)
}
