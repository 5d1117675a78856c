//! A view whose rows are found once a session: what it reads is one snapshot, so they do not change.

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

/// The view, and its rows once a query has asked for them.
#[derive(Debug)]
pub(super) struct KeptView {
    plan: LogicalPlan,
    schema: SchemaRef,
    bytes_max: usize,
    /// Another view that tells how many rows this one will have, and how many are too many to try.
    told_by: Option<(Arc<KeptView>, usize)>,
    /// Without a row of this there is none.
    only_if: Option<LogicalPlan>,
    /// `None`: too many to keep, each query finds them again.
    rows: OnceCell<Option<Vec<RecordBatch>>>,
}

impl KeptView {
    pub(super) fn new(plan: LogicalPlan, bytes_max: usize) -> Self {
        let schema = Arc::clone(plan.schema().inner());
        Self { plan, schema, bytes_max, told_by: None, only_if: None, rows: OnceCell::new() }
    }

    /// Does not try to keep rows of so many bytes each where the other view has as many rows as are too much.
    pub(super) fn told_by(self, other: Arc<Self>, bytes_each: usize) -> Self {
        let rows_max = self.bytes_max / bytes_each;
        Self { told_by: Some((other, rows_max)), ..self }
    }

    /// Has no rows where `plan` has none.
    pub(super) fn only_if(self, plan: LogicalPlan) -> Self {
        Self { only_if: Some(plan), ..self }
    }

    async fn kept(&self, state: &dyn Session) -> Result<Option<&Vec<RecordBatch>>> {
        if let Some((other, rows_max)) = &self.told_by {
            let rows = other.rows.get_or_try_init(|| other.find(state)).await?.as_ref();
            let count = rows.map(|rows| rows.iter().map(RecordBatch::num_rows).sum::<usize>());
            if count.is_none_or(|count| count > *rows_max) {
                return Ok(None);
            }
        }
        Ok(self.rows.get_or_try_init(|| self.find(state)).await?.as_ref())
    }

    async fn find(&self, state: &dyn Session) -> Result<Option<Vec<RecordBatch>>> {
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
impl TableProvider for KeptView {
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
        if let Some(rows) = self.kept(state).await? {
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
