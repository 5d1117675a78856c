//! `pg_catalog` as `datafusion-pg-catalog` has it, with what is missing there: columns that psql asks for, lists that are
//! lists, roles, comments, the definitions of views, and the settings and cursors of the client that asks.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, ListArray, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, SchemaProvider, TableProvider};
use datafusion::common::Column;
use datafusion::common::ScalarValue;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};

use super::DATABASE;
use super::catalogue::State;
use super::functions::OWNER;
use super::names::Names;
use super::session::held;

/// Tables that the library lacks, or has otherwise.
pub(super) const OWN: [&str; 12] = [
    "pg_cursors",
    "pg_description",
    "pg_group",
    "pg_indexes",
    "pg_matviews",
    "pg_prepared_statements",
    "pg_roles",
    "pg_settings",
    "pg_shadow",
    "pg_stat_activity",
    "pg_user",
    "pg_views",
];

/// Columns that are lists of texts in PostgreSQL and texts in the library. All are empty here.
const LISTS: [(&str, &[&str]); 10] = [
    ("pg_class", &["relacl", "reloptions"]),
    ("pg_database", &["datacl"]),
    ("pg_db_role_setting", &["setconfig"]),
    ("pg_default_acl", &["defaclacl"]),
    ("pg_attribute", &["attacl", "attoptions", "attfdwoptions"]),
    ("pg_namespace", &["nspacl"]),
    ("pg_tablespace", &["spcacl", "spcoptions"]),
    ("pg_event_trigger", &["evttags"]),
    ("pg_statistic_ext", &["stxkind"]),
    ("pg_type", &["typacl"]),
];

/// Tables of keys and the like: those of the library are of PostgreSQL's own tables, and the lake has none. Their lists
/// of numbers are lists here.
const NONE: [(&str, &[&str]); 3] = [
    ("pg_constraint", &["conkey", "confkey", "confdelsetcols"]),
    ("pg_index", &["indkey", "indoption", "indcollation", "indclass"]),
    ("pg_statistic_ext", &["stxkeys"]),
];

/// Columns by the names that they had in PostgreSQL 15.
const EARLIER_NAMES: [(&str, &str, &str); 2] =
    [("pg_collation", "colliculocale", "colllocale"), ("pg_database", "daticulocale", "datlocale")];

/// Tables whose own number is asked for, as a column of theirs.
const NUMBERED: [(&str, i32); 8] = [
    ("pg_class", 1259),
    ("pg_constraint", 2606),
    ("pg_language", 2612),
    ("pg_opclass", 2616),
    ("pg_opfamily", 2753),
    ("pg_proc", 1255),
    ("pg_rewrite", 2618),
    ("pg_trigger", 2620),
];

/// See the file's first lines. For one client.
pub(super) struct PgCatalog {
    pub(super) library: Arc<dyn SchemaProvider>,
    pub(super) names: Arc<Names>,
    pub(super) state: Arc<State>,
}

impl fmt::Debug for PgCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgCatalog").finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for PgCatalog {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.library.table_names();
        names.extend(OWN.iter().map(|name| (*name).to_owned()));
        names.sort_unstable();
        names.dedup();
        names
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        let batch = match name {
            "pg_cursors" => self.cursors()?,
            "pg_description" => self.descriptions()?,
            "pg_roles" => self.roles(&ROLE)?,
            "pg_user" | "pg_shadow" => self.roles(&USER)?,
            "pg_settings" => self.settings()?,
            "pg_views" => self.views()?,
            "pg_group" | "pg_indexes" | "pg_matviews" | "pg_prepared_statements" | "pg_stat_activity" => {
                empty(name)
            }
            _ => {
                let Some(table) = self.library.table(name).await? else { return Ok(None) };
                return mended(name, table).map(Some);
            }
        };
        Ok(Some(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        OWN.contains(&name) || self.library.table_exist(name)
    }
}

