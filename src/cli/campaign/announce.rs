//! `lightsout campaign announce`: picks tenants, fixes their day, records it, writes their notices.

use chrono::NaiveDate;
use clap::Args;

use super::super::shared::{Global, parse_day};
use super::flags::{Common, Files};
use super::{passed_over, rows};
use crate::cli::failure::Result;
use lightsout_output::text::count;
use lightsout_workflow::campaign::announce::{AnnounceRequest, announce};

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
    /// Seed of the draw; another seed draws another wave [default: derived
    /// from the decision]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The date of the notices, from which the notice days count [default: today]
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    notice_date: Option<NaiveDate>,
    /// Who announces it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Announce even if the campaign's effective date is fewer than the notice days
    /// away; this is recorded with the announcement
    #[arg(long)]
    short_notice: bool,
    /// Also write warnings and requests for missing logs, ready to send, for all
    /// other tenants
    #[arg(long)]
    warnings: bool,
    /// Announce the decision named by --decision even if it was made without a
    /// roster, or with one that excludes fewer tenants than the lake's
    #[arg(long, requires = "decision")]
    despite_roster: bool,
    #[command(flatten)]
    pub(super) files: Files,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut state = arguments.common.read_state(global).await?;
    let request = AnnounceRequest {
        decision_id: arguments.decision.as_deref(),
        wave: arguments.wave,
        seed: arguments.seed,
        notice_date: arguments.notice_date,
        by_whom: arguments.by.as_deref(),
        short_notice: arguments.short_notice,
        warnings: arguments.warnings,
        despite_roster: arguments.despite_roster,
    };
    let files = &arguments.files;
    let announced = announce(&mut state, request, &files.settings()).await?;
    let tenants = announced.tenant_ids.iter().map(String::as_str);
    arguments.common.output.write(&[rows::announced(&state.ledger, &state.names()?, tenants)?])?;
    if global.quiet {
        return Ok(0);
    }
    passed_over::tell(&announced.picked, announced.effective_date);
    let days = (announced.effective_date - announced.notice_date).num_days();
    if !announced.picked.events.is_empty() && days < i64::from(announced.notice_days) {
        lightsout_output::stderr!(
            "  that is {} after the notice; notice_days is {}",
            count(u64::try_from(days).unwrap_or(0), "day", "days"),
            announced.notice_days
        );
    }
    lightsout_output::stderr!("{}", files.summary(announced.notices));
    if let Some(operator) = state.campaign.operator.as_ref().filter(|_| announced.notices.written > 0) {
        lightsout_output::stderr!(
            "requests to opt out go to {}; record each with: lightsout campaign opt-out TENANT --by NAME",
            operator.reply_to
        );
    }
    if let Some(warnings) = announced.warnings {
        lightsout_output::stderr!("warnings and requests for missing logs: {}", files.summary(warnings));
    }
    Ok(0)
}
