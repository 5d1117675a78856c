//! The events of a campaign as a view reads them, inside the query that names the view.

use std::collections::BTreeMap;

use datafusion::catalog::Session;
use datafusion::common::{ParamValues, ScalarValue, exec_datafusion_err, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::collect;

use lightsout_campaign::{Event, Ledger};
use lightsout_decisions::recorded::lake_error;
use lightsout_lake::rows::from_batch;

/// The ledger of a campaign.
pub(crate) async fn ledger(state: &dyn Session, campaign: &str) -> Result<Ledger> {
    let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned())).into();
    let values = [("campaign".to_owned(), text(campaign)), ("tenant".to_owned(), text("*"))];
    let sql = include_str!("../../queries/campaign_history.sql");
    let parameters = ParamValues::Map(values.into_iter().collect());
    ledger_of(campaign, events(state, sql, Some(parameters)).await?)
}

/// The ledgers of all campaigns, by name.
pub(crate) async fn ledgers(state: &dyn Session) -> Result<BTreeMap<String, Ledger>> {
    let mut by_campaign: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in events(state, "SELECT * FROM campaign_events", None).await? {
        by_campaign.entry(event.campaign.clone()).or_default().push(event);
    }
    by_campaign
        .into_iter()
        .map(|(campaign, events)| Ok((campaign.clone(), ledger_of(&campaign, events)?)))
        .collect()
}

fn ledger_of(campaign: &str, events: Vec<Event>) -> Result<Ledger> {
    Ledger::of(events).map_err(|error| exec_datafusion_err!("campaign {campaign}: {error}"))
}

async fn events(state: &dyn Session, sql: &str, parameters: Option<ParamValues>) -> Result<Vec<Event>> {
    let whole = state.as_any().downcast_ref::<SessionState>();
    let whole = whole.ok_or_else(|| internal_datafusion_err!("a session of another engine"))?;
    let mut plan = whole.create_logical_plan(sql).await?;
    if let Some(parameters) = parameters {
        plan = plan.with_param_values(parameters)?;
    }
    let plan = state.create_physical_plan(&plan).await?;
    let mut found = Vec::new();
    for batch in collect(plan, state.task_ctx()).await? {
        found.extend(from_batch::<Event>(&batch).map_err(lake_error)?);
    }
    Ok(found)
}
