//! Kept decisions as rows: the verdicts are made again from the evidence that each decision keeps, one
//! decision at a time, when a query asks for them. What fits is kept for the next query of the session.

use std::fmt;
use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use datafusion::prelude::{col, lit};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use tokio::sync::OnceCell;

use lightsout_assess::assess;
use lightsout_decisions::decision::DecisionRow;
use lightsout_lake::rows::from_batch;
use lightsout_lake::schema::{Table, timestamp};
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::{Assessment, Reason, TenantAssessment};

/// DecisionViewKind decisions, and what of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecisionViewKind {
    Verdicts,
    LatestDecisions,
    /// The tenants that the newest decision of all was given.
    LatestRoster,
}

/// The view, and its rows once a query has asked for them.
pub(super) struct DecisionView {
    kind: DecisionViewKind,
    decisions: Arc<dyn TableProvider>,
    schema: SchemaRef,
    bytes_max: usize,
    /// `None`: too many to keep, each query makes them again.
    rows: OnceCell<Option<Vec<RecordBatch>>>,
}

impl fmt::Debug for DecisionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionView").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A kept decision without its evidence, which can be large.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Head {
    pub(super) decision_id: String,
    pub(super) decided_at: DateTime<Utc>,
    pub(super) campaign: String,
}

pub(super) fn external(error: impl Into<crate::Error>) -> DataFusionError {
    let error: crate::Error = error.into();
    DataFusionError::External(Box::new(error))
}

/// Every kept decision, the oldest first.
pub(super) async fn heads(decisions: &Arc<dyn TableProvider>, state: &dyn Session) -> Result<Vec<Head>> {
    let columns = ["decision_id", "decided_at", "campaign"].map(col);
    let plan = scan(decisions)?.project(columns)?.build()?;
    let plan = state.create_physical_plan(&plan).await?;
    let mut heads: Vec<Head> = Vec::new();
    for batch in collect(plan, state.task_ctx()).await? {
        heads.extend(from_batch::<Head>(&batch).map_err(external)?);
    }
    heads.sort_by(|a, b| (a.decided_at, &a.decision_id).cmp(&(b.decided_at, &b.decision_id)));
    heads.dedup_by(|a, b| a.decision_id == b.decision_id);
    Ok(heads)
}

/// Of each campaign the latest, by campaign.
pub(super) fn latest(heads: Vec<Head>) -> Vec<Head> {
    let mut latest = std::collections::BTreeMap::new();
    for head in heads {
        latest.insert(head.campaign.clone(), head);
    }
    latest.into_values().collect()
}

fn scan(decisions: &Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
    let name = Table::Decisions.as_str();
    LogicalPlanBuilder::scan(name, provider_as_source(Arc::clone(decisions)), None)
}

/// Reads one whole decision.
pub(super) async fn plan_of_decision(
    decisions: &Arc<dyn TableProvider>,
    state: &dyn Session,
    id: &str,
) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = scan(decisions)?.filter(col("decision_id").eq(lit(id)))?.limit(0, Some(1))?.build()?;
    state.create_physical_plan(&plan).await
}

