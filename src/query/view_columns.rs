//! Builds the schema and the columns of views whose rows are computed in Rust, for the crates that own them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::NaiveDate;

/// A schema of nullable columns.
#[must_use]
pub fn schema_of(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    Arc::new(Schema::new(fields))
}

/// A text of each row.
pub fn text_column<T>(rows: &[T], each: impl Fn(&T) -> Option<String>) -> ArrayRef {
    Arc::new(rows.iter().map(each).collect::<StringArray>())
}

/// A date of each row.
pub fn date_column<T>(rows: &[T], each: impl Fn(&T) -> Option<NaiveDate>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| each(row).map(|day| day.to_epoch_days())).collect::<Date32Array>())
}
