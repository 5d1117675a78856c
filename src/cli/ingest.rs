//! `lightsout ingest`: raw logs into the lake, with the account of every file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::roster::GivenRoster;
use super::shared::{Global, Naming, now, open_lake, parse_day, parse_days, parse_size, print, print_note};
use crate::cli::failure::{Failure, Result};
use lightsout_ingest::find::{Found, Input, find_beside};
use lightsout_ingest::store::{self, CONNECTIONS, Shard, Stores};
use lightsout_ingest::{FileReport, IngestReport, IngestSettings, Keep, Progress};
use lightsout_lake::Lake;
use lightsout_model::evidence::DayRange;
use lightsout_model::tenant::Roster;
use lightsout_output::text::plain;
use lightsout_workflow::open::upgrade;

/// What to read and how.
#[derive(Debug, Args)]
pub(super) struct Inputs {
    #[arg(
        required = true,
        value_name = "INPUT",
        help = "Files, folders, glob patterns, - for stdin, or what is in object stores, e.g. \
                az://CONTAINER/PREFIX or s3://BUCKET/PREFIX"
    )]
    pub(super) paths: Vec<String>,
    #[command(flatten)]
    naming: Naming,
    /// Days for which the input is complete, e.g. 2026-10-01..2026-10-31
    #[arg(long, value_name = "FROM..TO", value_parser = parse_days)]
    covers: Option<DayRange>,
    /// Exit with 3 if more records are rejected than this number or percentage [default: 1%]
    #[arg(long, value_name = "N|N%", default_value = "1%", hide_default_value = true)]
    max_rejects: MaxRejects,
    /// List refused files without changing the exit code
    #[arg(long)]
    skip_unrecognised: bool,
    /// Show what each file is and how it would be read; write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// With --dry-run, print a line for every file instead of one per kind
    #[arg(long, requires = "dry_run")]
    pub(super) verbose: bool,
    /// Sign-ins to store: all, or legacy, which stores of provably modern ones only daily counts
    #[arg(long, value_name = "WHICH", default_value = "all", hide_possible_values = true)]
    keep: KeepFlag,
    #[command(flatten)]
    listing: ListingFlags,
    /// Number of threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Memory limit, at least 64MB [default: 1GiB]
    #[arg(long, value_name = "SIZE", default_value = "1GiB", hide_default_value = true, value_parser = parse_size)]
    pub(super) memory_limit: usize,
}

/// The flag `--keep`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum KeepFlag {
    All,
    Legacy,
}

/// Which of what folders and object stores hold is read.
#[derive(Debug, Args)]
struct ListingFlags {
    /// Skip files whose path names an earlier day, as in y=2026/m=10/d=05; in object
    /// stores such folders are not even listed
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    since: Option<NaiveDate>,
    /// Read only part I of N of the inputs, e.g. 2/4, so that N processes can share
    /// one list and one lake
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Maximum number of simultaneous requests to an object store [default: 32]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: Option<u16>,
    /// Read blobs again even if the lake knows their version, and files again of which
    /// it lost rows
    #[arg(long)]
    again: bool,
}

impl ListingFlags {
    /// Leaves of the files those that are to be read.
    fn choose(&self, inputs: &mut Vec<Input>) -> Result<()> {
        if let Some(shard) = self.shard {
            if inputs.iter().any(|input| input.name == "-") {
                return Err(Failure::Usage {
                    flag: "--shard",
                    expected: "inputs that every process can list".to_owned(),
                    found: "-, which one process alone can read".to_owned(),
                });
            }
            inputs.retain(|input| shard.has(&input.name));
        }
        if let Some(since) = self.since {
            let is_earlier = |input: &Input| {
                input.is_of_folder && input.says.hour.is_some_and(|hour| hour.date_naive() < since)
            };
            inputs.retain(|input| !is_earlier(input));
        }
        Ok(())
    }
}

/// The flag `--max-rejects`.
#[derive(Debug, Clone, Copy)]
enum MaxRejects {
    Count(u64),
    Percent(f64),
}

