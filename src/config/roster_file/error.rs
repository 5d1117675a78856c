//! What is told of a roster that can't be used, and where in it the trouble is.

use std::fmt;

/// A roster that can't be used, and where in its file the trouble is.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    #[error("roster {file} can't be read: {source}")]
    Read { file: String, source: std::io::Error },
    #[error("roster {file} has an unknown format; expected a name that ends in .csv, .json or .parquet")]
    Kind { file: String },
    #[error(
        "roster {file}, line {line}: expected UTF-8 text; save it again, in Excel as 'CSV UTF-8 (comma delimited)'"
    )]
    NoText { file: String, line: usize },
    /// `source` says what and on which line.
    #[error("roster {file}: {source}")]
    Csv { file: String, source: ::csv::Error },
    #[error("roster {file}: expected an array of objects, one per tenant: {source}")]
    Json { file: String, source: serde_json::Error },
    #[error("roster {file} can't be read as Parquet: {source}")]
    Parquet { file: String, source: ::parquet::errors::ParquetError },
    #[error(
        "roster {file}, {column}: the column is of type {found}; expected text, a list of texts, true or false, or days"
    )]
    ColumnType { file: String, column: Column, found: String },
    #[error("roster {file}, {place}: the required column tenant_id is missing")]
    NoTenantId { file: String, place: Place },
    #[error("roster {file}, {place}{}: unknown column '{}'; did you mean {meant}? Give a column of your own another name", column_number(*.number), shown(.name))]
    MistypedColumn { file: String, place: Place, number: Option<usize>, name: String, meant: &'static str },
    #[error("roster {file}, {place}{} ({name}): the column appears twice", column_number(*.number))]
    RepeatedColumn { file: String, place: Place, number: Option<usize>, name: String },
    #[error("roster {file}, {place}, {column}: found '{}', expected {expected}", shown(.found))]
    Value { file: String, place: Place, column: Column, found: String, expected: String },
}

/// Where in a file a row is; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Of a text file.
    Line(u64),
    /// Of a file without lines.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// A column, and its number in the header where that helps to find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub number: Option<usize>,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "column {number} ({})", self.name),
            None => write!(f, "column {}", self.name),
        }
    }
}

fn column_number(number: Option<usize>) -> String {
    number.map(|number| format!(", column {number}")).unwrap_or_default()
}

/// A value of the file as a terminal can show it.
pub(super) fn shown(value: &str) -> String {
    let short: String = value.chars().take(80).collect();
    let more = if short.len() < value.len() { "…" } else { "" };
    let visible = short.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.collect::<String>() + more
}
