//! `information_schema` with PostgreSQL's names of types. The engine's own has those of Arrow, in which no client finds
//! its way. Views are computed when they are asked for.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion_postgres::arrow_pg::datatypes::field_into_pg_type;
use datafusion_postgres::pgwire::api::Type;
use futures::stream;

use super::DATABASE;
use super::functions::OWNER;
use super::names::{Names, sql_type};

/// The views by their columns; numbers end with `#`.
const VIEWS: [(&str, &str); 25] = [
    (
        "character_sets",
        "character_set_catalog character_set_schema character_set_name character_repertoire form_of_use default_collate_catalog default_collate_schema default_collate_name",
    ),
    (
        "schemata",
        "catalog_name schema_name schema_owner default_character_set_catalog default_character_set_schema default_character_set_name sql_path",
    ),
    (
        "tables",
        "table_catalog table_schema table_name table_type self_referencing_column_name reference_generation user_defined_type_catalog user_defined_type_schema user_defined_type_name is_insertable_into is_typed commit_action",
    ),
    (
        "views",
        "table_catalog table_schema table_name view_definition check_option is_updatable is_insertable_into is_trigger_updatable is_trigger_deletable is_trigger_insertable_into",
    ),
    (
        "columns",
        "table_catalog table_schema table_name column_name ordinal_position# column_default is_nullable data_type character_maximum_length# character_octet_length# numeric_precision# numeric_precision_radix# numeric_scale# datetime_precision# interval_type interval_precision# character_set_catalog character_set_schema character_set_name collation_catalog collation_schema collation_name domain_catalog domain_schema domain_name udt_catalog udt_schema udt_name scope_catalog scope_schema scope_name maximum_cardinality# dtd_identifier is_self_referencing is_identity identity_generation identity_start identity_increment identity_maximum identity_minimum identity_cycle is_generated generation_expression is_updatable",
    ),
    ("information_schema_catalog_name", "catalog_name"),
    ("enabled_roles", "role_name"),
    ("applicable_roles", "grantee role_name is_grantable"),
    (
        "table_constraints",
        "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name constraint_type is_deferrable initially_deferred enforced nulls_distinct",
    ),
    (
        "key_column_usage",
        "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name column_name ordinal_position# position_in_unique_constraint#",
    ),
    (
        "constraint_column_usage",
        "table_catalog table_schema table_name column_name constraint_catalog constraint_schema constraint_name",
    ),
    (
        "constraint_table_usage",
        "table_catalog table_schema table_name constraint_catalog constraint_schema constraint_name",
    ),
    (
        "referential_constraints",
        "constraint_catalog constraint_schema constraint_name unique_constraint_catalog unique_constraint_schema unique_constraint_name match_option update_rule delete_rule",
    ),
    ("check_constraints", "constraint_catalog constraint_schema constraint_name check_clause"),
    (
        "routines",
        "specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name routine_type data_type type_udt_name routine_body routine_definition external_language",
    ),
    (
        "parameters",
        "specific_catalog specific_schema specific_name ordinal_position# parameter_mode parameter_name data_type udt_schema udt_name parameter_default",
    ),
    (
        "triggers",
        "trigger_catalog trigger_schema trigger_name event_manipulation event_object_catalog event_object_schema event_object_table action_statement action_timing",
    ),
    (
        "sequences",
        "sequence_catalog sequence_schema sequence_name data_type start_value minimum_value maximum_value increment cycle_option",
    ),
    ("domains", "domain_catalog domain_schema domain_name data_type domain_default udt_schema udt_name"),
    (
        "element_types",
        "object_catalog object_schema object_name object_type collection_type_identifier data_type udt_schema udt_name dtd_identifier",
    ),
    (
        "user_defined_types",
        "user_defined_type_catalog user_defined_type_schema user_defined_type_name user_defined_type_category",
    ),
    ("view_table_usage", "view_catalog view_schema view_name table_catalog table_schema table_name"),
    (
        "view_column_usage",
        "view_catalog view_schema view_name table_catalog table_schema table_name column_name",
    ),
    (
        "table_privileges",
        "grantor grantee table_catalog table_schema table_name privilege_type is_grantable with_hierarchy",
    ),
    (
        "foreign_tables",
        "foreign_table_catalog foreign_table_schema foreign_table_name foreign_server_catalog foreign_server_name",
    ),
];

