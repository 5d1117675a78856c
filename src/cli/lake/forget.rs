//! `lightsout lake forget`: lets go of old decisions, whose versions of the tables `vacuum` keeps otherwise.

use chrono::TimeDelta;
use clap::Args;

use super::super::shared::{Global, now, parse_age, print};
use crate::cli::failure::Result;
use lightsout_decisions::forget::{ForgetReport, ForgetSettings, forget};
use lightsout_lake::Lake;
use lightsout_output::text::count;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Delete decisions that no announcement uses, with their tenants and rosters
    #[arg(long, required = true)]
    decisions: bool,
    /// Keep decisions younger than this: 30d, 12h
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    keep_last: TimeDelta,
    /// Print the decisions that would be deleted; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the report to stdout as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(lake: &mut Lake, arguments: &Arguments, global: &Global) -> Result<u8> {
    let now = now();
    let keep_since = now.checked_sub_signed(arguments.keep_last).unwrap_or(chrono::DateTime::UNIX_EPOCH);
    let settings = ForgetSettings { keep_since, dry_run: arguments.dry_run, now };
    let report = forget(lake, settings).await?;
    if arguments.json {
        super::print_report(&report)?;
    } else if arguments.dry_run {
        for decision in &report.forgotten {
            let at = decision.decided_at.format("%Y-%m-%d %H:%M");
            print(&format!("{} of {at}, campaign {}", decision.decision_id, decision.campaign));
        }
    }
    if !global.quiet {
        lightsout_output::stderr!("{}", told(&report, arguments.dry_run));
    }
    Ok(0)
}

fn told(report: &ForgetReport, dry_run: bool) -> String {
    let decisions = |n: usize| count(n as u64, "decision", "decisions");
    let rows: u64 = report.rows.iter().map(|rows| rows.rows).sum();
    let files = if report.forgotten.is_empty() || dry_run {
        ""
    } else {
        "; delete their files with: lightsout lake vacuum"
    };
    format!(
        "{} {} ({}){files}\nkept {} that are recent enough, {} that campaigns use, {} that are the latest of a campaign",
        if dry_run { "would forget" } else { "forgot" },
        decisions(report.forgotten.len()),
        count(rows, "row", "rows"),
        decisions(report.kept_as_young),
        report.kept_for_campaigns,
        report.kept_as_latest,
    )
}
