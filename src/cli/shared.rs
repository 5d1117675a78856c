//! Flags and small pieces that several commands share.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, Args};

use super::answers::Out;
use super::roster::GivenRoster;
use super::screen::Screen;
use crate::cli::failure::{Failure, Result};
use lightsout_config::tenants_file;
use lightsout_ingest::assign::{Assignment, Assignments};
use lightsout_ingest::find::Assigned;
use lightsout_lake::Lake;
use lightsout_lake::lock::LockPolicy;
use lightsout_lake::object_stores::{check_folder_url, is_url};
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::DayRange;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::Roster;
use lightsout_model::time::DateOrder;
use lightsout_output::atomic_file::write_content;
use lightsout_query::cluster::Cluster;
use lightsout_report::Format;
use lightsout_workflow::assess::AssessRequest;
use lightsout_workflow::open::open;
use lightsout_workflow::{Error as StageError, Tell};

/// Opens the lake. One that an earlier version made gets the tables and columns of today first.
pub(super) async fn open_lake(global: &Global) -> Result<Lake> {
    Ok(open(&global.lake, now(), print_note).await?)
}

/// The tenant that an id, a domain or a name of the roster stands for, as `flag` gives it.
pub(super) fn find_tenant(
    flag: &'static str,
    named: &str,
    roster: &Roster,
    known: &[&str],
) -> Result<String> {
    lightsout_workflow::known_tenants::find_tenant(named, roster, known).map_err(|error| match error {
        StageError::UnknownTenant { named: found, expected } => Failure::Usage { flag, expected, found },
        other => other.into(),
    })
}

/// Says on stderr what belongs to no result.
pub(super) fn print_note(text: &str) {
    lightsout_output::stderr!("{text}");
}

/// Where help lists the flags of every command: after a command's own.
const LAST: usize = 900;

/// Flags of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The lake's folder or URL
    #[arg(
        long,
        global = true,
        env = "LIGHTSOUT_LAKE",
        default_value = "./lake",
        value_name = "URI",
        value_parser = parse_lake,
        display_order = LAST
    )]
    pub(super) lake: PathBuf,
    /// How long to wait for another command that writes to the lake, e.g. 30s or 5m
    /// [default: as long as it takes]
    #[arg(long, global = true, value_name = "TIME", value_parser = super::answers::parse_time, display_order = LAST)]
    pub(super) lock_timeout: Option<Duration>,
    /// Print no progress and no summary
    #[arg(long, global = true, display_order = LAST)]
    pub(super) quiet: bool,
}

/// Where queries run.
#[derive(Debug, Clone, Args)]
pub(super) struct OnCluster {
    /// Run the queries on a Ballista cluster, df://HOST:PORT (needs a build with the feature cluster)
    #[arg(long, value_name = "URL", value_parser = Cluster::parse)]
    pub(super) cluster: Option<Cluster>,
}

impl Global {
    /// Sets how this command waits for another that writes.
    pub(super) fn set_lock_policy(&self) {
        let words: Vec<String> = std::env::args().take(2).collect();
        let command = words.get(1).filter(|word| !word.starts_with('-'));
        let process = std::process::id();
        lightsout_lake::lock::set_lock_policy(LockPolicy {
            holder: match command {
                Some(command) => format!("lightsout {command} (process {process})"),
                None => format!("lightsout (process {process})"),
            },
            wait_max: self.lock_timeout,
            tell: (!self.quiet).then_some(print_note),
        });
    }

    /// Who hears what belongs to no result.
    pub(super) fn note(&self) -> Tell {
        if self.quiet { |_| {} } else { print_note }
    }
}

