//! `lightsout campaign status`: where every tenant stands, and what comes next.

use chrono::NaiveDate;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::super::shared::{Global, find_tenant, parse_day, print_note};
use super::flags::Common;
use super::rows;
use crate::cli::failure::Result;
use lightsout_campaign::status::{TenantState, status};
use lightsout_decisions::reproduce;
use lightsout_output::text::count;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The decision that tenants without an announcement are shown by [default:
    /// the campaign's latest]
    #[arg(long, value_name = "ID")]
    decision: Option<String>,
    /// Only tenants in this state; can be repeated
    #[arg(long, value_enum, value_name = "STATE", value_delimiter = ',')]
    state: Vec<StateFlag>,
    /// Only this tenant: its id, or a domain or name of the roster
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Only tenants whose day comes until then
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    due: Option<NaiveDate>,
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
    let state = arguments.common.read_state(global).await?;
    let decision = match &arguments.decision {
        Some(id) => Some(state.decision(Some(id))?),
        None => state.latest().cloned(),
    };
    let latest =
        decision.as_ref().map(|row| reproduce::verdicts(&state.lake, row, print_note)).transpose()?;
    if let Some(row) = &decision
        && let Some((differ, all)) = state.cleared_no_longer(row)?
    {
        eprintln!(
            "{differ} of the {} announced on it would not be cleared by these rules",
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
    if let Some(due) = arguments.due {
        rows.retain(|row| row.effective_date.is_some_and(|date| date <= due));
    }
    let output = &arguments.common.output;
    output.write(&[if output.is_table() { rows::status_in_short(&rows)? } else { rows::status(&rows)? }])?;
    if !global.quiet {
        eprintln!("{} tenants, campaign {}, {}", rows.len(), state.campaign.name, state.now.date_naive());
    }
    Ok(0)
}
