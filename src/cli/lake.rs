//! `lightsout lake`: what the lake holds, whether its accounts add up, rejects tried again, and its files
//! kept few.

mod dismiss;
mod forget;
mod prune;
mod status;
mod verify;

use std::path::PathBuf;

use clap::Subcommand;
use indicatif::HumanBytes;
use serde::Serialize;

use super::ingest::also_counted;
use super::roster::GivenRoster;
use super::shared::{Global, Naming, Output, now, open_lake, parse_age, parse_size, print};
use crate::cli::failure::{Failure, Result};
use lightsout_ingest::{self as ingest, IngestSettings, Keep};
use lightsout_lake::Lake;
use lightsout_lake::compact::{CompactSettings, TableCompaction, compact};
use lightsout_lake::vacuum::{Unneeded, VacuumSettings, vacuum};
use lightsout_model::tenant::Roster;
use lightsout_output::text::count;
use lightsout_workflow::MEMORY_LIMIT_BYTES;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the tables with their rows, files and bytes, the lake's format and newest commit, what
    /// would make the lake smaller or faster, and dismissed doubts
    Status(status::Arguments),
    /// Check that every source's counts match its records, and that kept decisions are complete;
    /// exit 1 if something does not hold
    ///
    /// Lists each file of the lake that is damaged or missing: entries of its log, commits
    /// and checkpoints of its tables, and data files whose size or number of rows is not
    /// what was written.
    Verify {
        /// Also read every data file, to check its hash and all of its rows
        #[arg(long)]
        deep: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Repair damaged logs, and remove sources that lost rows so that they can be ingested again
    ///
    /// Without --yes it only says what it would do. Damaged files are moved
    /// to the folder _damaged of the lake. Exit 1 if something is damaged and was not repaired.
    Repair {
        /// Make the changes
        #[arg(long)]
        yes: bool,
        /// Print the report to stdout as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Retry rejected records, for example with the tenant that was missing
    Replay {
        #[command(flatten)]
        naming: Naming,
        /// CSV, JSON or Parquet list of tenants, to recognise domains and names in
        /// the logs
        #[arg(long, value_name = "FILE")]
        roster: Option<PathBuf>,
        /// Show what they would become; write nothing
        #[arg(long)]
        dry_run: bool,
        /// Print the report to stdout as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Record that somebody has reviewed a doubt about a tenant and is responsible for dismissing it
    ///
    /// Doubts are the reasons that keep a tenant from being cleared, such as rejected
    /// records and refused files. A dismissal covers what the lake holds now; what is
    /// ingested later is a new doubt. Decisions record who dismissed what and why.
    #[command(
        after_help = "Example: lightsout lake dismiss --tenant 7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c \\\n  --doubt refused_files --source logs/notes.csv --by 'Ada' --why 'a list of phones'"
    )]
    Dismiss(dismiss::Arguments),
    /// Delete old decisions, so that vacuum can delete the files that only they need
    ///
    /// The latest decision of each campaign is kept, and so is each one that a campaign's event
    /// names. Deleted decisions can't be viewed, compared or reproduced.
    #[command(after_help = "Example: lightsout lake forget --decisions --keep-last 30d --dry-run")]
    Forget(forget::Arguments),
    /// Remove a tenant's data, or data before a day, from history too
    ///
    /// Removes rows, rejects, sources and settings, and with --tenant verdicts, events and
    /// rows of rosters. Also removes all old versions of the tables: decisions stay, but can't be
    /// reproduced. No other process may have the lake open. Asks first unless --yes is given.
    #[command(
        after_help = "Example: lightsout lake prune --tenant 7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c --dry-run"
    )]
    Prune(prune::PruneArguments),
    /// Export everything that the lake holds about one tenant, e.g. for a customer who leaves
    ///
    /// A file for each table, and manifest.json last. Nothing of another tenant is written.
    #[command(
        after_help = "Example: lightsout lake export --tenant 7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c --out export"
    )]
    Export(prune::ExportArguments),
    /// Join small files into few, with the same rows; others can read and ingest meanwhile
    ///
    /// The old files stay for readers and kept decisions until `lake vacuum`.
    Compact {
        /// Show what would be joined; write nothing
        #[arg(long)]
        dry_run: bool,
        /// Memory limit, at least 64MB [default: 1GiB]
        #[arg(long, value_name = "SIZE", default_value = "1GiB", hide_default_value = true, value_parser = parse_size)]
        memory_limit: usize,
        /// Print the report to stdout as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Delete files that neither a table nor a kept decision needs any more
    ///
    /// Keeps the files of the newest versions, of versions that decisions use, and of running commands,
    /// and the log. While other processes have the lake open, nothing younger than a day is deleted.
    Vacuum {
        /// Minimum time since a file was replaced, or left by a killed run: 0d, 12h, 7d
        /// [default: 7d]
        #[arg(long, value_name = "AGE", default_value = "7d", hide_default_value = true, value_parser = parse_age)]
        older_than: chrono::TimeDelta,
        /// Print the files that would be deleted; delete nothing
        #[arg(long)]
        dry_run: bool,
        /// Print the report to stdout as one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: &Command, global: &Global) -> Result<u8> {
    // Those that a damaged lake needs.
    match command {
        Command::Verify { deep, output } => return verify::run(*deep, output, global).await,
        Command::Repair { yes, json } => return verify::repair(*yes, *json, global).await,
        _ => {}
    }
    let mut lake = open_lake(global).await?;
    match command {
        Command::Verify { .. } | Command::Repair { .. } => Ok(0),
        Command::Status(arguments) => status::run(&lake, arguments, global).await,
        Command::Replay { naming, roster, dry_run, json } => {
            let today = now().date_naive();
            let given = GivenRoster::read(roster.as_deref(), today)?;
            let roster = if *dry_run {
                GivenRoster::or_kept(given, &lake, today, global)?
            } else {
                GivenRoster::kept_or_latest(given, &mut lake, today, global).await?
            };
            let roster = roster.unwrap_or_default();
            replay(&mut lake, naming, roster, (*dry_run, *json), global).await
        }
        Command::Dismiss(arguments) => dismiss::run(&mut lake, arguments, global).await,
        Command::Prune(arguments) => prune::run(&mut lake, arguments, global).await,
        Command::Export(arguments) => prune::run_export(&lake, arguments, global),
        Command::Forget(arguments) => forget::run(&mut lake, arguments, global).await,
        Command::Compact { dry_run, memory_limit, json } => {
            let settings = CompactSettings {
                memory_limit_bytes: *memory_limit,
                dry_run: *dry_run,
                now_ms: now().timestamp_millis(),
            };
            make_few(&mut lake, settings, *json, global).await
        }
        Command::Vacuum { older_than, dry_run, json } => {
            let settings = VacuumSettings {
                older_than_ms: older_than.num_milliseconds(),
                dry_run: *dry_run,
                now_ms: now().timestamp_millis(),
            };
            clear(&mut lake, settings, *json, global).await
        }
    }
}

async fn replay(
    lake: &mut Lake,
    naming: &Naming,
    roster: Roster,
    (dry_run, json): (bool, bool),
    global: &Global,
) -> Result<u8> {
    let assignments = naming.assignments(&roster)?;
    let settings = IngestSettings {
        tenant_id: naming.tenant_id(&roster)?,
        roster,
        category: naming.category,
        date_order: naming.date_order(),
        covers: None,
        jobs: 1,
        memory_limit_bytes: MEMORY_LIMIT_BYTES,
        skip_unrecognised: false,
        keep: Keep::All,
        dry_run,
        now: now().timestamp_micros(),
    };
    let report = ingest::replay(lake, &settings, &assignments).await?;
    if json {
        print_report(&report)?;
    }
    if !global.quiet {
        lightsout_output::stderr!(
            "{}{} rejects retried = {} rows + {} not sign-ins + {} still rejected{}",
            if dry_run { "would be: " } else { "" },
            report.tried,
            report.rows,
            report.not_sign_ins,
            report.still_rejected,
            also_counted(report.counted),
        );
        for (reason, count) in &report.rejected_by_reason {
            lightsout_output::stderr!("  rejected, {reason}: {count}");
        }
    }
    Ok(0)
}

async fn make_few(lake: &mut Lake, settings: CompactSettings, json: bool, global: &Global) -> Result<u8> {
    let tables = compact(lake, settings).await?;
    if json {
        print_report(&tables)?;
    }
    if global.quiet {
        return Ok(0);
    }
    let estimated = if settings.dry_run { "about " } else { "" };
    for table in tables.iter().filter(|table| table.files_rewritten > 0) {
        lightsout_output::stderr!(
            "{}: {} of {} {} joined: {} before, {estimated}{} after",
            table.table.as_str(),
            count(table.files_rewritten as u64, "file", "files"),
            count(table.rows_rewritten, "row", "rows"),
            if settings.dry_run { "would be" } else { "were" },
            count(table.files_before as u64, "file", "files"),
            table.files_after,
        );
    }
    let files = |count: fn(&TableCompaction) -> usize| tables.iter().map(count).sum::<usize>();
    let before: u64 = tables.iter().map(|table| table.bytes_before).sum();
    let after: Option<u64> = tables.iter().map(|table| table.bytes_after).sum();
    lightsout_output::stderr!(
        "{}{} ({}) before, {estimated}{}{} after",
        if settings.dry_run { "would be: " } else { "" },
        count(files(|table| table.files_before) as u64, "file", "files"),
        HumanBytes(before),
        count(files(|table| table.files_after) as u64, "file", "files"),
        after.map_or_else(String::new, |bytes| format!(" ({})", HumanBytes(bytes))),
    );
    Ok(0)
}

async fn clear(lake: &mut Lake, settings: VacuumSettings, json: bool, global: &Global) -> Result<u8> {
    let report = vacuum(lake, settings).await?;
    if json {
        print_report(&report)?;
    } else if settings.dry_run {
        for file in &report.deleted {
            // Whoever can write into the lake's folder names files in it.
            print(&format!("{}/{}", file.table.as_str(), file.path.escape_debug()));
        }
    }
    for (table, version) in &report.lost_versions {
        lightsout_output::stderr!(
            "lightsout: version {version} of {} is used by a kept decision, but its log is missing: that \
             decision can't be reproduced",
            table.as_str()
        );
    }
    if global.quiet {
        return Ok(0);
    }
    let counted =
        |files: u64, bytes: u64| format!("{} ({})", count(files, "file", "files"), HumanBytes(bytes));
    let left = report.deleted.iter().filter(|file| file.why == Unneeded::NeverCommitted).count();
    lightsout_output::stderr!(
        "{} {}: {} replaced, {left} left by killed runs",
        if settings.dry_run { "would delete" } else { "deleted" },
        counted(report.deleted.len() as u64, report.deleted_bytes),
        report.deleted.len() - left,
    );
    lightsout_output::stderr!(
        "kept {} for decisions, {} because they are too recent{}",
        counted(report.kept_for_decisions_files, report.kept_for_decisions_bytes),
        counted(report.kept_as_young_files, report.kept_as_young_bytes),
        if report.in_use {
            "; other processes have the lake open, so nothing younger than a day is deleted"
        } else {
            ""
        },
    );
    Ok(0)
}

fn print_report(report: &impl Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(report)
        .map_err(|source| Failure::Json { what: "a report on the lake", source })?;
    print(&json);
    Ok(())
}
