//! The engine over one snapshot of the lake: a session with the tables and views, and the shipped
//! queries. It finds and counts; nothing is decided here.

pub mod catalog;
mod cells;
mod coverage;
pub mod evidence;
mod kept;
pub mod page;
mod placeholders;
mod rivals;
pub mod shown;
mod small;
mod table;

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt as _;

use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::lake::schema::Table;
use kept::KeptView;
use rivals::RivalRecords;
use table::LakeTable;

/// Views with few rows that cost much to find: their rows are kept, since one query asks for them more than
/// once, and the next one again.
const KEPT_VIEWS: [(&str, &str); 3] = [
    (CONTESTED_IDS, include_str!("../../queries/views/contested_ids.sql")),
    (RIVALS, include_str!("../../queries/views/rival_records.sql")),
    (CONTESTED_SIGN_INS, include_str!("../../queries/views/contested_sign_ins.sql")),
];

const CONTESTED_IDS: &str = "contested_ids";
const RIVALS: &str = "rival_records";
const CONTESTED_SIGN_INS: &str = "contested_sign_ins";

/// What a contested sign-in takes in memory, about, with all its columns.
const CONTESTED_BYTES: usize = 512;

const VIEWS: [(&str, &str); 3] = [
    ("coverage_entries", include_str!("../../queries/views/coverage_entries.sql")),
    ("sign_ins", include_str!("../../queries/views/sign_ins.sql")),
    ("legacy_sign_ins", include_str!("../../queries/views/legacy_sign_ins.sql")),
];

/// Of the memory limit, what one of them may take, and what is kept of a table's small files.
const KEPT_SHARE: usize = 8;

/// A value bound to a parameter.
pub type Parameter = (String, ScalarValue);

fn failed(name: &str, source: DataFusionError) -> Error {
    Error::Query { name: name.to_owned(), source: Box::new(source) }
}

/// The error for a statement that would write, or for several, if that is what the engine refused.
fn refused(name: &str, source: &DataFusionError) -> Option<Error> {
    let message = match source.find_root() {
        DataFusionError::Plan(message) => message,
        DataFusionError::NotImplemented(message) if message.contains("a single SQL statement") => {
            return Some(Error::NotReadOnly {
                name: name.to_owned(),
                found: "more than one statement".to_owned(),
            });
        }
        _ => return None,
    };
    let (kind, found) = message.split_once(" not supported: ")?;
    let found = ["DDL", "DML", "Statement"].contains(&kind).then(|| found.to_owned())?;
    Some(Error::NotReadOnly { name: name.to_owned(), found })
}

/// A session over one snapshot. Read-only, whatever the query says.
pub struct Queries {
    context: SessionContext,
}

impl Queries {
    /// Registers the tables and views of the lake's current snapshot.
    ///
    /// # Errors
    /// Fails if the lake's log can't be read.
    pub async fn over(lake: &Lake, memory_limit_bytes: usize) -> Result<Self> {
        let mut tables: Vec<(Table, Arc<dyn TableProvider>)> = Vec::new();
        let mut records = None;
        for table in Table::ALL {
            let folder = lake.root().join(table.as_str()).display().to_string();
            let provider =
                Arc::new(LakeTable::new(table, folder, lake.files(table)?, memory_limit_bytes / KEPT_SHARE));
            if table == Table::SignInRecords {
                records = Some(Arc::clone(&provider));
            }
            tables.push((table, provider));
        }
        Self::over_providers(tables, records, memory_limit_bytes).await
    }

    /// The same session and views over rows in memory; tables that are not given are empty.
    ///
    /// # Errors
    /// Fails if the columns of a batch are not those of its table, the partition column included.
    pub async fn over_rows(rows: Vec<(Table, RecordBatch)>, memory_limit_bytes: usize) -> Result<Self> {
        let mut tables: Vec<(Table, Arc<dyn TableProvider>)> = Vec::new();
        for table in Table::ALL {
            let batches =
                rows.iter().filter(|(of, _)| *of == table).map(|(_, batch)| batch.clone()).collect();
            let provider = MemTable::try_new(table.table_schema(), vec![batches])
                .map_err(|source| failed(table.as_str(), source))?;
            tables.push((table, Arc::new(provider)));
        }
        Self::over_providers(tables, None, memory_limit_bytes).await
    }

