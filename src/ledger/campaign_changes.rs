//! The view `campaign_changes`: what [`lightsout_campaign::Ledger`] makes of the events of every campaign, a row for
//! each protocol that was announced to a tenant. `queries/campaign_state.sql` reads it.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use lightsout_campaign::{AnnouncedTenant, Ledger, WithdrawnTenant};
use lightsout_lake::schema::timestamp;
use lightsout_model::change::ProtocolChange;
use lightsout_model::protocol::Protocol;
use lightsout_query::Queries;
use lightsout_query::view_columns::{date_column, schema_of, text_column};

use crate::session_events::ledgers;

/// Registers the view in a session.
///
/// # Errors
/// Fails if it is registered already.
pub fn register(queries: &Queries) -> lightsout_query::Result<()> {
    queries.register("campaign_changes", Arc::new(CampaignChangesView::new()))
}

struct CampaignChangesView {
    schema: SchemaRef,
}

impl fmt::Debug for CampaignChangesView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CampaignChangesView").finish_non_exhaustive()
    }
}

/// One protocol of one tenant.
struct Row {
    campaign: String,
    tenant_id: String,
    protocol: Protocol,
    state: &'static str,
    decision_id: String,
    announced_at: DateTime<Utc>,
    effective_date: NaiveDate,
    announcement: String,
    opted_out_at: Option<DateTime<Utc>>,
    opted_out_by: Option<String>,
    held_at: Option<DateTime<Utc>>,
    held_because: Option<String>,
    off_at: Option<DateTime<Utc>>,
    last_used_on: Option<NaiveDate>,
    withdrawn_at: Option<DateTime<Utc>>,
    not_before: Option<NaiveDate>,
}

impl CampaignChangesView {
    fn new() -> Self {
        let (text, date, instant) = (DataType::Utf8, DataType::Date32, timestamp());
        let schema = schema_of(&[
            ("campaign", text.clone()),
            ("tenant_id", text.clone()),
            ("protocol", text.clone()),
            ("state", text.clone()),
            ("decision_id", text.clone()),
            ("announced_at", instant.clone()),
            ("effective_date", date.clone()),
            ("announcement", text.clone()),
            ("opted_out_at", instant.clone()),
            ("opted_out_by", text.clone()),
            ("held_at", instant.clone()),
            ("held_because", text),
            ("off_at", instant.clone()),
            ("last_used_on", date.clone()),
            ("withdrawn_at", instant),
            ("not_before", date),
        ]);
        Self { schema }
    }

    fn batch(&self, rows: &[Row]) -> Result<RecordBatch> {
        let text = |each: &dyn Fn(&Row) -> Option<String>| text_column(rows, each);
        let day = |each: &dyn Fn(&Row) -> Option<NaiveDate>| date_column(rows, each);
        let instant = |each: &dyn Fn(&Row) -> Option<DateTime<Utc>>| -> ArrayRef {
            let micros = rows.iter().map(|row| each(row).map(|at| at.timestamp_micros()));
            Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        };
        let columns: Vec<ArrayRef> = vec![
            text(&|row| Some(row.campaign.clone())),
            text(&|row| Some(row.tenant_id.clone())),
            text(&|row| Some(row.protocol.to_string())),
            text(&|row| Some(row.state.to_owned())),
            text(&|row| Some(row.decision_id.clone()).filter(|id| !id.is_empty())),
            instant(&|row| Some(row.announced_at)),
            day(&|row| Some(row.effective_date).filter(|date| *date != NaiveDate::MAX)),
            text(&|row| Some(row.announcement.clone())),
            instant(&|row| row.opted_out_at),
            text(&|row| row.opted_out_by.clone()),
            instant(&|row| row.held_at),
            text(&|row| row.held_because.clone()),
            instant(&|row| row.off_at),
            day(&|row| row.last_used_on),
            instant(&|row| row.withdrawn_at),
            day(&|row| row.not_before.filter(|date| *date != NaiveDate::MAX)),
        ];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

fn of_tenant(campaign: &str, tenant: &AnnouncedTenant) -> Vec<Row> {
    let change = &tenant.change;
    let row = |(protocol, state): (&Protocol, &ProtocolChange)| {
        let hold = tenant.holds.get(protocol);
        let new = |state| Row {
            campaign: campaign.to_owned(),
            tenant_id: change.tenant_id.clone(),
            protocol: *protocol,
            state,
            decision_id: change.decision_id.clone(),
            announced_at: tenant.announced_at,
            effective_date: change.effective_date,
            announcement: tenant.announcement.json(),
            opted_out_at: tenant.opted_out_at.get(protocol).copied(),
            opted_out_by: None,
            held_at: hold.map(|(_, since)| *since),
            held_because: hold.map(|(hold, _)| hold.json()),
            off_at: tenant.off_at.get(protocol).copied(),
            last_used_on: None,
            withdrawn_at: None,
            not_before: Some(tenant.not_before),
        };
        match state {
            ProtocolChange::Pending => new("pending"),
            ProtocolChange::OptedOut { by, .. } => Row { opted_out_by: by.clone(), ..new("opted_out") },
            ProtocolChange::OnHold { .. } => new("on_hold"),
            ProtocolChange::Off { .. } => new("off"),
            ProtocolChange::UsedAfterChange { last_used, .. } => {
                Row { last_used_on: Some(*last_used), ..new("used_after_change") }
            }
        }
    };
    change.protocols.iter().map(row).collect()
}

fn of_withdrawn(campaign: &str, tenant: &WithdrawnTenant) -> Vec<Row> {
    let change = &tenant.change;
    let row = |protocol: &Protocol| Row {
        campaign: campaign.to_owned(),
        tenant_id: change.tenant_id.clone(),
        protocol: *protocol,
        state: "withdrawn",
        decision_id: change.decision_id.clone(),
        announced_at: tenant.announced_at,
        effective_date: change.effective_date,
        announcement: tenant.announcement.json(),
        opted_out_at: None,
        opted_out_by: None,
        held_at: None,
        held_because: None,
        off_at: None,
        last_used_on: None,
        withdrawn_at: Some(tenant.withdrawn_at),
        not_before: None,
    };
    change.protocols.keys().map(row).collect()
}

fn of_ledger(campaign: &str, ledger: &Ledger) -> Vec<Row> {
    let announced = ledger.tenants.values().flat_map(|tenant| of_tenant(campaign, tenant));
    let withdrawn = ledger.withdrawn.values().flat_map(|tenant| of_withdrawn(campaign, tenant));
    announced.chain(withdrawn).collect()
}

#[async_trait]
impl TableProvider for CampaignChangesView {
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
        let ledgers = ledgers(state).await?;
        let rows: Vec<Row> =
            ledgers.iter().flat_map(|(campaign, ledger)| of_ledger(campaign, ledger)).collect();
        let batches = vec![self.batch(&rows)?];
        Ok(MemorySourceConfig::try_new_exec(&[batches], self.schema(), projection.cloned())?)
    }
}
