//! A lake table as the engine sees it: plain Parquet files, chosen by the log's statistics before
//! any footer is opened.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use arrow::array::{
    ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, DFSchema, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use object_store::path::Path as ObjectPath;
use serde::Deserialize;
use serde_json::Value;

use super::small_file_cache::{self, SmallFileCache};
use lightsout_lake::LakeFile;
use lightsout_lake::schema::{PARTITION, Table};

/// The files that are wanted, and the predicate that their rows are wanted by.
type SelectedFiles<'a> = (Vec<&'a LakeFile>, Option<Arc<dyn PhysicalExpr>>);

/// By the path of a file, the rows to read of it; `None`: no row. A file that is not named is read whole.
pub(super) type RowSelections = HashMap<String, Option<ParquetAccessPlan>>;

/// The projection, filters and limit of a scan.
pub(super) struct ScanRequest<'a> {
    pub(super) projection: Option<&'a Vec<usize>>,
    pub(super) filters: &'a [Expr],
    pub(super) limit: Option<usize>,
}

/// What the log says of a file's values.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FileStatistics {
    num_records: Option<u64>,
    min_values: HashMap<String, Value>,
    max_values: HashMap<String, Value>,
    null_count: HashMap<String, Value>,
}

impl FileStatistics {
    fn of(file: &LakeFile) -> Self {
        let text = file.statistics.as_deref();
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// One table of one snapshot.
#[derive(Debug)]
pub(super) struct LakeTable {
    table: Table,
    schema: SchemaRef,
    /// Path of the table's folder in its store.
    folder: String,
    store: ObjectStoreUrl,
    files: Vec<LakeFile>,
    /// Of each file, once somebody asks: most tables are opened and not read.
    statistics: OnceLock<Vec<FileStatistics>>,
    small: SmallFileCache,
}

impl LakeTable {
    /// Of small files, so many bytes may be kept in memory.
    pub(super) fn new(table: Table, folder: String, files: Vec<LakeFile>, kept_bytes_max: usize) -> Self {
        let (schema, store) = (table.table_schema(), ObjectStoreUrl::local_filesystem());
        let small = SmallFileCache::new(kept_bytes_max);
        Self { table, schema, folder, store, files, statistics: OnceLock::new(), small }
    }

    /// The same in a store that is not of this machine.
    #[cfg(feature = "cluster")]
    pub(super) fn in_store(self, store: ObjectStoreUrl) -> Self {
        Self { store, ..self }
    }

    fn statistics(&self) -> &[FileStatistics] {
        self.statistics.get_or_init(|| self.files.iter().map(FileStatistics::of).collect())
    }

    /// Rows of the whole table, where the log says it of every file.
    fn row_count(&self) -> Option<usize> {
        let rows: Option<u64> = self.statistics().iter().map(|file| file.num_records).sum();
        usize::try_from(rows?).ok()
    }

    /// Which files may hold rows that the filters want.
    fn select_files(&self, state: &dyn Session, filters: &[Expr]) -> Result<SelectedFiles<'_>> {
        let Some(filter) = conjunction(filters.to_vec()) else {
            return Ok((self.files.iter().collect(), None));
        };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let predicate = state.create_physical_expr(filter, &schema)?;
        let pruning = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.schema))
            .try_build(Arc::clone(&predicate))?;
        let wanted = self.files.iter().zip(pruning.prune(self)?);
        Ok((wanted.filter_map(|(file, wanted)| wanted.then_some(file)).collect(), Some(predicate)))
    }

    fn bounds(
        &self,
        of: fn(&FileStatistics) -> &HashMap<String, Value>,
        column: &Column,
    ) -> Option<ArrayRef> {
        if column.name() == PARTITION {
            let values: BooleanArray = self.files.iter().map(|file| file.provably_modern).collect();
            return Some(Arc::new(values));
        }
        let field = self.schema.field_with_name(column.name()).ok()?;
        let value = |file| of(file).get(column.name()).and_then(Value::as_str);
        let values = self.statistics().iter().map(value);
        match field.data_type() {
            DataType::Utf8 => Some(Arc::new(values.collect::<StringArray>())),
            DataType::Timestamp(..) => {
                let times: TimestampMicrosecondArray =
                    values.map(|value| value.and_then(lightsout_model::time::of_iso)).collect();
                Some(Arc::new(times.with_timezone("UTC")))
            }
            _ => None,
        }
    }
}

