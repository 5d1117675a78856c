//! `lightsout roster`: the list of tenants that the lake keeps, and the flag `--roster` of other commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::shared::{Global, Output, now, open_lake, print_note};
use crate::cli::failure::{Failure, Result};
use lightsout_config::roster_file;
use lightsout_lake::Lake;
use lightsout_model::roster_changes::{ROSTER_COLUMNS, RosterChange, RosterChangeKind, named_values};
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_output::text::count;
use lightsout_report::columns::Columns;
use lightsout_workflow::Tell;
use lightsout_workflow::open::upgrade;
use lightsout_workflow::roster::{self, RosterUpdate};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Store a list of tenants in the lake, and show what changes
    ///
    /// Commands without --roster use the version that was stored last. A file given with --roster to a command
    /// that writes the lake is stored too, unless it excludes fewer tenants: only this command ends an exclusion.
    #[command(after_help = "Example: lightsout roster set roster.csv --dry-run")]
    Set(SetArguments),
    /// Print the list of tenants that the lake keeps, ready to edit and set again
    Show {
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub(super) struct SetArguments {
    /// CSV, JSON or Parquet list of tenants with names, contacts and settings
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show what would change; write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(command: &Command, global: &Global) -> Result<u8> {
    match command {
        Command::Set(arguments) => set(arguments, global).await,
        Command::Show { output } => show(&open_lake(global).await?, output, global),
    }
}

async fn set(arguments: &SetArguments, global: &Global) -> Result<u8> {
    let roster = read(&arguments.file)?;
    if roster.tenants.is_empty() {
        return Err(Failure::Usage {
            flag: "FILE",
            expected: "a roster with at least one tenant".to_owned(),
            found: arguments.file.display().to_string(),
        });
    }
    let scratch;
    let root = if arguments.dry_run && !lightsout_lake::is_there(&global.lake).await? {
        scratch = tempfile::tempdir().map_err(Failure::write("a temporary folder"))?;
        scratch.path()
    } else {
        global.lake.as_path()
    };
    let mut lake = Lake::open_or_create(root).await?;
    let update = if arguments.dry_run {
        roster::compare(&lake, &roster)?
    } else {
        // Finishes what a killed run left.
        drop(lake.lock().await?);
        upgrade(&mut lake, now(), print_note).await?;
        roster::set(&mut lake, &roster, now()).await?
    };
    arguments.output.write(&[changes(&update.changes)?])?;
    if !global.quiet {
        lightsout_output::stderr!("{}", told(&update, &roster, arguments.dry_run));
    }
    Ok(0)
}

fn changes(changes: &[RosterChange]) -> Result<RecordBatch> {
    Ok(Columns::of(changes)
        .text("tenant_id", |change| Some(change.tenant_id.clone()))
        .text("display_name", |change| change.display_name.clone())
        .text("change", |change| Some(change.kind.as_str().to_owned()))
        .text("columns", |change| Some(change.columns.join("; ")))
        .batch()?)
}

fn told(update: &RosterUpdate, roster: &Roster, dry_run: bool) -> String {
    let of = |kind: RosterChangeKind| update.changes.iter().filter(|change| change.kind == kind).count();
    let tenants = count(roster.tenants.len() as u64, "tenant", "tenants");
    let changed = format!(
        "{} added, {} removed, {} changed",
        of(RosterChangeKind::Added),
        of(RosterChangeKind::Removed),
        of(RosterChangeKind::Changed)
    );
    let kept = match (&update.version, dry_run) {
        (_, true) => format!("would store a roster of {tenants}: {changed}"),
        (Some(version), false) => {
            format!(
                "stored the roster as version {} ({}, {tenants}): {changed}",
                version.version,
                version.short_hash()
            )
        }
        (None, false) => format!("the lake has this roster already ({tenants}); nothing was written"),
    };
    if update.no_longer_excluded.is_empty() {
        return kept;
    }
    let names = roster::names(update.no_longer_excluded.iter());
    format!("{kept}\nno longer excluded, so campaigns may announce to them: {names}")
}

fn show(lake: &Lake, output: &Output, global: &Global) -> Result<u8> {
    let Some(kept) = roster::kept(lake)? else {
        lightsout_output::stderr!(
            "the lake at {} has no roster; set one with: lightsout roster set FILE",
            lake.name()
        );
        return Ok(1);
    };
    output.write(&[rows(&kept.roster)?])?;
    if !global.quiet {
        let at = kept.version.kept_at.format("%Y-%m-%d %H:%M");
        let tenants = count(kept.roster.tenants.len() as u64, "tenant", "tenants");
        lightsout_output::stderr!(
            "version {}, kept at {at} UTC ({}, {tenants})",
            kept.version.version,
            kept.version.short_hash()
        );
    }
    Ok(0)
}

/// The tenants with the columns of a roster file, those of the operator's own last.
fn rows(roster: &Roster) -> Result<RecordBatch> {
    let tenants: Vec<&RosterTenant> = roster.tenants.values().collect();
    let values: Vec<_> = tenants.iter().map(|tenant| named_values(tenant)).collect();
    let text = |texts: &mut dyn Iterator<Item = Option<String>>| -> ArrayRef {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Arc::new(texts.map(said).collect::<StringArray>())
    };
    let known = ROSTER_COLUMNS.iter().enumerate().map(|(at, name)| {
        let mut column = values.iter().map(|row| Some(row[at].1.clone()));
        ((*name).to_owned(), text(&mut column), true)
    });
    let mut names: Vec<&String> = tenants.iter().flat_map(|tenant| tenant.other_columns.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let others = names.into_iter().map(|name| {
        let mut column = tenants.iter().map(|tenant| tenant.other_columns.get(name).cloned());
        (name.clone(), text(&mut column), true)
    });
    RecordBatch::try_from_iter_with_nullable(known.chain(others))
        .map_err(|source| Failure::Arrow { what: "the roster", source })
}

fn read(path: &Path) -> Result<Roster> {
    let file = roster_file::read(path)?;
    file.warnings.iter().for_each(|warning| lightsout_output::stderr!("{warning}"));
    Ok(file.roster)
}

/// A roster that a command was given.
pub(super) struct GivenRoster {
    as_read: Roster,
    /// What it states of days that are not over is cut off.
    pub(super) for_use: Roster,
}

impl GivenRoster {
    /// Reads the file of a command that names one.
    pub(super) fn read(path: Option<&Path>, today: NaiveDate) -> Result<Option<Self>> {
        let Some(path) = path else { return Ok(None) };
        let as_read = read(path)?;
        let mut for_use = as_read.clone();
        let yesterday = today.pred_opt().unwrap_or(today);
        let beyond = for_use.end_with(yesterday);
        if beyond > 0 {
            lightsout_output::stderr!(
                "roster {}: logs_to of {} is after yesterday ({yesterday}), which is used instead: a log can't be \
                 complete for a day that is not over",
                path.display(),
                count(beyond as u64, "tenant", "tenants"),
            );
        }
        Ok(Some(Self { as_read, for_use }))
    }

    /// The roster of a command that only looks: the one that was given, or the lake's.
    pub(super) fn or_kept(
        given: Option<Self>,
        lake: &Lake,
        today: NaiveDate,
        global: &Global,
    ) -> Result<Option<Roster>> {
        match given {
            Some(given) => Ok(Some(given.for_use)),
            None => Ok(roster::kept_for_use(lake, today, global.note())?),
        }
    }

    /// The same of a command that writes the lake: one that was given becomes the lake's.
    pub(super) async fn kept_or_latest(
        given: Option<Self>,
        lake: &mut Lake,
        today: NaiveDate,
        global: &Global,
    ) -> Result<Option<Roster>> {
        if let Some(given) = &given {
            given.keep(lake, global).await?;
        }
        Self::or_kept(given, lake, today, global)
    }

    /// Keeps it as the lake's.
    pub(super) async fn keep(&self, lake: &mut Lake, global: &Global) -> Result<()> {
        Ok(roster::keep_given(lake, &self.as_read, now(), global.note()).await?)
    }

    /// The roster of a command that may make the lake: the one that was given, or that of a lake which is there.
    pub(super) async fn or_kept_before(given: Option<&Self>, global: &Global, tell: Tell) -> Result<Roster> {
        if let Some(given) = given {
            return Ok(given.for_use.clone());
        }
        match Lake::open(&global.lake).await {
            Ok(lake) => Ok(roster::kept_for_use(&lake, now().date_naive(), tell)?.unwrap_or_default()),
            Err(lightsout_lake::Error::NoLake { .. }) => Ok(Roster::default()),
            Err(error) => Err(error.into()),
        }
    }
}
