//! The views `verdicts`, `latest_decision` and `latest_roster`: recorded decisions as rows. Verdicts are computed again
//! from the evidence that each decision keeps, one decision at a time, when a query reads the view. Rows that fit are
//! memoized for the next query of the session.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::OnceCell;

use super::decision::DecisionRow;
use super::recorded::{heads, latest, parsed, plan_of_decision, read_decision, reassess};
use lightsout_lake::schema::{Table, timestamp};
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::{Roster, RosterTenant};
use lightsout_model::verdict::{Reason, TenantAssessment};
use lightsout_query::Queries;
use lightsout_query::view_columns::{date_column, schema_of, text_column};

/// Registers the views of decisions in a session.
///
/// # Errors
/// Fails if they are registered already.
pub fn register(queries: &Queries) -> lightsout_query::Result<()> {
    let views = [
        ("verdicts", DecisionViewKind::Verdicts),
        ("latest_decision", DecisionViewKind::LatestDecisions),
        ("latest_roster", DecisionViewKind::LatestRoster),
    ];
    for (name, kind) in views {
        let view = DecisionView::new(kind, queries.table(Table::Decisions), queries.memoized_bytes_max());
        queries.register(name, Arc::new(view))?;
    }
    Ok(())
}

/// Which decisions a view shows, and what of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DecisionViewKind {
    Verdicts,
    LatestDecisions,
    /// The tenants that the newest decision of all was given.
    LatestRoster,
}

/// The view, and its rows once a query has read them.
struct DecisionView {
    kind: DecisionViewKind,
    decisions: Arc<dyn TableProvider>,
    schema: SchemaRef,
    bytes_max: usize,
    /// `None`: too many to memoize, each query computes them again.
    rows: OnceCell<Option<Vec<RecordBatch>>>,
}

impl fmt::Debug for DecisionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionView").field("kind", &self.kind).finish_non_exhaustive()
    }
}

fn verdict_columns() -> SchemaRef {
    schema_of(&[
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
    schema_of(&[
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

fn joined(protocols: &[Protocol]) -> String {
    protocols.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(";")
}

fn verdict_rows(row: &DecisionRow, schema: &SchemaRef) -> Result<RecordBatch> {
    let (_, _, assessment) = reassess(row)?;
    let tenants: &[TenantAssessment] = &assessment.tenants;
    let same = |text: &str| text_column(tenants, |_| Some(text.to_owned()));
    let at = row.decided_at.timestamp_micros();
    let decided_at: TimestampMicrosecondArray = tenants.iter().map(|_| Some(at)).collect();
    let users: Int64Array = tenants.iter().map(|tenant| i64::try_from(tenant.users).ok()).collect();
    let columns: Vec<ArrayRef> = vec![
        same(&row.decision_id),
        same(&row.campaign),
        Arc::new(decided_at.with_timezone("UTC")),
        date_column(tenants, |_| Some(row.as_of)),
        date_column(tenants, |_| Some(row.window_start)),
        date_column(tenants, |_| Some(row.window_end)),
        text_column(tenants, |tenant| Some(tenant.tenant_id.clone())),
        text_column(tenants, |tenant| tenant.display_name.clone()),
        text_column(tenants, |tenant| Some(tenant.verdict.as_str().to_owned())),
        text_column(tenants, |tenant| Some(Reason::codes(&tenant.reasons).join(";"))),
        text_column(tenants, |tenant| Some(joined(&tenant.protocols_in_use))),
        text_column(tenants, |tenant| Some(joined(&tenant.protocols_clear))),
        Arc::new(users),
        date_column(tenants, |tenant| tenant.first_day),
        date_column(tenants, |tenant| tenant.last_day),
    ];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

fn roster_rows(row: &DecisionRow, schema: &SchemaRef) -> Result<RecordBatch> {
    let roster: Roster = parsed(row, &row.roster, "roster")?;
    let tenants: Vec<&RosterTenant> = roster.tenants.values().collect();
    let excluded: BooleanArray = tenants.iter().map(|tenant| Some(tenant.exclude.is_some())).collect();
    let columns: Vec<ArrayRef> = vec![
        text_column(&tenants, |tenant| Some(tenant.tenant_id.clone())),
        text_column(&tenants, |tenant| tenant.display_name.clone()),
        text_column(&tenants, |tenant| Some(tenant.domains.join(";"))),
        text_column(&tenants, |tenant| tenant.cloud.clone()),
        text_column(&tenants, |tenant| tenant.protocols_enabled.as_deref().map(joined)),
        date_column(&tenants, |tenant| tenant.logs_from),
        date_column(&tenants, |tenant| tenant.logs_to),
        Arc::new(excluded),
        text_column(&tenants, |tenant| tenant.exclude.clone()),
        text_column(&tenants, |_| Some(row.decision_id.clone())),
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

/// Reads decisions one after the other, and makes rows of each.
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
    fn new(kind: DecisionViewKind, decisions: Arc<dyn TableProvider>, bytes_max: usize) -> Self {
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
