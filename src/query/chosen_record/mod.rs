//! The views `sign_ins` and `speaking_records`, computed without the engine: one record for each sign-in, or for each
//! that verdicts rest on, chosen among its duplicates. The SQL of the views, with `contested_ids`, `rival_records` and
//! `contested_sign_ins`, is the definition; `tests` compares both on generated lakes. Ids are read once (`contested`),
//! then the few records that compete with another one (`candidates`), which `rank` orders; the engine then reads the
//! files without the rows that lost. Where that can't be done (rows in memory, files that ingest did not write, more ids
//! than memory has room for, and for `speaking_records` many small files), the SQL does it.

mod candidates;
mod contested;
mod rank;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;
use tokio::sync::Mutex;

use super::lake_table::{LakeTable, RowSelections, ScanRequest};
use contested::FileRows;
use lightsout_lake::LakeFile;
use lightsout_lake::schema::PARTITION;
use rank::Interner;

/// What a record takes in memory while repeated ids are looked for, at most.
const ID_BYTES: usize = 48;
/// What a contested record takes, about.
const CANDIDATE_BYTES: usize = 256;

/// What a whole row takes, about.
const ROW_BYTES: usize = 1024;

/// What was found is kept for so many selections of files.
const SELECTIONS_MAX: usize = 8;

/// The records that are chosen among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those that verdicts rest on: the view `speaking_records`.
    Legacy,
    /// Every record: the view `sign_ins`.
    All,
}

/// The view `speaking_records` or `sign_ins`.
#[derive(Debug)]
pub(super) struct ChosenRecords {
    table: Arc<LakeTable>,
    scope: Scope,
    by_sql: LogicalPlan,
    schema: SchemaRef,
    bytes_max: usize,
    /// By the files that were looked into. `None`: the SQL does it.
    found: Mutex<BTreeMap<Vec<String>, Option<Arc<Found>>>>,
}

#[derive(Debug)]
struct Found {
    /// The chosen rows of each file; of a file that is not named, all.
    places: RowSelections,
    /// Chosen records of sign-ins whose category only another record states, with that category.
    categorised: Vec<RecordBatch>,
}

/// A file of the records that are chosen among, and which of its rows are not to be read.
struct ScannedFile {
    path: String,
    at: PathBuf,
    provably_modern: bool,
    rows: FileRows,
}

impl ChosenRecords {
    /// `by_sql` gives the same rows from any table.
    pub(super) fn new(table: Arc<LakeTable>, scope: Scope, by_sql: LogicalPlan, bytes_max: usize) -> Self {
        let schema = Arc::clone(by_sql.schema().inner());
        Self { table, scope, by_sql, schema, bytes_max, found: Mutex::default() }
    }

    /// Looks into the files that may hold records of the sign-ins that the filters want. Only filters on tenant and id,
    /// which all records of a sign-in share, leave out files.
    async fn find(&self, state: &dyn Session, filters: &[Expr]) -> Result<Option<Arc<Found>>> {
        let selection = match self.scope {
            Scope::Legacy => legacy().to_vec(),
            Scope::All => filters.iter().filter(|filter| is_of_ids(filter)).cloned().collect(),
        };
        let files = self.table.files_of(state, &selection)?;
        let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
        let mut found = self.found.lock().await;
        if let Some(found) = found.get(&paths) {
            return Ok(found.clone());
        }
        let new = match self.search(state, &files)? {
            // Reading the ids of a large lake takes seconds, in which other queries go on.
            Some(search) => {
                let found = tokio::task::spawn_blocking(move || search.run()).await;
                found.map_err(|error| DataFusionError::External(error.into()))?.map(Arc::new)
            }
            None => None,
        };
        if found.len() == SELECTIONS_MAX {
            found.clear();
        }
        // Another query may leave room in memory.
        if new.is_some() || self.scope == Scope::Legacy {
            found.insert(paths, new.clone());
        }
        Ok(new)
    }

    /// `None`: the SQL does it.
    fn search(&self, state: &dyn Session, files: &[&LakeFile]) -> Result<Option<Search>> {
        let owned = |files: &[&LakeFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<String>>();
        let others = match self.scope {
            Scope::Legacy => {
                let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
                if self.table.has_small_files(&paths) {
                    return Ok(None);
                }
                let others = [col(PARTITION).eq(lit(true)).or(col("protocol").is_null())];
                owned(&self.table.files_of(state, &others)?)
            }
            Scope::All => Vec::new(),
        };
        let consumer = MemoryConsumer::new("chosen records");
        Ok(Some(Search {
            scope: self.scope,
            folder: self.table.folder().to_owned(),
            files: files.iter().map(|file| (*file).clone()).collect(),
            others,
            schema: Arc::clone(&self.schema),
            bytes_max: self.bytes_max,
            reservation: consumer.register(&state.runtime_env().memory_pool),
        }))
    }
}

/// Looks for the records that are chosen, in the files of one selection.
struct Search {
    scope: Scope,
    folder: String,
    files: Vec<LakeFile>,
    /// The paths of files that may hold duplicates from outside the scope.
    others: Vec<String>,
    schema: SchemaRef,
    bytes_max: usize,
    reservation: MemoryReservation,
}

impl Search {
    /// Whether the queries of the session leave so much memory. What verdicts rest on has a share of its own.
    fn has_room(&self, bytes: usize) -> bool {
        self.scope == Scope::Legacy || self.reservation.try_grow(bytes).is_ok()
    }