/// See the file's first lines.
pub(super) struct InformationSchema {
    /// The schemas that it tells of.
    pub(super) schemas: Vec<(&'static str, Arc<dyn SchemaProvider>)>,
    pub(super) names: Arc<Names>,
}

impl fmt::Debug for InformationSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InformationSchema").finish_non_exhaustive()
    }
}

/// The names and kinds of a view's columns.
fn columns_of(view: &str) -> Option<Vec<(&'static str, bool)>> {
    let (_, columns) = VIEWS.iter().find(|(name, _)| *name == view)?;
    let column = |name: &'static str| name.strip_suffix('#').map_or((name, false), |name| (name, true));
    Some(columns.split(' ').map(column).collect())
}

#[async_trait]
impl SchemaProvider for InformationSchema {
    fn table_names(&self) -> Vec<String> {
        VIEWS.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        let Some(columns) = columns_of(name) else { return Ok(None) };
        let fields = columns.iter().map(|(name, is_number)| {
            Field::new(*name, if *is_number { DataType::Int32 } else { DataType::Utf8 }, true)
        });
        let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let view = View {
            name: name.to_owned(),
            schema: Arc::clone(&schema),
            schemas: self.schemas.clone(),
            names: Arc::clone(&self.names),
        };
        Ok(Some(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(view)])?)))
    }

    async fn table_type(&self, name: &str) -> EngineResult<Option<TableType>> {
        Ok(columns_of(name).map(|_| TableType::View))
    }

    fn table_exist(&self, name: &str) -> bool {
        columns_of(name).is_some()
    }
}

