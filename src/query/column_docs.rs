//! Documents what a query can name: tables, views and functions, and columns with their types and meanings, which are
//! those of `queries/columns.txt` and of the views' headers.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::SchemaProvider;
use datafusion::execution::session_state::SessionState;

use super::Queries;
use super::catalog::REPORTS;
use super::views::VIEWS;
use crate::Result;
use lightsout_lake::schema::Table;

const COLUMNS: &str = include_str!("../../queries/columns.txt");

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub name: &'static str,
    pub is_view: bool,
    /// What it shows, in a sentence.
    pub purpose: &'static str,
}

/// A column of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDoc {
    pub name: String,
    /// As SQL calls it.
    pub sql_type: String,
    /// Empty if nobody has said.
    pub meaning: String,
}

/// Every name that a query can be made of.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// Tables and views with their columns.
    pub relations: BTreeMap<String, Vec<String>>,
    pub functions: Vec<String>,
}

const fn purpose(table: Table) -> &'static str {
    match table {
        Table::SignInRecords => "Every record that was ingested, repeated ones too; sign_ins has each once.",
        Table::Rejects => "Records that could not be read, with their bytes, place and reason.",
        Table::Sources => "Files that were ingested, with their accounts of records.",
        Table::DecisionTenants => {
            "What was decided of each tenant, with its evidence; verdicts adds campaign and window."
        }
        Table::Rosters => "Rosters that decisions were made with, tenant by tenant, each version once.",
        Table::Decisions => "Kept decisions, with rules and versions; verdicts has them tenant by tenant.",
        Table::CampaignEvents => "What happened in campaigns; campaign_status tells where they stand.",
        Table::TenantSettings => "Settings of tenants, and reports of SMTP AUTH senders, as collected.",
        Table::Dismissals => "Doubts that somebody has looked into and dismissed, with who and why.",
    }
}

/// Views first, then tables; not what is only a part of a view.
#[must_use]
pub fn relations() -> Vec<Relation> {
    let views = VIEWS.iter().filter(|view| !view.is_part);
    let views = views.map(|view| Relation { name: view.name, is_view: true, purpose: view.purpose() });
    let tables = Table::ALL.into_iter();
    let tables =
        tables.map(|table| Relation { name: table.as_str(), is_view: false, purpose: purpose(table) });
    views.chain(tables).collect()
}

/// Where a session looks for a name without a schema.
fn default_schema(state: &SessionState) -> Option<Arc<dyn SchemaProvider>> {
    let options = &state.config().options().catalog;
    state.catalog_list().catalog(&options.default_catalog)?.schema(&options.default_schema)
}

/// The names that a session has, in order; not what is only a part of a view.
pub(super) fn relation_names(state: &SessionState) -> Vec<String> {
    let mut names = default_schema(state).map(|schema| schema.table_names()).unwrap_or_default();
    names.retain(|name| !VIEWS.iter().any(|view| view.is_part && view.name == name));
    names.sort_unstable();
    names
}

/// The name of a type in SQL.
pub(super) fn sql_type(of: &DataType) -> String {
    match of {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".to_owned(),
        DataType::Int64 | DataType::UInt64 => "bigint".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Binary => "bytes".to_owned(),
        DataType::List(item) => match item.data_type() {
            DataType::Struct(_) => "list of structs".to_owned(),
            other => format!("list of {}", sql_type(other)),
        },
        other => other.to_string().to_lowercase(),
    }
}

/// What `columns.txt` says of a column.
fn meaning_in_columns_file(table: &str, column: &str) -> Option<&'static str> {
    let lines = || COLUMNS.lines().filter(|line| !line.starts_with('#'));
    let find = |name: &str| {
        lines().find_map(|line| {
            let (known, meaning) = line.split_once(' ')?;
            (known == name).then(|| meaning.trim())
        })
    };
    find(&format!("{table}.{column}")).or_else(|| find(column))
}

