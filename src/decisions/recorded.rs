//! Reads recorded decisions from the tables `decisions`, `decision_tenants` and `rosters` inside a query. A decision of
//! an earlier program has all in its row and no verdicts: its evidence is judged by the rules of this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use datafusion::prelude::{col, lit};
use futures::TryStreamExt as _;

use super::Error;
use super::decision::{DecisionHead, DecisionRow, HEAD_COLUMNS, sort_oldest_first};
use super::rosters::{self, RosterVersion, StoredRoster};
use super::tenants::{self, VERDICT_COLUMNS, check_count};
use lightsout_assess::assess;
use lightsout_lake::rows::from_batch;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_query::Queries;

/// An error of the lake inside a query.
#[must_use]
pub fn lake_error(error: lightsout_lake::Error) -> DataFusionError {
    DataFusionError::External(Box::new(lightsout_query::Error::from(error)))
}

pub(crate) fn of_query(error: Error) -> DataFusionError {
    match error {
        Error::Lake(error) => lake_error(error),
        Error::Query(error) => DataFusionError::External(Box::new(error)),
        error @ (Error::Unknown { .. }
        | Error::NoneYet { .. }
        | Error::Differs { .. }
        | Error::TenantsLost { .. }
        | Error::RosterLost { .. }
        | Error::KeptRosterLost { .. }
        | Error::Unreadable { .. }
        | Error::Keep(_)) => DataFusionError::Execution(error.to_string()),
    }
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

/// The tables that decisions lie in, as a session has them.
#[derive(Clone)]
pub struct DecisionTables {
    decisions: Arc<dyn TableProvider>,
    tenants: Arc<dyn TableProvider>,
    rosters: Arc<dyn TableProvider>,
}

fn scan(table: Table, provider: &Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
    LogicalPlanBuilder::scan(table.as_str(), provider_as_source(Arc::clone(provider)), None)
}

impl DecisionTables {
    #[must_use]
    pub fn of(queries: &Queries) -> Self {
        Self {
            decisions: queries.table(Table::Decisions),
            tenants: queries.table(Table::DecisionTenants),
            rosters: queries.table(Table::Rosters),
        }
    }

    /// Every recorded decision, the oldest first.
    ///
    /// # Errors
    /// Fails if the table can't be read.
    pub async fn heads(&self, state: &dyn Session) -> Result<Vec<DecisionHead>> {
        let plan = scan(Table::Decisions, &self.decisions)?.project(HEAD_COLUMNS.map(col))?.build()?;
        let plan = state.create_physical_plan(&plan).await?;
        let mut heads: Vec<DecisionHead> = Vec::new();
        for batch in collect(plan, state.task_ctx()).await? {
            heads.extend(from_batch::<DecisionHead>(&batch).map_err(lake_error)?);
        }
        sort_oldest_first(&mut heads);
        heads.dedup_by(|a, b| a.decision_id == b.decision_id);
        for (head, number) in heads.iter_mut().zip(1..) {
            head.number = number;
        }
        Ok(heads)
    }

    /// The plan that reads a decision's own row.
    pub(crate) async fn row_plan(
        &self,
        state: &dyn Session,
        head: &DecisionHead,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let is_it = col("decision_id").eq(lit(head.decision_id.as_str()));
        let plan = scan(Table::Decisions, &self.decisions)?.filter(is_it)?.limit(0, Some(1))?.build()?;
        state.create_physical_plan(&plan).await
    }

    /// The plan that reads some columns of a decision's tenants.
    pub(crate) async fn tenants_plan(
        &self,
        state: &dyn Session,
        head: &DecisionHead,
        columns: &[&str],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let of_it = col("decision_id").eq(lit(head.decision_id.as_str()));
        let columns: Vec<_> = columns.iter().copied().map(col).collect();
        let plan = scan(Table::DecisionTenants, &self.tenants)?.filter(of_it)?.project(columns)?.build()?;
        state.create_physical_plan(&plan).await
    }

    /// The roster that somebody kept last.
    pub(crate) async fn latest_roster(&self, state: &dyn Session) -> Result<Option<RosterVersion>> {
        let is_kept = col("roster_version").is_not_null();
        let columns = rosters::VERSION_COLUMNS.map(col);
        let plan = scan(Table::Rosters, &self.rosters)?.filter(is_kept)?.project(columns)?.build()?;
        let plan = state.create_physical_plan(&plan).await?;
        let batches = collect(plan, state.task_ctx()).await?;
        let versions: Result<Vec<_>> =
            batches.iter().map(|batch| rosters::latest_version_of(batch).map_err(of_query)).collect();
        Ok(versions?.into_iter().flatten().max_by_key(|version| version.version))
    }

    /// The plan that reads a roster.
    pub(crate) async fn roster_plan(
        &self,
        state: &dyn Session,
        roster_hash: &str,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let of_it = col("roster_hash").eq(lit(roster_hash));
        let plan = scan(Table::Rosters, &self.rosters)?.filter(of_it)?.build()?;
        state.create_physical_plan(&plan).await
    }

    /// A recorded decision: its rules, its roster and its verdicts.
    ///
    /// # Errors
    /// Fails if the lake has lost a part of it.
    pub async fn read(
        &self,
        state: &dyn Session,
        head: &DecisionHead,
    ) -> Result<Option<(Campaign, Roster, Assessment)>> {
        let plan = self.row_plan(state, head).await?;
        let Some(row) = read_row(plan, state.task_ctx()).await? else { return Ok(None) };
        let campaign = row.campaign_rules().map_err(|source| unreadable(&row, "campaign", &source))?;
        let (roster, tenants) = if row.has_verdicts() {
            let plan = self.roster_plan(state, &head.roster_hash).await?;
            let roster = read_roster(plan, state.task_ctx(), &row).await?;
            let plan = self.tenants_plan(state, head, &VERDICT_COLUMNS).await?;
            (roster, read_verdicts(plan, state.task_ctx(), &row).await?)
        } else {
            let roster = roster_in_row(&row)?;
            let tenants = judged_in_row(&row, &campaign, &roster)?;
            (roster, tenants)
        };
        let assessment = Assessment {
            decision_id: row.decision_id.clone(),
            campaign: row.campaign.clone(),
            window: row.window(),
            tenants,
        };
        Ok(Some((campaign, roster, assessment)))
    }
}

/// The row that a plan of [`DecisionTables::row_plan`] finds.
pub(crate) async fn read_row(
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

/// The roster that a plan of [`DecisionTables::roster_plan`] finds.
pub(crate) async fn read_roster(
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    row: &DecisionRow,
) -> Result<Roster> {
    stored_roster(plan, task).await?.into_roster_of(row).map_err(of_query)
}

/// The roster of a version that somebody kept.
pub(crate) async fn read_kept_roster(
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    version: &RosterVersion,
) -> Result<Roster> {
    let roster = stored_roster(plan, task).await?.into_roster_of_hash(&version.roster_hash);
    let lost = || Error::KeptRosterLost { roster_hash: version.roster_hash.clone() };
    roster.and_then(|roster| roster.ok_or_else(lost)).map_err(of_query)
}

async fn stored_roster(plan: Arc<dyn ExecutionPlan>, task: Arc<TaskContext>) -> Result<StoredRoster> {
    let mut stored = StoredRoster::default();
    let mut batches = execute_stream(plan, task)?;
    while let Some(batch) = batches.try_next().await? {
        stored.add(&batch).map_err(of_query)?;
    }
    Ok(stored)
}

async fn read_verdicts(
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    row: &DecisionRow,
) -> Result<Vec<TenantAssessment>> {
    let mut found = Vec::new();
    let mut batches = execute_stream(plan, task)?;
    while let Some(batch) = batches.try_next().await? {
        found.extend(tenants::verdicts(&batch).map_err(of_query)?);
    }
    check_count(row, found.len() as u64).map_err(of_query)?;
    found.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    Ok(found)
}

/// The roster in the row of a decision of an earlier program.
pub(crate) fn roster_in_row(row: &DecisionRow) -> Result<Roster> {
    row.roster_in_row().map_err(|source| unreadable(row, "roster", &source))
}

/// The verdicts of a decision of an earlier program, by the rules of this one.
pub(crate) fn judged_in_row(
    row: &DecisionRow,
    campaign: &Campaign,
    roster: &Roster,
) -> Result<Vec<TenantAssessment>> {
    let evidence = row.evidence_in_row().map_err(|source| unreadable(row, "evidence", &source))?;
    Ok(assess(campaign, roster, &evidence, row.window()))
}

pub(crate) fn unreadable(row: &DecisionRow, what: &str, source: &serde_json::Error) -> DataFusionError {
    let (id, then) = (&row.decision_id, &row.program_version);
    let message = format!("the {what} of decision {id}, made by lightsout {then}, can't be read: {source}");
    DataFusionError::Execution(message)
}
