//! `lightsout lake dismiss`: somebody has looked into a doubt and answers for it. The row says who and why;
//! decisions keep it with their evidence.

use clap::Args;

use super::super::roster::GivenRoster;
use super::super::shared::{Global, find_tenant, now, print};
use crate::cli::failure::{Failure, Result};
use lightsout_lake::Lake;
use lightsout_lake::rows::from_batch;
use lightsout_lake::schema::Table;
use lightsout_output::text::plain;
use lightsout_query::doubts::dismissals::{DOUBTS, DismissalRow};
use lightsout_workflow::{MEMORY_LIMIT_BYTES, session};

/// Paths that a message lists.
const PATHS_TOLD: usize = 5;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The tenant with the doubt: its id, or a domain or name that the roster knows
    #[arg(long, value_name = "ID")]
    tenant: String,
    #[expect(clippy::doc_markdown, reason = "help text, shown as it stands")]
    /// The reason code of the doubt: rejected_records, refused_files, ...
    #[arg(long, value_name = "CODE")]
    doubt: String,
    /// A file to dismiss the doubt for, as `sources` names it; can be repeated
    /// [default: all that the lake holds now]
    #[arg(long, value_name = "PATH")]
    source: Vec<String>,
    /// Name of the person responsible
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why the doubt is dismissed
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// CSV, JSON or Parquet list of tenants with domains and names
    #[arg(long, value_name = "FILE")]
    roster: Option<std::path::PathBuf>,
    /// Print the dismissal to stdout as one JSON object
    #[arg(long)]
    json: bool,
}

fn usage(flag: &'static str, expected: impl Into<String>, found: &str) -> Failure {
    Failure::Usage { flag, expected: expected.into(), found: found.to_owned() }
}

pub(super) async fn run(lake: &mut Lake, arguments: &Arguments, global: &Global) -> Result<u8> {
    let Some(doubt) = DOUBTS.into_iter().find(|doubt| *doubt == arguments.doubt.trim()) else {
        let way_out = match arguments.doubt.trim() {
            "filtered_export" => {
                " (of a filtered_export that is complete, ingest the log again with --covers)"
            }
            "smtp_report" => {
                " (of an smtp_report, download the report again for the window's days, with its protocol column)"
            }
            _ => "",
        };
        return Err(usage("--doubt", format!("one of {}{way_out}", DOUBTS.join(", ")), &arguments.doubt));
    };
    for (flag, text) in [("--by", &arguments.by), ("--why", &arguments.why)] {
        if text.trim().is_empty() {
            return Err(usage(flag, "a text", text));
        }
    }
    let today = now().date_naive();
    let given = GivenRoster::read(arguments.roster.as_deref(), today)?;
    let roster = GivenRoster::kept_or_latest(given, lake, today, global).await?.unwrap_or_default();
    let queries = session::open(lake, MEMORY_LIMIT_BYTES).await?;
    let tenants = queries.coverage().await?;
    let known: Vec<&str> = tenants.iter().map(|tenant| tenant.tenant_id.as_str()).collect();
    let tenant_id = find_tenant("--tenant", &arguments.tenant, &roster, &known)?;
    if !known.contains(&tenant_id.as_str()) {
        let some = known.iter().take(PATHS_TOLD).copied().collect::<Vec<_>>().join(", ");
        return Err(usage(
            "--tenant",
            format!("a tenant with records in the lake, such as {some}"),
            &tenant_id,
        ));
    }
    check_paths(lake, &arguments.source)?;
    let row = DismissalRow {
        dismissal_id: uuid::Uuid::new_v4().simple().to_string(),
        tenant_id,
        doubt: doubt.to_owned(),
        paths: DismissalRow::paths_of(&arguments.source)?,
        by_whom: arguments.by.trim().to_owned(),
        why: arguments.why.trim().to_owned(),
        dismissed_at: now(),
    };
    let lock = lake.lock().await?;
    let now_ms = row.dismissed_at.timestamp_millis();
    lake.append(&lock, Table::Dismissals, std::slice::from_ref(&row), now_ms).await?;
    if arguments.json {
        super::print_report(&row)?;
    } else if !global.quiet {
        print(&told(&row));
    }
    Ok(0)
}

/// Fails if the lake knows no file of one of the names: it would dismiss nothing.
fn check_paths(lake: &Lake, wanted: &[String]) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut missing: Vec<&String> = wanted.iter().collect();
    let mut some = std::collections::BTreeSet::new();
    for batch in lake.read(Table::Sources, Some(&["path"]))? {
        let batch = batch?;
        let paths = batch.column_by_name("path").and_then(arrow::array::AsArray::as_string_opt::<i32>);
        for path in paths.into_iter().flatten().flatten() {
            missing.retain(|wanted| *wanted != path);
            if some.len() < PATHS_TOLD {
                some.insert(path.escape_debug().to_string());
            }
        }
    }
    let Some(first) = missing.first() else { return Ok(()) };
    let some = some.into_iter().collect::<Vec<_>>().join(", ");
    Err(usage("--source", format!("a path of the table sources, such as {some}"), first))
}

/// A dismissal in a line.
fn told(row: &DismissalRow) -> String {
    let paths =
        row.paths.as_deref().map(|json| serde_json::from_str::<Vec<String>>(json).unwrap_or_default());
    let paths = paths.map_or_else(|| "all files until then".to_owned(), |paths| plain(&paths.join(", ")));
    format!(
        "dismissed {}: {} of {} by {} ({}): {}",
        row.dismissed_at.format("%Y-%m-%d"),
        row.doubt,
        row.tenant_id,
        plain(&row.by_whom),
        paths,
        plain(&row.why),
    )
}

/// All dismissals, the oldest first, a line each.
pub(super) fn list(lake: &Lake) -> Result<Vec<String>> {
    let mut rows: Vec<DismissalRow> = Vec::new();
    for batch in lake.read(Table::Dismissals, None)? {
        rows.extend(from_batch::<DismissalRow>(&batch?)?);
    }
    rows.sort_by(|a, b| (a.dismissed_at, &a.dismissal_id).cmp(&(b.dismissed_at, &b.dismissal_id)));
    Ok(rows.iter().map(told).collect())
}