    fn run(self) -> Option<Found> {
        let folder = PathBuf::from(&self.folder);
        let at: Vec<PathBuf> = self.files.iter().map(|file| folder.join(&file.path)).collect();
        let rows = contested::count_rows(&at)?;
        if rows > self.bytes_max / ID_BYTES || !self.has_room(rows * ID_BYTES) {
            return None;
        }
        let (rows, contested) = contested::find_contested(&at, self.scope)?;
        let candidates_max = self.bytes_max / CANDIDATE_BYTES;
        if contested.len() > candidates_max || !self.has_room(contested.len() * CANDIDATE_BYTES) {
            return None;
        }
        let mut files = (self.files.iter().zip(at).zip(rows))
            .map(|((file, at), rows)| {
                let provably_modern = file.provably_modern?;
                Some(ScannedFile { path: file.path.clone(), at, provably_modern, rows })
            })
            .collect::<Option<Vec<ScannedFile>>>()?;
        let mut interner = Interner::default();
        let mut candidates = candidates::of(&files, &contested, &mut interner)?;
        if self.scope == Scope::Legacy {
            let others: Vec<&str> = self.others.iter().map(String::as_str).collect();
            candidates::add_duplicates(
                &mut candidates,
                &mut interner,
                &self.folder,
                &others,
                candidates_max,
            )?;
        }
        let ranked = rank::rank(candidates, &interner);
        if ranked.categorised.len() > self.bytes_max / ROW_BYTES {
            return None;
        }
        let mut categories: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
        for ((file, row), category) in &ranked.categorised {
            categories.entry(*file).or_default().push((*row, *category));
        }
        let mut categorised = Vec::new();
        for (file, mut rows) in categories {
            rows.sort_unstable();
            let of_file = &mut files[file as usize];
            categorised.extend(read_whole(of_file, &rows, &interner, &self.schema)?);
            of_file.rows.superseded.extend(rows.into_iter().map(|(row, _)| row));
        }
        for (file, row) in ranked.superseded {
            files[file as usize].rows.superseded.push(row);
        }
        let places = files.into_iter().filter(|file| !file.rows.superseded.is_empty());
        let places = places.map(|file| (file.path, file.rows.access_plan())).collect();
        Some(Found { places, categorised })
    }
}

/// Whether a filter takes all records of an id or none.
fn is_of_ids(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty() && columns.iter().all(|column| ["tenant_id", "sign_in_id"].contains(&column.name()))
}

/// The filters that select the records of the legacy side.
fn legacy() -> [Expr; 2] {
    [col(PARTITION).eq(lit(false)), col("protocol").is_not_null()]
}

impl FileRows {
    /// The rows without the superseded ones; `None`: there are no others.
    fn access_plan(mut self) -> Option<ParquetAccessPlan> {
        self.superseded.sort_unstable();
        let (mut plan, mut first, mut superseded) = (Vec::new(), 0, self.superseded.as_slice());
        for rows in &self.of_groups {
            let end = first + rows;
            let (mine, rest) = superseded.split_at(superseded.partition_point(|row| (*row as usize) < end));
            superseded = rest;
            plan.push(match mine.len() {
                0 => RowGroupAccess::Scan,
                all if all == *rows => RowGroupAccess::Skip,
                _ => {
                    let within = mine.iter().map(|row| row - u32::try_from(first).unwrap_or(0));
                    RowGroupAccess::Selection(read::selection(within, false, *rows))
                }
            });
            first = end;
        }
        let any = plan.iter().any(RowGroupAccess::should_scan);
        any.then(|| ParquetAccessPlan::new(plan))
    }
}

/// Whole rows of a file with other categories than they have.
fn read_whole(
    file: &ScannedFile,
    rows: &[(u32, u32)],
    interner: &Interner,
    schema: &SchemaRef,
) -> Option<Vec<RecordBatch>> {
    let selected = read::selection(rows.iter().map(|(row, _)| *row), true, file.rows.count());
    let all: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut categories = rows.iter().map(|(_, category)| interner.resolve(*category));
    let mut batches = Vec::new();
    for batch in read::columns(read::open(&file.at)?, &all, Some(selected))? {
        let batch = batch.ok()?;
        let columns = schema.fields().iter().map(|field| -> Option<ArrayRef> {
            Some(match field.name().as_str() {
                "category" => {
                    Arc::new(StringArray::from_iter_values(categories.by_ref().take(batch.num_rows())))
                }
                PARTITION => Arc::new(BooleanArray::from(vec![file.provably_modern; batch.num_rows()])),
                name => cast(batch.column_by_name(name)?, field.data_type()).ok()?,
            })
        });
        let columns = columns.collect::<Option<Vec<_>>>()?;
        batches.push(RecordBatch::try_new(Arc::clone(schema), columns).ok()?);
    }
    Some(batches)
}

#[async_trait]
impl TableProvider for ChosenRecords {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<datafusion::logical_expr::TableProviderFilterPushDown>> {
        self.table.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(found) = self.find(state, filters).await? else {
            let mut plan = LogicalPlanBuilder::from(self.by_sql.clone());
            for filter in filters {
                plan = plan.filter(filter.clone())?;
            }
            if let Some(columns) = projection {
                plan = plan.select(columns.iter().copied())?;
            }
            return state.create_physical_plan(&plan.build()?).await;
        };
        let mut filters = filters.to_vec();
        if self.scope == Scope::Legacy {
            filters.extend(legacy());
        }
        let request = ScanRequest { projection, filters: &filters, limit };
        let chosen = self.table.scan_selected_rows(state, &request, &found.places)?;
        if found.categorised.is_empty() {
            return Ok(chosen);
        }
        let parts = std::slice::from_ref(&found.categorised);
        let categorised = MemorySourceConfig::try_new_exec(parts, self.schema(), projection.cloned())?;
        UnionExec::try_new(vec![chosen, categorised])
    }
}
