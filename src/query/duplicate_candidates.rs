//! Finds the rows that may duplicate a sign-in whose legacy record states no client app. Such records are few, and
//! the rows that have one of their ids lie anywhere among the modern ones. So the files' Bloom filters of ids are read
//! first, and only pages of those tenants are read.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::TryStreamExt as _;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::lake_table::{LakeTable, RowSelections, ScanRequest};
use super::parallel::on_all_cores;

/// The ids whose duplicates are searched for.
pub(super) const UNDECLARED: &str = "SELECT DISTINCT tenant_id, sign_in_id FROM sign_in_records \
     WHERE provably_modern = false AND protocol IS NOT NULL \
     AND (client_app IS NULL OR lower(btrim(client_app)) = 'unknown')";

/// More ids than this are looked for everywhere: asking filters would take longer than reading.
pub(super) const SEARCHED_IDS_MAX: usize = 200_000;

type Reader = ParquetRecordBatchReaderBuilder<File>;

/// Tenants, sorted, and the ids of each.
pub(super) type Ids = Vec<(String, Vec<String>)>;

/// `sign_in_records` as the view `rival_records` reads it: without most rows that have none of the ids.
#[derive(Debug)]
pub(super) struct CandidateRecords {
    table: Arc<LakeTable>,
    undeclared: LogicalPlan,
}

impl CandidateRecords {
    /// `undeclared` gives the rows of [`UNDECLARED`].
    pub(super) const fn new(table: Arc<LakeTable>, undeclared: LogicalPlan) -> Self {
        Self { table, undeclared }
    }

    async fn ids(&self, state: &dyn Session) -> Result<Option<Ids>> {
        let plan = state.create_physical_plan(&self.undeclared).await?;
        let mut rows = execute_stream(plan, state.task_ctx())?;
        let mut ids: Vec<(String, String)> = Vec::new();
        while let Some(batch) = rows.try_next().await? {
            let [tenants, sign_ins] = [0, 1].map(|column| batch.column(column).as_string::<i32>());
            // A record without either has no duplicate.
            let both = tenants.iter().zip(sign_ins).filter_map(|(tenant, id)| Some((tenant?, id?)));
            ids.extend(both.map(|(tenant, id)| (tenant.to_owned(), id.to_owned())));
            if ids.len() > SEARCHED_IDS_MAX {
                return Ok(None);
            }
        }
        ids.sort_unstable();
        let mut by_tenant: Ids = Vec::new();
        for (tenant, id) in ids {
            match by_tenant.last_mut() {
                Some((last, of_last)) if *last == tenant => of_last.push(id),
                _ => by_tenant.push((tenant, vec![id])),
            }
        }
        Ok(Some(by_tenant))
    }
}

#[async_trait]
impl TableProvider for CandidateRecords {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.table.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let paths = self.table.paths_of(state, filters)?;
        let ids = self.ids(state).await?;
        let Some(ids) = ids else { return self.table.scan(state, projection, filters, limit).await };
        let places = select_rows(self.table.folder(), &paths, &ids);
        self.table.scan_selected_rows(state, &ScanRequest { projection, filters, limit }, &places)
    }
}

/// Looks into every file; one that can't be looked into is left out of the answer, to be read whole, which
/// tells what is wrong with it.
pub(super) fn select_rows(folder: &str, paths: &[&str], ids: &Ids) -> RowSelections {
    let select_rows = |path: &&str| {
        let found = rows_of_file(&Path::new(folder).join(path), ids).map(|places| {
            let any = places.iter().any(RowGroupAccess::should_scan);
            ((*path).to_owned(), any.then(|| ParquetAccessPlan::new(places)))
        });
        Some(found)
    };
    on_all_cores(paths, select_rows).into_iter().flatten().flatten().collect()
}

/// Of each row group of a file, the rows that may have one of the ids.
fn rows_of_file(path: &Path, ids: &Ids) -> Option<Vec<RowGroupAccess>> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let reader = Reader::try_new_with_options(File::open(path).ok()?, options).ok()?;
    let schema = reader.parquet_schema();
    let column = |name: &str| schema.columns().iter().position(|column| column.name() == name);
    let (tenants, sign_ins) = (column("tenant_id")?, column("sign_in_id")?);
    let groups = 0..reader.metadata().num_row_groups();
    Some(groups.map(|group| rows_of_group(&reader, group, tenants, sign_ins, ids)).collect())
}

fn rows_of_group(
    reader: &Reader,
    group: usize,
    tenants: usize,
    sign_ins: usize,
    ids: &Ids,
) -> RowGroupAccess {
    let metadata = reader.metadata();
    let bounds = metadata.row_group(group).column(tenants).statistics();
    let least = bounds.and_then(|bounds| bounds.min_bytes_opt()).unwrap_or(&[]);
    let greatest = bounds.and_then(|bounds| bounds.max_bytes_opt());
    let from = ids.partition_point(|(tenant, _)| tenant.as_bytes() < least);
    let until = greatest
        .map_or(ids.len(), |greatest| ids.partition_point(|(tenant, _)| tenant.as_bytes() <= greatest));
    let mut ids: Vec<&(String, Vec<String>)> = ids.get(from..until).unwrap_or_default().iter().collect();
    if ids.is_empty() {
        return RowGroupAccess::Skip;
    }
    if let Ok(Some(filter)) = reader.get_row_group_column_bloom_filter(group, sign_ins) {
        ids.retain(|(_, ids)| ids.iter().any(|id| filter.check(id.as_str())));
        if ids.is_empty() {
            return RowGroupAccess::Skip;
        }
    }
    let wanted: Vec<&[u8]> = ids.iter().map(|(tenant, _)| tenant.as_bytes()).collect();
    pages_of(metadata, group, tenants, &wanted).map_or(RowGroupAccess::Scan, RowGroupAccess::Selection)
}