impl std::str::FromStr for MaxRejects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a number or a percentage as in 1%, found '{text}'");
        match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse().map(Self::Percent).map_err(|_| wrong()),
            None => text.parse().map(Self::Count).map_err(|_| wrong()),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
    /// CSV, JSON or Parquet list of tenants, to recognise domains and names in
    /// the logs
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// Print the run report to stdout as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let given = GivenRoster::read(arguments.roster.as_deref(), now().date_naive())?;
    let roster = GivenRoster::or_kept_before(given.as_ref(), global, |_| {}).await?;
    let report = ingest(&arguments.inputs, roster, None, global).await?;
    if let Some(given) = given.filter(|_| !arguments.inputs.dry_run) {
        given.keep(&mut open_lake(global).await?, global).await?;
    }
    if arguments.json {
        let json = serde_json::to_string_pretty(&report)
            .map_err(|source| Failure::Json { what: "the run report", source })?;
        print(&json);
    }
    tell(&report, &arguments.inputs, global);
    Ok(arguments.inputs.exit_code(&report))
}

impl Inputs {
    /// Says that what is assessed now may lack what other processes have not ingested yet.
    pub(super) fn note_other_shards(&self, global: &Global) {
        if self.listing.shard.is_some() && !global.quiet {
            lightsout_output::stderr!(
                "--shard: what follows is assessed by what the lake holds now; when all shards are ingested, assess again: \
                 lightsout assess"
            );
        }
    }

    /// 3 if too much was rejected, or a file was refused or left for the next ingest.
    pub(super) fn exit_code(&self, report: &IngestReport) -> u8 {
        #[expect(clippy::cast_precision_loss, reason = "a percentage of counts far below 2^52")]
        let too_many = match self.max_rejects {
            MaxRejects::Count(most) => report.rejected > most,
            MaxRejects::Percent(percent) => report.rejected as f64 * 100.0 > percent * report.records as f64,
        };
        if too_many {
            // Also when quiet: a job that ends with 3 says why.
            lightsout_output::stderr!(
                "{} of {} rejected, more than --max-rejects allows; see: lightsout sql \"SELECT path, \
                 line, reason, detail FROM rejects\"",
                report.rejected,
                plural(report.records, "record was", "records were")
            );
        }
        let incomplete = report.files_torn + report.files_mostly_rejected;
        if incomplete > 0 {
            lightsout_output::stderr!(
                "files that are cut, incomplete or mostly rejected: {incomplete}; they prove no \
                 day; copy or export them again, see: lightsout sql \"SELECT path, records, rejected, truncation FROM sources\""
            );
        }
        if report.rejected_of_unknown_tenant > 0 {
            lightsout_output::stderr!(
                "rejected records that name no tenant: {}; no tenant ingested with them can be cleared, \
                 see: lightsout sql \"SELECT path, line, reason, detail FROM rejects WHERE tenant_id IS NULL\"",
                report.rejected_of_unknown_tenant
            );
        }
        // A file that changes is none that is not recognised.
        let refused = report.files_changing > 0 || report.files_refused > 0 && !self.skip_unrecognised;
        let unknown = report.rejected_of_unknown_tenant > 0;
        if too_many || refused || incomplete > 0 || unknown { 3 } else { 0 }
    }
}

