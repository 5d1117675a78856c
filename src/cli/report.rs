//! `lightsout report`: the shipped queries over the lake.

pub(super) mod flags;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::answers::QueryLimits;
use super::shared::{self, Global, Output, Rules, open_lake, print};
use crate::error::{Error, Result};
use crate::report::columns::Columns;
use flags::Values;
use lightsout_query::catalog::header::Header;
use lightsout_query::catalog::own::Library;
use lightsout_query::catalog::{Report, Topic};
use lightsout_query::explain_values;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The report's name; none lists them, and NAME --help tells what it takes
    /// and gives
    name: Option<String>,
    #[command(flatten)]
    rules: Rules,
    /// One tenant's id, for reports that take it [default: all]
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// A folder of your own queries, NAME.sql each, beside the shipped ones
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,
    /// The SQL as it would run, values filled in, instead of running it
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    limits: QueryLimits,
    #[command(flatten)]
    values: Values,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let library = Library::open(arguments.queries.as_deref(), lightsout_config::spreadsheet::decoded)?;
    let Some(name) = &arguments.name else { return list(&library, arguments, global) };
    let report = library.find(name)?;
    flags::header(&library, &report)?;
    if arguments.tenant.is_some() && !report.parameters().contains(&"tenant") {
        return Err(Error::Usage {
            flag: "--tenant",
            expected: "a report whose query has $tenant; this one's rows are all tenants'".to_owned(),
            found: name.clone(),
        });
    }
    let (campaign, roster) = arguments.rules.load()?;
    let day = arguments.rules.as_of;
    // Showing a query of a day that is named asks nothing of the lake.
    let queries = if arguments.explain && (day.is_some() || !report.needs_window()) {
        None
    } else {
        let lake = open_lake(global).await?;
        Some((crate::session::open(&lake, arguments.limits.memory_limit).await?, lake))
    };
    let window = match (&queries, report.needs_window(), day) {
        (_, false, _) => None,
        (Some((queries, lake)), true, None) => {
            Some(shared::window(None, &campaign, &roster, &queries.coverage().await?, lake)?)
        }
        (_, true, Some(day)) => Some(lightsout_model::evidence::Window::before(day, campaign.window_days)),
        (None, true, None) => return Err(Error::EmptyLake { lake: global.lake.display().to_string() }),
    };
    let tenant = arguments.tenant.as_deref().unwrap_or("*");
    let parameters = report.bind_with(&campaign, window, tenant, &arguments.values.0);
    if arguments.explain {
        let sql = explain_values::with_values(report.sql, &parameters);
        arguments.output.write_text(&format!("{};", sql.trim_end_matches([';', ' ', '\n'])))?;
    } else if let Some((queries, _)) = queries {
        arguments.limits.answer(&queries, &arguments.output, report.name, report.sql, &parameters).await?;
    }
    Ok(0)
}

/// Every report with one line each. A file of the folder that can't be run is told, and the others listed.
fn list(library: &Library, arguments: &Arguments, global: &Global) -> Result<u8> {
    let reports: Vec<Report<'_>> = library.reports().collect();
    let headers = reports.iter().map(|report| flags::header(library, report));
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (report, header) in reports.iter().zip(headers) {
        match header {
            Ok(header) => rows.push((*report, header)),
            Err(error) => wrong.push(error),
        }
    }
    if arguments.output.format.is_some() || arguments.output.output.is_some() {
        let parameters = |header: &Header| {
            let names = header.parameters.iter().map(|declared| declared.name.as_str());
            header.bound.iter().copied().chain(names).collect::<Vec<_>>().join(";")
        };
        let batch = Columns::of(&rows)
            .text("name", |(report, _)| Some(report.name.to_owned()))
            .text("topic", |(report, _)| Some(report.topic.to_string()))
            .text("purpose", |(_, header)| Some(header.purpose.clone()))
            .text("parameters", |(_, header)| Some(parameters(header)))
            .batch()?;
        arguments.output.write(&[batch])?;
    } else {
        let width = rows.iter().map(|(report, _)| report.name.len()).max().unwrap_or_default();
        let mut text = String::new();
        for topic in Topic::ALL {
            let mut of_topic = rows.iter().filter(|(report, _)| report.topic == topic).peekable();
            if of_topic.peek().is_some() {
                let _ = writeln!(text, "{}{topic}", if text.is_empty() { "" } else { "\n" });
            }
            for (report, header) in of_topic {
                let _ = writeln!(text, "  {:width$}  {}", report.name, header.purpose);
            }
        }
        print(text.trim_end());
        if !global.quiet {
            eprintln!("lightsout report NAME --help tells what a report takes and gives");
        }
    }
    for error in &wrong {
        eprintln!("lightsout: {error}");
    }
    Ok(if wrong.is_empty() { 0 } else { 2 })
}