/// Which rules, which tenants, which window.
#[derive(Debug, Args)]
pub(super) struct Rules {
    /// A built-in campaign or a TOML file [default: basic-auth-all-protocols]
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "basic-auth-all-protocols",
        hide_default_value = true
    )]
    pub(super) campaign: String,
    /// CSV, JSON or Parquet list of tenants with names, contacts and settings
    /// [default: the lake's, see lightsout roster]
    #[arg(long, value_name = "FILE")]
    pub(super) roster: Option<PathBuf>,
    /// The window ends before this UTC day, e.g. 2026-11-02 [default: the latest
    /// that the logs of half the tenants reach]
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    pub(super) as_of: Option<NaiveDate>,
    /// Length of the window in days [default: the campaign's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=366))]
    pub(super) window_days: Option<u32>,
}

impl Rules {
    /// Reads the files that the flags name. The roster of a command that names none is in the lake.
    pub(super) fn load(&self) -> Result<LoadedRules> {
        let mut campaign = lightsout_config::campaign_file::load(&self.campaign)?;
        if let Some(days) = self.window_days {
            campaign.window_days = days;
        }
        let roster = GivenRoster::read(self.roster.as_deref(), now().date_naive())?;
        Ok(LoadedRules { campaign, roster, as_of: self.as_of })
    }
}

/// What [`Rules`] name, read.
pub(super) struct LoadedRules {
    pub(super) campaign: Campaign,
    pub(super) roster: Option<GivenRoster>,
    pub(super) as_of: Option<NaiveDate>,
}

impl LoadedRules {
    /// With the roster that was given, or the lake's.
    pub(super) fn in_lake(self, lake: &Lake, global: &Global) -> Result<AssessRequest> {
        let Self { campaign, roster, as_of } = self;
        let roster = GivenRoster::or_kept(roster, lake, now().date_naive(), global)?;
        Ok(AssessRequest { campaign, roster: roster.unwrap_or_default(), as_of, cluster: None })
    }
}

/// Whose records those are that do not say it, and how their dates are read.
#[derive(Debug, Args)]
pub(super) struct Naming {
    /// Tenant of records that name none, if the path names none either: its id,
    /// or a domain or name that the roster knows
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    #[expect(clippy::doc_markdown, reason = "help text, shown as it stands")]
    /// CSV of path,tenant_id[,category] that assigns each file, folder or pattern
    #[arg(long, value_name = "FILE")]
    tenants_from: Option<PathBuf>,
    #[expect(clippy::doc_markdown, reason = "help text, shown as it stands")]
    /// Category of records that name none: interactive, non_interactive, ...
    #[arg(long, value_name = "C")]
    pub(super) category: Option<Category>,
    /// Whether 3/4/2026 is in March or in April, if a file's dates leave it open
    #[arg(long, value_enum, value_name = "ORDER")]
    date_order: Option<DateOrderFlag>,
}

/// The orders of day and month that a flag can name.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum DateOrderFlag {
    MonthFirst,
    DayFirst,
}

impl Naming {
    pub(super) fn date_order(&self) -> Option<DateOrder> {
        self.date_order.map(|order| match order {
            DateOrderFlag::MonthFirst => DateOrder::MonthFirst,
            DateOrderFlag::DayFirst => DateOrder::DayFirst,
        })
    }

    /// The tenant that the flag names, by its id or as the roster knows it.
    pub(super) fn tenant_id(&self, roster: &Roster) -> Result<Option<String>> {
        let id = |named: &String| {
            roster.tenant_of(named).map_err(|expected| Failure::Usage {
                flag: "--tenant",
                expected,
                found: named.clone(),
            })
        };
        self.tenant.as_ref().map(id).transpose()
    }

    /// What the operator says of a file: the list first, then the flags.
    pub(super) fn assignments(&self, roster: &Roster) -> Result<Assignments> {
        let otherwise = Assigned { tenant_id: self.tenant_id(roster)?, category: self.category };
        let rows = match &self.tenants_from {
            Some(path) => tenants_file::read(path, roster)?,
            None => Vec::new(),
        };
        let rows = rows.into_iter().map(|row| Assignment {
            path: row.path,
            pattern: row.pattern,
            assigned: Assigned { tenant_id: Some(row.tenant_id), category: row.category },
        });
        Ok(Assignments::new(rows.collect(), otherwise))
    }
}