    async fn over_providers(
        tables: Vec<(Table, Arc<dyn TableProvider>)>,
        records: Option<Arc<LakeTable>>,
        memory_limit_bytes: usize,
    ) -> Result<Self> {
        let config = SessionConfig::new()
            .with_information_schema(true)
            .set_bool("datafusion.execution.parquet.pushdown_filters", true)
            // The left side of a join is the small one in every shipped query: held once, the other side is
            // filtered by it where it is read, and is not dealt out anew.
            .set_bool("datafusion.optimizer.repartition_joins", false)
            // And the engine must not turn them round: above an outer join that it has turned, it gives a
            // filter on one side to the other.
            .set_bool("datafusion.optimizer.join_reordering", false)
            .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
            .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_limit(memory_limit_bytes, 1.0)
            .build_arc()
            .map_err(|source| failed("session", source))?;
        let context = SessionContext::new_with_config_rt(config, runtime);
        for (table, provider) in tables {
            context
                .register_table(table.as_str(), provider)
                .map_err(|source| failed(table.as_str(), source))?;
        }
        let mut ids = None;
        for (name, sql) in KEPT_VIEWS {
            let view = match &records {
                Some(records) if name == RIVALS => rivals(&context, sql, records).await,
                _ => context.sql(sql).await,
            };
            let view = view.map_err(|source| failed(name, source))?;
            let view = KeptView::new(view.into_unoptimized_plan(), memory_limit_bytes / KEPT_SHARE);
            let view = match &ids {
                Some(ids) if name == CONTESTED_SIGN_INS => view.told_by(Arc::clone(ids), CONTESTED_BYTES),
                _ => view,
            };
            let view = Arc::new(view);
            if name == CONTESTED_IDS {
                ids = Some(Arc::clone(&view));
            }
            context.register_table(name, view).map_err(|source| failed(name, source))?;
        }
        for (name, sql) in VIEWS {
            let view = context.sql(sql).await.map_err(|source| failed(name, source))?;
            context.register_table(name, view.into_view()).map_err(|source| failed(name, source))?;
        }
        Ok(Self { context })
    }

    /// Plans one query; only reading is permitted.
    async fn plan(
        &self,
        sql: &str,
        parameters: &[Parameter],
    ) -> std::result::Result<DataFrame, DataFusionError> {
        let read_only =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = self.context.sql_with_options(sql, read_only).await?;
        if parameters.is_empty() {
            return Ok(frame);
        }
        let values = parameters.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        frame.with_param_values(ParamValues::Map(values))
    }

    /// Runs one query to its end. `name` is told in errors.
    ///
    /// # Errors
    /// Fails if the query is not valid, is not read-only, or exceeds the memory limit.
    pub async fn run(&self, name: &str, sql: &str, parameters: &[Parameter]) -> Result<Vec<RecordBatch>> {
        let failed = |source| refused(name, &source).unwrap_or_else(|| failed(name, source));
        let frame = self.plan(sql, parameters).await.map_err(failed)?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let mut batches = frame.collect().await.map_err(failed)?;
        if batches.is_empty() {
            // An empty answer still has its columns.
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(batches)
    }

    /// Runs one query and hands its rows on as they come, so that many are never held at once.
    async fn each(
        &self,
        name: &'static str,
        sql: &str,
        parameters: &[Parameter],
        mut take: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let failed = |source| failed(name, source);
        let frame = self.plan(sql, parameters).await.map_err(failed)?;
        let mut batches = frame.execute_stream().await.map_err(failed)?;
        while let Some(batch) = batches.try_next().await.map_err(failed)? {
            take(&batch)?;
        }
        Ok(())
    }
}

/// The view of rivals, which reads of the records only what can be one.
async fn rivals(
    context: &SessionContext,
    sql: &str,
    records: &Arc<LakeTable>,
) -> std::result::Result<DataFrame, DataFusionError> {
    let name = Table::SignInRecords.as_str();
    let undeclared = context.sql(rivals::UNDECLARED).await?.into_unoptimized_plan();
    let undeclared = context.state().optimize(&undeclared)?;
    let whole = context.deregister_table(name)?;
    context.register_table(name, Arc::new(RivalRecords::new(Arc::clone(records), undeclared)))?;
    let view = context.sql(sql).await;
    context.deregister_table(name)?;
    if let Some(whole) = whole {
        context.register_table(name, whole)?;
    }
    view
}

/// A time bound as the tables keep times, so that pruning works.
#[must_use]
pub fn timestamp(at: chrono::DateTime<chrono::Utc>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into()))
}
