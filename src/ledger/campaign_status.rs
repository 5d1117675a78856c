//! The view `campaign_status`: the state of every protocol of every tenant in a campaign, by the campaign's rules over
//! its latest decision and its events, on the day of the query.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use chrono::{NaiveDate, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use lightsout_campaign::Ledger;
use lightsout_campaign::announce::announceable;
use lightsout_campaign::status::{StatusRow, TenantState, status};
use lightsout_decisions::recorded::{DecisionTables, latest};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::{HoldCause, ProtocolChange};
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::TenantAssessment;
use lightsout_query::Queries;
use lightsout_query::view_columns::{date_column, schema_of, text_column};

use crate::session_events::ledger;

/// Registers the view in a session.
///
/// # Errors
/// Fails if it is registered already.
pub fn register(queries: &Queries) -> lightsout_query::Result<()> {
    let view = CampaignStatusView::new(DecisionTables::of(queries));
    queries.register("campaign_status", Arc::new(view))
}

/// The view, over recorded decisions; events are read through `campaign_history.sql`.
struct CampaignStatusView {
    decisions: DecisionTables,
    schema: SchemaRef,
}

impl fmt::Debug for CampaignStatusView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CampaignStatusView").finish_non_exhaustive()
    }
}

/// One protocol of one tenant.
struct Row {
    campaign: String,
    tenant: Arc<StatusRow>,
    protocol: Protocol,
    state: &'static str,
    opted_out: Option<(NaiveDate, Option<String>)>,
    held: Option<(NaiveDate, HoldCause)>,
    off_on: Option<NaiveDate>,
}

impl CampaignStatusView {
    fn new(decisions: DecisionTables) -> Self {
        let (text, date) = (DataType::Utf8, DataType::Date32);
        let schema = schema_of(&[
            ("campaign", text.clone()),
            ("tenant_id", text.clone()),
            ("display_name", text.clone()),
            ("protocol", text.clone()),
            ("state", text.clone()),
            ("tenant_state", text.clone()),
            ("verdict", text.clone()),
            ("announced_on", date.clone()),
            ("effective_date", date.clone()),
            ("opted_out_on", date.clone()),
            ("opted_out_by", text.clone()),
            ("held_on", date.clone()),
            ("hold_cause", text.clone()),
            ("off_on", date),
            ("decision_id", text.clone()),
            ("next_step", text),
        ]);
        Self { decisions, schema }
    }

    async fn rows(&self, state: &dyn Session) -> Result<Vec<Row>> {
        // The day of `now()` in the same query.
        let now = state.execution_props().query_execution_start_time.unwrap_or_else(Utc::now);
        let today = now.date_naive();
        let mut rows = Vec::new();
        for head in latest(self.decisions.heads(state).await?) {
            let Some((campaign, roster, assessment)) = self.decisions.read(state, &head).await? else {
                continue;
            };
            let ledger = ledger(state, &head.campaign).await?;
            let decided: BTreeMap<&str, &TenantAssessment> =
                assessment.tenants.iter().map(|tenant| (tenant.tenant_id.as_str(), tenant)).collect();
            for tenant in status(&campaign, &roster, Some(&assessment), &ledger, today) {
                let decided = decided.get(tenant.tenant_id.as_str()).copied();
                rows.extend(of_tenant(tenant, decided, &campaign, &roster, &ledger, today));
            }
        }
        Ok(rows)
    }

