//! The tables: names, columns, partitioning. Outside scripts and other engines rely on them.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use lightsout_model::columns::{self, Column, ColumnType};

/// The column that splits `sign_in_records`: verdicts read only its `false` side.
pub const PARTITION: &str = columns::PARTITION.name;

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    SignInRecords,
    Rejects,
    Sources,
    // A batch commits its tables in this order: a decision is last, so that it is never without its tenants.
    DecisionTenants,
    Rosters,
    Decisions,
    CampaignEvents,
    TenantSettings,
    Dismissals,
}

impl Table {
    pub const ALL: [Self; 9] = [
        Self::SignInRecords,
        Self::Rejects,
        Self::Sources,
        Self::DecisionTenants,
        Self::Rosters,
        Self::Decisions,
        Self::CampaignEvents,
        Self::TenantSettings,
        Self::Dismissals,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignInRecords => "sign_in_records",
            Self::Rejects => "rejects",
            Self::Sources => "sources",
            Self::DecisionTenants => "decision_tenants",
            Self::Rosters => "rosters",
            Self::Decisions => "decisions",
            Self::CampaignEvents => "campaign_events",
            Self::TenantSettings => "tenant_settings",
            Self::Dismissals => "dismissals",
        }
    }

    /// Its columns in the data files, with types and meanings.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::SignInRecords => columns::SIGN_IN_RECORDS,
            Self::Rejects => columns::REJECTS,
            Self::Sources => columns::SOURCES,
            Self::DecisionTenants => columns::DECISION_TENANTS,
            Self::Rosters => columns::ROSTERS,
            Self::Decisions => columns::DECISIONS,
            Self::CampaignEvents => columns::CAMPAIGN_EVENTS,
            Self::TenantSettings => columns::TENANT_SETTINGS,
            Self::Dismissals => columns::DISMISSALS,
        }
    }

    /// Columns in the data files: all but the partition column.
    #[must_use]
    pub fn file_schema(self) -> SchemaRef {
        SCHEMAS[self as usize].clone()
    }

    /// Columns as queries see them: those of the files, then the partition column.
    #[must_use]
    pub fn table_schema(self) -> SchemaRef {
        let files = self.file_schema();
        if self != Self::SignInRecords {
            return files;
        }
        let mut fields: Vec<_> = files.fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(PARTITION, data_type(columns::PARTITION.column_type), true)));
        Arc::new(Schema::new(fields))
    }
}

/// UTC microseconds.
#[must_use]
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn data_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::SmallInteger => DataType::Int32,
        ColumnType::Timestamp => timestamp(),
        ColumnType::Date => DataType::Date32,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Bytes => DataType::Binary,
        ColumnType::List(members) => {
            let element = Field::new("element", DataType::Struct(fields(members)), true);
            DataType::List(Arc::new(element))
        }
    }
}

/// All nullable: rows of earlier versions lack later columns, and engines that append may leave some out.
fn fields(columns: &[Column]) -> Fields {
    columns.iter().map(|column| Field::new(column.name, data_type(column.column_type), true)).collect()
}

static SCHEMAS: LazyLock<[SchemaRef; 9]> =
    LazyLock::new(|| Table::ALL.map(|table| Arc::new(Schema::new(fields(table.columns())))));

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_EXPECTED=1` writes it; read the diff.
    #[test]
    fn the_documentation_of_columns_is_that_of_the_tables() {
        let mut tables = Table::ALL.map(|table| (table.as_str(), table.columns())).to_vec();
        tables.push((Table::SignInRecords.as_str(), std::slice::from_ref(&columns::PARTITION)));
        let documentation = columns::documentation(&tables);
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../queries/columns.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&path, &documentation).expect("columns.txt");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("columns.txt"), documentation);
    }
}
