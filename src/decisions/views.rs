//! The views `verdicts`, `latest_decision` and `latest_roster`: recorded decisions as rows, as they were decided. An
//! earlier program kept no verdicts: those are computed from the evidence in its rows, one decision at a time, when a
//! query reads the view. Rows that fit are memoized for the next query of the session.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use tokio::sync::OnceCell;

use super::decision::{DecisionHead, DecisionRow};
use super::recorded::{
    DecisionTables, judged_in_row, latest, read_kept_roster, read_roster, read_row, roster_in_row, unreadable,
};
use super::rosters::RosterVersion;
use super::tenants::joined;
use lightsout_lake::schema::timestamp;
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
        let view = DecisionView::new(kind, DecisionTables::of(queries), queries.memoized_bytes_max());
        queries.register(name, Arc::new(view))?;
    }
    Ok(())
}

/// Which decisions a view shows, and what of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DecisionViewKind {
    Verdicts,
    LatestDecisions,
    /// The tenants of the lake's roster; if nobody has kept one, of the newest decision's.
    LatestRoster,
}

/// The view, and its rows once a query has read them.
struct DecisionView {
    kind: DecisionViewKind,
    tables: DecisionTables,
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
        ("decision_number", DataType::Int64),
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
        ("other_columns", DataType::Utf8),
        ("kept_at", timestamp()),
    ])
}

/// The columns that say which decision a row is of.
fn decision_columns(row: &DecisionRow, number: i64, rows: usize) -> Vec<ArrayRef> {
    let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(vec![text; rows])) };
    let day = |day: NaiveDate| -> ArrayRef { Arc::new(Date32Array::from_value(day.to_epoch_days(), rows)) };
    let decided_at = TimestampMicrosecondArray::from_value(row.decided_at.timestamp_micros(), rows);
    vec![
        text(&row.decision_id),
        Arc::new(Int64Array::from_value(number, rows)),
        text(&row.campaign),
        Arc::new(decided_at.with_timezone("UTC")),
        day(row.as_of),
        day(row.window_start),
        day(row.window_end),
    ]
}

/// The columns of `decision_tenants` that `verdicts` shows, in its order.
const SHOWN_COLUMNS: [&str; 9] = [
    "tenant_id",
    "display_name",
    "verdict",
    "reasons",
    "protocols_in_use",
    "protocols_clear",
    "users",
    "first_day",
    "last_day",
];

/// The rows of some tenants as they were decided.
fn decided_rows(
    row: &DecisionRow,
    number: i64,
    tenants: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let mut columns = decision_columns(row, number, tenants.num_rows());
    columns.extend(tenants.columns().iter().cloned());
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The rows of a decision of an earlier program, judged by the rules of this one.
fn judged_rows(row: &DecisionRow, number: i64, schema: &SchemaRef) -> Result<RecordBatch> {
    let campaign = row.campaign_rules().map_err(|source| unreadable(row, "campaign", &source))?;
    let tenants: Vec<TenantAssessment> = judged_in_row(row, &campaign, &roster_in_row(row)?)?;
    let users: Int64Array = tenants.iter().map(|tenant| i64::try_from(tenant.users).ok()).collect();
    let mut columns = decision_columns(row, number, tenants.len());
    columns.extend([
        text_column(&tenants, |tenant| Some(tenant.tenant_id.clone())),
        text_column(&tenants, |tenant| tenant.display_name.clone()),
        text_column(&tenants, |tenant| Some(tenant.verdict.as_str().to_owned())),
        text_column(&tenants, |tenant| Some(Reason::codes(&tenant.reasons).join(";"))),
        text_column(&tenants, |tenant| Some(joined(&tenant.protocols_in_use))),
        text_column(&tenants, |tenant| Some(joined(&tenant.protocols_clear))),
        Arc::new(users),
        date_column(&tenants, |tenant| tenant.first_day),
        date_column(&tenants, |tenant| tenant.last_day),
    ]);
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Which roster the rows are of.
struct RosterOrigin<'a> {
    /// The newest decision that was made with it.
    decision_id: Option<&'a str>,
    kept_at: Option<DateTime<Utc>>,
}

fn roster_rows(origin: &RosterOrigin<'_>, roster: &Roster, schema: &SchemaRef) -> Result<RecordBatch> {
    let tenants: Vec<&RosterTenant> = roster.tenants.values().collect();
    let excluded: BooleanArray = tenants.iter().map(|tenant| Some(tenant.exclude.is_some())).collect();
    let kept_at = origin.kept_at.map(|at| at.timestamp_micros());
    let kept_at: TimestampMicrosecondArray = tenants.iter().map(|_| kept_at).collect();
    let others = |tenant: &&RosterTenant| {
        (!tenant.other_columns.is_empty())
            .then(|| serde_json::to_string(&tenant.other_columns).unwrap_or_default())
    };
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
        text_column(&tenants, |_| origin.decision_id.map(str::to_owned)),
        text_column(&tenants, others),
        Arc::new(kept_at.with_timezone("UTC")),
    ];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// How the lake's roster is read.
#[derive(Debug, Clone)]
struct KeptRosterPlan {
    version: RosterVersion,
    decision_id: Option<String>,
    rows: Arc<dyn ExecutionPlan>,
}

impl KeptRosterPlan {
    async fn rows(self, schema: SchemaRef, task: Arc<TaskContext>) -> Result<RecordBatch> {
        let roster = read_kept_roster(self.rows, task, &self.version).await?;
        let origin =
            RosterOrigin { decision_id: self.decision_id.as_deref(), kept_at: Some(self.version.kept_at) };
        roster_rows(&origin, &roster, &schema)
    }
}

/// How one decision is read.
#[derive(Debug, Clone)]
struct DecisionPlans {
    /// See [`super::decision::DecisionHead::number`].
    number: i64,
    row: Arc<dyn ExecutionPlan>,
    /// Its tenants, or its roster; `None`: the row has them.
    rows: Option<Arc<dyn ExecutionPlan>>,
}

impl DecisionPlans {
    /// The rows of a view.
    async fn stream(
        self,
        kind: DecisionViewKind,
        schema: SchemaRef,
        task: Arc<TaskContext>,
    ) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let Some(row) = read_row(self.row, Arc::clone(&task)).await? else {
            return Ok(stream::empty().boxed());
        };
        let number = self.number;
        let origin = RosterOrigin { decision_id: Some(&row.decision_id), kept_at: None };
        let rows = match (kind, self.rows) {
            (DecisionViewKind::Verdicts | DecisionViewKind::LatestDecisions, Some(tenants)) => {
                let tenants = execute_stream(tenants, task)?;
                return Ok(tenants.map(move |some| decided_rows(&row, number, &some?, &schema)).boxed());
            }
            (DecisionViewKind::Verdicts | DecisionViewKind::LatestDecisions, None) => {
                judged_rows(&row, number, &schema)?
            }
            (DecisionViewKind::LatestRoster, Some(roster)) => {
                roster_rows(&origin, &read_roster(roster, task, &row).await?, &schema)?
            }
            (DecisionViewKind::LatestRoster, None) => roster_rows(&origin, &roster_in_row(&row)?, &schema)?,
        };
        Ok(stream::iter([Ok(rows)]).boxed())
    }
}