/// A table of the library with the columns that it lacks.
fn mended(name: &str, table: Arc<dyn TableProvider>) -> EngineResult<Arc<dyn TableProvider>> {
    let lists = LISTS.iter().find(|(table, _)| *table == name).map_or(&[][..], |(_, lists)| *lists);
    let none = NONE.iter().find(|(table, _)| *table == name).map(|(_, lists)| *lists);
    let number = NUMBERED.iter().find(|(table, _)| *table == name).map(|(_, number)| *number);
    let earlier = EARLIER_NAMES.iter().filter(|(table, ..)| *table == name);
    let schema = table.schema();
    let null = |item: DataType| {
        let list = ListArray::new_null(Arc::new(Field::new("item", item, true)), 1);
        Expr::Literal(ScalarValue::List(Arc::new(list)), None)
    };
    let of_table = |column: &str| Expr::Column(Column::new(Some(name), column));
    let mut columns: Vec<Expr> = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            list if lists.contains(&list) => null(DataType::Utf8).alias(list),
            list if none.is_some_and(|lists| lists.contains(&list)) => null(DataType::Int16).alias(list),
            column => of_table(column),
        })
        .collect();
    let lacking = lists.iter().filter(|list| schema.column_with_name(list).is_none());
    columns.extend(lacking.map(|list| null(DataType::Utf8).alias(*list)));
    columns.extend(number.map(|number| lit(number).alias("tableoid")));
    for (_, was, is) in earlier {
        if schema.column_with_name(was).is_none() && schema.column_with_name(is).is_some() {
            columns.push(of_table(is).alias(*was));
        }
    }
    let is_other = columns.len() != schema.fields().len() || !lists.is_empty() || none.is_some();
    if !is_other {
        return Ok(table);
    }
    let mut plan = LogicalPlanBuilder::scan(name, provider_as_source(table), None)?;
    if none.is_some() {
        plan = plan.filter(lit(false))?;
    }
    if name == "pg_database" {
        plan = plan.filter(of_table("datname").eq(lit(DATABASE)))?;
    }
    Ok(Arc::new(ViewTable::new(plan.project(columns)?.build()?, None)))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> EngineResult<RecordBatch> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<StringArray>())
}

fn numbers(values: impl IntoIterator<Item = i32>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<Int32Array>())
}

fn flags(values: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<BooleanArray>())
}

/// The columns of a table that has no rows here.
fn empty(name: &str) -> RecordBatch {
    let (texts, numbers): (&[&str], &[&str]) = match name {
        "pg_group" => (&["groname"], &["grosysid"]),
        "pg_indexes" => (&["schemaname", "tablename", "indexname", "tablespace", "indexdef"], &[]),
        "pg_matviews" => (&["schemaname", "matviewname", "matviewowner", "tablespace", "definition"], &[]),
        "pg_prepared_statements" => (&["name", "statement", "prepare_time"], &[]),
        // Who else is connected is nobody's business.
        _ => (
            &["datname", "usename", "application_name", "client_addr", "backend_start", "state", "query"],
            &["datid", "pid", "usesysid"],
        ),
    };
    let text = texts.iter().map(|name| Field::new(*name, DataType::Utf8, true));
    let number = numbers.iter().map(|name| Field::new(*name, DataType::Int32, true));
    let schema: SchemaRef = Arc::new(Schema::new(text.chain(number).collect::<Vec<_>>()));
    RecordBatch::new_empty(schema)
}

/// The names of the columns of a list of roles.
struct RoleColumns {
    name: &'static str,
    number: &'static str,
    flags: &'static [(&'static str, bool)],
    settings: &'static str,
}

const ROLE: RoleColumns = RoleColumns {
    name: "rolname",
    number: "oid",
    flags: &[
        ("rolsuper", false),
        ("rolinherit", true),
        ("rolcreaterole", false),
        ("rolcreatedb", false),
        ("rolcanlogin", true),
        ("rolreplication", false),
        ("rolbypassrls", false),
    ],
    settings: "rolconfig",
};

const USER: RoleColumns = RoleColumns {
    name: "usename",
    number: "usesysid",
    flags: &[("usecreatedb", false), ("usesuper", false), ("userepl", false), ("usebypassrls", false)],
    settings: "useconfig",
};

