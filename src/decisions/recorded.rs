//! Reads recorded decisions from the table `decisions` inside a query, and judges their evidence again.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use datafusion::prelude::{col, lit};
use futures::TryStreamExt as _;
use serde::Deserialize;

use super::decision::DecisionRow;
use lightsout_assess::assess;
use lightsout_lake::rows::from_batch;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::Assessment;

/// A recorded decision without its evidence, which can be large.
#[derive(Debug, Clone, Deserialize)]
pub struct DecisionHead {
    pub decision_id: String,
    pub decided_at: DateTime<Utc>,
    pub campaign: String,
}

/// An error of the lake inside a query.
#[must_use]
pub fn lake_error(error: lightsout_lake::Error) -> DataFusionError {
    DataFusionError::External(Box::new(lightsout_query::Error::from(error)))
}

/// Every recorded decision, the oldest first.
///
/// # Errors
/// Fails if the table can't be read.
pub async fn heads(decisions: &Arc<dyn TableProvider>, state: &dyn Session) -> Result<Vec<DecisionHead>> {
    let columns = ["decision_id", "decided_at", "campaign"].map(col);
    let plan = scan(decisions)?.project(columns)?.build()?;
    let plan = state.create_physical_plan(&plan).await?;
    let mut heads: Vec<DecisionHead> = Vec::new();
    for batch in collect(plan, state.task_ctx()).await? {
        heads.extend(from_batch::<DecisionHead>(&batch).map_err(lake_error)?);
    }
    heads.sort_by(|a, b| (a.decided_at, &a.decision_id).cmp(&(b.decided_at, &b.decision_id)));
    heads.dedup_by(|a, b| a.decision_id == b.decision_id);
    Ok(heads)
}

/// The latest decision of each campaign, by campaign.
#[must_use]
pub fn latest(heads: Vec<DecisionHead>) -> Vec<DecisionHead> {
    let mut latest = BTreeMap::new();
    for head in heads {
        latest.insert(head.campaign.clone(), head);
    }
    latest.into_values().collect()
}

fn scan(decisions: &Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
    let name = Table::Decisions.as_str();
    LogicalPlanBuilder::scan(name, provider_as_source(Arc::clone(decisions)), None)
}

/// The plan that reads one whole decision.
///
/// # Errors
/// Fails if the table can't be planned.
pub async fn plan_of_decision(
    decisions: &Arc<dyn TableProvider>,
    state: &dyn Session,
    id: &str,
) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = scan(decisions)?.filter(col("decision_id").eq(lit(id)))?.limit(0, Some(1))?.build()?;
    state.create_physical_plan(&plan).await
}

/// The decision that a plan of [`plan_of_decision`] finds.
///
/// # Errors
/// Fails if the row is not as this program writes it.
pub async fn read_decision(
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
) -> Result<Option<DecisionRow>> {
    let mut batches = execute_stream(plan, task)?;
    while let Some(batch) = batches.try_next().await? {
        if let Some(row) = from_batch::<DecisionRow>(&batch).map_err(lake_error)?.into_iter().next() {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

pub(crate) fn parsed<T: serde::de::DeserializeOwned>(row: &DecisionRow, text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|source| unreadable(row, what, &source))
}

fn unreadable(row: &DecisionRow, what: &str, source: &serde_json::Error) -> DataFusionError {
    let (id, then) = (&row.decision_id, &row.program_version);
    let message = format!("the {what} of decision {id}, made by lightsout {then}, can't be read: {source}");
    DataFusionError::Execution(message)
}

/// The rules and the roster of a recorded decision, and its verdicts by the rules of this program.
///
/// # Errors
/// Fails if the decision's JSON can't be read.
pub fn reassess(row: &DecisionRow) -> Result<(Campaign, Roster, Assessment)> {
    let campaign: Campaign = parsed(row, &row.campaign_rules, "campaign")?;
    let roster: Roster = parsed(row, &row.roster, "roster")?;
    let evidence = row.stored_evidence().map_err(|source| unreadable(row, "evidence", &source))?;
    let window = Window { first: row.window_start, end: row.window_end };
    let assessment = Assessment {
        decision_id: row.decision_id.clone(),
        campaign: row.campaign.clone(),
        window,
        tenants: assess(&campaign, &roster, &evidence, window),
    };
    Ok((campaign, roster, assessment))
}
