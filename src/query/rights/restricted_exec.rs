//! The scan of a restricted table. What it reads is no part of the plan: no rule of the optimizer moves a filter, a
//! limit or a projection into it, and `EXPLAIN` tells neither its files nor how many rows they have.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _, Partitioning, PhysicalExpr,
    PlanProperties,
};
use futures::TryStreamExt as _;

use super::restricted_table::Restriction;

/// See the file's first lines.
#[derive(Debug)]
pub(super) struct RestrictedExec {
    inner: Arc<dyn ExecutionPlan>,
    restriction: Arc<Restriction>,
    properties: Arc<PlanProperties>,
}

impl RestrictedExec {
    pub(super) fn new(inner: Arc<dyn ExecutionPlan>, restriction: Restriction) -> Self {
        let partitions = inner.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&restriction.schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { inner, restriction: Arc::new(restriction), properties: Arc::new(properties) }
    }
}

impl DisplayAs for RestrictedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RestrictedExec: table={}", self.restriction.table)
    }
}

impl ExecutionPlan for RestrictedExec {
    fn name(&self) -> &'static str {
        "RestrictedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let restriction = Arc::clone(&self.restriction);
        let schema = Arc::clone(&restriction.schema);
        let rows = self.inner.execute(partition, context)?;
        let rows = rows.and_then(move |batch| std::future::ready(restriction.apply(&batch)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
