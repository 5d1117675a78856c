//! A session whose plans are made here and computed on a cluster.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use ballista_core::extension::SessionConfigExt as _;
use ballista_core::optimizer::ballista_default_optimizer_rules;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{internal_err, plan_err};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::context::{QueryPlanner, SessionContext};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, TableProviderFilterPushDown};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::explain::ExplainExec;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties as _,
    Partitioning, PlanProperties, ReplaceChildrenOptions,
};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner as _};
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt as _;

use super::{Cluster, job};
use crate::lake_table::{LakeTable, RowSelections, ScanRequest};
use crate::to_char;

/// Partitions of what is read and shuffled: more than the executors of a small cluster have threads.
const PARTITIONS: usize = 16;

/// A session for a cluster. `config` is that of a session that computes here.
pub(crate) fn context(cluster: Cluster, config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionContext {
    let config = config
        .upgrade_for_ballista()
        .with_target_partitions(PARTITIONS)
        .set_bool("datafusion.optimizer.repartition_joins", true)
        // A plan that is read back may have a projection around a branch, which an interleaved union does not survive.
        .set_bool("datafusion.optimizer.prefer_existing_union", true)
        // Its plans change while they run, in ways that the tests here would not see.
        .with_ballista_adaptive_query_planner(false);
    let state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_optimizer_rules(ballista_default_optimizer_rules())
        .with_query_planner(Arc::new(ClusterPlanner { cluster }))
        .build();
    let context = SessionContext::new_with_state(state);
    to_char::register(&context);
    context
}

/// A table as nothing but files: what one process caches or knows of places in them can't be sent.
#[derive(Debug)]
pub(crate) struct FilesOnly(pub(crate) LakeTable);

#[async_trait]
impl TableProvider for FilesOnly {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.0.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.scan_selected_rows(state, &ScanRequest { projection, filters, limit }, &RowSelections::new())
    }
}

#[derive(Debug)]
struct ClusterPlanner {
    cluster: Cluster,
}

#[async_trait]
impl QueryPlanner for ClusterPlanner {
    async fn create_physical_plan(
        &self,
        logical: &LogicalPlan,
        state: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        refuse_own_functions(logical)?;
        let plan = DefaultPhysicalPlanner::default().create_physical_plan(logical, state).await?;
        if plan.is::<ExplainExec>() || plan.is::<AnalyzeExec>() || !reads_files(&plan)? {
            return Ok(plan);
        }
        Ok(Arc::new(ClusterExec::new(self.cluster.clone(), for_cluster(plan)?, state.config().clone())))
    }
}

/// The executors have the engine's function of that name, which takes other patterns.
fn refuse_own_functions(plan: &LogicalPlan) -> Result<()> {
    let mut is_found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            is_found |= expression.exists(|part| Ok(to_char::is_of_this_process(part)))?;
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    if is_found {
        return plan_err!("to_char on a cluster takes a pattern that is a constant, as in 'YYYY-MM-DD'");
    }
    Ok(())
}

fn reads_files(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        let is_file = node
            .downcast_ref::<DataSourceExec>()
            .is_some_and(|source| source.data_source().downcast_ref::<MemorySourceConfig>().is_none());
        found |= is_file || node.is::<ClusterExec>();
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Whether rows of the left side come out by themselves. Each task has the whole left side, so several would each give
/// those that found no match, or that did.
pub(super) const fn gives_left_rows(join: JoinType) -> bool {
    matches!(
        join,
        JoinType::Left | JoinType::Full | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark
    )
}

/// The plan as a cluster computes it rightly, in one partition at the end.
pub(super) fn for_cluster(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = plan.transform_up(|node| {
        // A view that was planned by itself.
        if let Some(cluster) = node.downcast_ref::<ClusterExec>() {
            return Ok(Transformed::yes(Arc::clone(&cluster.plan)));
        }
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
            && gives_left_rows(*join.join_type())
            && join.right().output_partitioning().partition_count() > 1
        {
            let right = Arc::new(CoalescePartitionsExec::new(Arc::clone(join.right())));
            let children = vec![Arc::clone(join.left()), right as _];
            let recomputed = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            return Ok(Transformed::yes(node.replace_children(children, recomputed)?));
        }
        Ok(Transformed::no(node))
    })?;
    let plan = plan.data;
    if plan.output_partitioning().partition_count() == 1 {
        return Ok(plan);
    }
    Ok(Arc::new(CoalescePartitionsExec::new(plan)))
}

/// Sends a plan away when its rows are asked for.
#[derive(Debug)]
pub(super) struct ClusterExec {
    cluster: Cluster,
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) config: SessionConfig,
    properties: Arc<PlanProperties>,
}

impl ClusterExec {
    fn new(cluster: Cluster, plan: Arc<dyn ExecutionPlan>, config: SessionConfig) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(plan.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        Self { cluster, plan, config, properties }
    }
}

impl DisplayAs for ClusterExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterExec: {}", self.cluster.url())
    }
}

impl ExecutionPlan for ClusterExec {
    fn name(&self) -> &'static str {
        "ClusterExec"
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

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("a plan on a cluster has one partition");
        }
        let rows = job::run(self.cluster.clone(), Arc::clone(&self.plan), self.config.clone());
        let rows = futures::stream::once(rows).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.plan.schema(), rows)))
    }
}
