//! A view whose rows are computed once in a session: it reads one snapshot, so they do not change.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::TryStreamExt as _;
use tokio::sync::OnceCell;

/// The view, and its rows once a query has read them.
#[derive(Debug)]
pub(super) struct MemoizedView {
    plan: LogicalPlan,
    schema: SchemaRef,
    bytes_max: usize,
    /// Another view that has about as many rows as this one, and how many are too many to memoize.
    limited_by: Option<(Arc<MemoizedView>, usize)>,
    /// Without a row of this there is none.
    only_if: Option<LogicalPlan>,
    /// `None`: too many to keep, each query finds them again.
    rows: OnceCell<Option<Vec<RecordBatch>>>,
}

impl MemoizedView {
    pub(super) fn new(plan: LogicalPlan, bytes_max: usize) -> Self {
        let schema = Arc::clone(plan.schema().inner());
        Self { plan, schema, bytes_max, limited_by: None, only_if: None, rows: OnceCell::new() }
    }

    /// Does not memoize rows of so many bytes each where the other view has too many rows.
    pub(super) fn limited_by(self, other: Arc<Self>, bytes_each: usize) -> Self {
        let rows_max = self.bytes_max / bytes_each;
        Self { limited_by: Some((other, rows_max)), ..self }
    }

    /// Has no rows where `plan` has none.
    pub(super) fn only_if(self, plan: LogicalPlan) -> Self {
        Self { only_if: Some(plan), ..self }
    }

    async fn memoized(&self, state: &dyn Session) -> Result<Option<&Vec<RecordBatch>>> {
        if let Some((other, rows_max)) = &self.limited_by {
            let rows = other.rows.get_or_try_init(|| other.compute(state)).await?.as_ref();
            let count = rows.map(|rows| rows.iter().map(RecordBatch::num_rows).sum::<usize>());
            if count.is_none_or(|count| count > *rows_max) {
                return Ok(None);
            }
        }
        Ok(self.rows.get_or_try_init(|| self.compute(state)).await?.as_ref())
    }

    async fn compute(&self, state: &dyn Session) -> Result<Option<Vec<RecordBatch>>> {
        let stream = async |plan| execute_stream(state.create_physical_plan(plan).await?, state.task_ctx());
        if let Some(only_if) = &self.only_if {
            let batches: Vec<RecordBatch> = stream(only_if).await?.try_collect().await?;
            if batches.iter().all(|batch| batch.num_rows() == 0) {
                return Ok(Some(Vec::new()));
            }
        }
        let mut stream = stream(&self.plan).await?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(batch) = stream.try_next().await? {
            bytes += batch.get_array_memory_size();
            if bytes > self.bytes_max {
                return Ok(None);
            }
            rows.push(batch.with_schema(Arc::clone(&self.schema))?);
        }
        Ok(Some(rows))
    }
}

#[async_trait]
impl TableProvider for MemoizedView {
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
        if let Some(rows) = self.memoized(state).await? {
            let parts = std::slice::from_ref(rows);
            let source = MemorySourceConfig::try_new_exec(parts, self.schema(), projection.cloned())?;
            return Ok(source);
        }
        let plan = LogicalPlanBuilder::from(self.plan.clone());
        let plan = match projection {
            Some(columns) => plan.select(columns.iter().copied())?,
            None => plan,
        };
        state.create_physical_plan(&plan.build()?).await
    }
}
