//! Rows as a Markdown table, line by line: text of a log is escaped, so that it is text wherever the table is shown.

use std::io::{self, Write};

use arrow::array::{Array as _, RecordBatch};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use lightsout_output::table::as_text;
use lightsout_output::text::markdown;

/// The header, and the line below it, which moves numbers to the right.
pub(super) fn write_header(out: &mut impl Write, schema: &Schema) -> io::Result<()> {
    for field in schema.fields() {
        write!(out, "| {} ", markdown(field.name()))?;
    }
    writeln!(out, "|")?;
    for field in schema.fields() {
        write!(out, "| {} ", if field.data_type().is_numeric() { "---:" } else { "---" })?;
    }
    writeln!(out, "|")
}

/// The rows; a cell of nothing is empty.
pub(super) fn write_rows(out: &mut impl Write, batch: &RecordBatch) -> Result<(), ArrowError> {
    let options = FormatOptions::default();
    let columns: Vec<_> = batch.columns().iter().map(as_text).collect::<Result<_, _>>()?;
    let cells: Vec<_> =
        columns.iter().map(|column| ArrayFormatter::try_new(column, &options)).collect::<Result<_, _>>()?;
    for row in 0..batch.num_rows() {
        for (column, cells) in columns.iter().zip(&cells) {
            let text = if column.is_null(row) { String::new() } else { cells.value(row).try_to_string()? };
            write!(out, "| {} ", markdown(&text))?;
        }
        writeln!(out, "|")?;
    }
    Ok(())
}
