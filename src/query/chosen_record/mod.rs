//! The view `speaking_records`, computed without the engine: one record for each sign-in that verdicts rest on, chosen
//! among its duplicates. The SQL views `contested_ids`, `rival_records` and `contested_sign_ins` are the definition;
//! `tests` compares both on generated lakes. Ids are read once (`contested`), then the few records that compete with
//! another one (`candidates`), which `rank` orders; the engine then reads the files without the rows that lost. Where
//! that can't be done (rows in memory, many small files, files that ingest did not write, more ids than memory has room
//! for), the SQL views do it.

mod candidates;
mod contested;
mod rank;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
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
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;
use tokio::sync::OnceCell;

use super::lake_table::{LakeTable, RowSelections, ScanRequest};
use contested::FileRows;
use lightsout_lake::schema::PARTITION;
use rank::Interner;

/// What a record of the legacy side takes in memory while repeated ids are looked for, at most.
const ID_BYTES: usize = 48;
/// What a contested record takes, about.
const CANDIDATE_BYTES: usize = 256;

/// What a whole row takes, about.
const ROW_BYTES: usize = 1024;

/// The view `speaking_records`.
#[derive(Debug)]
pub(super) struct ChosenRecords {
    table: Arc<LakeTable>,
    by_sql: LogicalPlan,
    schema: SchemaRef,
    bytes_max: usize,
    /// `None`: the views do it.
    found: OnceCell<Option<Found>>,
}

#[derive(Debug)]
struct Found {
    /// The chosen rows of each file; of a file that is not named, all.
    places: RowSelections,
    /// Chosen records of sign-ins whose category only another record states, with that category.
    categorised: Vec<RecordBatch>,
}

/// A file of the legacy side, and which of its rows are not to be read.
struct LegacyFile {
    path: String,
    at: PathBuf,
    rows: FileRows,
}

impl ChosenRecords {
    /// `by_sql` gives the same rows from any table.
    pub(super) fn new(table: Arc<LakeTable>, by_sql: LogicalPlan, bytes_max: usize) -> Self {
        let schema = Arc::clone(by_sql.schema().inner());
        Self { table, by_sql, schema, bytes_max, found: OnceCell::new() }
    }

    fn find(&self, state: &dyn Session) -> Result<Option<Found>> {
        let paths = self.table.paths_of(state, &legacy())?;
        if self.table.has_small_files(&paths) {
            return Ok(None);
        }
        let paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        let others = [col(PARTITION).eq(lit(true)).or(col("protocol").is_null())];
        let others = self.table.paths_of(state, &others)?;
        Ok(self.found_in(&paths, &others))
    }

    fn found_in(&self, paths: &[String], others: &[&str]) -> Option<Found> {
        let folder = PathBuf::from(self.table.folder());
        let at = |path: &String| folder.join(path);
        let files: Vec<PathBuf> = paths.iter().map(at).collect();
        let (rows, contested) = contested::find_contested(&files, self.bytes_max / ID_BYTES)?;
        let candidates_max = self.bytes_max / CANDIDATE_BYTES;
        if contested.len() > candidates_max {
            return None;
        }
        let mut files: Vec<LegacyFile> = (paths.iter().zip(files).zip(rows))
            .map(|((path, at), rows)| LegacyFile { path: path.clone(), at, rows })
            .collect();
        let mut interner = Interner::default();
        let mut candidates = candidates::of(&files, &contested, &mut interner)?;
        candidates::add_duplicates(
            &mut candidates,
            &mut interner,
            self.table.folder(),
            others,
            candidates_max,
        )?;
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
    file: &LegacyFile,
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
                PARTITION => Arc::new(BooleanArray::from(vec![false; batch.num_rows()])),
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
        let found = self.found.get_or_try_init(async || self.find(state)).await?;
        let Some(found) = found else {
            let mut plan = LogicalPlanBuilder::from(self.by_sql.clone());
            for filter in filters {
                plan = plan.filter(filter.clone())?;
            }
            if let Some(columns) = projection {
                plan = plan.select(columns.iter().copied())?;
            }
            return state.create_physical_plan(&plan.build()?).await;
        };
        let filters: Vec<Expr> = filters.iter().cloned().chain(legacy()).collect();
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