/// Where rows go, and how.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Output {
    /// Output format [default: from the name of --output, else table on
    /// a terminal and csv elsewhere]
    #[arg(long, value_name = "F", value_parser = format_parser())]
    pub(super) format: Option<Format>,
    /// Write to this file instead of stdout; its name sets the format, as in who.xlsx
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// What is there and no file, as a pipe: written to as it is.
pub(super) fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file())
}

/// The formats by name, for help and completions too.
fn format_parser() -> impl TypedValueParser<Value = Format> {
    let names = PossibleValuesParser::new(Format::ALL.map(Format::as_str));
    names.try_map(|name| name.parse::<Format>())
}

impl Output {
    /// What the flags of any command say. Of `report --explain` nothing: it writes SQL, and no rows.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let mut command = matches;
        while let Some((_, inner)) = command.subcommand() {
            command = inner;
        }
        if command.try_get_one::<bool>("explain").is_ok_and(|explain| explain == Some(&true)) {
            return Self::default();
        }
        // A command whose output has one format only has no flag for it.
        let Ok(format) = command.try_get_one::<Format>("format") else { return Self::default() };
        Self { format: format.copied(), output: command.try_get_one("output").ok().flatten().cloned() }
    }

    /// Checks what can be checked before any work: one format, told by the flag or the file's name, that can go there.
    pub(super) fn check(&self) -> Result<()> {
        let usage = |flag, expected, found| Err(Failure::Usage { flag, expected, found });
        let Some(path) = &self.output else {
            if self.format == Some(Format::Xlsx) {
                let expected = "a file to write a workbook into, as in --output report.xlsx".to_owned();
                return usage("--format", expected, "xlsx without --output".to_owned());
            }
            return Ok(());
        };
        match (self.format, Format::of_path(path)) {
            (Some(format), Some(named)) if format != named => {
                let expected =
                    format!("{}, which the name {} implies, or another name", named.as_str(), path.display());
                usage("--format", expected, format.as_str().to_owned())
            }
            (None, None) if !is_special(path) => {
                let known = Format::ALL.map(|format| format!(".{}", format.extension())).join(", ");
                let expected = format!("a name that ends with one of {known}, or --format beside it");
                usage("--output", expected, path.display().to_string())
            }
            _ => Ok(()),
        }
    }

    /// The format that the flag or the file's name tells.
    pub(super) fn format(&self) -> Option<Format> {
        self.format.or_else(|| Format::of_path(self.output.as_ref()?))
    }

    /// Whether a person reads the rows, on a screen that is only so wide.
    pub(super) fn is_table(&self) -> bool {
        let terminal = self.output.is_none() && std::io::stdout().is_terminal();
        self.format().map_or(terminal, |format| format == Format::Table)
    }

    /// Characters of a line: as wide as the terminal, else 80.
    pub(super) fn width(&self) -> u16 {
        const OTHERWISE: u16 = 80;
        let terminal = self.output.is_none().then(|| terminal_size::terminal_size_of(std::io::stdout()));
        terminal.flatten().map_or(OTHERWISE, |(width, _)| width.0)
    }

    /// Writes text as it is, with a line end.
    pub(super) fn write_text(&self, text: &str) -> Result<()> {
        if let Some(path) = &self.output {
            return std::fs::write(path, text.to_owned() + "\n").map_err(Failure::write(path));
        }
        print(text);
        Ok(())
    }

    pub(super) fn write(&self, batches: &[arrow::array::RecordBatch]) -> Result<()> {
        let Some(first) = batches.first() else { return Ok(()) };
        if let Some(screen) = Screen::of_person(self, false) {
            return screen.show_rows(batches);
        }
        let mut out = Out::open(self, &first.schema())?;
        for batch in batches {
            if !out.write(batch)? {
                return Ok(());
            }
        }
        out.finish()
    }
}

