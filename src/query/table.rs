//! A lake table as the engine sees it: plain Parquet files, chosen by the log's statistics before
//! any footer is opened.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use serde_json::Value;

use crate::lake::LakeFile;
use crate::lake::schema::{PARTITION, Table};

/// For each file whether it is wanted, and the predicate that rows are wanted by.
type Wanted = (Vec<bool>, Option<Arc<dyn PhysicalExpr>>);

/// One table of one snapshot.
#[derive(Debug)]
pub(super) struct LakeTable {
    table: Table,
    schema: SchemaRef,
    /// Path of the table's folder in the local file system.
    folder: String,
    files: Vec<LakeFile>,
    statistics: Vec<Value>,
}

impl LakeTable {
    pub(super) fn new(table: Table, folder: String, files: Vec<LakeFile>) -> Self {
        let statistics = files
            .iter()
            .map(|file| {
                file.statistics
                    .as_deref()
                    .and_then(|text| serde_json::from_str(text).ok())
                    .unwrap_or_default()
            })
            .collect();
        Self { table, schema: table.table_schema(), folder, files, statistics }
    }

    /// Which files may hold rows that the filters want.
    fn wanted(&self, state: &dyn Session, filters: &[Expr]) -> Result<Wanted> {
        let all = vec![true; self.files.len()];
        let Some(filter) = conjunction(filters.to_vec()) else { return Ok((all, None)) };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let predicate = state.create_physical_expr(filter, &schema)?;
        let pruning = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.schema))
            .try_build(Arc::clone(&predicate))?;
        Ok((pruning.prune(self)?, Some(predicate)))
    }

    fn bounds(&self, key: &str, column: &Column) -> Option<ArrayRef> {
        if column.name() == PARTITION {
            let values: BooleanArray = self.files.iter().map(|file| file.provably_modern).collect();
            return Some(Arc::new(values));
        }
        let field = self.schema.field_with_name(column.name()).ok()?;
        let values = self.statistics.iter().map(|file| file[key][column.name()].as_str());
        match field.data_type() {
            DataType::Utf8 => Some(Arc::new(values.collect::<StringArray>())),
            DataType::Timestamp(..) => {
                let times: TimestampMicrosecondArray =
                    values.map(|value| value.and_then(crate::ingest::time::of_iso)).collect();
                Some(Arc::new(times.with_timezone("UTC")))
            }
            _ => None,
        }
    }
}

impl PruningStatistics for LakeTable {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds("minValues", column)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds("maxValues", column)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let counts: UInt64Array =
            self.statistics.iter().map(|file| file["nullCount"][column.name()].as_u64()).collect();
        Some(Arc::new(counts))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts: UInt64Array = self.statistics.iter().map(|file| file["numRecords"].as_u64()).collect();
        Some(Arc::new(counts))
    }

    fn contained(&self, _: &Column, _: &std::collections::HashSet<ScalarValue>) -> Option<BooleanArray> {
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
        let (wanted, predicate) = self.wanted(state, filters)?;
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
        let mut groups = vec![Vec::new(); state.config().target_partitions().max(1)];
        let mut files: Vec<&LakeFile> =
            self.files.iter().zip(wanted).filter_map(|(file, wanted)| wanted.then_some(file)).collect();
        // The largest first, dealt round, so that threads have about the same.
        files.sort_by_key(|file| std::cmp::Reverse(file.bytes));
        let count = groups.len();
        for (at, file) in files.into_iter().enumerate() {
            let path = format!("{}/{}", self.folder, file.path);
            let mut partitioned = PartitionedFile::new(path, file.bytes);
            if self.table == Table::SignInRecords {
                partitioned.partition_values = vec![ScalarValue::Boolean(file.provably_modern)];
            }
            groups[at % count].push(partitioned);
        }
        groups.retain(|group| !group.is_empty());
        let groups: Vec<FileGroup> = groups.into_iter().map(FileGroup::new).collect();
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