    fn batch(&self, rows: &[Row]) -> Result<RecordBatch> {
        let text = |each: &dyn Fn(&Row) -> Option<String>| text_column(rows, each);
        let day = |each: &dyn Fn(&Row) -> Option<NaiveDate>| date_column(rows, each);
        let columns: Vec<ArrayRef> = vec![
            text(&|row| Some(row.campaign.clone())),
            text(&|row| Some(row.tenant.tenant_id.clone())),
            text(&|row| row.tenant.display_name.clone()),
            text(&|row| Some(row.protocol.to_string())),
            text(&|row| Some(row.state.to_owned())),
            text(&|row| Some(row.tenant.state.to_string())),
            text(&|row| row.tenant.verdict.map(|verdict| verdict.to_string())),
            day(&|row| row.tenant.announced_on),
            day(&|row| row.tenant.effective_date),
            day(&|row| row.opted_out.as_ref().map(|(on, _)| *on)),
            text(&|row| row.opted_out.as_ref().and_then(|(_, by)| by.clone())),
            day(&|row| row.held.map(|(on, _)| on)),
            text(&|row| row.held.map(|(_, cause)| cause.as_str().to_owned())),
            day(&|row| row.off_on),
            text(&|row| row.tenant.decision_id.clone()),
            text(&|row| Some(row.tenant.next_step.clone())),
        ];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// A row for each protocol that was announced, else for each in scope.
fn of_tenant(
    tenant: StatusRow,
    decided: Option<&TenantAssessment>,
    campaign: &Campaign,
    roster: &Roster,
    ledger: &Ledger,
    today: NaiveDate,
) -> Vec<Row> {
    let tenant = Arc::new(tenant);
    let new = |protocol, state| Row {
        campaign: campaign.name.clone(),
        tenant: Arc::clone(&tenant),
        protocol,
        state,
        opted_out: None,
        held: None,
        off_on: None,
    };
    let withdrawn = ledger.withdrawn.get(&tenant.tenant_id).map(|withdrawn| &withdrawn.change.protocols);
    let withdrawn = withdrawn.into_iter().flat_map(|protocols| protocols.keys());
    let withdrawn = withdrawn.map(|protocol| new(*protocol, "withdrawn"));
    if let Some(announced) = ledger.tenants.get(&tenant.tenant_id) {
        let is_due = announced.due_on() <= today;
        let row = |(protocol, change): (&Protocol, &ProtocolChange)| match change {
            ProtocolChange::Pending if !tenant.protocols_pending.contains(protocol) => {
                new(*protocol, "off_already")
            }
            ProtocolChange::Pending => new(*protocol, if is_due { "due" } else { "announced" }),
            ProtocolChange::OptedOut { on, by } => {
                Row { opted_out: Some((*on, by.clone())), ..new(*protocol, "opted_out") }
            }
            ProtocolChange::OnHold { since, cause } => {
                Row { held: Some((*since, *cause)), ..new(*protocol, "on_hold") }
            }
            ProtocolChange::Off { on } => Row { off_on: Some(*on), ..new(*protocol, "off") },
            ProtocolChange::UsedAfterChange { off_on, .. } => {
                Row { off_on: Some(*off_on), ..new(*protocol, "used_after_change") }
            }
        };
        return announced.change.protocols.iter().map(row).chain(withdrawn).collect();
    }
    if ledger.withdrawn.contains_key(&tenant.tenant_id) {
        return withdrawn.collect();
    }
    let clear = decided.and_then(|decided| announceable(campaign, decided)).map(|(_, protocols)| protocols);
    let is_eligible = tenant.state == TenantState::Eligible;
    let settings = roster.tenants.get(&tenant.tenant_id);
    let row = |protocol: Protocol| {
        let is_clear = clear.as_ref().is_some_and(|clear| clear.contains(&protocol));
        let is_on = settings.is_none_or(|settings| !settings.still_on(&[protocol]).is_empty());
        let is_proved_off = decided.is_some_and(|decided| decided.is_already_off(protocol));
        let state = match (is_clear || is_proved_off, is_on && !is_proved_off) {
            (true, false) => "off_already",
            (true, true) if is_eligible => "eligible",
            _ => "not_eligible",
        };
        new(protocol, state)
    };
    campaign.scope().into_iter().map(row).collect()
}

#[async_trait]
impl TableProvider for CampaignStatusView {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = vec![self.batch(&self.rows(state).await?)?];
        Ok(MemorySourceConfig::try_new_exec(&[rows], self.schema(), projection.cloned())?)
    }
}