impl PgCatalog {
    fn cursors(&self) -> EngineResult<RecordBatch> {
        let cursors = held(&self.state.cursors).names();
        batch(vec![
            ("name", texts(cursors.iter().map(|(name, _)| name))),
            ("statement", texts(cursors.iter().map(|_| ""))),
            ("is_holdable", flags(cursors.iter().map(|(_, is_held)| *is_held))),
            ("is_binary", flags(cursors.iter().map(|_| false))),
            ("is_scrollable", flags(cursors.iter().map(|_| false))),
        ])
    }

    /// What the tables and views show, and what their columns mean.
    fn descriptions(&self) -> EngineResult<RecordBatch> {
        let class = self.names.relation_named("pg_catalog.pg_class").map_or(1259, |relation| relation.oid);
        let mut rows = Vec::new();
        for relation in &self.names.relations {
            if !relation.purpose.is_empty() {
                rows.push((relation.oid, 0, relation.purpose.as_str()));
            }
            rows.extend(relation.columns.iter().map(|(at, meaning)| (relation.oid, *at, meaning.as_str())));
        }
        batch(vec![
            ("objoid", numbers(rows.iter().map(|(oid, ..)| *oid))),
            ("classoid", numbers(rows.iter().map(|_| class))),
            ("objsubid", numbers(rows.iter().map(|(_, at, _)| *at))),
            ("description", texts(rows.iter().map(|(.., told)| *told))),
        ])
    }

    /// Whoever owns what there is, and the client.
    fn roles(&self, columns: &RoleColumns) -> EngineResult<RecordBatch> {
        let user = held(&self.state.user).clone();
        let mut names = vec![OWNER.to_owned()];
        if user != OWNER {
            names.push(user);
        }
        let count = names.len();
        let mut found = vec![
            (columns.name, texts(&names)),
            (columns.number, numbers((0..count).map(|at| if at == 0 { 10 } else { 16_383 }))),
        ];
        found.extend(columns.flags.iter().map(|(name, value)| (*name, flags(vec![*value; count]))));
        let item = Arc::new(Field::new("item", DataType::Utf8, true));
        found.push((columns.settings, Arc::new(ListArray::new_null(item, count))));
        if columns.name == ROLE.name {
            found.push(("rolconnlimit", numbers(vec![-1; count])));
            found.push(("rolpassword", new_null_array(&DataType::Utf8, count)));
            found.push(("rolvaliduntil", new_null_array(&DataType::Utf8, count)));
        } else {
            found.push(("passwd", new_null_array(&DataType::Utf8, count)));
            found.push(("valuntil", new_null_array(&DataType::Utf8, count)));
        }
        batch(found)
    }

    fn settings(&self) -> EngineResult<RecordBatch> {
        let settings = held(&self.state.settings).all();
        let each = |value: &'static str| texts(vec![value; settings.len()]);
        let none = || new_null_array(&DataType::Utf8, settings.len());
        batch(vec![
            ("name", texts(settings.iter().map(|(name, ..)| *name))),
            ("setting", texts(settings.iter().map(|(_, value, _)| value))),
            ("unit", none()),
            ("category", each("Client Connection Defaults")),
            ("short_desc", none()),
            ("extra_desc", none()),
            ("context", each("user")),
            ("vartype", each("string")),
            (
                "source",
                texts(settings.iter().map(|(_, is, was)| if is == was { "default" } else { "session" })),
            ),
            ("min_val", none()),
            ("max_val", none()),
            ("enumvals", none()),
            ("boot_val", texts(settings.iter().map(|(.., was)| *was))),
            ("reset_val", texts(settings.iter().map(|(.., was)| *was))),
            ("sourcefile", none()),
            ("sourceline", new_null_array(&DataType::Int32, settings.len())),
            ("pending_restart", flags(vec![false; settings.len()])),
        ])
    }

    fn views(&self) -> EngineResult<RecordBatch> {
        let views: Vec<_> =
            self.names.relations.iter().filter(|relation| relation.definition.is_some()).collect();
        batch(vec![
            ("schemaname", texts(views.iter().map(|view| &view.schema))),
            ("viewname", texts(views.iter().map(|view| &view.name))),
            ("viewowner", texts(views.iter().map(|_| OWNER))),
            ("definition", texts(views.iter().map(|view| view.definition.as_deref().unwrap_or_default()))),
        ])
    }
}
