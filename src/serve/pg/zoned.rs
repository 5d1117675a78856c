//! The tables of a client that has set a time zone: their times are of that zone, so that days, hours and texts without
//! an offset are too. Views and reports keep counting days in UTC: only what they give is converted.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Column;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast};

/// See the file's first lines.
#[derive(Debug)]
pub(super) struct Zoned {
    pub(super) inner: Arc<dyn SchemaProvider>,
    pub(super) zone: Arc<str>,
}

#[async_trait]
impl SchemaProvider for Zoned {
    fn table_names(&self) -> Vec<String> {
        self.inner.table_names()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        let Some(table) = self.inner.table(name).await? else { return Ok(None) };
        let schema = table.schema();
        let is_moment = |kind: &DataType| matches!(kind, DataType::Timestamp(_, Some(_)));
        if !schema.fields().iter().any(|field| is_moment(field.data_type())) {
            return Ok(Some(table));
        }
        let columns: Vec<Expr> = schema
            .fields()
            .iter()
            .map(|field| {
                let column = Expr::Column(Column::new(Some(name), field.name()));
                let DataType::Timestamp(unit, Some(_)) = field.data_type() else { return column };
                let unit: TimeUnit = *unit;
                let zoned = DataType::Timestamp(unit, Some(Arc::clone(&self.zone)));
                cast(column, zoned).alias(field.name())
            })
            .collect();
        let plan =
            LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.project(columns)?.build()?;
        Ok(Some(Arc::new(ViewTable::new(plan, None))))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.inner.table_exist(name)
    }
}