/// The decision that a plan of [`plan_of_decision`] finds.
pub(super) async fn read_decision(
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
) -> Result<Option<DecisionRow>> {
    let mut batches = execute_stream(plan, task)?;
    while let Some(batch) = batches.try_next().await? {
        if let Some(row) = from_batch::<DecisionRow>(&batch).map_err(external)?.into_iter().next() {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

fn parsed<T: serde::de::DeserializeOwned>(row: &DecisionRow, text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|source| unreadable(row, what, &source))
}

fn unreadable(row: &DecisionRow, what: &str, source: &serde_json::Error) -> DataFusionError {
    let (id, then) = (&row.decision_id, &row.program_version);
    let message = format!("the {what} of decision {id}, made by lightsout {then}, can't be read: {source}");
    DataFusionError::Execution(message)
}

/// What was decided: the rules and tenants of then, and the verdicts by the rules of this program.
pub(super) fn reassess(row: &DecisionRow) -> Result<(Campaign, Roster, Assessment)> {
    let campaign: Campaign = parsed(row, &row.campaign_rules, "campaign")?;
    let roster: Roster = parsed(row, &row.roster, "roster")?;
    let evidence = row.kept_evidence().map_err(|source| unreadable(row, "evidence", &source))?;
    let window = Window { first: row.window_start, end: row.window_end };
    let assessment = Assessment {
        decision_id: row.decision_id.clone(),
        campaign: row.campaign.clone(),
        window,
        tenants: assess(&campaign, &roster, &evidence, window),
    };
    Ok((campaign, roster, assessment))
}

pub(super) fn columns(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    Arc::new(Schema::new(fields))
}

fn verdict_columns() -> SchemaRef {
    columns(&[
        ("decision_id", DataType::Utf8),
        ("campaign", DataType::Utf8),
        ("decided_at", timestamp()),
        ("as_of", DataType::Date32),
        ("window_start", DataType::Date32),
        ("window_end", DataType::Date32),
        ("tenant_id", DataType::Utf8),
        ("display_name", DataType::Utf8),
        ("verdict", DataType::Utf8),
        ("reasons", DataType::Utf8),
        ("protocols_in_use", DataType::Utf8),
        ("protocols_clear", DataType::Utf8),
        ("users", DataType::Int64),
        ("first_day", DataType::Date32),
        ("last_day", DataType::Date32),
    ])
}

fn roster_columns() -> SchemaRef {
    columns(&[
        ("tenant_id", DataType::Utf8),
        ("display_name", DataType::Utf8),
        ("domains", DataType::Utf8),
        ("cloud", DataType::Utf8),
        ("protocols_enabled", DataType::Utf8),
        ("logs_from", DataType::Date32),
        ("logs_to", DataType::Date32),
        ("is_excluded", DataType::Boolean),
        ("reason", DataType::Utf8),
        ("decision_id", DataType::Utf8),
    ])
}

pub(super) fn texts<T>(rows: &[T], each: impl Fn(&T) -> Option<String>) -> ArrayRef {
    Arc::new(rows.iter().map(each).collect::<StringArray>())
}

pub(super) fn days<T>(rows: &[T], each: impl Fn(&T) -> Option<NaiveDate>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| each(row).map(|day| day.to_epoch_days())).collect::<Date32Array>())
}

fn joined(protocols: &[Protocol]) -> String {
    protocols.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(";")
}

