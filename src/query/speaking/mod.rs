//! The records that speak for the sign-ins that verdicts rest on, found without the engine. What the views
//! `contested_ids`, `rival_records` and `contested_sign_ins` say in SQL is done here in one reading of ids, and
//! a second one of the few records that another one contests; the engine then reads the files without the
//! rows that do not speak. Where that can't be done (rows in memory, files that are many and small or not as
//! ingest writes them, more ids than memory has room for) the views do it, with the same answer.

mod claims;
mod ids;
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

use super::rivals::Places;
use super::table::{Asked, LakeTable};
use ids::FileRows;
use lightsout_lake::schema::PARTITION;
use rank::Names;

/// What a record of the legacy side takes in memory while repeated ids are looked for, at most.
const ID_BYTES: usize = 48;
/// What a contested record takes, about.
const CLAIM_BYTES: usize = 256;

/// What a whole row takes, about.
const ROW_BYTES: usize = 1024;

/// The view `speaking_records`.
#[derive(Debug)]
pub(super) struct SpeakingRecords {
    table: Arc<LakeTable>,
    by_sql: LogicalPlan,
    schema: SchemaRef,
    bytes_max: usize,
    /// `None`: the views do it.
    found: OnceCell<Option<Found>>,
}

#[derive(Debug)]
struct Found {
    /// Of a file, the rows that speak; of one that is not named, all.
    places: Places,
    /// Records that speak for a sign-in whose category only another one knows, with that category.
    categorised: Vec<RecordBatch>,
}

/// A file of the legacy side, and which of its rows are not to be read.
struct LegacyFile {
    path: String,
    at: PathBuf,
    rows: FileRows,
}

impl SpeakingRecords {
    /// `by_sql` gives the same rows from any table.
    pub(super) fn new(table: Arc<LakeTable>, by_sql: LogicalPlan, bytes_max: usize) -> Self {
        let schema = Arc::clone(by_sql.schema().inner());
        Self { table, by_sql, schema, bytes_max, found: OnceCell::new() }
    }

    fn find(&self, state: &dyn Session) -> Result<Option<Found>> {
        let paths = self.table.paths_of(state, &legacy())?;
        if self.table.has_small(&paths) {
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
        let (rows, contested) = ids::contested(&files, self.bytes_max / ID_BYTES)?;
        let claims_max = self.bytes_max / CLAIM_BYTES;
        if contested.len() > claims_max {
            return None;
        }
        let mut files: Vec<LegacyFile> = (paths.iter().zip(files).zip(rows))
            .map(|((path, at), rows)| LegacyFile { path: path.clone(), at, rows })
            .collect();
        let mut names = Names::default();
        let mut claims = claims::of(&files, &contested, &mut names)?;
        claims::add_rivals(&mut claims, &mut names, self.table.folder(), others, claims_max)?;
        let ranked = rank::rank(claims, &names);
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
            categorised.extend(read_whole(of_file, &rows, &names, &self.schema)?);
            of_file.rows.silent.extend(rows.into_iter().map(|(row, _)| row));
        }
        for (file, row) in ranked.silent {
            files[file as usize].rows.silent.push(row);
        }
        let places = files.into_iter().filter(|file| !file.rows.silent.is_empty());
        let places = places.map(|file| (file.path, file.rows.speaking())).collect();
        Some(Found { places, categorised })
    }
}

/// What is asked of the records for the legacy side.
fn legacy() -> [Expr; 2] {
    [col(PARTITION).eq(lit(false)), col("protocol").is_not_null()]
}

impl FileRows {
    /// The rows without the silent ones; `None`: there are no others.
    fn speaking(mut self) -> Option<ParquetAccessPlan> {
        self.silent.sort_unstable();
        let (mut plan, mut first, mut silent) = (Vec::new(), 0, self.silent.as_slice());
        for rows in &self.of_groups {
            let end = first + rows;
            let (mine, rest) = silent.split_at(silent.partition_point(|row| (*row as usize) < end));
            silent = rest;
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
    names: &Names,
    schema: &SchemaRef,
) -> Option<Vec<RecordBatch>> {
    let selected = read::selection(rows.iter().map(|(row, _)| *row), true, file.rows.count());
    let all: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut categories = rows.iter().map(|(_, category)| names.text(*category));
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
impl TableProvider for SpeakingRecords {
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
        let asked = Asked { projection, filters: &filters, limit };
        let speaking = self.table.scan_places(state, &asked, &found.places)?;
        if found.categorised.is_empty() {
            return Ok(speaking);
        }
        let parts = std::slice::from_ref(&found.categorised);
        let categorised = MemorySourceConfig::try_new_exec(parts, self.schema(), projection.cloned())?;
        UnionExec::try_new(vec![speaking, categorised])
    }
}
