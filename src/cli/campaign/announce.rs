//! `lightsout campaign announce`: picks tenants, fixes their day, records it, writes their notices.

use chrono::NaiveDate;
use clap::Args;

use super::super::shared::{Global, parse_day};
use super::flags::{Common, Files};
use super::{passed_over, rows};
use crate::cli::failure::Result;
use lightsout_workflow::campaign::announce::{AnnounceRequest, announce};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The decision to announce [default: the campaign's latest]
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// Announce to N tenants, drawn by the seed [default: the campaign's, else
    /// everybody eligible]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    wave: Option<u32>,
    /// What the draw begins with; another seed is another wave [default: follows
    /// from the decision]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The day that the notices are given, from which the days count [default: today]
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    notice_date: Option<NaiveDate>,
    /// Who announces it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Announce even if the campaign's effective date leaves fewer days than its
    /// notice days; the announcement keeps that it was so
    #[arg(long)]
    short_notice: bool,
    /// Also write, for sending, the warnings and the requests for evidence of all
    /// other tenants
    #[arg(long)]
    warnings: bool,
    /// Announce the decision that --decision names although it was made without a
    /// roster, or excludes fewer tenants than the lake's
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
            "  that is {days} days after the notice, where notice_days says {}",
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
        lightsout_output::stderr!("of warnings and of missing evidence: {}", files.summary(warnings));
    }
    Ok(0)
}
