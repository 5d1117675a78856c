//! `lightsout campaign rehearse`: the whole campaign on a copy of the lake, and its calendar.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;

use super::super::shared::{Global, parse_day};
use super::flags::{Common, Files};
use super::rows;
use crate::cli::failure::Result;
use lightsout_output::text::count;
use lightsout_workflow::campaign::announce::AnnounceRequest;
use lightsout_workflow::campaign::notice_batch::NoticeFiles;
use lightsout_workflow::campaign::rehearse::rehearse;

/// Under `--out`: files of a rehearsal are never among those that are sent.
const FOLDER: &str = "REHEARSAL";

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The decision to announce [default: the campaign's latest]
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// Announce to N tenants, drawn at random [default: the campaign's size, else
    /// all eligible tenants]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    wave: Option<u32>,
    /// Seed of the draw [default: derived from the decision]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Announce even if the effective date is fewer than the notice days away
    #[arg(long)]
    short_notice: bool,
    /// The last day to simulate [default: the last on which something is due]
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    until: Option<NaiveDate>,
    /// Folder for the copy of the lake; other commands continue in it with --lake and
    /// --now [default: rehearsal-lake in the --out folder]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    #[command(flatten)]
    pub(super) files: Files,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut state = arguments.common.read_state(global).await?;
    let settings = arguments.files.settings();
    let into = arguments.into.clone().unwrap_or_else(|| settings.out.join("rehearsal-lake"));
    let files = NoticeFiles { out: settings.out.join(FOLDER), ..settings };
    let request = AnnounceRequest {
        decision_id: arguments.decision.as_deref(),
        wave: arguments.wave,
        seed: arguments.seed,
        notice_date: None,
        by_whom: Some("rehearsal"),
        short_notice: arguments.short_notice,
        warnings: false,
        despite_roster: false,
    };
    let (rehearsal, calendar) = rehearse(&mut state, &into, request, arguments.until, &files).await?;
    arguments.common.output.write(&[rows::calendar(&calendar, &rehearsal.names()?)?])?;
    if !global.quiet {
        lightsout_output::stderr!(
            "REHEARSAL: {}, assuming that no new logs arrive; nothing was recorded in {}",
            count(calendar.len() as u64, "step", "steps"),
            state.lake.name()
        );
        lightsout_output::stderr!(
            "the rehearsal's lake is {}; its files are in {}",
            into.display(),
            files.out.display()
        );
    }
    Ok(0)
}
