//! Results to files and streams: tables, CSV, JSON, NDJSON, Parquet, and the page that shows a decision.

pub mod assessment;
pub mod closing;
pub mod columns;
pub mod explain;
pub mod page;

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use crate::error::{Error, Result};
use crate::notify::table;
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
    let arrow = |source| Error::Arrow { what: "writing rows", source };
    let disk = Error::write("the output");
    match format {
        Format::Table => {
            let lines: Vec<RecordBatch> = batches.iter().map(on_one_line).collect::<Result<_>>()?;
            let table = arrow::util::pretty::pretty_format_batches(&lines).map_err(arrow)?;
            let plain: String = table
                .to_string()
                .chars()
                .map(|c| if c.is_control() && c != '\n' || is_bidi(c) { ' ' } else { c })
                .collect();
            writeln!(out, "{plain}").map_err(disk)
        }
        Format::Csv => table::write_csv(out, batches).map_err(arrow),
        Format::Json => table::write_json(out, batches).map_err(arrow),
        Format::Ndjson => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::LineDelimited>(out);
            writer.write_batches(&batches.iter().collect::<Vec<_>>()).map_err(arrow)?;
            writer.finish().map_err(arrow)
        }
        Format::Parquet => table::write_parquet(out, batches)
            .map_err(|source| Error::Parquet { path: "the output".into(), source }),
    }
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