/// Ingests with a progress bar and an eye on Ctrl-C.
pub(super) async fn ingest(
    arguments: &Inputs,
    roster: Roster,
    out: Option<&Path>,
    global: &Global,
) -> Result<IngestReport> {
    let assignments = arguments.naming.assignments(&roster)?;
    let written_to: Vec<&Path> = [Some(global.lake.as_path()), out].into_iter().flatten().collect();
    let (locations, paths) = store::part(&arguments.paths)?;
    let lake = global.lake.to_string_lossy();
    if let Some(holds) = arguments.paths.iter().find(|url| store::holds(url, &lake)) {
        return Err(Failure::Usage {
            flag: "INPUT",
            expected: format!("inputs beside the lake at {lake}, not around it or in it"),
            found: holds.clone(),
        });
    }
    let Found { mut inputs, mut hidden, own } = find_beside(&paths, &written_to)?;
    for folder in own.iter().filter(|_| !global.quiet) {
        lightsout_output::stderr!("{}: skipped, because lightsout wrote it", plain(folder));
    }
    let listing = &arguments.listing;
    listing.choose(&mut inputs)?;
    for input in &mut inputs {
        input.assigned = assignments.of(input);
    }
    let stores = Stores {
        locations,
        assignments,
        since: listing.since,
        shard: listing.shard,
        connections: listing.connections.map_or(CONNECTIONS, usize::from),
        again: listing.again,
    };
    for location in &stores.locations {
        location.check().await?;
    }
    let jobs = arguments
        .jobs
        .map_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from);
    let settings = IngestSettings {
        tenant_id: arguments.naming.tenant_id(&roster)?,
        roster,
        date_order: arguments.naming.date_order(),
        category: arguments.naming.category,
        covers: arguments.covers.map(|covers| until_yesterday(covers, now().date_naive())).transpose()?,
        jobs,
        memory_limit_bytes: arguments.memory_limit,
        skip_unrecognised: arguments.skip_unrecognised,
        keep: match arguments.keep {
            KeepFlag::All => Keep::All,
            KeepFlag::Legacy => Keep::Legacy,
        },
        dry_run: arguments.dry_run,
        now: now().timestamp_micros(),
    };
    let scratch;
    let root = if arguments.dry_run && !lightsout_lake::is_there(&global.lake).await? {
        scratch = tempfile::tempdir().map_err(Failure::write("a temporary folder"))?;
        scratch.path()
    } else {
        global.lake.as_path()
    };
    let mut lake = Lake::open_or_create(root).await?;
    if !arguments.dry_run {
        // Finishes what a killed run left.
        drop(lake.lock().await?);
        upgrade(&mut lake, now(), print_note).await?;
        if listing.again {
            for path in lightsout_ingest::forget_lost(&mut lake, &inputs, now().timestamp_millis()).await? {
                print_note(&format!("{}: the lake had lost rows of it; it is read again", plain(&path)));
            }
        }
    }
    let progress = Arc::new(Progress::default());
    let watch = watch(&progress, &inputs, global.quiet);
    let mut report = lightsout_ingest::ingest(&mut lake, inputs, &settings, &progress).await;
    if let Ok(report) = &mut report
        && !stores.locations.is_empty()
    {
        lightsout_ingest::ingest_stores(&mut lake, &stores, &settings, &progress, report).await?;
    }
    for task in watch {
        task.abort();
    }
    let mut report = report?;
    hidden.append(&mut report.hidden);
    Ok(IngestReport { hidden, ..report })
}

fn watch(progress: &Arc<Progress>, inputs: &[Input], quiet: bool) -> Vec<tokio::task::JoinHandle<()>> {
    let stop = Arc::clone(progress);
    let interrupt = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.stop.store(true, Ordering::Relaxed);
        }
    });
    if quiet {
        return vec![interrupt];
    }
    let total = inputs.iter().map(|input| input.stored_bytes).sum();
    let bar = ProgressBar::new(total);
    let style = "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {msg} {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    let progress = Arc::clone(progress);
    let started = Instant::now();
    let drawing = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        loop {
            tick.tick().await;
            if started.elapsed() > Duration::from_millis(400) {
                bar.set_length(total + progress.listed_bytes.load(Ordering::Relaxed));
                bar.set_position(progress.stored_bytes.load(Ordering::Relaxed));
                bar.set_message(plural(progress.records.load(Ordering::Relaxed), "record", "records"));
            }
        }
    });
    vec![interrupt, drawing]
}

/// Nobody can know that a log is complete for a day that is not over.
fn until_yesterday(covers: DayRange, today: NaiveDate) -> Result<DayRange> {
    let yesterday = today.pred_opt().unwrap_or(today);
    if covers.first > yesterday {
        return Err(Failure::Usage {
            flag: "--covers",
            expected: format!("days that are over, until {yesterday}"),
            found: format!("{}..{}", covers.first, covers.last),
        });
    }
    if covers.last > yesterday {
        lightsout_output::stderr!(
            "--covers: {} is not over yet; using the days until {yesterday}",
            covers.last
        );
    }
    Ok(DayRange { first: covers.first, last: covers.last.min(yesterday) })
}

/// How many files a line names.
const FILES_NAMED: usize = 3;