/// One of the views.
#[derive(Clone)]
struct View {
    name: String,
    schema: SchemaRef,
    schemas: Vec<(&'static str, Arc<dyn SchemaProvider>)>,
    names: Arc<Names>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A row: its values by the names of their columns; the others are NULL.
type Row = Vec<(&'static str, String)>;

impl View {
    async fn rows(&self) -> EngineResult<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        match self.name.as_str() {
            "schemata" => {
                let all = self.schemas.iter().map(|(schema, _)| *schema).chain(["information_schema"]);
                rows.extend(all.map(|schema| {
                    vec![
                        ("catalog_name", DATABASE.to_owned()),
                        ("schema_name", schema.to_owned()),
                        ("schema_owner", OWNER.to_owned()),
                    ]
                }));
            }
            "information_schema_catalog_name" => rows.push(vec![("catalog_name", DATABASE.to_owned())]),
            "character_sets" => rows.push(vec![
                ("character_set_name", "UTF8".to_owned()),
                ("character_repertoire", "UCS".to_owned()),
                ("form_of_use", "UTF8".to_owned()),
            ]),
            "enabled_roles" => rows.push(vec![("role_name", OWNER.to_owned())]),
            "tables" | "views" | "columns" | "table_privileges" => {
                for (schema, provider) in &self.schemas {
                    for name in provider.table_names() {
                        self.relation(schema, &**provider, &name, &mut rows).await?;
                    }
                }
            }
            // The lake has no keys, routines, triggers or sequences.
            _ => {}
        }
        Ok(rows)
    }

    async fn relation(
        &self,
        schema: &'static str,
        provider: &dyn SchemaProvider,
        name: &str,
        rows: &mut Vec<Row>,
    ) -> EngineResult<()> {
        let Some(table) = provider.table(name).await? else { return Ok(()) };
        let is_view = table.table_type() == TableType::View;
        let no = || "NO".to_owned();
        let place = || -> Row {
            vec![
                ("table_catalog", DATABASE.to_owned()),
                ("table_schema", schema.to_owned()),
                ("table_name", name.to_owned()),
            ]
        };
        match self.name.as_str() {
            "tables" => {
                let mut row = place();
                row.push(("table_type", if is_view { "VIEW" } else { "BASE TABLE" }.to_owned()));
                row.extend([("is_insertable_into", no()), ("is_typed", no())]);
                rows.push(row);
            }
            "views" if is_view => {
                let mut row = place();
                let relation = self.names.relation_named(&format!("{schema}.{name}"));
                let definition = relation.and_then(|relation| relation.definition.clone());
                row.extend(definition.map(|definition| ("view_definition", definition)));
                row.push(("check_option", "NONE".to_owned()));
                row.extend([("is_updatable", no()), ("is_insertable_into", no())]);
                rows.push(row);
            }
            "table_privileges" => {
                let mut row = place();
                row.extend([("grantor", OWNER.to_owned()), ("grantee", "PUBLIC".to_owned())]);
                row.extend([("privilege_type", "SELECT".to_owned()), ("is_grantable", no())]);
                rows.push(row);
            }
            "columns" => {
                for (at, field) in table.schema().fields().iter().enumerate() {
                    let kind = field_into_pg_type(field).unwrap_or(Type::TEXT);
                    let mut row = place();
                    row.extend([
                        ("column_name", field.name().clone()),
                        ("ordinal_position", (at + 1).to_string()),
                        ("is_nullable", if field.is_nullable() { "YES" } else { "NO" }.to_owned()),
                        ("udt_catalog", DATABASE.to_owned()),
                        ("udt_schema", "pg_catalog".to_owned()),
                        ("udt_name", kind.name().to_owned()),
                        ("dtd_identifier", (at + 1).to_string()),
                        ("is_self_referencing", no()),
                        ("is_identity", no()),
                        ("is_generated", "NEVER".to_owned()),
                        ("is_updatable", no()),
                    ]);
                    row.extend(measures(&kind));
                    rows.push(row);
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn batch(self) -> EngineResult<RecordBatch> {
        let rows = self.rows().await?;
        let columns = self.schema.fields().iter().map(|field| -> ArrayRef {
            let of = |row: &Row| {
                row.iter().find(|(name, _)| *name == field.name()).map(|(_, value)| value.clone())
            };
            if field.data_type() == &DataType::Int32 {
                let numbers = rows.iter().map(|row| of(row).and_then(|text| text.parse::<i32>().ok()));
                return Arc::new(numbers.collect::<Int32Array>());
            }
            Arc::new(rows.iter().map(of).collect::<StringArray>())
        });
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect())
            .map_err(|error| DataFusionError::ArrowError(Box::new(error), None))
    }
}

/// What SQL says of a type: its name and how large its values are.
fn measures(kind: &Type) -> Row {
    let name = match kind.name() {
        array if array.starts_with('_') => "ARRAY",
        name => sql_type(name),
    };
    let mut row = vec![("data_type", name.to_owned())];
    let bits = match *kind {
        Type::INT2 => Some((16, 2)),
        Type::INT4 => Some((32, 2)),
        Type::INT8 => Some((64, 2)),
        Type::FLOAT4 => Some((24, 2)),
        Type::FLOAT8 => Some((53, 2)),
        _ => None,
    };
    if let Some((precision, radix)) = bits {
        row.extend([
            ("numeric_precision", format!("{precision}")),
            ("numeric_precision_radix", format!("{radix}")),
        ]);
    }
    match *kind {
        Type::INT2 | Type::INT4 | Type::INT8 => row.push(("numeric_scale", "0".to_owned())),
        Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::TIME => row.push(("datetime_precision", "6".to_owned())),
        Type::DATE => row.push(("datetime_precision", "0".to_owned())),
        Type::TEXT | Type::VARCHAR => row.push(("character_octet_length", (1 << 30).to_string())),
        _ => {}
    }
    row
}

impl PartitionStream for View {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch = stream::once(self.clone().batch());
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batch))
    }
}
