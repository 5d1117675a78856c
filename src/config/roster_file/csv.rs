//! A roster as CSV: a header line, then a line a tenant.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Column, Place, RosterColumn, RosterError, Row, Rows, columns};
use crate::spreadsheet::{ONE_LINE, broken_cell, line_of, separator};

pub(super) fn rows(text: &str, file: &str) -> Result<Rows, RosterError> {
    let invalid = |source| RosterError::Csv { file: file.to_owned(), source };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(separator(text))
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(invalid)?.clone();
    let place = Place::Line(line_of(text, names.position()));
    let mut warnings = BTreeSet::new();
    let header = columns(names.iter(), true, file, place, &mut warnings)?;
    if !header.iter().any(|column| column.is("tenant_id")) {
        return Err(RosterError::NoTenantId { file: file.to_owned(), place });
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(invalid)?;
        // Spreadsheets leave lines of nothing but separators.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let place = Place::Line(line_of(text, record.position()));
        if let Some((at, found)) = broken_cell(&record) {
            let name = match header.get(at) {
                Some(RosterColumn::Known(name)) => *name,
                Some(RosterColumn::Other(_) | RosterColumn::Nameless) | None => "of your own",
            };
            let column = Column { name, number: Some(at + 1) };
            let (file, expected) = (file.to_owned(), ONE_LINE.to_owned());
            return Err(RosterError::Value { file, place, column, found, expected });
        }
        let texts = record.iter().map(|text| Value::String(text.to_owned()));
        rows.push(Row::new(place, header.iter().cloned().zip(texts)));
    }
    Ok(Rows { tenants: rows, header, warnings })
}
