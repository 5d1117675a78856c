//! The engine over one snapshot of the lake: a session with the tables and views, and the shipped
//! queries. It finds and counts; nothing is decided here.

pub mod answer;
pub mod catalog;
mod chosen_record;
pub mod cluster;
pub mod column_docs;
mod coverage;
pub mod doubts;
mod duplicate_candidates;
mod error;
pub mod evidence;
pub mod explain_values;
mod lake_schema;
mod lake_table;
mod limited_functions;
pub mod log_extent;
mod memoized_view;
pub mod page_usage;
mod parallel;
mod placeholders;
mod registered_views;
pub mod report_views;
pub mod rights;
mod server_session;
pub mod settings;
mod small_file_cache;
pub mod sql_error;
mod statement;
mod suggestions;
mod to_char;
mod typed_columns;
pub mod user_tables;
pub mod view_columns;
pub mod views;
pub mod zoned;

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use datafusion::catalog::TableProvider;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::{SQLOptions, SessionContext};
#[cfg(feature = "cluster")]
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use futures::{FutureExt as _, TryStreamExt as _};

use cluster::Cluster;
pub use error::{Error, Result};
use lake_schema::LakeSchema;
use lake_table::LakeTable;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use sql_error::{KnownNames, SqlError};

/// A value bound to a parameter.
pub type Parameter = (String, ScalarValue);

fn failed(name: &str, source: DataFusionError) -> Error {
    Error::Engine { name: name.to_owned(), source: Box::new(source) }
}

/// The error for a statement that would write, or for several, if that is what the engine refused.
fn write_refused(name: &str, source: &DataFusionError) -> Option<Error> {
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

/// Nothing that writes, and nothing that changes the session.
fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

fn with_parameters(
    frame: DataFrame,
    parameters: &[Parameter],
) -> std::result::Result<DataFrame, DataFusionError> {
    if parameters.is_empty() {
        return Ok(frame);
    }
    let values = parameters.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    frame.with_param_values(ParamValues::Map(values))
}

/// How queries are planned, wherever they are computed.
fn config() -> SessionConfig {
    SessionConfig::new()
        .with_information_schema(true)
        .set_bool("datafusion.execution.parquet.pushdown_filters", true)
        // The left side of a join is the small one in every shipped query: held once, the other side is
        // filtered by it where it is read, and is not dealt out anew.
        .set_bool("datafusion.optimizer.repartition_joins", false)
        // And the engine must not turn them round: above an outer join that it has turned, it gives a
        // filter on one side to the other.
        .set_bool("datafusion.optimizer.join_reordering", false)
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
        // An error tells where in the text it is.
        .set_bool("datafusion.sql_parser.collect_spans", true)
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false)
}

fn runtime(memory_limit_bytes: usize) -> Result<Arc<RuntimeEnv>> {
    RuntimeEnvBuilder::new()
        .with_memory_limit(memory_limit_bytes, 1.0)
        .build_arc()
        .map_err(|source| failed("session", source))
}

/// With what a session computes.
#[derive(Debug, Clone)]
pub struct Resources {
    /// Here; a cluster has limits of its own.
    pub memory_limit_bytes: usize,
    /// Where; `None`: in this process.
    pub cluster: Option<Cluster>,
}

impl From<usize> for Resources {
    fn from(memory_limit_bytes: usize) -> Self {
        Self { memory_limit_bytes, cluster: None }
    }
}

/// A session over one snapshot. Read-only, whatever the query says. Clones are the same session.
#[derive(Clone)]
pub struct Queries {
    context: SessionContext,
    schema: Arc<LakeSchema>,
    memory_limit_bytes: usize,
    /// Everything before this day was pruned.
    pruned_before: Option<NaiveDate>,
}

