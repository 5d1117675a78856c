//! `lightsout campaign diff`: which tenants have changed since a day, and why; exit 4 if something got worse.

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::super::shared::{Global, command_report, now, print};
use super::flags::{Common, time};
use super::rows;
use crate::cli::failure::{Failure, Result};
use lightsout_campaign::diff::DiffRow;
use lightsout_output::text::count;
use lightsout_report::{Format, fitted_table};
use lightsout_workflow::campaign::diff::{Difference, since};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Compare with the state before this time, e.g. 2026-12-01 or
    /// 2026-12-01T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: DateTime<Utc>,
    /// Print the changes to stdout as one JSON object
    #[arg(long, conflicts_with_all = ["format", "output"])]
    json: bool,
}

/// Exit code 4 if something got worse.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let started_at = now();
    let state = arguments.common.look_at_state(global).await?;
    if arguments.since > state.now {
        return Err(Failure::Usage {
            flag: "--since",
            expected: format!("a time in the past, before {}", state.now.format("%Y-%m-%dT%H:%M:%SZ")),
            found: arguments.since.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
    }
    let difference = since(&state, arguments.since).await?;
    let exit_code = if difference.worse() > 0 { 4 } else { 0 };
    let output = &arguments.common.output;
    if arguments.json {
        let result = in_json(&state.campaign.name, &difference)?;
        print(&command_report("campaign diff", started_at, exit_code, &result));
    } else if output.is_table() {
        output.write_text(&table(&difference.rows, output.width()))?;
    } else {
        output.write(&[rows::diff(&difference.rows)?])?;
    }
    if !global.quiet {
        lightsout_output::stderr!("{}", told(&difference, arguments.since));
    }
    Ok(exit_code)
}

/// What has changed, and which decisions were compared.
pub(in crate::cli) fn in_json(campaign: &str, difference: &Difference) -> Result<Value> {
    let mut tenants = Vec::new();
    lightsout_report::write(&mut tenants, &[rows::diff(&difference.rows)?], Format::Json)?;
    let tenants: Value = serde_json::from_slice(&tenants)
        .map_err(|source| Failure::Json { what: "the differences of a campaign", source })?;
    Ok(json!({
        "campaign": campaign,
        "decision_before": difference.decision_before,
        "decision_after": difference.decision_after,
        "changed": difference.rows.len(),
        "worse": difference.worse(),
        "tenants": tenants,
    }))
}

fn table(rows: &[DiffRow], width: u16) -> String {
    let arrow = |before: Option<String>, after: Option<String>| {
        let [before, after] = [before, after].map(|text| text.unwrap_or_else(|| "none".to_owned()));
        if before == after { after } else { format!("{before} -> {after}") }
    };
    let rows = rows.iter().map(|row| {
        vec![
            row.display_name.clone().unwrap_or_else(|| row.tenant_id.clone()),
            if row.is_worse { "worse".to_owned() } else { String::new() },
            arrow(
                row.verdict_before.map(|verdict| verdict.to_string()),
                row.verdict_after.map(|verdict| verdict.to_string()),
            ),
            row.why.join("; "),
        ]
    });
    fitted_table(&["tenant", "", "verdict", "why"], rows, width)
}

fn told(difference: &Difference, since: DateTime<Utc>) -> String {
    let since = since.format("%Y-%m-%d %H:%M");
    let changed = count(difference.rows.len() as u64, "tenant", "tenants");
    let counts = format!("{changed} changed since {since} UTC, {} got worse", difference.worse());
    match (&difference.decision_before, &difference.decision_after) {
        (Some(before), Some(after)) if before == after => {
            format!("{counts}; no newer decision than {after}")
        }
        (Some(before), Some(after)) => format!("{counts}; decisions {before} and {after}"),
        (None, _) => format!("{counts}; there was no decision before, so verdicts were not compared"),
        (Some(before), None) => format!("{counts}; decision {before}"),
    }
}
