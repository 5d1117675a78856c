//! Roster files: CSV or JSON text in, [`Roster`] out. Each file kind is brought to named values
//! with a line number, and one place gives the values their types, so both kinds allow and refuse alike.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Roster, RosterTenant, is_guid};
use crate::protocol::Protocol;

/// The columns of a roster; `reason` is another name of `exclude_reason`.
const COLUMNS: [&str; 13] = [
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
    "exclude",
    "exclude_reason",
    "reason",
];

/// What the decision says of a tenant that is excluded without a word.
const NO_REASON_GIVEN: &str = "excluded by the roster";

/// A roster that can't be used, and where in its file the trouble is.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    #[error("roster {file} can't be read: {source}")]
    Read { file: String, source: std::io::Error },
    #[error("roster {file} is of no known kind; expected a name that ends in .csv or .json")]
    Kind { file: String },
    /// `source` says what and on which line.
    #[error("roster {file}: {source}")]
    Csv { file: String, source: csv::Error },
    #[error("roster {file}: expected an array of objects, one per tenant: {source}")]
    Json { file: String, source: serde_json::Error },
    #[error("roster {file}, line {line}: no column tenant_id; it is the one that is required")]
    NoTenantId { file: String, line: u64 },
    #[error("roster {file}, line {line}: unknown column '{column}'; expected one of: {}", COLUMNS.join(", "))]
    UnknownColumn { file: String, line: u64, column: String },
    #[error("roster {file}, line {line}: the column {column} is there twice")]
    RepeatedColumn { file: String, line: u64, column: String },
    #[error("roster {file}, line {line}, column {column}: found '{found}', expected {expected}")]
    Value { file: String, line: u64, column: &'static str, found: String, expected: String },
    #[error(
        "roster {file}: tenant {tenant_id} has two rows, on line {first_line} and line {second_line}; keep one"
    )]
    TwoRows { file: String, tenant_id: String, first_line: u64, second_line: u64 },
}

/// See [`Roster::read`].
pub(super) fn read(path: &Path) -> Result<Roster, RosterError> {
    let file = path.display().to_string();
    let kind = path.extension().and_then(|kind| kind.to_str()).map(str::to_ascii_lowercase);
    let rows_of = match kind.as_deref() {
        Some("csv") => csv_rows,
        Some("json") => json_rows,
        _ => return Err(RosterError::Kind { file }),
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) => return Err(RosterError::Read { file, source }),
    };
    // Spreadsheets open their UTF-8 with a byte order mark.
    let rows = rows_of(text.strip_prefix('\u{feff}').unwrap_or(&text), &file)?;
    collect(&file, rows)
}

fn collect(file: &str, rows: Vec<Row>) -> Result<Roster, RosterError> {
    let mut roster = Roster::default();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows {
        let tenant = row.tenant(file)?;
        let tenant_id = tenant.tenant_id.clone();
        if let Some(first_line) = lines.insert(tenant_id.clone(), row.line) {
            let (file, second_line) = (file.to_owned(), row.line);
            return Err(RosterError::TwoRows { file, tenant_id, first_line, second_line });
        }
        roster.tenants.insert(tenant_id, tenant);
    }
    Ok(roster)
}

fn csv_rows(text: &str, file: &str) -> Result<Vec<Row>, RosterError> {
    let invalid = |source| RosterError::Csv { file: file.to_owned(), source };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(invalid)?.clone();
    let line = header.position().map_or(1, csv::Position::line);
    let columns = columns(header.iter(), file, line)?;
    if !columns.contains(&"tenant_id") {
        return Err(RosterError::NoTenantId { file: file.to_owned(), line });
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(invalid)?;
        let line = record.position().map_or(0, csv::Position::line);
        let texts = record.iter().map(|text| Value::String(text.to_owned()));
        rows.push(Row { line, values: columns.iter().copied().zip(texts).collect() });
    }
    Ok(rows)
}

fn json_rows(text: &str, file: &str) -> Result<Vec<Row>, RosterError> {
    let invalid = |source| RosterError::Json { file: file.to_owned(), source };
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(invalid)?;
    let mut rows = Vec::with_capacity(items.len());
    let (mut line, mut counted_to) = (1, 0);
    for item in items {
        // The item is a part of the text, so its address tells where.
        let at = item.get().as_ptr().addr() - text.as_ptr().addr();
        line += text[counted_to..at].bytes().map(|byte| u64::from(byte == b'\n')).sum::<u64>();
        counted_to = at;
        let Ok(object) = serde_json::from_str::<serde_json::Map<String, Value>>(item.get()) else {
            let found = item.get().chars().take(40).collect();
            return Err(value_error(file, line, "tenant_id", found, "an object for each tenant"));
        };
        let columns = columns(object.keys().map(String::as_str), file, line)?;
        let values = columns.into_iter().zip(object.into_iter().map(|(_, value)| value)).collect();
        rows.push(Row { line, values });
    }
    Ok(rows)
}

