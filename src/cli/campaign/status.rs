//! `lightsout campaign status`: what is to be done, where every tenant stands, and what comes next.

use chrono::NaiveDate;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::super::shared::{Global, command_report, find_tenant, now, parse_day, print, print_note};
use super::flags::Common;
use super::rows;
use crate::cli::failure::{Failure, Result};
use lightsout_campaign::status::{StatusRow, TenantState, status};
use lightsout_campaign::work_list::WorkList;
use lightsout_decisions::reproduce;
use lightsout_output::text::count;
use lightsout_report::{Format, work_list};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The decision to use for tenants without an announcement [default:
    /// the campaign's latest]
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// Only tenants in this state; can be repeated
    #[arg(long, value_enum, value_name = "STATE", value_delimiter = ',')]
    state: Vec<StateFlag>,
    /// Only this tenant: its id, or a domain or name of the roster
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Only tenants with something to turn off by this day
    #[arg(long, alias = "due", value_name = "DATE", value_parser = parse_day)]
    due_by: Option<NaiveDate>,
    /// Print the work list and the tenants to stdout as one JSON object
    #[arg(long, conflicts_with_all = ["format", "output"])]
    json: bool,
}

/// A state as the flag names it.
#[derive(Debug, Clone, Copy)]
struct StateFlag(TenantState);

impl ValueEnum for StateFlag {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [StateFlag; 9] = {
            let mut all = [StateFlag(TenantState::OnHold); 9];
            let mut at = 0;
            while at < all.len() {
                all[at] = StateFlag(TenantState::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()).help(self.0.meaning()))
    }
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let started_at = now();
    let state = arguments.common.look_at_state(global).await?;
    let decision = match &arguments.decision {
        Some(id) => Some(state.decision(Some(id))?),
        None => state.latest().cloned(),
    };
    let latest =
        decision.as_ref().map(|row| reproduce::verdicts(&state.lake, row, print_note)).transpose()?;
    if let Some(row) = &decision
        && let Some((differ, all)) = state.cleared_no_longer(row)?
    {
        lightsout_output::stderr!(
            "{differ} of the {} announced from this decision would not be cleared by the current rules",
            count(all as u64, "tenant", "tenants")
        );
    }
    let roster = state.current_roster()?;
    let mut rows = status(&state.campaign, &roster, latest.as_ref(), &state.ledger, state.now.date_naive());
    if let Some(named) = &arguments.tenant {
        let known: Vec<&str> = rows.iter().map(|row| row.tenant_id.as_str()).collect();
        let tenant_id = find_tenant("--tenant", named, &roster, &known)?;
        rows.retain(|row| row.tenant_id == tenant_id);
    }
    if !arguments.state.is_empty() {
        rows.retain(|row| arguments.state.iter().any(|flag| flag.0 == row.state));
    }
    if let Some(due) = arguments.due_by {
        rows.retain(|row| row.effective_date.is_some_and(|date| date <= due));
    }
    let (name, today) = (&state.campaign.name, state.now.date_naive());
    let output = &arguments.common.output;
    if arguments.json {
        let result = in_json(name, &rows, today)?;
        print(&command_report("campaign status", started_at, 0, &result));
    } else if output.is_table() {
        output.write_text(work_list::text(name, &rows, today, output.width()).trim_end())?;
    } else {
        output.write(&[rows::status(&rows, today)?])?;
        if !global.quiet {
            lightsout_output::stderr!(
                "{}, campaign {name}, {today}",
                count(rows.len() as u64, "tenant", "tenants")
            );
        }
    }
    Ok(0)
}

/// The work list, each task with the ids of its tenants, and the rows that it is of.
fn in_json(campaign: &str, rows: &[StatusRow], today: NaiveDate) -> Result<Value> {
    let list = WorkList::of(rows, today);
    let counts = list.counts.iter().map(|(state, count)| (state.to_string(), json!(count)));
    let tasks = list.tasks.iter().map(|(task, rows)| {
        let ids: Vec<&str> = rows.iter().map(|row| row.tenant_id.as_str()).collect();
        (task.as_str().to_owned(), json!({ "what_to_do": task.what_to_do(), "tenant_ids": ids }))
    });
    let calendar = list.calendar.iter().map(|(day, tenants)| json!({ "day": day, "tenants": tenants }));
    let mut tenants = Vec::new();
    lightsout_report::write(&mut tenants, &[rows::status(rows, today)?], Format::Json)?;
    let tenants: Value = serde_json::from_slice(&tenants)
        .map_err(|source| Failure::Json { what: "the status of a campaign", source })?;
    Ok(json!({
        "campaign": campaign,
        "today": today,
        "counts": Value::Object(counts.collect()),
        "tasks": Value::Object(tasks.collect()),
        "calendar": calendar.collect::<Vec<_>>(),
        "tenants": tenants,
    }))
}