/// The rows of the pages that may hold one of these tenants, which are sorted; `None`: nothing tells.
fn pages_of(
    metadata: &ParquetMetaData,
    group: usize,
    column: usize,
    wanted: &[&[u8]],
) -> Option<RowSelection> {
    let ColumnIndexMetaData::BYTE_ARRAY(bounds) = metadata.column_index()?.get(group)?.get(column)? else {
        return None;
    };
    let pages = metadata.offset_index()?.get(group)?.get(column)?.page_locations();
    let rows = metadata.row_group(group).num_rows();
    let ends = pages.iter().skip(1).map(|page| page.first_row_index).chain([rows]);
    let mut selectors = Vec::with_capacity(pages.len());
    for (at, (page, end)) in pages.iter().zip(ends).enumerate() {
        // Of a page of nulls nothing is wanted; a page without bounds can hold anybody.
        let may_hold = match (bounds.min_value(at), bounds.max_value(at)) {
            (Some(least), Some(greatest)) => {
                let first = wanted.partition_point(|tenant| *tenant < least);
                wanted.get(first).is_some_and(|tenant| *tenant <= greatest)
            }
            _ => true,
        };
        let count = usize::try_from(end - page.first_row_index).ok()?;
        selectors.push(if may_hold { RowSelector::select(count) } else { RowSelector::skip(count) });
    }
    Some(RowSelection::from(selectors))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, RecordBatch, StringArray, new_null_array};

    use super::*;
    use lightsout_lake::schema::Table;
    use lightsout_lake::write::DataFileWriter;

    /// Rows of a tenant, more than a page has.
    const ROWS: usize = 30_000;

    /// A file of two row groups, of three tenants each; of a tenant's ids, those divisible by three.
    fn written(folder: &Path) -> String {
        let table = Table::SignInRecords;
        let schema = table.file_schema();
        let mut writer = DataFileWriter::create(folder, table, Some(true), "part").expect("a file");
        for group in 0..2 {
            let rows =
                || (0..3).flat_map(|tenant| (0..ROWS).map(move |row| (tenant, row * 3 + group * ROWS * 3)));
            let columns = schema.fields().iter().map(|field| -> ArrayRef {
                let text = |of: &dyn Fn((usize, usize)) -> String| -> ArrayRef {
                    Arc::new(rows().map(|row| Some(of(row))).collect::<StringArray>())
                };
                match field.name().as_str() {
                    "tenant_id" => text(&|(tenant, _)| format!("tenant-{tenant}")),
                    "sign_in_id" => text(&|(_, row)| format!("id-{row}")),
                    _ => new_null_array(field.data_type(), 3 * ROWS),
                }
            });
            let batch = RecordBatch::try_new(Arc::clone(&schema), columns.collect()).expect("the columns");
            writer.write(&batch).expect("rows");
            writer.end_row_group().expect("a row group");
        }
        writer.finish().expect("the file").path
    }

    fn found(ids: &[(&str, &str)]) -> Option<Vec<RowGroupAccess>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = written(folder.path());
        let folder = folder.path().join(Table::SignInRecords.as_str());
        let ids: Ids =
            ids.iter().map(|(tenant, id)| ((*tenant).to_owned(), vec![(*id).to_owned()])).collect();
        let places = select_rows(&folder.display().to_string(), &[&path], &ids);
        places[&path].clone().map(ParquetAccessPlan::into_inner)
    }

    #[test]
    fn of_a_file_only_pages_of_a_tenant_whose_id_it_may_have_are_read() {
        let groups = found(&[("tenant-1", "id-6")]).expect("it is there");
        assert_eq!(groups[1], RowGroupAccess::Skip, "its ids are in the other row group");
        let RowGroupAccess::Selection(rows) = &groups[0] else { panic!("{groups:?}") };
        let (read, whole) = (rows.row_count(), 3 * ROWS);
        assert!((ROWS..whole * 2 / 3).contains(&read), "{read} of {whole}");
        let first = rows.iter().take_while(|rows| rows.skip).map(|rows| rows.row_count).sum::<usize>();
        assert!(
            (1..=ROWS).contains(&first),
            "it begins before the tenant's first row, after others: {first}"
        );
    }

    #[test]
    fn a_file_without_the_id_or_without_the_tenant_is_not_read() {
        for id in ["id-1", "id-700", "id-x"] {
            assert_eq!(found(&[("tenant-0", id), ("tenant-2", id)]), None, "{id}");
        }
        assert_eq!(found(&[("a", "id-3"), ("z", "id-3")]), None);
        assert!(found(&[("a", "id-3"), ("tenant-2", "id-3"), ("z", "id-3")]).is_some());
    }

    #[test]
    fn what_can_not_be_looked_into_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("torn.parquet"), "PAR1").expect("a file");
        let ids = vec![("tenant-1".to_owned(), vec!["id-3".to_owned()])];
        let (folder, paths) = (folder.path().display().to_string(), ["torn.parquet", "gone.parquet"]);
        let places = select_rows(&folder, &paths, &ids);
        assert!(places.is_empty());
    }
}