/// Reads decisions one after the other, and makes rows of each.
#[derive(Debug)]
struct DecisionStream {
    kind: DecisionViewKind,
    schema: SchemaRef,
    /// Instead of a decision's.
    roster: Option<KeptRosterPlan>,
    plans: Vec<DecisionPlans>,
}

impl PartitionStream for DecisionStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, task: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (kind, schema) = (self.kind, Arc::clone(&self.schema));
        if let Some(roster) = self.roster.clone() {
            let rows = stream::once(roster.rows(Arc::clone(&schema), task));
            return Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        }
        let rows = stream::iter(self.plans.clone())
            .then(move |plans| plans.stream(kind, Arc::clone(&schema), Arc::clone(&task)))
            .try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

impl DecisionView {
    fn new(kind: DecisionViewKind, tables: DecisionTables, bytes_max: usize) -> Self {
        let schema = match kind {
            DecisionViewKind::Verdicts | DecisionViewKind::LatestDecisions => verdict_columns(),
            DecisionViewKind::LatestRoster => roster_columns(),
        };
        Self { kind, tables, schema, bytes_max, rows: OnceCell::new() }
    }

    async fn decision_stream(&self, state: &dyn Session) -> Result<DecisionStream> {
        let heads = self.tables.heads(state).await?;
        let roster = match self.kind {
            DecisionViewKind::Verdicts | DecisionViewKind::LatestDecisions => None,
            DecisionViewKind::LatestRoster => self.kept_roster(state, &heads).await?,
        };
        let heads = match self.kind {
            DecisionViewKind::LatestRoster if roster.is_some() => Vec::new(),
            DecisionViewKind::Verdicts => heads,
            DecisionViewKind::LatestDecisions => latest(heads),
            DecisionViewKind::LatestRoster => heads.into_iter().next_back().into_iter().collect(),
        };
        let mut plans = Vec::with_capacity(heads.len());
        for head in heads {
            let rows = match (head.has_verdicts(), self.kind) {
                (false, _) => None,
                (true, DecisionViewKind::Verdicts | DecisionViewKind::LatestDecisions) => {
                    Some(self.tables.tenants_plan(state, &head, &SHOWN_COLUMNS).await?)
                }
                (true, DecisionViewKind::LatestRoster) => {
                    Some(self.tables.roster_plan(state, &head.roster_hash).await?)
                }
            };
            plans.push(DecisionPlans {
                number: head.number,
                row: self.tables.row_plan(state, &head).await?,
                rows,
            });
        }
        Ok(DecisionStream { kind: self.kind, schema: Arc::clone(&self.schema), roster, plans })
    }

    async fn kept_roster(
        &self,
        state: &dyn Session,
        heads: &[DecisionHead],
    ) -> Result<Option<KeptRosterPlan>> {
        let Some(version) = self.tables.latest_roster(state).await? else { return Ok(None) };
        let rows = self.tables.roster_plan(state, &version.roster_hash).await?;
        let made_with = heads.iter().rfind(|head| head.roster_hash == version.roster_hash);
        let decision_id = made_with.map(|head| head.decision_id.clone());
        Ok(Some(KeptRosterPlan { version, decision_id, rows }))
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
