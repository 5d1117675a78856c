//! `lightsout lake prune` and `lake export`: what belongs to a tenant that leaves, and what has become old.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use indicatif::HumanBytes;

use super::super::shared::{Global, now, print};
use super::print_report;
use crate::cli::failure::{Failure, Result};
use lightsout_lake::Lake;
use lightsout_model::tenant::tenant_id;
use lightsout_output::text::{count, plain};
use lightsout_report::Format;
use lightsout_workflow::export::export;
use lightsout_workflow::prune::{PruneReport, PruneScope, prune};

#[derive(Debug, Args)]
pub(in crate::cli) struct PruneArguments {
    /// Remove everything about this tenant, given by its GUID
    #[arg(long, value_name = "ID", required_unless_present = "before", conflicts_with = "before")]
    tenant: Option<String>,
    /// Remove sign-ins, rejects, settings and sources before this day (UTC)
    #[arg(long, value_name = "DATE")]
    before: Option<NaiveDate>,
    /// Show what would be removed; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print the report to stdout as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArguments {
    /// The tenant, by its GUID
    #[arg(long, value_name = "ID")]
    tenant: String,
    /// Folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// parquet, csv, json or ndjson [default: parquet]
    #[arg(long, value_name = "F", default_value = "parquet", hide_default_value = true)]
    format: Format,
    /// Print the manifest to stdout as one JSON object
    #[arg(long)]
    json: bool,
}

fn id(flag: &'static str, named: &str) -> Result<String> {
    tenant_id(named).ok_or_else(|| Failure::Usage {
        flag,
        expected: "the id of a tenant, a GUID".to_owned(),
        found: named.to_owned(),
    })
}

pub(super) async fn run(lake: &mut Lake, arguments: &PruneArguments, global: &Global) -> Result<u8> {
    let now = now();
    let scope = match (&arguments.tenant, arguments.before) {
        (Some(named), _) => PruneScope::Tenant(id("--tenant", named)?),
        (None, Some(day)) if day <= now.date_naive() => PruneScope::Before(day),
        (None, day) => {
            let found = day.map(|day| day.to_string()).unwrap_or_default();
            let expected = format!("a day that has begun, {} or earlier", now.date_naive());
            return Err(Failure::Usage { flag: "--before", expected, found });
        }
    };
    let would = prune(lake, &scope, true, now).await?;
    if let PruneScope::Tenant(id) = &scope
        && is_empty(&would)
        && lake.mentions(id, &[])?.is_empty()
    {
        let expected = "a tenant with data in the lake".to_owned();
        return Err(Failure::Usage { flag: "--tenant", expected, found: id.clone() });
    }
    if arguments.dry_run {
        return told(&would, true, arguments.json, global);
    }
    if !arguments.yes {
        if !std::io::stdin().is_terminal() {
            let expected =
                "--yes, because there is no terminal to ask on: pruned data can't be restored".to_owned();
            return Err(Failure::Usage {
                flag: "--yes",
                expected,
                found: "no --yes and no terminal".to_owned(),
            });
        }
        told(&would, true, false, global)?;
        eprint!("This can't be undone. Type yes to continue: ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(Failure::read("the answer"))?;
        if answer.trim() != "yes" {
            lightsout_output::stderr!("nothing was changed");
            return Ok(1);
        }
    }
    let report = prune(lake, &scope, false, now).await?;
    told(&report, false, arguments.json, global)
}

fn is_empty(report: &PruneReport) -> bool {
    report.rows.iter().all(|rows| rows.rows == 0)
        && report.sources_removed.is_empty()
        && report.sources_changed + report.decisions_changed + report.rosters_changed + report.rejects_emptied
            == 0
}

fn told(report: &PruneReport, is_dry_run: bool, json: bool, global: &Global) -> Result<u8> {
    if json {
        print_report(report)?;
    } else if is_dry_run {
        for path in &report.sources_removed {
            print(&plain(path));
        }
    }
    if !global.quiet {
        let would = if is_dry_run { "would be: " } else { "" };
        for rows in report.rows.iter().filter(|rows| rows.rows > 0) {
            lightsout_output::stderr!(
                "{would}{} of {} removed",
                count(rows.rows, "row", "rows"),
                rows.table.as_str()
            );
        }
        let removed = count(report.sources_removed.len() as u64, "source", "sources");
        let changed = count(report.sources_changed, "account", "accounts");
        lightsout_output::stderr!("{would}{removed} removed, {changed} of other sources changed");
        if report.decisions_changed > 0 {
            let decisions = count(report.decisions_changed, "decision", "decisions");
            lightsout_output::stderr!("{would}{decisions} without the tenant");
        }
        if report.rejects_emptied > 0 {
            let rejects = count(report.rejects_emptied, "reject", "rejects");
            lightsout_output::stderr!("{would}{rejects} of unknown tenants emptied; they stay as doubts");
        }
        if !is_dry_run {
            let files = count(report.history.files, "file", "files");
            lightsout_output::stderr!(
                "{files} of old versions deleted ({}); assess again",
                HumanBytes(report.history.bytes)
            );
            lightsout_output::stderr!(
                "data returns if its files are ingested again: delete or move those files too"
            );
        }
    }
    for place in &report.still_named {
        lightsout_output::stderr!("lightsout: the tenant is still named in {}", plain(place));
    }
    Ok(u8::from(!report.still_named.is_empty()))
}

pub(super) fn run_export(lake: &Lake, arguments: &ExportArguments, global: &Global) -> Result<u8> {
    let id = id("--tenant", &arguments.tenant)?;
    if arguments.format == Format::Table {
        let expected = "parquet, csv, json or ndjson".to_owned();
        return Err(Failure::Usage { flag: "--format", expected, found: "table".to_owned() });
    }
    lake.check_contents(&lightsout_lake::schema::Table::ALL)?;
    let report = export(lake, &id, arguments.format, &arguments.out)?;
    if arguments.json {
        print_report(&report)?;
    }
    if report.rows() == 0 {
        lightsout_output::stderr!("lightsout: the lake has no data of tenant {id}");
        return Ok(1);
    }
    if !global.quiet {
        for file in report.files.iter().filter(|file| file.rows > Some(0)) {
            lightsout_output::stderr!("{}: {}", file.file, count(file.rows.unwrap_or(0), "row", "rows"));
        }
    }
    Ok(0)
}
