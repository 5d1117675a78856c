//! Rows to a stream as they come: what is held is a batch, of Parquet a row group, and of a table as many rows
//! as its columns are measured by.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::{JsonArray, LineDelimited};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::workbook::Workbook;
use super::{Format, markdown, on_one_line};
use crate::error::{Error, Result};
use lightsout_output::table::CsvWriter;
use lightsout_output::text::is_bidi;

/// Rows of one table; of more there are several, each as wide as its own rows.
pub const TABLE_ROWS_MAX: usize = 10_000;

/// Rows that a Parquet file's writer holds.
const GROUP_ROWS_MAX: usize = 64 << 10;

/// See the file's first lines.
pub struct RowWriter<W: Write + Send> {
    schema: SchemaRef,
    out: Out<W>,
}

enum Out<W: Write + Send> {
    Table { out: W, held: Vec<RecordBatch>, rows: usize, tables: usize },
    Csv { out: Box<CsvWriter<W>>, has_header: bool },
    Json(arrow::json::Writer<W, JsonArray>),
    Ndjson(arrow::json::Writer<W, LineDelimited>),
    Parquet(Box<ArrowWriter<W>>),
    Xlsx(Box<Workbook<W>>),
    Markdown { out: W, has_header: bool },
}

const fn arrow(source: arrow::error::ArrowError) -> Error {
    Error::Arrow { what: "writing rows", source }
}

fn parquet(source: parquet::errors::ParquetError) -> Error {
    Error::Parquet { path: "the output".into(), source }
}

impl<W: Write + Send> RowWriter<W> {
    /// # Errors
    /// Fails if the format has no such column.
    pub fn new(out: W, format: Format, schema: &SchemaRef) -> Result<Self> {
        let json = arrow::json::WriterBuilder::new().with_explicit_nulls(true);
        let out = match format {
            Format::Table => Out::Table { out, held: Vec::new(), rows: 0, tables: 0 },
            Format::Csv => Out::Csv { out: Box::new(CsvWriter::new(out)), has_header: false },
            Format::Json => Out::Json(json.build(out)),
            Format::Ndjson => Out::Ndjson(json.build(out)),
            Format::Parquet => {
                let properties =
                    WriterProperties::builder().set_max_row_group_row_count(Some(GROUP_ROWS_MAX)).build();
                let writer = ArrowWriter::try_new(out, Arc::clone(schema), Some(properties));
                Out::Parquet(Box::new(writer.map_err(parquet)?))
            }
            Format::Xlsx => Out::Xlsx(Box::new(Workbook::new(out, schema)?)),
            Format::Markdown => Out::Markdown { out, has_header: false },
        };
        Ok(Self { schema: Arc::clone(schema), out })
    }

    /// # Errors
    /// Fails if the rows can't be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.out {
            Out::Csv { out, has_header } => {
                *has_header = true;
                out.write(batch).map_err(arrow)
            }
            Out::Json(writer) => writer.write(batch).map_err(arrow),
            Out::Ndjson(writer) => writer.write(batch).map_err(arrow),
            Out::Parquet(writer) => writer.write(batch).map_err(parquet),
            Out::Xlsx(workbook) => workbook.write(batch),
            Out::Markdown { out, has_header } => {
                if !*has_header {
                    *has_header = true;
                    markdown::write_header(out, &self.schema).map_err(Error::write("the output"))?;
                }
                markdown::write_rows(out, batch).map_err(arrow)
            }
            Out::Table { out, held, rows, tables } => {
                let mut rest = batch.clone();
                while *rows + rest.num_rows() > TABLE_ROWS_MAX {
                    let room = TABLE_ROWS_MAX - *rows;
                    held.push(rest.slice(0, room));
                    rest = rest.slice(room, rest.num_rows() - room);
                    write_table(out, held)?;
                    held.clear();
                    (*rows, *tables) = (0, *tables + 1);
                }
                *rows += rest.num_rows();
                held.push(rest);
                Ok(())
            }
        }
    }

    /// Writes what is held and what the format ends with; of no row at all the header.
    ///
    /// # Errors
    /// Fails if it can't be written.
    pub fn finish(mut self) -> Result<()> {
        let empty = RecordBatch::new_empty(Arc::clone(&self.schema));
        if let Out::Csv { has_header: false, .. } | Out::Markdown { has_header: false, .. } = &self.out {
            self.write(&empty)?;
        }
        let mut out = match self.out {
            Out::Csv { out, .. } => out.into_inner(),
            Out::Json(mut writer) => {
                writer.finish().map_err(arrow)?;
                let mut out = writer.into_inner();
                writeln!(out).map_err(Error::write("the output"))?;
                out
            }
            Out::Ndjson(mut writer) => {
                writer.finish().map_err(arrow)?;
                writer.into_inner()
            }
            Out::Parquet(writer) => writer.into_inner().map_err(parquet)?,
            Out::Xlsx(workbook) => workbook.finish()?,
            Out::Markdown { out, .. } => out,
            Out::Table { mut out, mut held, rows, tables } => {
                if rows > 0 || tables == 0 {
                    held.push(empty);
                    write_table(&mut out, &held)?;
                }
                out
            }
        };
        out.flush().map_err(Error::write("the output"))
    }
}

fn write_table(out: &mut impl Write, batches: &[RecordBatch]) -> Result<()> {
    let lines: Vec<RecordBatch> = batches.iter().map(on_one_line).collect::<Result<_>>()?;
    let table = arrow::util::pretty::pretty_format_batches(&lines).map_err(arrow)?;
    let plain: String = table
        .to_string()
        .chars()
        .map(|c| if c.is_control() && c != '\n' || is_bidi(c) { ' ' } else { c })
        .collect();
    writeln!(out, "{plain}").map_err(Error::write("the output"))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn batch(rows: i64) -> RecordBatch {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from_iter_values(0..rows))]).expect("a batch")
    }

    fn written(format: Format, batches: &[RecordBatch]) -> String {
        let mut out = Vec::new();
        let mut writer = RowWriter::new(&mut out, format, &batch(0).schema()).expect("a writer");
        batches.iter().try_for_each(|batch| writer.write(batch)).expect("written");
        writer.finish().expect("finished");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn no_row_at_all_still_has_its_header() {
        for batches in [vec![], vec![batch(0)]] {
            assert_eq!(written(Format::Csv, &batches), "n\n");
            assert_eq!(written(Format::Json, &batches), "[]\n");
            assert_eq!(written(Format::Ndjson, &batches), "");
            assert_eq!(written(Format::Table, &batches), "+---+\n| n |\n+---+\n+---+\n");
            assert_eq!(written(Format::Markdown, &batches), "| n |\n| ---: |\n");
        }
    }

    #[test]
    fn a_table_of_many_rows_is_several_tables_of_all_of_them() {
        let rows = i64::try_from(TABLE_ROWS_MAX).expect("a number");
        for (sizes, tables) in [(vec![rows], 1), (vec![rows, 1], 2), (vec![3, 2 * rows + 7, 2], 3)] {
            let text = written(Format::Table, &sizes.iter().map(|rows| batch(*rows)).collect::<Vec<_>>());
            assert_eq!(text.matches("| n ").count(), tables, "{sizes:?}");
            let shown = text.lines().filter(|line| line.starts_with('|')).count() - tables;
            assert_eq!(shown, usize::try_from(sizes.iter().sum::<i64>()).expect("a number"));
        }
    }
}