/// The closing account, on stderr.
pub(super) fn tell(report: &IngestReport, arguments: &Inputs, global: &Global) {
    for file in &report.refused {
        lightsout_output::stderr!("refused {}: {}", file.path, file.detail.as_deref().unwrap_or_default());
    }
    if global.quiet {
        return;
    }
    if arguments.verbose {
        report.each.iter().for_each(tell_file);
    } else {
        tell_kinds(&report.each);
    }
    for (advice, files) in &report.advice {
        lightsout_output::stderr!("{}: {advice}", first_of(files));
    }
    if !report.hidden.is_empty() {
        lightsout_output::stderr!(
            "{}: skipped, because it is hidden; if it holds sign-in logs, name it as an input or rename it",
            first_of(&report.hidden)
        );
    }
    lightsout_output::stderr!(
        "{}{} ({}): {} ingested, {} seen before{}, {} empty, {} refused",
        if arguments.dry_run { "would ingest " } else { "" },
        plural(report.files, "file", "files"),
        HumanBytes(report.stored_bytes),
        report.files_ingested,
        report.files_seen_before,
        match report.files_unread {
            0 => String::new(),
            unread => format!(" ({unread} not read)"),
        },
        report.files_empty,
        report.files_refused,
    );
    lightsout_output::stderr!(
        "{} = {} + {} rejected + {} not sign-ins{}",
        plural(report.records, "record", "records"),
        plural(report.rows, "row", "rows"),
        report.rejected,
        report.not_sign_ins,
        also_counted(report.counted),
    );
    for (reason, count) in &report.rejected_by_reason {
        lightsout_output::stderr!("  rejected, {reason}: {count}");
    }
    if !report.unknown_codes.is_empty() {
        let codes: Vec<String> =
            report.unknown_codes.iter().map(|(code, count)| format!("{code} ({count})")).collect();
        lightsout_output::stderr!("unknown result codes, counted as failures: {}", codes.join(", "));
    }
}

/// "1 file", "1200 files": without separators, so that scripts can read it.
fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What an account adds where sign-ins are counted only.
pub(super) fn also_counted(count: u64) -> String {
    if count == 0 { String::new() } else { format!(" + {count} modern, only counted") }
}

/// The first of some files, and how many more there are.
fn first_of(files: &[String]) -> String {
    let named = files.iter().take(FILES_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(FILES_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// What one file is and would become.
fn tell_file(file: &FileReport) {
    let span = match (&file.first_signed_in_at, &file.last_signed_in_at) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "no rows".to_owned(),
    };
    lightsout_output::stderr!(
        "{}: {}, {} of {}, {span}; missing columns: {}; {}",
        file.path,
        kind_of(file),
        plural(file.records, "record", "records"),
        plural(file.tenants as u64, "tenant", "tenants"),
        missing_columns(file),
        rejects(&file.rejected_by_reason),
    );
}

fn kind_of(file: &FileReport) -> String {
    let shape = file.shape.unwrap_or("no known shape");
    format!("{shape} {} ({}, {})", file.framing.unwrap_or("-"), file.encoding, file.compression)
}

fn missing_columns(file: &FileReport) -> String {
    if file.missing_columns.is_empty() { "none".to_owned() } else { file.missing_columns.join(", ") }
}

fn rejects(by_reason: &BTreeMap<&'static str, u64>) -> String {
    if by_reason.is_empty() {
        return "no rejects".to_owned();
    }
    let rejects: Vec<String> = by_reason.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    format!("rejects: {}", rejects.join(", "))
}

/// A line for each kind of file: files that are alike but for their records.
fn tell_kinds(files: &[FileReport]) {
    let mut kinds: BTreeMap<(String, String), Vec<&FileReport>> = BTreeMap::new();
    for file in files {
        kinds.entry((kind_of(file), missing_columns(file))).or_default().push(file);
    }
    for ((kind, missing), files) in kinds {
        let records: u64 = files.iter().map(|file| file.records).sum();
        let first = files.iter().filter_map(|file| file.first_signed_in_at.as_deref()).min();
        let last = files.iter().filter_map(|file| file.last_signed_in_at.as_deref()).max();
        let span = first.zip(last).map_or_else(|| "no rows".to_owned(), |(a, b)| format!("{a} to {b}"));
        let mut by_reason: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (reason, count) in files.iter().flat_map(|file| &file.rejected_by_reason) {
            *by_reason.entry(reason).or_default() += count;
        }
        let count = plural(files.len() as u64, "file", "files");
        let records = plural(records, "record", "records");
        lightsout_output::stderr!(
            "{count}: {kind}, {records}, {span}; missing columns: {missing}; {}",
            rejects(&by_reason)
        );
    }
}
