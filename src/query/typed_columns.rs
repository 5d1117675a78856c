//! The columns of a query's answer by name and type, where rows are too many to go through JSON.

use std::str::FromStr;

use arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};

use crate::{Error, Result};

/// The columns of a batch.
pub(super) struct TypedColumns<'a> {
    pub(super) batch: &'a RecordBatch,
    /// The query, for errors.
    pub(super) query: &'static str,
}

impl<'a> TypedColumns<'a> {
    fn wrong(&self, name: &str, expected: &str) -> Error {
        let found = self
            .batch
            .schema()
            .field_with_name(name)
            .map_or_else(|_| "no such column".to_owned(), |field| field.data_type().to_string());
        let text = format!("{}: column {name}: expected {expected}, found {found}", self.query);
        Error::Arrow { what: "reading evidence", source: ArrowError::SchemaError(text) }
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a StringArray> {
        let column = self.batch.column_by_name(name).and_then(|column| column.as_string_opt());
        column.ok_or_else(|| self.wrong(name, "text"))
    }

    pub(super) fn primitive<T: ArrowPrimitiveType>(&self, name: &str) -> Result<&'a PrimitiveArray<T>> {
        let column = self.batch.column_by_name(name).and_then(|column| column.as_primitive_opt());
        column.ok_or_else(|| self.wrong(name, &T::DATA_TYPE.to_string()))
    }

    /// Counts: never null, never below zero.
    pub(super) fn counts(&self, name: &str) -> Result<impl Fn(usize) -> u64 + use<'a>> {
        let column = self.primitive::<Int64Type>(name)?;
        Ok(|at| if column.is_null(at) { 0 } else { u64::try_from(column.value(at)).unwrap_or(0) })
    }

    pub(super) fn times(&self, name: &str) -> Result<impl Fn(usize) -> Option<DateTime<Utc>> + use<'a>> {
        let column = self.primitive::<TimestampMicrosecondType>(name)?;
        Ok(|at| column.is_valid(at).then(|| DateTime::from_timestamp_micros(column.value(at))).flatten())
    }
}

/// A word of a fixed list, `None` where the cell is null.
pub(super) fn parse_word<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    column: &StringArray,
    at: usize,
) -> Result<Option<T>> {
    if column.is_null(at) {
        return Ok(None);
    }
    let word = column.value(at).parse().map_err(|source| Error::Arrow {
        what: "reading evidence",
        source: ArrowError::ExternalError(Box::new(source)),
    });
    word.map(Some)
}