/// The columns that these names stand for, in their order.
fn columns<'a>(
    names: impl Iterator<Item = &'a str>,
    file: &str,
    line: u64,
) -> Result<Vec<&'static str>, RosterError> {
    let mut columns = Vec::new();
    for name in names {
        let (file, column) = (file.to_owned(), name.trim().to_owned());
        let column = match COLUMNS.into_iter().find(|known| known.eq_ignore_ascii_case(&column)) {
            None => return Err(RosterError::UnknownColumn { file, line, column }),
            Some("reason") => "exclude_reason",
            Some(known) => known,
        };
        if columns.contains(&column) {
            return Err(RosterError::RepeatedColumn { file, line, column: column.to_owned() });
        }
        columns.push(column);
    }
    Ok(columns)
}

/// The values of one tenant, not yet typed.
struct Row {
    line: u64,
    values: BTreeMap<&'static str, Value>,
}

impl Row {
    fn tenant(&self, file: &str) -> Result<RosterTenant, RosterError> {
        let typed = Typed { file, row: self };
        let tenant = RosterTenant {
            tenant_id: typed.tenant_id()?,
            display_name: typed.text("display_name")?,
            domains: typed.list("domains")?.unwrap_or_default(),
            cloud: typed.text("cloud")?,
            language: typed.text("language")?,
            contacts: typed.list("contacts")?.unwrap_or_default(),
            outlook_modern_auth: typed.boolean("outlook_modern_auth")?,
            protocols_enabled: typed.protocols("protocols_enabled")?,
            logs_from: typed.date("logs_from")?,
            logs_to: typed.date("logs_to")?,
            exclude: typed.exclude()?,
        };
        if let (Some(from), Some(to)) = (tenant.logs_from, tenant.logs_to)
            && to < from
        {
            let expected = format!("a day that is not before logs_from, {from}");
            return Err(typed.wrong("logs_to", to.to_string(), expected));
        }
        Ok(tenant)
    }
}

/// Reads the values of a row by what their columns hold.
struct Typed<'a> {
    file: &'a str,
    row: &'a Row,
}

impl Typed<'_> {
    fn wrong(&self, column: &'static str, found: String, expected: impl Into<String>) -> RosterError {
        value_error(self.file, self.row.line, column, found, expected)
    }

    /// `None` where the row says nothing.
    fn text(&self, column: &'static str) -> Result<Option<String>, RosterError> {
        let text = match self.row.values.get(column) {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text.trim(),
            Some(other) => return Err(self.wrong(column, other.to_string(), "text")),
        };
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn tenant_id(&self) -> Result<String, RosterError> {
        let found = self.text("tenant_id")?.unwrap_or_default();
        if is_guid(&found) {
            return Ok(found.to_ascii_lowercase());
        }
        let expected = "a tenant id like 72f988bf-86f1-41af-91ab-2d7cd011db47";
        Err(self.wrong("tenant_id", found, expected))
    }

    fn list(&self, column: &'static str) -> Result<Option<Vec<String>>, RosterError> {
        let Some(Value::Array(items)) = self.row.values.get(column) else {
            let texts = self.text(column)?;
            return Ok(texts.map(|texts| entries(texts.split(';'))));
        };
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        match texts {
            Some(texts) => Ok(Some(entries(texts.into_iter()))),
            None => Err(self.wrong(column, Value::from(items.clone()).to_string(), "texts")),
        }
    }

    fn boolean(&self, column: &'static str) -> Result<Option<bool>, RosterError> {
        let found = match self.row.values.get(column) {
            Some(Value::Bool(value)) => return Ok(Some(*value)),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => self.text(column)?,
        };
        let Some(found) = found else { return Ok(None) };
        match found.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Some(true)),
            "false" | "no" | "0" => Ok(Some(false)),
            _ => Err(self.wrong(column, found, "true or false, yes or no, 1 or 0, or nothing")),
        }
    }

    fn date(&self, column: &'static str) -> Result<Option<NaiveDate>, RosterError> {
        let Some(found) = self.text(column)? else { return Ok(None) };
        let date = NaiveDate::parse_from_str(&found, "%Y-%m-%d");
        date.map(Some).map_err(|_| self.wrong(column, found, "a day like 2026-10-31"))
    }

    fn protocols(&self, column: &'static str) -> Result<Option<Vec<Protocol>>, RosterError> {
        let Some(names) = self.list(column)? else { return Ok(None) };
        let known = |name: &String| {
            Protocol::NAMED
                .into_iter()
                .find(|protocol| protocol.as_str().eq_ignore_ascii_case(name))
                .ok_or_else(|| {
                    let choices = Protocol::NAMED.map(Protocol::as_str).join(", ");
                    self.wrong(column, name.clone(), format!("some of: {choices}"))
                })
        };
        names.iter().map(known).collect::<Result<_, _>>().map(Some)
    }

    fn exclude(&self) -> Result<Option<String>, RosterError> {
        let reason = self.text("exclude_reason")?;
        let exclude = self.boolean("exclude")?.unwrap_or(false);
        Ok(exclude.then(|| reason.unwrap_or_else(|| NO_REASON_GIVEN.to_owned())))
    }
}

fn value_error(
    file: &str,
    line: u64,
    column: &'static str,
    found: String,
    expected: impl Into<String>,
) -> RosterError {
    RosterError::Value { file: file.to_owned(), line, column, found, expected: expected.into() }
}

fn entries<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    texts.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
