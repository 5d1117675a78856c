//! Tables of the user's own, for queries beside those of the lake: CSV as spreadsheets save it, Parquet, and lines of
//! JSON. A file is read whole and once.
//!
//! CSV says nothing of types. A column is a number, a day, a time or a truth only if all its values are written as SQL
//! would write them: an id with zeros before it stays text, and an empty cell is NULL.

mod csv_columns;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

use super::spreadsheet::decoded;

const READ: &str = ".csv, .tsv, .parquet, .ndjson or .jsonl";

/// What keeps a file from being a table.
#[derive(Debug, thiserror::Error)]
pub enum TableFileError {
    #[error("{}: {source}", .path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: expected a file whose name ends with {READ}", .path.display())]
    Kind { path: PathBuf },
    #[error(
        "{}: expected at most {} MiB, half of --memory-limit, found {} MiB; give it more, or keep fewer columns", .path.display(), .limit_bytes >> 20, .bytes >> 20
    )]
    Size { path: PathBuf, bytes: u64, limit_bytes: u64 },
    #[error("{}, line {line}: expected {expected}; found {found}", .path.display())]
    Text { path: PathBuf, line: u64, expected: String, found: String },
    #[error("{}: expected columns of different names; {found}", .path.display())]
    Names { path: PathBuf, found: String },
    #[error("{}: {source}", .path.display())]
    Csv { path: PathBuf, source: csv::Error },
    #[error("{}: {source}", .path.display())]
    Parquet { path: PathBuf, source: ParquetError },
    #[error("{}: expected a JSON object on each line; {source}", .path.display())]
    Json { path: PathBuf, source: ArrowError },
    #[error("{}: {source}", .path.display())]
    Arrow { path: PathBuf, source: ArrowError },
}

type Result<T> = std::result::Result<T, TableFileError>;

/// The rows of a file, of which there may be none; never no batch.
///
/// # Errors
/// Fails if it can't be read, is of no kind that is known, is larger than that, or if its columns can't be told apart.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<RecordBatch>> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let batches = match extension.to_ascii_lowercase().as_str() {
        "csv" | "tsv" => vec![csv_columns::table(&text(path, bytes_max)?, path)?],
        "parquet" => parquet_rows(path, bytes_max)?,
        "ndjson" | "jsonl" => json_rows(&text(path, bytes_max)?, path)?,
        _ => return Err(TableFileError::Kind { path: path.to_owned() }),
    };
    if let Some(first) = batches.first() {
        check_names(&first.schema(), path)?;
    }
    Ok(batches)
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> TableFileError {
    |source| TableFileError::Read { path: path.to_owned(), source }
}

fn check_size(path: &Path, bytes: u64, limit_bytes: u64) -> Result<()> {
    if bytes > limit_bytes {
        return Err(TableFileError::Size { path: path.to_owned(), bytes, limit_bytes });
    }
    Ok(())
}

fn text(path: &Path, bytes_max: u64) -> Result<String> {
    check_size(path, path.metadata().map_err(io(path))?.len(), bytes_max)?;
    let bytes = std::fs::read(path).map_err(io(path))?;
    let no_text = |line| TableFileError::Text {
        path: path.to_owned(),
        line,
        expected: "text in UTF-8 or UTF-16 (Excel: save as 'CSV UTF-8')".to_owned(),
        found: "bytes that are neither".to_owned(),
    };
    let text = decoded(bytes).map_err(|line| no_text(line as u64))?;
    match text.find('\0') {
        Some(at) => Err(no_text(1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() as u64)),
        None => Ok(text),
    }
}

/// Two columns of one name could not be told apart, and one without a name not be asked for.
fn check_names(schema: &Schema, path: &Path) -> Result<()> {
    let wrong = |found| Err(TableFileError::Names { path: path.to_owned(), found });
    if schema.fields().is_empty() {
        return wrong("it has no columns".to_owned());
    }
    for (at, field) in schema.fields().iter().enumerate() {
        if field.name().trim().is_empty() {
            return wrong(format!("column {} has no name", at + 1));
        }
        if let Some(first) = schema.fields()[..at].iter().position(|other| other.name() == field.name()) {
            return wrong(format!("columns {} and {} are both named {}", first + 1, at + 1, field.name()));
        }
    }
    Ok(())
}

fn parquet_rows(path: &Path, bytes_max: u64) -> Result<Vec<RecordBatch>> {
    let failed = |source| TableFileError::Parquet { path: path.to_owned(), source };
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).map_err(io(path))?).map_err(failed)?;
    let groups = builder.metadata().row_groups();
    let bytes: i64 = groups.iter().map(|group| group.total_byte_size().max(0)).sum();
    check_size(path, bytes.unsigned_abs(), bytes_max)?;
    let schema: SchemaRef = builder.schema().clone();
    let rows = builder.build().map_err(failed)?;
    let mut batches = Vec::new();
    for batch in rows {
        batches.push(batch.map_err(|source| TableFileError::Arrow { path: path.to_owned(), source })?);
    }
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

fn json_rows(text: &str, path: &Path) -> Result<Vec<RecordBatch>> {
    let failed = |source| TableFileError::Json { path: path.to_owned(), source };
    let (schema, _) = arrow::json::reader::infer_json_schema(text.as_bytes(), None).map_err(failed)?;
    let schema = Arc::new(schema);
    // A column that is a number here and text there is text.
    let rows = arrow::json::ReaderBuilder::new(Arc::clone(&schema))
        .with_coerce_primitive(true)
        .build(text.as_bytes())
        .map_err(failed)?;
    let mut batches = rows.collect::<std::result::Result<Vec<_>, _>>().map_err(failed)?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

#[cfg(test)]
mod tests;
