//! A roster as Parquet: a row a tenant. Text may be in any of its encodings; lists may be lists or joined
//! text, days may be days or times, as tools write them.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use serde_json::Value;

use super::{Column, Place, RosterColumn, RosterError, Row, Rows, columns};

pub(super) fn rows(path: &Path, file: &str) -> Result<Rows, RosterError> {
    let invalid = |source| RosterError::Parquet { file: file.to_owned(), source };
    let opened = File::open(path).map_err(|source| RosterError::Read { file: file.to_owned(), source })?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(invalid)?;
    let schema = reader.schema().clone();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let mut warnings = BTreeSet::new();
    let header = columns(names, false, file, Place::Row(1), &mut warnings)?;
    if !header.iter().any(|column| column.is("tenant_id")) {
        return Err(RosterError::NoTenantId { file: file.to_owned(), place: Place::Row(1) });
    }
    let mut rows = Vec::new();
    for batch in reader.build().map_err(invalid)? {
        let batch = batch.map_err(|source| invalid(ParquetError::from(source)))?;
        let columns = values(&header, &batch, file)?;
        for at in 0..batch.num_rows() {
            let place = Place::Row(rows.len() as u64 + 1);
            let of_row = columns.iter().map(|values| values[at].clone());
            rows.push(Row::new(place, header.iter().cloned().zip(of_row)));
        }
    }
    Ok(Rows { tenants: rows, header: Vec::new(), warnings })
}

/// For each column its values.
fn values(header: &[RosterColumn], batch: &RecordBatch, file: &str) -> Result<Vec<Vec<Value>>, RosterError> {
    let of = |(name, column): (&RosterColumn, &ArrayRef)| match name {
        RosterColumn::Known(name) => plain_values(column).ok_or_else(|| RosterError::ColumnType {
            file: file.to_owned(),
            column: Column { name, number: None },
            found: column.data_type().to_string(),
        }),
        RosterColumn::Other(_) | RosterColumn::Nameless => Ok(plain_values(column)
            .or_else(|| texts(column))
            .unwrap_or_else(|| vec![Value::Null; column.len()])),
    };
    header.iter().zip(batch.columns()).map(of).collect()
}

/// What has a text as a text.
fn texts(column: &ArrayRef) -> Option<Vec<Value>> {
    let texts = cast(column, &DataType::Utf8).ok()?;
    Some(texts.as_string::<i32>().iter().map(Value::from).collect())
}

/// `None` for a type that no column of a roster has.
fn plain_values(column: &ArrayRef) -> Option<Vec<Value>> {
    let list = || DataType::List(Field::new_list_field(DataType::Utf8, true).into());
    let to = |kind: DataType| cast(column, &kind).ok();
    Some(match column.data_type() {
        DataType::Null => vec![Value::Null; column.len()],
        kind if is_text(kind) => to(DataType::Utf8)?.as_string::<i32>().iter().map(Value::from).collect(),
        DataType::List(item) | DataType::LargeList(item) if is_text(item.data_type()) => {
            let lists = to(list())?;
            let texts = |texts: ArrayRef| -> Vec<Value> {
                texts.as_string::<i32>().iter().flatten().map(Value::from).collect()
            };
            lists.as_list::<i32>().iter().map(|item| Value::from(item.map(texts))).collect()
        }
        DataType::Boolean => column.as_boolean().iter().map(Value::from).collect(),
        kind if kind.is_integer() => {
            to(DataType::Int64)?.as_primitive::<Int64Type>().iter().map(Value::from).collect()
        }
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            let days = to(DataType::Date32)?;
            let day = |day: i32| Date32Type::to_naive_date_opt(day).map(|day| day.to_string());
            days.as_primitive::<Date32Type>().iter().map(|days| Value::from(days.and_then(day))).collect()
        }
        _ => return None,
    })
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Dictionary(_, values) if values.is_string()) || kind.is_string()
}
