//! Rows of named columns as CSV, JSON and Parquet. All three hold the same rows and columns; only CSV,
//! which spreadsheets open, has lists joined and text made harmless. What is in JSON and Parquet is as
//! it was given.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;

use super::Error;
use super::atomic_file::write_atomically;
use super::text::{csv_cell, csv_cells};

/// Columns of one length, by name.
///
/// # Errors
/// Fails if the lengths differ.
pub fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, ArrowError> {
    let field = |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
}

/// Writes `<name>.csv`, `<name>.json` and `<name>.parquet` into the folder; their names, in that order.
///
/// # Errors
/// Fails if a file can't be written.
pub fn write_files(folder: &Path, name: &str, batch: &RecordBatch) -> Result<[String; 3], Error> {
    let rows = std::slice::from_ref(batch);
    let files = ["csv", "json", "parquet"].map(|extension| format!("{name}.{extension}"));
    let [csv_file, json_file, parquet_file] = &files;
    write_atomically(&folder.join(csv_file), |out, path| write_csv(out, rows).map_err(Error::rows(path)))?;
    write_atomically(&folder.join(json_file), |out, path| write_json(out, rows).map_err(Error::rows(path)))?;
    write_atomically(&folder.join(parquet_file), |out, path| {
        write_parquet(out, rows).map_err(|source| Error::Parquet { path: path.to_owned(), source })
    })?;
    Ok(files)
}

/// CSV with its header. Text is one line of visible characters that no spreadsheet takes for a formula;
/// of a list each, joined with `;`; structures are JSON.
///
/// # Errors
/// Fails if it can't be written.
pub fn write_csv(out: &mut impl Write, batches: &[RecordBatch]) -> Result<(), ArrowError> {
    let mut writer = CsvWriter::new(out);
    batches.iter().try_for_each(|batch| writer.write(batch))
}

/// CSV of [`write_csv`], batch by batch; the first brings the header, even if it has no row.
pub struct CsvWriter<W: Write>(arrow::csv::Writer<W>);

impl<W: Write> CsvWriter<W> {
    pub fn new(out: W) -> Self {
        let format = "%Y-%m-%dT%H:%M:%S%.6fZ".to_owned();
        Self(arrow::csv::WriterBuilder::new().with_timestamp_tz_format(format).build(out))
    }

    /// # Errors
    /// Fails if it can't be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.0.write(&harmless(batch)?)
    }

    pub fn into_inner(self) -> W {
        self.0.into_inner()
    }
}

/// An array of objects, on a line; nulls are written.
///
/// # Errors
/// Fails if it can't be written.
pub fn write_json(out: &mut impl Write, batches: &[RecordBatch]) -> Result<(), ArrowError> {
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::JsonArray>(&mut *out);
    writer.write_batches(&batches.iter().collect::<Vec<_>>())?;
    writer.finish()?;
    drop(writer);
    Ok(writeln!(out)?)
}

/// Parquet; nothing at all if there is no batch, since nothing tells the columns.
///
/// # Errors
/// Fails if it can't be written.
pub(crate) fn write_parquet(
    out: &mut (impl Write + Send),
    batches: &[RecordBatch],
) -> Result<(), ParquetError> {
    let Some(first) = batches.first() else { return Ok(()) };
    let mut writer = ArrowWriter::try_new(out, first.schema(), None)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.close().map(drop)
}

fn harmless(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let names = batch.schema();
    let names = names.fields().iter().map(|field| field.name().as_str());
    let columns = names.zip(batch.columns()).map(|(name, column)| Ok((name, harmless_column(column)?)));
    self::batch(columns.collect::<Result<_, ArrowError>>()?)
}

fn harmless_column(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    one_value_a_cell(column, harmless_text, joined)
}

/// The column with one value in each cell: text as it is, lists joined with `;`, structures as JSON. Other types stay.
///
/// # Errors
/// Fails if a value has no text.
pub fn as_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    one_value_a_cell(column, unchanged, |texts| {
        texts.as_string::<i32>().iter().flatten().collect::<Vec<_>>().join(";")
    })
}

