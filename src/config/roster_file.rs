//! Roster files: CSV, JSON or Parquet in, [`Roster`] out. Each file kind is brought to named values with
//! their place, and one place gives the values their types, so all kinds allow and refuse alike.

mod csv;
mod error;
mod json;
mod parquet;
mod typed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use lightsout_model::roster_changes::ROSTER_COLUMNS;
use lightsout_model::tenant::Roster;

use crate::spreadsheet;
use typed::Typed;

pub use error::{Column, Place, RosterError};

/// Another name of `exclude_reason`.
const REASON: &str = "reason";

/// A roster as it was read.
#[derive(Debug)]
pub struct RosterFile {
    pub roster: Roster,
    /// Columns that are not known and look like a mistyped one, a sentence each.
    pub warnings: Vec<String>,
}

/// The rows of a file, not yet typed.
#[derive(Default)]
struct Rows {
    tenants: Vec<Row>,
    /// The columns of a file that has them in an order.
    header: Vec<RosterColumn>,
    warnings: BTreeSet<String>,
}

/// The values of one tenant.
struct Row {
    place: Place,
    values: BTreeMap<&'static str, Value>,
    other_columns: BTreeMap<String, String>,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RosterColumn {
    Known(&'static str),
    /// One of the operator's own, kept for SQL.
    Other(String),
    /// Without a name: spreadsheets leave them. Passed over.
    Nameless,
}

impl RosterColumn {
    fn is(&self, name: &str) -> bool {
        matches!(self, Self::Known(known) if *known == name)
    }
}

impl Row {
    fn new(place: Place, values: impl Iterator<Item = (RosterColumn, Value)>) -> Self {
        let mut row = Self { place, values: BTreeMap::new(), other_columns: BTreeMap::new() };
        for (column, value) in values {
            match column {
                RosterColumn::Known(name) => drop(row.values.insert(name, value)),
                RosterColumn::Other(name) => {
                    let text = plain_text(value);
                    if !text.is_empty() {
                        row.other_columns.insert(name, text);
                    }
                }
                RosterColumn::Nameless => {}
            }
        }
        row
    }
}

/// A value of the operator's own columns as one text.
fn plain_text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        Value::Array(items) => items.into_iter().map(plain_text).collect::<Vec<_>>().join(";"),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => other.to_string(),
    }
}

/// Reads a `.csv` file with a header line, a `.json` file that holds an array of objects, or a
/// `.parquet` file.
///
/// Columns may come in any order and only `tenant_id` is required. Lists are separated by `;`
/// (in JSON and Parquet they may be lists), days are written `2026-10-31`, booleans true or false, yes or
/// no, 1 or 0. An empty value says nothing. Columns that are not known are kept as text.
///
/// # Errors
/// Fails if the file can't be read or is of no such kind, mistypes `exclude`, holds a value that
/// its column can't have, or has two rows for one tenant or one domain in two tenants. The error names
/// file, line (in Parquet the row) and column.
pub fn read(path: &Path) -> Result<RosterFile, RosterError> {
    let file = path.display().to_string();
    let kind = path.extension().and_then(|kind| kind.to_str()).map(str::to_ascii_lowercase);
    let rows_of: fn(&str, &str) -> Result<Rows, RosterError> = match kind.as_deref() {
        Some("csv") => csv::rows,
        Some("json") => json::rows,
        Some("parquet") => return collect(&file, parquet::rows(path, &file)?),
        _ => return Err(RosterError::Kind { file }),
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(RosterError::Read { file, source }),
    };
    let text =
        spreadsheet::decoded(bytes).map_err(|line| RosterError::NoText { file: file.clone(), line })?;
    let rows = rows_of(&text, &file)?;
    collect(&file, rows)
}

/// Types the rows; no tenant has two of them, and no two tenants one domain, since a tenant is found by it.
fn collect(file: &str, rows: Rows) -> Result<RosterFile, RosterError> {
    let mut roster = Roster::default();
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for row in &rows.tenants {
        let typed = Typed { file, header: &rows.header, row };
        let tenant = typed.tenant()?;
        let tenant_id = tenant.tenant_id.clone();
        if let Some(first) = places.insert(tenant_id.clone(), row.place) {
            let expected = format!("one row for each tenant; {first} has it already, keep one");
            return Err(typed.wrong("tenant_id", tenant_id, expected));
        }
        for domain in &tenant.domains {
            let owner = owners.entry(domain.to_lowercase()).or_insert_with(|| tenant_id.clone());
            if *owner != tenant_id {
                let first = places[owner];
                let expected = format!("a domain in one tenant only; tenant {owner} on {first} has it too");
                return Err(typed.wrong("domains", domain.clone(), expected));
            }
        }
        roster.tenants.insert(tenant_id, tenant);
    }
    Ok(RosterFile { roster, warnings: rows.warnings.into_iter().collect() })
}

/// The columns that these names stand for, in their order. `numbered`: a name's number helps to find it.
fn columns<'a>(
    names: impl Iterator<Item = &'a str>,
    numbered: bool,
    file: &str,
    place: Place,
    warnings: &mut BTreeSet<String>,
) -> Result<Vec<RosterColumn>, RosterError> {
    let mut columns = Vec::new();
    for (at, name) in names.enumerate() {
        let (file, name) = (file.to_owned(), name.trim());
        let number = numbered.then_some(at + 1);
        let known = ROSTER_COLUMNS.into_iter().chain([REASON]).find(|known| known.eq_ignore_ascii_case(name));
        let column = match (known, meant(name)) {
            (Some(REASON), _) => RosterColumn::Known("exclude_reason"),
            (Some(known), _) => RosterColumn::Known(known),
            (None, _) if name.is_empty() => RosterColumn::Nameless,
            // A tenant that somebody wanted to leave out would be told that its protocols go off.
            (None, Some(meant @ "exclude")) => {
                return Err(RosterError::MistypedColumn {
                    file,
                    place,
                    number,
                    name: name.to_owned(),
                    meant,
                });
            }
            (None, Some(meant)) => {
                warnings.insert(format!(
                    "roster {file}: column '{}' is not known and is kept as one of your own; did you mean {meant}?",
                    error::shown(name)
                ));
                RosterColumn::Other(name.to_owned())
            }
            (None, None) => RosterColumn::Other(name.to_owned()),
        };
        if column != RosterColumn::Nameless && columns.contains(&column) {
            let name = match column {
                RosterColumn::Known(known) => known.to_owned(),
                RosterColumn::Other(name) => error::shown(&name),
                RosterColumn::Nameless => String::new(),
            };
            return Err(RosterError::RepeatedColumn { file, place, number, name });
        }
        columns.push(column);
    }
    Ok(columns)
}

/// The known column that a name was perhaps meant to be: as it would be read, or one or two letters away.
fn meant(name: &str) -> Option<&'static str> {
    let folded = |name: &str| name.to_lowercase().replace([' ', '-', '_', '.'], "");
    let wanted = folded(name);
    let distance = |known: &&'static str| (strsim::osa_distance(&folded(known), &wanted), *known);
    let (distance, nearest) = ROSTER_COLUMNS.iter().map(distance).min()?;
    // Of a short word, two letters are most of it.
    let distance_max = if wanted.chars().count() < 6 { 1 } else { 2 };
    (distance <= distance_max).then_some(nearest)
}

#[cfg(test)]
mod tests;
