//! Roster files: CSV, JSON or Parquet in, [`Roster`] out. Each file kind is brought to named values with
//! their place, and one place gives the values their types, so all kinds allow and refuse alike.

mod csv;
mod error;
mod json;
mod parquet;
mod typed;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use lightsout_model::tenant::Roster;

use crate::spreadsheet;
use typed::Typed;

pub use error::{Column, Place, RosterError};

/// The columns of a roster; `reason` is another name of `exclude_reason`.
const COLUMNS: [&str; 14] = [
    "tenant_id",
    "display_name",
    "domains",
    "cloud",
    "language",
    "contacts",
    "outlook_modern_auth",
    "protocols_enabled",
    "logs_from",
    "logs_to",
    "workdays",
    "exclude",
    "exclude_reason",
    "reason",
];

/// The rows of a file, not yet typed.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    /// The columns of a file that has them in an order.
    header: Vec<&'static str>,
}

/// The values of one tenant.
struct Row {
    place: Place,
    values: BTreeMap<&'static str, Value>,
}

/// Reads a `.csv` file with a header line, a `.json` file that holds an array of objects, or a
/// `.parquet` file.
///
/// Columns may come in any order and only `tenant_id` is required. Lists are separated by `;`
/// (in JSON and Parquet they may be lists), days are written `2026-10-31`, booleans true or false, yes or
/// no, 1 or 0. An empty value says nothing.
///
/// # Errors
/// Fails if the file can't be read or is of no such kind, names an unknown column, holds a value that
/// its column can't have, or has two rows for one tenant or one domain in two tenants. The error names
/// file, line (in Parquet the row) and column.
pub fn read(path: &Path) -> Result<Roster, RosterError> {
    let file = path.display().to_string();
    let kind = path.extension().and_then(|kind| kind.to_str()).map(str::to_ascii_lowercase);
    let rows_of: fn(&str, &str) -> Result<Rows, RosterError> = match kind.as_deref() {
        Some("csv") => csv::rows,
        Some("json") => json::rows,
        Some("parquet") => return collect(&file, &parquet::rows(path, &file)?),
        _ => return Err(RosterError::Kind { file }),
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(RosterError::Read { file, source }),
    };
    let text =
        spreadsheet::decoded(bytes).map_err(|line| RosterError::NoText { file: file.clone(), line })?;
    let rows = rows_of(&text, &file)?;
    collect(&file, &rows)
}

/// Types the rows; no tenant has two of them, and no two tenants one domain, since a tenant is found by it.
fn collect(file: &str, rows: &Rows) -> Result<Roster, RosterError> {
    let mut roster = Roster::default();
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for row in &rows.rows {
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
    Ok(roster)
}

/// The columns that these names stand for, in their order. `numbered`: a name's number helps to find it.
fn columns<'a>(
    names: impl Iterator<Item = &'a str>,
    numbered: bool,
    file: &str,
    place: Place,
) -> Result<Vec<&'static str>, RosterError> {
    let mut columns = Vec::new();
    for (at, name) in names.enumerate() {
        let (file, name) = (file.to_owned(), name.trim().to_owned());
        let number = numbered.then_some(at + 1);
        let column = match COLUMNS.into_iter().find(|known| known.eq_ignore_ascii_case(&name)) {
            None => return Err(RosterError::UnknownColumn { file, place, number, name }),
            Some("reason") => "exclude_reason",
            Some(known) => known,
        };
        if columns.contains(&column) {
            let column = Column { name: column, number };
            return Err(RosterError::RepeatedColumn { file, place, column });
        }
        columns.push(column);
    }
    Ok(columns)
}

#[cfg(test)]
mod tests;