impl Queries {
    /// Registers the tables and views of the lake's current snapshot.
    ///
    /// # Errors
    /// Fails if the lake's log can't be read, or its files are where no cluster reads them.
    #[expect(clippy::unused_async, reason = "callers wait for a session, whatever it takes to make one")]
    pub async fn over(lake: &Lake, resources: impl Into<Resources>) -> Result<Self> {
        let Resources { memory_limit_bytes, cluster } = resources.into();
        #[cfg(feature = "cluster")]
        if let Some(cluster) = cluster {
            let queries = Self::over_cluster(lake, memory_limit_bytes, cluster)?;
            return Ok(Self { pruned_before: lake.pruned_before(), ..queries });
        }
        #[cfg(not(feature = "cluster"))]
        drop(cluster);
        let mut tables: Vec<(Table, Arc<dyn TableProvider>)> = Vec::new();
        let mut records = None;
        for table in Table::ALL {
            let folder = lake.root().join(table.as_str()).display().to_string();
            let provider = Arc::new(LakeTable::new(
                table,
                folder,
                lake.files(table)?,
                memory_limit_bytes / lake_schema::CACHE_SHARE,
            ));
            if table == Table::SignInRecords {
                records = Some(Arc::clone(&provider));
            }
            tables.push((table, provider));
        }
        let queries = Self::over_providers(tables, records, memory_limit_bytes)?;
        Ok(Self { pruned_before: lake.pruned_before(), ..queries })
    }

    /// The same session and views over rows in memory; tables that are not given are empty.
    ///
    /// # Errors
    /// Fails if the columns of a batch are not those of its table, the partition column included.
    #[expect(clippy::unused_async, reason = "callers wait for a session, whatever it takes to make one")]
    pub async fn over_rows(rows: Vec<(Table, RecordBatch)>, memory_limit_bytes: usize) -> Result<Self> {
        let mut tables: Vec<(Table, Arc<dyn TableProvider>)> = Vec::new();
        for table in Table::ALL {
            let batches =
                rows.iter().filter(|(of, _)| *of == table).map(|(_, batch)| batch.clone()).collect();
            let provider = MemTable::try_new(table.table_schema(), vec![batches])
                .map_err(|source| failed(table.as_str(), source))?;
            tables.push((table, Arc::new(provider)));
        }
        Self::over_providers(tables, None, memory_limit_bytes)
    }

    fn over_providers(
        tables: Vec<(Table, Arc<dyn TableProvider>)>,
        records: Option<Arc<LakeTable>>,
        memory_limit_bytes: usize,
    ) -> Result<Self> {
        let runtime = runtime(memory_limit_bytes)?;
        let context = SessionContext::new_with_config_rt(config(), runtime);
        limited_functions::register(&context);
        to_char::register(&context);
        Self::over_context(context, memory_limit_bytes, |state| {
            LakeSchema::new(tables, records, state, memory_limit_bytes)
        })
    }

    /// The same where a cluster computes: over the files of the snapshot, with the engine's own functions.
    #[cfg(feature = "cluster")]
    fn over_cluster(lake: &Lake, memory_limit_bytes: usize, cluster: Cluster) -> Result<Self> {
        let (store, root) = match lake.store_folder() {
            None => (ObjectStoreUrl::local_filesystem(), lake.root().display().to_string()),
            Some((root, folder)) if root.starts_with("s3://") => {
                (ObjectStoreUrl::parse(&root).map_err(|source| failed("session", source))?, folder)
            }
            Some(_) => return Err(Error::NotOnCluster { lake: lake.name() }),
        };
        let mut tables = Vec::new();
        for table in Table::ALL {
            let folder = format!("{}/{}", root.trim_end_matches('/'), table.as_str());
            tables
                .push((table, LakeTable::new(table, folder, lake.files(table)?, 0).in_store(store.clone())));
        }
        Self::over_files(tables, memory_limit_bytes, cluster)
    }