impl PruningStatistics for LakeTable {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(|file| &file.min_values, column)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(|file| &file.max_values, column)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let nulls = |file: &FileStatistics| file.null_count.get(column.name()).and_then(Value::as_u64);
        Some(Arc::new(self.statistics().iter().map(nulls).collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.statistics().iter().map(|file| file.num_records).collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let request = ScanRequest { projection, filters, limit };
        let (files, predicate) = self.select_files(state, filters)?;
        let (small, others) = match projection {
            // Counting rows reads no file.
            Some(columns) if columns.is_empty() => (Vec::new(), files),
            _ => small_file_cache::split_small(files),
        };
        let columns = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let kept = if small.is_empty() {
            None
        } else {
            self.small.read(&self.folder, &small, &self.schema, &columns)?
        };
        let Some(rows) = kept else {
            let files = [small, others].concat();
            return self.scan_files(state, &request, files, predicate, None);
        };
        let shares = split_evenly(rows, state.config().target_partitions());
        let schema = Arc::new(self.schema.project(&columns)?);
        let kept = MemorySourceConfig::try_new_exec(&shares, schema, None)?;
        if others.is_empty() {
            return Ok(kept);
        }
        UnionExec::try_new(vec![kept, self.scan_files(state, &request, others, predicate, None)?])
    }
}

/// About the same number of rows for each partition.
fn split_evenly(batches: Vec<RecordBatch>, partitions: usize) -> Vec<Vec<RecordBatch>> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let share = rows.div_ceil(partitions.max(1)).max(1);
    let mut shares = vec![Vec::new()];
    let mut room = share;
    for batch in batches {
        let mut from = 0;
        while from < batch.num_rows() {
            if room == 0 {
                shares.push(Vec::new());
                room = share;
            }
            let count = room.min(batch.num_rows() - from);
            if let Some(last) = shares.last_mut() {
                last.push(batch.slice(from, count));
            }
            (from, room) = (from + count, room - count);
        }
    }
    shares
}

impl LakeTable {
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// The files that may hold rows that the filters want.
    pub(super) fn files_of(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&LakeFile>> {
        Ok(self.select_files(state, filters)?.0)
    }

    /// Their paths.
    pub(super) fn paths_of(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&str>> {
        Ok(self.files_of(state, filters)?.into_iter().map(|file| file.path.as_str()).collect())
    }

    /// Whether some of these files are many and small, so that they are kept once they are read.
    pub(super) fn has_small_files(&self, paths: &[&str]) -> bool {
        let wanted: HashSet<&&str> = paths.iter().collect();
        let files = self.files.iter().filter(|file| wanted.contains(&file.path.as_str()));
        !small_file_cache::split_small(files.collect()).0.is_empty()
    }

    /// A scan that reads only some places of the files that are named.
    pub(super) fn scan_selected_rows(
        &self,
        state: &dyn Session,
        request: &ScanRequest<'_>,
        places: &RowSelections,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (mut files, predicate) = self.select_files(state, request.filters)?;
        files.retain(|file| places.get(&file.path) != Some(&None));
        self.scan_files(state, request, files, predicate, Some(places))
    }

    fn scan_files(
        &self,
        state: &dyn Session,
        request: &ScanRequest<'_>,
        mut files: Vec<&LakeFile>,
        predicate: Option<Arc<dyn PhysicalExpr>>,
        places: Option<&RowSelections>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let ScanRequest { projection, filters, limit } = *request;
        if files.is_empty() {
            // A scan of no file has no partition, and the engine wants one.
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let partitions = if self.table == Table::SignInRecords {
            vec![Arc::new(arrow::datatypes::Field::new(PARTITION, DataType::Boolean, true))]
        } else {
            Vec::new()
        };
        let mut source = ParquetSource::new(
            TableSchema::builder(self.table.file_schema()).with_table_partition_cols(partitions).build(),
        )
        .with_enable_page_index(true);
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate);
        }
        let mut statistics = Statistics::new_unknown(&self.schema);
        let whole =
            filters.is_empty() && limit.is_none() && places.is_none() && files.len() == self.files.len();
        if let (true, Some(rows)) = (whole, self.row_count()) {
            // Counting rows reads no file.
            statistics.num_rows = Precision::Exact(rows);
        }
        let count = state.config().target_partitions().clamp(1, files.len());
        let mut groups = vec![Vec::new(); count];
        // The largest first, dealt round, so that threads have about the same.
        files.sort_by_key(|file| std::cmp::Reverse(file.bytes));
        for (at, file) in files.into_iter().enumerate() {
            // As it is: the engine would encode `#` and `%` of a folder's name, and not find it.
            let path = ObjectPath::parse(format!("{}/{}", self.folder, file.path))
                .map_err(|source| DataFusionError::External(source.into()))?;
            let mut partitioned = PartitionedFile::new("", file.bytes);
            partitioned.object_meta.location = path;
            if self.table == Table::SignInRecords {
                partitioned.partition_values = vec![ScalarValue::Boolean(file.provably_modern)];
            }
            if let Some(Some(places)) = places.and_then(|places| places.get(&file.path)) {
                partitioned = partitioned.with_extension(places.clone());
            }
            groups[at % count].push(partitioned);
        }
        let groups: Vec<FileGroup> = groups.into_iter().map(FileGroup::new).collect();
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_statistics(statistics)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
