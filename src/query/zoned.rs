//! The tables of a session that has a time zone: their times are of that zone, so that days, hours and texts without
//! an offset are too. Views and reports keep counting days in UTC: only what they give is converted.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Column;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast};

/// The time zone in which the lake keeps its times.
pub const UTC: &str = "UTC";

/// Names of UTC.
const UTC_NAMES: [&str; 14] = [
    "utc",
    "etc/utc",
    "gmt",
    "etc/gmt",
    "uct",
    "etc/uct",
    "universal",
    "etc/universal",
    "zulu",
    "etc/zulu",
    "z",
    "0",
    "+00",
    "+00:00",
];

/// A time zone by its name, `None` if it is none. Offsets are not taken: it is not agreed whether +02 lies east or west.
#[must_use]
pub fn time_zone(name: &str) -> Option<String> {
    if UTC_NAMES.contains(&name.to_lowercase().as_str()) || name.eq_ignore_ascii_case("local") {
        return Some(UTC.to_owned());
    }
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
    (is_name && name.parse::<Tz>().is_ok()).then(|| name.to_owned())
}

/// See the file's first lines.
#[derive(Debug)]
pub struct Zoned {
    pub inner: Arc<dyn SchemaProvider>,
    /// Its name in the time zone database.
    pub zone: Arc<str>,
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
