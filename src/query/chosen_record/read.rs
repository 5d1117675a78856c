//! Reads some columns of data files, texts by number where the files have them so.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, AsArray as _, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};

use lightsout_lake::schema::Table;

pub(super) type Reader = ParquetRecordBatchReaderBuilder<File>;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 16 * 1024;

/// The columns of the files; of texts only ids are written out.
static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let by_number = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let schema = Table::SignInRecords.file_schema();
    let fields = schema.fields().iter().map(|field| {
        let is_text = field.data_type() == &DataType::Utf8 && field.name() != "sign_in_id";
        Field::new(field.name(), if is_text { by_number.clone() } else { field.data_type().clone() }, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
});

/// Opens a data file whose columns are those of the table; `None`: it can't be read so.
pub(super) fn open(path: &Path) -> Option<Reader> {
    let options = ArrowReaderOptions::new().with_schema(SCHEMA.clone());
    Reader::try_new_with_options(File::open(path).ok()?, options).ok()
}

/// Some columns of a file's rows, of those that are selected.
pub(super) fn columns(
    reader: Reader,
    names: &[&str],
    rows: Option<RowSelection>,
) -> Option<ParquetRecordBatchReader> {
    let mask = ProjectionMask::columns(reader.parquet_schema(), names.iter().copied());
    let reader = reader.with_projection(mask).with_batch_size(BATCH_ROWS);
    match rows {
        Some(rows) => reader.with_row_selection(rows),
        None => reader,
    }
    .build()
    .ok()
}

/// A column of texts by number.
pub(super) struct Texts<'a> {
    keys: &'a Int32Array,
    values: &'a StringArray,
}

impl<'a> Texts<'a> {
    pub(super) fn of(batch: &'a RecordBatch, name: &str) -> Option<Self> {
        let column = batch.column_by_name(name)?.as_dictionary_opt::<Int32Type>()?;
        Some(Self { keys: column.keys(), values: column.values().as_string_opt()? })
    }

    /// The number of a row's text.
    pub(super) fn key(&self, row: usize) -> Option<usize> {
        self.keys.is_valid(row).then(|| usize::try_from(self.keys.value(row)).ok()).flatten()
    }

    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        self.key(row).map(|key| self.values.value(key))
    }

    /// Something of each text, by number.
    pub(super) fn each<T>(&self, of: impl Fn(&str) -> T) -> Vec<T> {
        self.values.iter().map(|text| of(text.unwrap_or_default())).collect()
    }
}

/// The rows of a file that are numbered, in rising order, of all that it has.
pub(super) fn selection(rows: impl Iterator<Item = u32>, selected: bool, all: usize) -> RowSelection {
    let mut selectors = Vec::new();
    let select = |count, selected| {
        if selected { RowSelector::select(count) } else { RowSelector::skip(count) }
    };
    let mut next = 0;
    for row in rows {
        let row = row as usize;
        selectors.push(select(row - next, !selected));
        selectors.push(select(1, selected));
        next = row + 1;
    }
    selectors.push(select(all - next, !selected));
    // Runs of the same kind are joined, empty ones left out.
    RowSelection::from(selectors)
}
