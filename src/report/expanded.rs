//! Rows too wide for a screen: one column a line.

use std::fmt::Write as _;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use unicode_width::UnicodeWidthStr as _;

use crate::error::{Error, Result};
use crate::terminal::{TENANT_ID, TenantNames};
use lightsout_output::text::is_bidi;
use lightsout_output::text::plain;

/// The rows of a batch, the first of them the one after `before` others. Ids of tenants are followed by their names.
///
/// # Errors
/// Fails if a value has no text.
pub fn expanded(batch: &RecordBatch, before: usize, names: &TenantNames) -> Result<String> {
    let arrow = |source| Error::Arrow { what: "writing rows", source };
    let options = FormatOptions::default();
    let schema = batch.schema();
    let width = schema.fields().iter().map(|field| field.name().width()).max().unwrap_or(0);
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
            let blanks = " ".repeat(width.saturating_sub(name.width()));
            let _ = match names.get(&value).filter(|_| name == TENANT_ID) {
                Some(tenant) => writeln!(text, "{name}{blanks} | {value} ({})", plain(tenant)),
                None => writeln!(text, "{name}{blanks} | {value}"),
            };
        }
    }
    Ok(text)
}