const fn unchanged(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn one_value_a_cell(
    column: &ArrayRef,
    text_cell: fn(&str) -> Cow<'_, str>,
    list_cell: fn(&ArrayRef) -> String,
) -> Result<ArrayRef, ArrowError> {
    let is_text = |kind: &DataType| {
        matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
            || matches!(kind, DataType::Dictionary(_, values) if values.is_string())
    };
    match column.data_type() {
        kind if is_text(kind) => {
            let texts = cast(column, &DataType::Utf8)?;
            let cells = texts.as_string::<i32>().iter().map(|text| text.map(text_cell));
            Ok(Arc::new(cells.collect::<StringArray>()))
        }
        DataType::List(item) if !item.data_type().is_nested() => {
            let list = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
            let lists = cast(column, &list)?;
            let cells = lists.as_list::<i32>().iter().map(|texts| texts.as_ref().map(list_cell));
            Ok(Arc::new(cells.collect::<StringArray>()))
        }
        kind if kind.is_nested() => {
            let cells = as_json(column)?;
            let cells = cells.iter().enumerate();
            let cells = cells.map(|(row, text)| column.is_valid(row).then(|| text_cell(text)));
            Ok(Arc::new(cells.collect::<StringArray>()))
        }
        _ => Ok(Arc::clone(column)),
    }
}

/// Structures, and lists of them, each as a line of JSON.
fn as_json(column: &ArrayRef) -> Result<Vec<String>, ArrowError> {
    const BEFORE: &str = "{\"cell\":";
    let mut text = Vec::new();
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::LineDelimited>(&mut text);
    writer.write(&batch(vec![("cell", Arc::clone(column))])?)?;
    writer.finish()?;
    drop(writer);
    let text = String::from_utf8(text).map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
    let cell = |line: &str| {
        let line = line.strip_prefix(BEFORE).and_then(|line| line.strip_suffix('}'));
        line.map(str::to_owned).unwrap_or_default()
    };
    Ok(text.lines().map(cell).collect())
}

/// What is harmless stays as it is, blanks around it too: to a query they are a difference.
fn harmless_text(text: &str) -> Cow<'_, str> {
    let cell = csv_cell(text);
    if cell == text.trim() { Cow::Borrowed(text) } else { Cow::Owned(cell) }
}

fn joined(texts: &ArrayRef) -> String {
    csv_cells(texts.as_string::<i32>().iter().flatten())
}

/// A column of lists of texts.
pub fn lists<S: AsRef<str>>(rows: impl Iterator<Item = Vec<S>>) -> ArrayRef {
    let mut lists = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    for row in rows {
        lists.append_value(row.iter().map(|text| Some(text.as_ref())));
    }
    let lists: ListArray = lists.finish();
    Arc::new(lists)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringViewArray};

    use super::*;

    fn hostile() -> RecordBatch {
        let texts = ["=1+1", " plain ", "a\u{202e}b\r\nc"];
        batch(vec![
            ("text", Arc::new(StringArray::from_iter_values(texts)) as ArrayRef),
            ("view", Arc::new(StringViewArray::from_iter_values(texts))),
            ("number", Arc::new(Int64Array::from(vec![Some(-1), None, Some(3)]))),
            ("list", lists([vec!["-x", "a;b"], vec![], vec!["y"]].into_iter())),
        ])
        .expect("columns of one length")
    }

    #[test]
    fn csv_has_no_formula_no_control_character_and_no_list_and_numbers_stay_numbers() {
        let mut csv = Vec::new();
        write_csv(&mut csv, &[hostile()]).expect("in memory");
        let expected = "text,view,number,list\n'=1+1,'=1+1,-1,'-x;a,b\n plain , plain ,,\nab  c,ab  c,3,y\n";
        assert_eq!(String::from_utf8(csv).expect("text").replace('"', ""), expected);
    }

    #[test]
    fn csv_has_every_list_and_structure_in_a_cell() {
        let mut numbers = arrow::array::ListBuilder::new(arrow::array::Int64Builder::new());
        numbers.append_value([Some(1), None, Some(-2)]);
        numbers.append_null();
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a\nb"), None]));
        let field = Arc::new(Field::new("name", DataType::Utf8, true));
        let structure = arrow::array::StructArray::from(vec![(field, names)]);
        let batch = batch(vec![
            ("numbers", Arc::new(numbers.finish()) as ArrayRef),
            ("structure", Arc::new(structure)),
        ]);
        let mut csv = Vec::new();
        write_csv(&mut csv, &[batch.expect("columns of one length")]).expect("in memory");
        let mut csv = csv::Reader::from_reader(csv.as_slice());
        let rows: Vec<csv::StringRecord> = csv.records().map(|row| row.expect("a row")).collect();
        // A number in a list is text, and then one that begins with a sign.
        assert_eq!(rows[0], vec!["1;'-2", r#"{"name":"a\nb"}"#]);
        assert_eq!(rows[1], vec!["", r#"{"name":null}"#]);
    }

    #[test]
    fn json_and_parquet_hold_what_was_given() {
        let mut json = Vec::new();
        write_json(&mut json, &[hostile()]).expect("in memory");
        let rows: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(rows[0]["text"], "=1+1");
        assert_eq!(rows[0]["list"], serde_json::json!(["-x", "a;b"]));
        assert_eq!(rows[1]["number"], serde_json::Value::Null);

        let mut parquet = Vec::new();
        write_parquet(&mut parquet, &[hostile()]).expect("in memory");
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&parquet).expect("written");
        let read = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 10)
            .expect("Parquet")
            .collect::<Result<Vec<_>, _>>()
            .expect("rows");
        assert_eq!(read, [hostile()]);
    }
}