    #[cfg(feature = "cluster")]
    fn over_files(
        tables: Vec<(Table, LakeTable)>,
        memory_limit_bytes: usize,
        cluster: Cluster,
    ) -> Result<Self> {
        let files_only = |table| -> Arc<dyn TableProvider> { Arc::new(cluster::session::FilesOnly(table)) };
        let tables = tables.into_iter().map(|(table, files)| (table, files_only(files))).collect();
        let context = cluster::session::context(cluster, config(), runtime(memory_limit_bytes)?);
        Self::over_context(context, memory_limit_bytes, |state| {
            LakeSchema::new(tables, None, state, memory_limit_bytes).plain()
        })
    }

    fn over_context(
        context: SessionContext,
        memory_limit_bytes: usize,
        schema: impl FnOnce(lake_schema::State) -> LakeSchema,
    ) -> Result<Self> {
        let state = context.state_weak_ref();
        let state = Box::new(move || state.upgrade().map(|state| state.read().clone()));
        let schema = Arc::new(schema(state));
        let (catalog, name) = ("datafusion", "public");
        if let Some(catalog) = context.catalog(catalog) {
            let schema = Arc::clone(&schema);
            catalog.register_schema(name, schema).map_err(|source| failed("session", source))?;
        }
        Ok(Self { context, schema, memory_limit_bytes, pruned_before: None })
    }

    /// Plans one query; only reading is permitted.
    async fn plan(
        &self,
        sql: &str,
        parameters: &[Parameter],
    ) -> std::result::Result<DataFrame, DataFusionError> {
        with_parameters(self.context.sql_with_options(sql, read_only()).await?, parameters)
    }

    /// What went wrong with a query, for who wrote it.
    fn sql_error(&self, name: &str, sql: &str, source: &DataFusionError) -> Error {
        if let Some(error) = write_refused(name, source) {
            return error;
        }
        if let DataFusionError::ResourcesExhausted(_) = source.find_root() {
            return Error::OutOfMemory { name: name.to_owned(), limit_bytes: self.memory_limit_bytes };
        }
        let state = self.context.state();
        let functions = state
            .scalar_functions()
            .keys()
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys());
        let known = KnownNames {
            tables: column_docs::relation_names(&state),
            functions: functions.cloned().collect(),
            table_functions: state.table_functions().keys().cloned().collect(),
        };
        let error = Box::new(SqlError::from_engine(sql, source, &known));
        Error::Sql { name: name.to_owned(), error }
    }

    /// Runs one query to its end. `name` is told in errors.
    ///
    /// # Errors
    /// Fails if the query is not valid, is not read-only, or exceeds the memory limit.
    pub async fn run(&self, name: &str, sql: &str, parameters: &[Parameter]) -> Result<Vec<RecordBatch>> {
        self.run_to_end(name, sql, parameters).boxed().await
    }

    /// Callers box it: a future that shows the engine's types costs the compiler minutes in each crate that sends it to
    /// another thread.
    async fn run_to_end(&self, name: &str, sql: &str, parameters: &[Parameter]) -> Result<Vec<RecordBatch>> {
        let failed = |source: DataFusionError| match source.find_root() {
            // Of a query that nobody typed nobody has set the limit.
            DataFusionError::ResourcesExhausted(_) => failed(name, source),
            _ => self.sql_error(name, sql, &source),
        };
        let frame = self.plan(sql, parameters).await.map_err(failed)?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let mut batches = frame.collect().await.map_err(failed)?;
        if batches.is_empty() {
            // An empty answer still has its columns.
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(batches)
    }

    async fn start(
        &self,
        sql: &str,
        parameters: &[Parameter],
    ) -> std::result::Result<SendableRecordBatchStream, DataFusionError> {
        self.plan(sql, parameters).await?.execute_stream().await
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
        let mut batches = self.start(sql, parameters).boxed().await.map_err(failed)?;
        while let Some(batch) = batches.try_next().await.map_err(failed)? {
            take(&batch)?;
        }
        Ok(())
    }
}

/// A time bound as the tables keep times, so that pruning works.
#[must_use]
pub fn timestamp(at: chrono::DateTime<chrono::Utc>) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into()))
}