/// `1GiB`, `512MB`, `800m` or bytes.
pub(super) fn parse_size(text: &str) -> Result<usize, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: usize = text[..at].parse().map_err(|_| "expected a size as in 512MB or 1GiB".to_owned())?;
    let factor = match text[at..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        unit => return Err(format!("expected KB, MB or GB (or KiB, MiB, GiB), found '{unit}'")),
    };
    let bytes = number.saturating_mul(factor);
    if bytes < 64 << 20 {
        return Err("expected at least 64MB".to_owned());
    }
    Ok(bytes)
}

/// `7d`, `12h`, `30m`.
pub(super) fn parse_age(text: &str) -> Result<TimeDelta, String> {
    let expected = || format!("expected days, hours or minutes as in 7d, 12h or 30m, found '{text}'");
    let text = text.trim();
    let number_len = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: i64 = text[..number_len].parse().map_err(|_| expected())?;
    let age = match &text[number_len..] {
        "d" => TimeDelta::try_days(number),
        "h" => TimeDelta::try_hours(number),
        "m" => TimeDelta::try_minutes(number),
        _ => None,
    };
    age.ok_or_else(expected)
}

/// A folder, as a path or as `file:///path`, or the URL of one in an object store, which stays as it is.
fn parse_lake(text: &str) -> Result<PathBuf, String> {
    match text.split_once("://") {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("file") => Ok(PathBuf::from(path)),
        Some(_) if is_url(text) => {
            check_folder_url(text)?;
            Ok(PathBuf::from(text))
        }
        _ => Ok(PathBuf::from(text)),
    }
}

/// `2026-11-02`, a UTC day.
pub(super) fn parse_day(text: &str) -> Result<NaiveDate, String> {
    text.trim().parse().map_err(|_| "expected a day as in 2026-11-02".to_owned())
}

/// `2026-10-01..2026-10-31`, both included.
pub(super) fn parse_days(text: &str) -> Result<DayRange, String> {
    let expected = "expected two days as in 2026-10-01..2026-10-31";
    let (first, last) = text.split_once("..").ok_or(expected)?;
    let day = |text: &str| text.trim().parse::<NaiveDate>().map_err(|_| expected.to_owned());
    let range = DayRange { first: day(first)?, last: day(last)? };
    if range.first > range.last {
        return Err(format!("the first day is after the last; {expected}"));
    }
    Ok(range)
}

/// The system's clock. Builds for tests take it from `LIGHTSOUT_CLOCK` where that is set: nobody can wait for the thirty
/// days of a campaign, and `--now` does not make them pass.
pub(super) fn now() -> DateTime<Utc> {
    let set = std::env::var("LIGHTSOUT_CLOCK").ok().filter(|_| cfg!(debug_assertions));
    set.as_deref().and_then(lightsout_config::request_file::parse_time).unwrap_or_else(Utc::now)
}

/// Prints to stdout; a closed pipe is no error.
pub(super) fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// What `--json` prints: what a command found, with what it was and how long it took.
pub(super) fn command_report(
    command: &str,
    started_at: DateTime<Utc>,
    exit_code: u8,
    result: &serde_json::Value,
) -> String {
    let seconds = (now() - started_at).to_std().unwrap_or_default().as_secs_f64();
    let report = serde_json::json!({
        "program_version": env!("CARGO_PKG_VERSION"),
        "command": command,
        "started_at": started_at,
        "duration_seconds": seconds,
        "exit_code": exit_code,
        "result": result,
    });
    format!("{report:#}")
}

pub(super) fn write_json(path: &Path, value: &serde_json::Value) -> Result<()> {
    let text =
        serde_json::to_string_pretty(value).map_err(|source| Failure::Json { what: "a report", source })?;
    Ok(write_content(path, (text + "\n").as_bytes())?)
}
