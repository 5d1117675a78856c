//! `lightsout report`: the shipped queries over the lake.

pub(super) mod flags;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::answers::QueryLimits;
use super::roster::GivenRoster;
use super::screen::{ExpandedFlag, Screen, names_of};
use super::shared::{Global, LoadedRules, Output, Rules, find_tenant, now, open_lake, print, print_note};
use super::user_tables::UserTables;
use crate::cli::failure::{Failure, Result};
use flags::Values;
use lightsout_model::tenant::Roster;
use lightsout_query::catalog::header::Header;
use lightsout_query::catalog::own::Library;
use lightsout_query::catalog::parameter::ParameterValue;
use lightsout_query::catalog::{Report, Topic};
use lightsout_query::{Queries, explain_values};
use lightsout_report::columns::Columns;
use lightsout_workflow::Error as StageError;
use lightsout_workflow::assess::window;
use lightsout_workflow::known_tenants::{missing_logs_note, names_in_lake};
use lightsout_workflow::session;

/// A parameter that takes several tenants, with commas between them.
const TENANTS: &str = "tenants";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Name of the report; without it, reports are listed. NAME --help shows its
    /// flags and columns
    name: Option<String>,
    #[command(flatten)]
    rules: Rules,
    /// One tenant, for reports that take it: its id, or a domain or name of the
    /// roster [default: all]
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// A folder of your own queries, NAME.sql each, beside the shipped ones
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,
    #[command(flatten)]
    tables: UserTables,
    /// Print the SQL with its values filled in instead of running it
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    expanded: ExpandedFlag,
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
    let screen = Screen::of_person(&arguments.output, arguments.expanded.is_on(&arguments.output)?)
        .map(Screen::for_report);
    if arguments.tenant.is_some() && !report.parameters().contains(&"tenant") {
        return Err(Failure::Usage {
            flag: "--tenant",
            expected: "a report that takes a tenant; this one covers all tenants".to_owned(),
            found: name.clone(),
        });
    }
    let LoadedRules { campaign, roster, as_of: day } = arguments.rules.load()?;
    let screen = match &roster {
        Some(given) => screen.map(|screen| screen.with_names(names_of(&given.for_use))),
        None => screen,
    };
    let tables = arguments.tables.read(&library, arguments.limits.memory_limit, global)?;
    // Showing a query of a day that is named asks nothing of the lake.
    let queries = if arguments.explain && (day.is_some() || !report.needs_window()) {
        None
    } else {
        let lake = open_lake(global).await?;
        let queries = session::open(&lake, arguments.limits.resources()).await?;
        for table in &tables {
            queries.add_table(table);
        }
        Some((queries, lake))
    };
    let mut roster = match (&queries, roster) {
        (_, Some(given)) => given.for_use,
        // Only names and the default window need one.
        (Some((_, lake)), None) if arguments.tenant.is_some() || (report.needs_window() && day.is_none()) => {
            GivenRoster::or_kept(None, lake, now().date_naive(), global)?.unwrap_or_default()
        }
        (Some(_) | None, None) => Roster::default(),
    };
    let window = match (&queries, report.needs_window(), day) {
        (_, false, _) => None,
        (Some((queries, lake)), true, None) => {
            Some(window(None, &campaign, &roster, &queries.coverage().await?, lake)?)
        }
        (_, true, Some(day)) => Some(lightsout_model::evidence::Window::before(day, campaign.window_days)),
        (None, true, None) => {
            return Err(StageError::EmptyLake { lake: global.lake.display().to_string() }.into());
        }
    };
    let tenant = match (&arguments.tenant, &queries) {
        (Some(named), Some((queries, _))) => known_tenant("--tenant", named, &mut roster, queries).await?,
        (Some(named), None) => named.clone(),
        (None, _) => "*".to_owned(),
    };
    let mut values = arguments.values.0.clone();
    if let (Some(named), Some((queries, _))) =
        (values.get(TENANTS).and_then(ParameterValue::as_text), &queries)
        && named != "*"
    {
        let mut ids = Vec::new();
        for named in named.split(',') {
            ids.push(known_tenant("--tenants", named.trim(), &mut roster, queries).await?);
        }
        values.insert(TENANTS.to_owned(), ParameterValue::from(ids.join(",")));
    }
    let parameters = report.bind_with(&campaign, window, &tenant, &values);
    if arguments.explain {
        let sql = explain_values::with_values(report.sql, &parameters);
        arguments.output.write_text(&format!("{};", sql.trim_end_matches([';', ' ', '\n'])))?;
    } else if let Some((queries, _)) = queries {
        if (window.is_some() || tenant != "*")
            && let Some(note) = missing_logs_note(&queries, window, &tenant, &roster).await?
        {
            // Also with --quiet: an empty answer must not pass for "nothing happened".
            print_note(&format!("lightsout: {note}"));
        }
        let output = (&arguments.output, screen.as_ref());
        arguments.limits.answer(&queries, output, report.name, report.sql, &parameters).await?;
    }
    Ok(0)
}

/// A tenant that lake or roster knows: of any other, a report would be empty and look like an answer.
/// The names of a roster that only a decision has count too.
async fn known_tenant(
    flag: &'static str,
    named: &str,
    roster: &mut Roster,
    queries: &Queries,
) -> Result<String> {
    if roster.tenants.is_empty() {
        *roster = names_in_lake(queries).await?;
    }
    let coverage = queries.coverage().await?;
    let with_settings = queries.tenants_with_settings().await?;
    let known: Vec<&str> = coverage
        .iter()
        .map(|tenant| tenant.tenant_id.as_str())
        .chain(with_settings.iter().map(String::as_str))
        .collect();
    find_tenant(flag, named, roster, &known)
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
            lightsout_output::stderr!("lightsout report NAME --help shows a report's flags and columns");
        }
    }
    for error in &wrong {
        lightsout_output::stderr!("lightsout: {error}");
    }
    Ok(if wrong.is_empty() { 0 } else { 2 })
}
