//! Results to files and streams: tables, CSV, JSON, NDJSON, Parquet, and the page that shows a decision.

pub mod assessment;
pub mod closing;
pub mod columns;
pub mod expanded;
pub mod explain;
pub mod page;
mod row_writer;

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

pub use row_writer::{RowWriter, TABLE_ROWS_MAX};

use crate::error::{Error, Result};
use crate::notify::text::plain;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
    Ndjson,
    Parquet,
}

/// Writes rows; an empty answer still has its header. In CSV no text is a formula; the others hold it as it is.
///
/// # Errors
/// Fails if the rows can't be written.
pub fn write(out: &mut (impl Write + Send), batches: &[RecordBatch], format: Format) -> Result<()> {
    let Some(first) = batches.first() else { return Ok(()) };
    let mut writer = RowWriter::new(out, format, &first.schema())?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}

/// Text without line breaks and other control characters, which would break the table.
fn on_one_line(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| match column.as_any().downcast_ref::<StringArray>() {
        Some(texts) => {
            Arc::new(texts.iter().map(|text| text.map(plain)).collect::<StringArray>()) as ArrayRef
        }
        None => Arc::clone(column),
    });
    RecordBatch::try_new(batch.schema(), columns.collect())
        .map_err(|source| Error::Arrow { what: "writing rows", source })
}

/// Characters that turn the direction of text around, and so what a reader sees.
#[must_use]
pub fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
