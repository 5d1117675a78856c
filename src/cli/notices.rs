//! `lightsout notices`: drafts of the notices, and the lists, for a kept decision; or the usage reports of
//! a month; or the built-in templates, to be copied.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::roster::GivenRoster;
use super::shared::{Global, command_report, now, open_lake, parse_day, print};
use crate::cli::failure::Result;
use lightsout_config::campaign_file;
use lightsout_decisions::{reproduce, store};
use lightsout_lake::Lake;
use lightsout_model::evidence::Month;
use lightsout_notify::files::Written;
use lightsout_workflow::MEMORY_LIMIT_BYTES;
use lightsout_workflow::drafts::{self, NoticeSettings};

/// What notices are written with.
#[derive(Debug, Args)]
pub(super) struct Texts {
    // Help is no Markdown.
    #[arg(
        long,
        value_name = "DATE",
        value_parser = parse_day,
        help = "Date from which drafts count, e.g. 2026-11-02 [default: --as-of]"
    )]
    notice_date: Option<NaiveDate>,
    /// Folder of your own notice templates, named like the built-in ones; those
    /// for German tenants are in its folder de. See: lightsout notices templates
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

impl Texts {
    pub(super) fn settings(&self) -> NoticeSettings {
        NoticeSettings { notice_date: self.notice_date, templates: self.templates.clone() }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the built-in templates of every language, to copy and change
    ///
    /// Each language has a folder of its own. Change what you need, delete the rest, and give the folder
    /// to --templates. A file that is there already is not overwritten.
    #[command(after_help = "Example:  lightsout notices templates my-templates")]
    Templates {
        /// The folder; it is created if missing
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The decision [default: the campaign's latest]
    #[arg(long, value_name = "ID", conflicts_with = "campaign")]
    decision: Option<String>,
    /// Write usage reports of this month instead, e.g. 2026-10, for tenants with usage
    #[arg(long, value_name = "MONTH", conflicts_with = "decision")]
    month: Option<Month>,
    /// A built-in campaign or a TOML file [default: basic-auth-all-protocols]
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "basic-auth-all-protocols",
        hide_default_value = true
    )]
    campaign: String,
    /// Names and contacts from this list [default: the lake's roster, else that of
    /// the decision]
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    #[command(flatten)]
    texts: Texts,
    /// Write files to this folder
    #[arg(long, value_name = "DIR", default_value = "./out")]
    pub(super) out: PathBuf,
    /// Print the list of written notices to stdout as one JSON object
    #[arg(long)]
    json: bool,
}

/// The result of `--json`: what was written, and of what.
fn in_json(of: (&str, &str), campaign: &str, out: &Path, written: &[Written]) -> Value {
    let notices = written.iter().map(|notice| {
        json!({
            "tenant_id": notice.tenant_id,
            "kind": notice.kind.as_str(),
            "language": notice.language.tag(),
            "contacts": notice.contacts,
            "contacts_left_out": notice.contacts_left_out,
            "files": notice.files,
        })
    });
    let (name, value) = of;
    json!({ name: value, "campaign": campaign, "out": out, "notices": notices.collect::<Vec<_>>() })
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    if let Some(Command::Templates { folder }) = &arguments.command {
        return write_templates(folder, global);
    }
    let started_at = now();
    let mut lake = open_lake(global).await?;
    if let Some(month) = arguments.month {
        return usage_reports(&lake, month, arguments, global, started_at).await;
    }
    let (row, file) = if let Some(id) = &arguments.decision {
        (store::find(&lake, id)?, None)
    } else {
        let file = campaign_file::load(&arguments.campaign)?;
        (store::latest(&lake, &file.name)?, Some(file))
    };
    let mut assessed = reproduce::reopen(&lake, &row, MEMORY_LIMIT_BYTES, global.note()).await?;
    if let Some(file) = &file {
        assessed.campaign.take_contacts_of(file);
    }
    let today = now().date_naive();
    let given = GivenRoster::read(arguments.roster.as_deref(), today)?;
    if let Some(roster) = GivenRoster::kept_or_latest(given, &mut lake, today, global).await? {
        assessed.roster = roster;
    }
    let settings = arguments.texts.settings();
    let written = drafts::write(&assessed, &settings, &arguments.out, &mut lake, global.note()).await?;
    if arguments.json {
        let of = ("decision_id", row.decision_id.as_str());
        let result = in_json(of, &assessed.campaign.name, &arguments.out, &written);
        print(&command_report("notices", started_at, 0, &result));
    }
    if !global.quiet {
        lightsout_output::stderr!(
            "notices of decision {} are in {}",
            row.decision_id,
            arguments.out.display()
        );
    }
    Ok(0)
}

fn write_templates(folder: &Path, global: &Global) -> Result<u8> {
    let written = drafts::write_templates(folder)?;
    if !global.quiet {
        let folder = folder.display();
        lightsout_output::stderr!("{written} templates are in {folder}; use them with: --templates {folder}");
    }
    Ok(0)
}

/// The usage reports of a month.
async fn usage_reports(
    lake: &Lake,
    month: Month,
    arguments: &Arguments,
    global: &Global,
    started_at: DateTime<Utc>,
) -> Result<u8> {
    let campaign = campaign_file::load(&arguments.campaign)?;
    let name = campaign.name.clone();
    let today = now().date_naive();
    let given = GivenRoster::read(arguments.roster.as_deref(), today)?;
    let roster = GivenRoster::or_kept(given, lake, today, global)?;
    let settings = arguments.texts.settings();
    let written =
        drafts::write_usage_reports(lake, month, campaign, roster, &settings, &arguments.out).await?;
    if arguments.json {
        let result = in_json(("month", &month.to_string()), &name, &arguments.out, &written);
        print(&command_report("notices", started_at, 0, &result));
    }
    if !global.quiet {
        let out = arguments.out.display();
        let without = written.iter().filter(|report| report.contacts == 0).count();
        lightsout_output::stderr!(
            "{} usage reports of {month}, {without} of them without a contact, are in {out}",
            written.len()
        );
    }
    Ok(0)
}