/// The columns that a header tells of, with what it says: `day date: in UTC;`.
fn header_meanings(text: &str) -> BTreeMap<String, String> {
    const KINDS: [&str; 5] = ["text", "bigint", "timestamp", "date", "boolean"];
    let header: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("--")).map(str::trim).collect();
    let columns = header.iter().skip_while(|line| !line.starts_with("Columns:"));
    let columns = columns.take_while(|line| !line.starts_with("Order:"));
    let mut meanings: BTreeMap<String, String> = BTreeMap::new();
    let mut last: Vec<String> = Vec::new();
    for line in columns {
        for part in line.trim_start_matches("Columns:").split(';') {
            let part = part.trim();
            // `day date: in UTC`, or `day date, in UTC`.
            let after_kind = || {
                KINDS.iter().find_map(|kind| {
                    part.split_once(&format!(" {kind}, ")).map(|(names, _)| names.len() + 1 + kind.len())
                })
            };
            let end = part.find(':').or_else(after_kind);
            let (declared, meaning) = end.map_or((part, ""), |end| (&part[..end], part[end + 1..].trim()));
            let (declared, plus) =
                declared.split_once(" (").map_or((declared, None), |(declared, plus)| (declared, Some(plus)));
            let named =
                declared.trim_start_matches("and ").rsplit_once(' ').filter(|(_, kind)| KINDS.contains(kind));
            if let Some((names, _)) = named
                && names.split(", ").all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
            {
                last = names.split(", ").map(str::to_owned).collect();
                let meaning = match plus {
                    Some(plus) => format!("({plus} {meaning}"),
                    None => meaning.trim_end_matches(',').to_owned(),
                };
                meanings.extend(last.iter().map(|name| (name.clone(), meaning.clone())));
            } else if !part.is_empty() {
                for name in &last {
                    let meaning = meanings.entry(name.clone()).or_default();
                    if !meaning.is_empty() {
                        meaning.push(' ');
                    }
                    meaning.push_str(part);
                }
            }
        }
    }
    meanings
}

impl Queries {
    /// The columns of a table or view, `None` if there is none of that name.
    ///
    /// # Errors
    /// Fails if a view can't be planned.
    pub async fn columns_of(&self, name: &str) -> Result<Option<Vec<ColumnDoc>>> {
        let schema = default_schema(&self.context.state()).unwrap_or_else(|| self.names());
        let found = schema.table(name).await.map_err(|source| super::failed(name, source))?;
        let Some(found) = found else { return Ok(None) };
        let view = VIEWS.iter().find(|view| view.name == name).map(|view| view.text);
        let report = || REPORTS.iter().find(|report| report.name == name).map(|report| report.sql);
        let declared = view.or_else(report).map(header_meanings).unwrap_or_default();
        let meaning = |column: &str| {
            let declared = declared.get(column).filter(|declared| !declared.is_empty()).cloned();
            declared.or_else(|| meaning_in_columns_file(name, column).map(str::to_owned)).unwrap_or_default()
        };
        let schema = found.schema();
        let columns = schema.fields().iter().map(|field| ColumnDoc {
            name: field.name().clone(),
            sql_type: sql_type(field.data_type()),
            meaning: meaning(field.name()),
        });
        Ok(Some(columns.collect()))
    }

    /// Every name that a query can be made of.
    ///
    /// # Errors
    /// Fails if a view can't be planned.
    pub async fn vocabulary(&self) -> Result<Vocabulary> {
        let mut relations = BTreeMap::new();
        for relation in self::relations() {
            let Some(columns) = self.columns_of(relation.name).await? else { continue };
            let columns = columns.into_iter().map(|column| column.name).collect();
            relations.insert(relation.name.to_owned(), columns);
        }
        // A report is planned to know its columns: only when it is asked.
        for name in relation_names(&self.context.state()) {
            relations.entry(name).or_default();
        }
        for name in self.schema.user_table_names() {
            let columns = self.columns_of(&name).await?.unwrap_or_default();
            relations.insert(name, columns.into_iter().map(|column| column.name).collect());
        }
        let state = self.context.state();
        let mut functions: Vec<String> = state
            .scalar_functions()
            .keys()
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys())
            .cloned()
            .collect();
        functions.sort_unstable();
        functions.dedup();
        Ok(Vocabulary { relations, functions })
    }
}
