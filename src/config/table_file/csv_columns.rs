//! The columns of a CSV file, with the types that their values are written in.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};
use chrono::NaiveDate;

use super::{Result, TableFileError};
use crate::spreadsheet::{ONE_LINE, broken_cell, line_of};

/// Rows of text, and what separates the cells.
pub(super) fn table(text: &str, path: &Path) -> Result<RecordBatch> {
    let separator = separator(text, path)?;
    // A line for Excel alone; it is kept as an empty one, so that lines are counted as people do.
    let body = match text.lines().next() {
        Some(first) if declared(first).is_some() => &text[first.len()..],
        _ => text,
    };
    let invalid = |source| TableFileError::Csv { path: path.to_owned(), source };
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).delimiter(separator).from_reader(body.as_bytes());
    let header = reader.headers().map_err(invalid)?.clone();
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
    for record in reader.records() {
        let record = record.map_err(invalid)?;
        if let Some((_, found)) = broken_cell(&record) {
            return Err(TableFileError::Text {
                path: path.to_owned(),
                line: line_of(body, record.position()),
                expected: ONE_LINE.to_owned(),
                found,
            });
        }
        for (column, cell) in columns.iter_mut().zip(&record) {
            column.push((!cell.is_empty()).then(|| cell.to_owned()));
        }
    }
    let typed: Vec<ArrayRef> = columns.iter().map(|column| typed(column)).collect();
    let fields: Vec<Field> = header
        .iter()
        .zip(&typed)
        .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
        .collect();
    if fields.is_empty() {
        return Err(TableFileError::Names { path: path.to_owned(), found: "it has no columns".to_owned() });
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), typed)
        .map_err(|source| TableFileError::Arrow { path: path.to_owned(), source })
}

/// The separator of a line `sep=;`, as Excel reads and some tools write it.
fn declared(first: &str) -> Option<u8> {
    match first.trim().trim_matches('"').as_bytes() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] => Some(*separator),
        _ => None,
    }
}

/// What separates the cells: what the header has most of, outside of quotes.
fn separator(text: &str, path: &Path) -> Result<u8> {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if let Some(declared) = declared(header) {
        return Ok(declared);
    }
    let (mut is_quoted, mut counts) = (false, [(b',', 0_usize), (b';', 0), (b'\t', 0), (b'|', 0)]);
    for byte in header.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            _ => {
                for (separator, count) in &mut counts {
                    *count += usize::from(*separator == byte);
                }
            }
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let [(first, most), (second, next), ..] = counts;
    if most > 0 && most == next {
        return Err(TableFileError::Text {
            path: path.to_owned(),
            line: 1,
            expected:
                "one character between the names of the columns (, ; tab or |), and other ones in quotes"
                    .to_owned(),
            found: format!("'{}' and '{}' equally often", char::from(first), char::from(second)),
        });
    }
    Ok(first)
}

/// A column as the first type that all its values are written in.
fn typed(cells: &[Option<String>]) -> ArrayRef {
    fn all<T>(cells: &[Option<String>], parse: impl Fn(&str) -> Option<T>) -> Option<Vec<Option<T>>> {
        cells.iter().map(|cell| cell.as_deref().map_or(Some(None), |cell| parse(cell).map(Some))).collect()
    }
    if cells.iter().all(Option::is_none) {
        return Arc::new(cells.iter().map(Option::as_deref).collect::<StringArray>());
    }
    if let Some(numbers) = all(cells, whole_number) {
        return Arc::new(Int64Array::from(numbers));
    }
    if let Some(numbers) = all(cells, number) {
        return Arc::new(Float64Array::from(numbers));
    }
    if let Some(days) = all(cells, |cell| day(cell).map(|day| day.to_epoch_days())) {
        return Arc::new(Date32Array::from(days));
    }
    if let Some(times) = all(cells, time) {
        return Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"));
    }
    let truth = |cell: &str| match cell.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    if let Some(truths) = all(cells, truth) {
        return Arc::new(BooleanArray::from(truths));
    }
    Arc::new(cells.iter().map(Option::as_deref).collect::<StringArray>())
}

/// One that is written again as it stands there: no zeros before it, no plus, nothing that does not fit.
fn whole_number(cell: &str) -> Option<i64> {
    cell.parse::<i64>().ok().filter(|number| number.to_string() == cell)
}

/// With a point, and as many digits as a double keeps.
fn number(cell: &str) -> Option<f64> {
    if whole_number(cell).is_some_and(|number| number.unsigned_abs() < 1 << 53) {
        return cell.parse().ok();
    }
    let (before, after) = cell.split_once('.')?;
    let is_written_so = !after.is_empty()
        && after.bytes().all(|byte| byte.is_ascii_digit())
        && (before == "-0" || whole_number(before).is_some())
        && cell.bytes().filter(u8::is_ascii_digit).count() <= 15;
    if is_written_so { cell.parse().ok() } else { None }
}

fn day(cell: &str) -> Option<NaiveDate> {
    (cell.len() == 10).then(|| NaiveDate::parse_from_str(cell, "%Y-%m-%d").ok()).flatten()
}

/// `2026-11-02 08:30:00`, `2026-11-02T08:30:00Z`; UTC where it does not say.
fn time(cell: &str) -> Option<i64> {
    let is_written_so = cell.get(..10).is_some_and(|date| day(date).is_some())
        && matches!(cell.as_bytes().get(10), Some(b'T' | b' '));
    if is_written_so { lightsout_model::time::of_iso(cell) } else { None }
}
