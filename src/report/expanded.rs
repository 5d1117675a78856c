//! Rows too wide for a screen: one column a line.

use std::fmt::Write as _;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Error, Result};
use lightsout_output::text::is_bidi;
use lightsout_output::text::plain;

/// The rows of a batch, the first of them the one after `before` others.
///
/// # Errors
/// Fails if a value has no text.
pub fn expanded(batch: &RecordBatch, before: usize) -> Result<String> {
    let arrow = |source| Error::Arrow { what: "writing rows", source };
    let options = FormatOptions::default();
    let schema = batch.schema();
    let width = schema.fields().iter().map(|field| field.name().chars().count()).max().unwrap_or(0);
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        columns.push((plain(field.name()), ArrayFormatter::try_new(column, &options).map_err(arrow)?));
    }
    let mut text = String::new();
    for row in 0..batch.num_rows() {
        let _ = writeln!(text, "-[ row {} ]{}", before + row + 1, "-".repeat(30));
        for (name, values) in &columns {
            let value = values.value(row).try_to_string().map_err(arrow)?;
            let value: String = plain(&value).chars().filter(|c| !is_bidi(*c)).collect();
            let _ = writeln!(text, "{name:width$} | {value}");
        }
    }
    Ok(text)
}
