//! Plans that can be stopped. A join compares pairs of rows for as long as one batch of one side has them with
//! all of the other, and hears of no end meanwhile: many minutes, on a thread that others wait for. So the
//! condition of a join asks after each part whether it is still wanted, and lets others have the thread; and what
//! a join gives, it gives with pauses.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::exec_err;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

/// Plans that give more rows than they are given.
const MULTIPLYING: [&str; 6] = [
    "CrossJoinExec",
    "HashJoinExec",
    "NestedLoopJoinExec",
    "PiecewiseMergeJoinExec",
    "SortMergeJoinExec",
    "UnnestExec",
];

/// Whether a query is still wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Arc<AtomicBool>);

/// Ends the wish with itself.
#[derive(Debug)]
pub(super) struct Wish(Wanted);

impl Wanted {
    pub(super) fn wish(&self) -> Wish {
        Wish(self.clone())
    }

    fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// The last rule of the optimizer: makes plans stoppable.
#[derive(Debug)]
pub(super) struct Stoppable(pub(super) Wanted);

impl PhysicalOptimizerRule for Stoppable {
    fn name(&self) -> &'static str {
        "stoppable"
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            if !MULTIPLYING.contains(&node.name()) {
                return Ok(Transformed::no(node));
            }
            let node = self.with_condition(&node)?.unwrap_or(node);
            Ok(Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl Stoppable {
    /// The join with a condition that asks, if it has one.
    fn with_condition(&self, node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if let Some(join) = node.downcast_ref::<HashJoinExec>() {
            let Some(filter) = join.filter() else { return Ok(None) };
            return Ok(Some(join.builder().with_filter(Some(self.asking(filter))).build_exec()?));
        }
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
            let Some(filter) = join.filter() else { return Ok(None) };
            let (left, right) = (Arc::clone(join.left()), Arc::clone(join.right()));
            let asking = NestedLoopJoinExecBuilder::new(left, right, *join.join_type())
                .with_projection_ref(join.projection().clone())
                .with_filter(Some(self.asking(filter)))
                .build()?;
            return Ok(Some(Arc::new(asking)));
        }
        Ok(None)
    }

    fn asking(&self, filter: &JoinFilter) -> JoinFilter {
        let asking = Asking { inner: Arc::clone(filter.expression()), wanted: self.0.clone() };
        JoinFilter::new(Arc::new(asking), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
    }
}

/// A condition that asks whether it is still wanted.
#[derive(Debug, Clone)]
struct Asking {
    inner: Arc<dyn PhysicalExpr>,
    wanted: Wanted,
}

impl PartialEq for Asking {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Asking {}

impl Hash for Asking {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for Asking {
    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if self.wanted.is_over() {
            return exec_err!("nobody waits for it any more");
        }
        // Others go on with another thread.
        tokio::task::block_in_place(|| self.inner.evaluate(batch))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let inner = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.inner));
        Ok(Arc::new(Self { inner, wanted: self.wanted.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
