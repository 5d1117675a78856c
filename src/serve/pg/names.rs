//! The numbers of the catalogue and their names, in both directions, and what there is to say of a table or view. The
//! names of tables and views do not change while the server runs, so they are read once.

use std::collections::HashMap;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::context::SessionContext;
use futures::FutureExt as _;

use crate::live::Snapshot;
use lightsout_query::column_docs::relations;
use lightsout_query::views::VIEWS;

/// A table or view.
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    pub(super) oid: i32,
    pub(super) name: String,
    pub(super) schema: String,
    /// What it shows.
    pub(super) purpose: String,
    /// Of each column that somebody has described, its place and its meaning.
    pub(super) columns: Vec<(i32, String)>,
    /// The SQL of a view.
    pub(super) definition: Option<String>,
}

/// See the file's first lines.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) relations: Vec<Relation>,
    types: HashMap<i32, String>,
    functions: HashMap<i32, String>,
    functions_by_name: HashMap<String, i32>,
    namespaces: HashMap<i32, String>,
}

/// Rows of a number and texts.
async fn rows(context: &SessionContext, sql: &str) -> EngineResult<Vec<(i32, Vec<String>)>> {
    // Boxed, as the plan's type is large.
    let collected = async { context.sql(sql).await?.collect().await }.boxed();
    let batches: Vec<RecordBatch> = collected.await?;
    let mut rows = Vec::new();
    for batch in batches {
        let numbers = cast(batch.column(0), &DataType::Int32)?;
        let texts: Vec<_> = batch.columns()[1..]
            .iter()
            .map(|column| cast(column, &DataType::Utf8))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let values = texts.iter().map(|column| column.as_string::<i32>().value(row).to_owned());
            rows.push((numbers.as_primitive::<Int32Type>().value(row), values.collect()));
        }
    }
    Ok(rows)
}

impl Names {
    pub(super) async fn read(context: &SessionContext, snapshot: &Snapshot) -> EngineResult<Self> {
        let outside = |error: lightsout_query::Error| DataFusionError::External(Box::new(error));
        let named = |rows: Vec<(i32, Vec<String>)>| {
            rows.into_iter().filter_map(|(oid, texts)| Some((oid, texts.into_iter().next()?)))
        };
        let functions: Vec<(i32, String)> =
            named(rows(context, "SELECT oid, proname FROM pg_catalog.pg_proc ORDER BY oid DESC").await?)
                .collect();
        let mut relations = Vec::new();
        let sql = "SELECT c.oid, c.relname, n.nspname FROM pg_catalog.pg_class AS c \
                   JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace ORDER BY c.oid";
        for (oid, texts) in rows(context, sql).await? {
            let [name, schema] = <[String; 2]>::try_from(texts).unwrap_or_default();
            let mut relation = Relation { oid, name, schema, ..Relation::default() };
            if relation.schema == "public" {
                describe(&mut relation, snapshot).await.map_err(outside)?;
            }
            relations.push(relation);
        }
        Ok(Self {
            relations,
            types: named(rows(context, "SELECT oid, typname FROM pg_catalog.pg_type").await?).collect(),
            // The first of a name wins.
            functions_by_name: functions.iter().map(|(oid, name)| (name.clone(), *oid)).collect(),
            functions: functions.into_iter().collect(),
            namespaces: named(rows(context, "SELECT oid, nspname FROM pg_catalog.pg_namespace").await?)
                .collect(),
        })
    }

    pub(super) fn relation(&self, oid: i32) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.oid == oid)
    }

    /// A table or view by its name, with or without its schema.
    pub(super) fn relation_named(&self, name: &str) -> Option<&Relation> {
        let name = name.replace('"', "");
        let (schema, name) = name.rsplit_once('.').map_or((None, &name[..]), |(of, name)| (Some(of), name));
        let is_in = |relation: &Relation, schema: &str| relation.name == name && relation.schema == schema;
        match schema {
            Some(schema) => self.relations.iter().find(|relation| is_in(relation, schema)),
            None => ["pg_catalog", "public"]
                .iter()
                .find_map(|schema| self.relations.iter().find(|relation| is_in(relation, schema))),
        }
    }

    /// As a client would write it: without the schema where none is needed.
    pub(super) fn relation_name(&self, oid: i32) -> Option<String> {
        self.relation(oid).map(|relation| match relation.schema.as_str() {
            "public" | "pg_catalog" => relation.name.clone(),
            schema => format!("{schema}.{}", relation.name),
        })
    }

    pub(super) fn function_name(&self, oid: i32) -> Option<String> {
        if oid == 0 { Some("-".to_owned()) } else { self.functions.get(&oid).cloned() }
    }

    /// The number of a function, 0 for none.
    pub(super) fn function(&self, name: &str) -> Option<i32> {
        let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
        if name == "-" { Some(0) } else { self.functions_by_name.get(name).copied() }
    }

    pub(super) fn namespace_name(&self, oid: i32) -> Option<String> {
        self.namespaces.get(&oid).cloned()
    }

    pub(super) fn namespace(&self, name: &str) -> Option<i32> {
        self.namespaces.iter().find(|(_, known)| *known == name).map(|(oid, _)| *oid)
    }

    /// The name of a type in SQL.
    pub(super) fn type_name(&self, oid: i32) -> Option<String> {
        let name = self.types.get(&oid)?;
        Some(match name.strip_prefix('_') {
            Some(of) => format!("{}[]", sql_type(of)),
            None => sql_type(name).to_owned(),
        })
    }

    /// The number of a type by either of its names.
    pub(super) fn type_named(&self, name: &str) -> Option<i32> {
        let name = name.trim().to_lowercase().replace('"', "");
        let name = name.strip_prefix("pg_catalog.").unwrap_or(&name);
        let (name, is_array) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
        let name = SQL_TYPES.iter().find(|(_, sql)| *sql == name).map_or(name, |(name, _)| name);
        let name = match name {
            "int" => "int4",
            "decimal" => "numeric",
            name => name,
        };
        let name = if is_array { format!("_{name}") } else { name.to_owned() };
        self.types.iter().find(|(_, known)| **known == name).map(|(oid, _)| *oid)
    }
}

/// Types that SQL calls otherwise than the catalogue does.
const SQL_TYPES: [(&str, &str); 14] = [
    ("bool", "boolean"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("varchar", "character varying"),
    ("bpchar", "character"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("bit", "bit"),
    ("varbit", "bit varying"),
];

/// What SQL calls a type of the catalogue.
pub(super) fn sql_type(name: &str) -> &str {
    SQL_TYPES.iter().find(|(known, _)| *known == name).map_or(name, |(_, sql)| sql)
}

async fn describe(relation: &mut Relation, snapshot: &Snapshot) -> Result<(), lightsout_query::Error> {
    if let Some(found) = relations().into_iter().find(|known| known.name == relation.name) {
        found.purpose.clone_into(&mut relation.purpose);
        let view = VIEWS.iter().find(|view| view.name == relation.name);
        relation.definition = view.map(|view| view.text.to_owned());
        let columns = snapshot.queries.columns_of(&relation.name).await?.unwrap_or_default();
        let described = (1..).zip(columns).filter(|(_, column)| !column.meaning.is_empty());
        relation.columns = described.map(|(place, column)| (place, column.meaning)).collect();
    } else if let Ok(report) = snapshot.rules.library.find(&relation.name) {
        report.purpose().clone_into(&mut relation.purpose);
        relation.definition = Some(report.sql.to_owned());
    }
    Ok(())
}
