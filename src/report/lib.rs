//! Results for people and programs: rows as table, CSV, JSON, NDJSON, Parquet, Excel workbook or Markdown (`row_writer`),
//! as a table that fits a terminal (`terminal`, `expanded`), the tables of an assessment (`assessment`), the summary at the end of a run (`closing`), the explanation of one tenant (`explain`),
//! where a campaign stands (`work_list`) and `report.html` (`page`). It decides nothing and writes nothing into a lake.

pub mod assessment;
pub mod closing;
pub mod columns;
mod error;
pub mod expanded;
pub mod explain;
mod fitted;
mod format;
mod markdown;
pub mod page;
mod row_writer;
pub mod terminal;
pub mod work_list;
mod workbook;
mod wrapped;

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch, StringArray};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

pub use fitted::fitted_table;
pub use format::Format;
pub use row_writer::{RowWriter, TABLE_ROWS_MAX};

pub use error::{Error, Result};
use lightsout_output::table;
use lightsout_output::text::plain;

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

/// Text without line breaks and other control characters, which would break the table; lists and structures
/// as text.
fn on_one_line(batch: &RecordBatch) -> Result<RecordBatch> {
    let arrow = |source| Error::Arrow { what: "writing rows", source };
    let names = batch.schema();
    let names = names.fields().iter().map(|field| field.name().as_str());
    let columns = names.zip(batch.columns()).map(|(name, column)| Ok((name, one_line_column(column)?)));
    table::batch(columns.collect::<std::result::Result<_, _>>().map_err(arrow)?).map_err(arrow)
}

fn one_line_column(column: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    if column.data_type().is_primitive() {
        return Ok(Arc::clone(column));
    }
    let options = FormatOptions::default();
    let cells = ArrayFormatter::try_new(column, &options)?;
    let cells = (0..column.len()).map(|row| {
        if column.is_null(row) {
            return Ok(None);
        }
        cells.value(row).try_to_string().map(|text| Some(plain(&text)))
    });
    Ok(Arc::new(cells.collect::<std::result::Result<StringArray, _>>()?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Date32Array, StringViewArray};

    use super::*;

    #[test]
    fn a_table_has_one_line_a_row_whatever_the_type() {
        let list = |texts: &[&str]| {
            let mut list = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
            list.append_value(texts.iter().map(|text| Some(*text)));
            Arc::new(list.finish()) as ArrayRef
        };
        let batch = table::batch(vec![
            ("view", Arc::new(StringViewArray::from_iter_values(["a\nb"])) as ArrayRef),
            ("list", list(&["c\r\nd", "e"])),
            ("day", Arc::new(Date32Array::from(vec![2]))),
            ("on", Arc::new(BooleanArray::from(vec![true]))),
        ]);
        let mut text = Vec::new();
        write(&mut text, &[batch.expect("columns")], Format::Table).expect("in memory");
        let text = String::from_utf8(text).expect("text");
        assert_eq!(text.lines().count(), 5, "{text}");
        for cell in ["a b", "c  d, e", "1970-01-03", "true"] {
            assert!(text.contains(cell), "{cell} in {text}");
        }
    }
}
