//! A roster as CSV: a header line, then a line a tenant. What separates the cells is told by the header,
//! since no column has a comma, a semicolon or a tab in its name: Excel writes semicolons in half of Europe.

use serde_json::Value;

use super::{Place, RosterError, Row, Rows, columns};

pub(super) fn rows(text: &str, file: &str) -> Result<Rows, RosterError> {
    let invalid = |source| RosterError::Csv { file: file.to_owned(), source };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(separator(text))
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(invalid)?.clone();
    let place = Place::Line(names.position().map_or(1, csv::Position::line));
    let header = columns(names.iter(), true, file, place)?;
    if !header.contains(&"tenant_id") {
        return Err(RosterError::NoTenantId { file: file.to_owned(), place });
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(invalid)?;
        // Spreadsheets leave lines of nothing but separators.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let place = Place::Line(record.position().map_or(0, csv::Position::line));
        let texts = record.iter().map(|text| Value::String(text.to_owned()));
        rows.push(Row { place, values: header.iter().copied().zip(texts).collect() });
    }
    Ok(Rows { rows, header })
}

fn separator(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    // The last of equals is taken: a comma where there is nothing to tell.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}