fn verdict_rows(row: &DecisionRow, schema: &SchemaRef) -> Result<RecordBatch> {
    let (_, _, assessment) = reassess(row)?;
    let tenants: &[TenantAssessment] = &assessment.tenants;
    let same = |text: &str| texts(tenants, |_| Some(text.to_owned()));
    let at = row.decided_at.timestamp_micros();
    let decided_at: TimestampMicrosecondArray = tenants.iter().map(|_| Some(at)).collect();
    let users: Int64Array = tenants.iter().map(|tenant| i64::try_from(tenant.users).ok()).collect();
    let columns: Vec<ArrayRef> = vec![
        same(&row.decision_id),
        same(&row.campaign),
        Arc::new(decided_at.with_timezone("UTC")),
        days(tenants, |_| Some(row.as_of)),
        days(tenants, |_| Some(row.window_start)),
        days(tenants, |_| Some(row.window_end)),
        texts(tenants, |tenant| Some(tenant.tenant_id.clone())),
        texts(tenants, |tenant| tenant.display_name.clone()),
        texts(tenants, |tenant| Some(tenant.verdict.as_str().to_owned())),
        texts(tenants, |tenant| Some(Reason::codes(&tenant.reasons).join(";"))),
        texts(tenants, |tenant| Some(joined(&tenant.protocols_in_use))),
        texts(tenants, |tenant| Some(joined(&tenant.protocols_clear))),
        Arc::new(users),
        days(tenants, |tenant| tenant.first_day),
        days(tenants, |tenant| tenant.last_day),
    ];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn roster_rows(row: &DecisionRow, schema: &SchemaRef) -> Result<RecordBatch> {
    let roster: Roster = parsed(row, &row.roster, "roster")?;
    let tenants: Vec<&RosterTenant> = roster.tenants.values().collect();
    let excluded: BooleanArray = tenants.iter().map(|tenant| Some(tenant.exclude.is_some())).collect();
    let columns: Vec<ArrayRef> = vec![
        texts(&tenants, |tenant| Some(tenant.tenant_id.clone())),
        texts(&tenants, |tenant| tenant.display_name.clone()),
        texts(&tenants, |tenant| Some(tenant.domains.join(";"))),
        texts(&tenants, |tenant| tenant.cloud.clone()),
        texts(&tenants, |tenant| tenant.protocols_enabled.as_deref().map(joined)),
        days(&tenants, |tenant| tenant.logs_from),
        days(&tenants, |tenant| tenant.logs_to),
        Arc::new(excluded),
        texts(&tenants, |tenant| tenant.exclude.clone()),
        texts(&tenants, |_| Some(row.decision_id.clone())),
    ];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

impl DecisionViewKind {
    fn rows(self, row: &DecisionRow, schema: &SchemaRef) -> Result<RecordBatch> {
        match self {
            Self::Verdicts | Self::LatestDecisions => verdict_rows(row, schema),
            Self::LatestRoster => roster_rows(row, schema),
        }
    }
}

/// The decisions to read, each when it is its turn.
#[derive(Debug)]
struct DecisionStream {
    kind: DecisionViewKind,
    schema: SchemaRef,
    plans: Vec<Arc<dyn ExecutionPlan>>,
}

impl PartitionStream for DecisionStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, task: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (kind, schema) = (self.kind, Arc::clone(&self.schema));
        let rows = stream::iter(self.plans.clone())
            .then(move |plan| {
                let (task, schema) = (Arc::clone(&task), Arc::clone(&schema));
                async move {
                    let row = read_decision(plan, task).await?;
                    row.map(|row| kind.rows(&row, &schema)).transpose()
                }
            })
            .try_filter_map(|rows| async move { Ok(rows) });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

impl DecisionView {
    pub(super) fn new(kind: DecisionViewKind, decisions: Arc<dyn TableProvider>, bytes_max: usize) -> Self {
        let schema = match kind {
            DecisionViewKind::Verdicts | DecisionViewKind::LatestDecisions => verdict_columns(),
            DecisionViewKind::LatestRoster => roster_columns(),
        };
        Self { kind, decisions, schema, bytes_max, rows: OnceCell::new() }
    }

    async fn decision_stream(&self, state: &dyn Session) -> Result<DecisionStream> {
        let heads = heads(&self.decisions, state).await?;
        let heads = match self.kind {
            DecisionViewKind::Verdicts => heads,
            DecisionViewKind::LatestDecisions => latest(heads),
            DecisionViewKind::LatestRoster => heads.into_iter().next_back().into_iter().collect(),
        };
        let mut plans = Vec::with_capacity(heads.len());
        for head in heads {
            plans.push(plan_of_decision(&self.decisions, state, &head.decision_id).await?);
        }
        Ok(DecisionStream { kind: self.kind, schema: Arc::clone(&self.schema), plans })
    }

    async fn collect(&self, state: &dyn Session) -> Result<Option<Vec<RecordBatch>>> {
        let mut batches = self.decision_stream(state).await?.execute(state.task_ctx());
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(batch) = batches.try_next().await? {
            bytes += batch.get_array_memory_size();
            if bytes > self.bytes_max {
                return Ok(None);
            }
            rows.push(batch);
        }
        Ok(Some(rows))
    }
}

#[async_trait]
impl TableProvider for DecisionView {
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
        if let Some(rows) = self.rows.get_or_try_init(|| self.collect(state)).await? {
            let parts = std::slice::from_ref(rows);
            let source = MemorySourceConfig::try_new_exec(parts, self.schema(), projection.cloned())?;
            return Ok(source);
        }
        let partitions: Vec<Arc<dyn PartitionStream>> = vec![Arc::new(self.decision_stream(state).await?)];
        let source = StreamingTableExec::try_new(self.schema(), partitions, projection, None, false, None)?;
        Ok(Arc::new(source))
    }
}
