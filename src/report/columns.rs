//! Rows of a command as typed columns, for every output format alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use chrono::NaiveDate;

use crate::error::{Error, Result};
use lightsout_model::protocol::Protocol;

/// Columns, filled one after the other from the same rows.
pub struct Columns<'a, T> {
    rows: &'a [T],
    columns: Vec<(&'static str, ArrayRef)>,
}

impl<'a, T> Columns<'a, T> {
    #[must_use]
    pub const fn of(rows: &'a [T]) -> Self {
        Self { rows, columns: Vec::new() }
    }

    #[must_use]
    pub fn text(mut self, name: &'static str, value: impl Fn(&'a T) -> Option<String>) -> Self {
        let column: StringArray = self.rows.iter().map(value).collect();
        self.columns.push((name, Arc::new(column)));
        self
    }

    #[must_use]
    pub fn day(mut self, name: &'static str, value: impl Fn(&'a T) -> Option<NaiveDate>) -> Self {
        let column: Date32Array =
            self.rows.iter().map(|row| value(row).map(|day| day.to_epoch_days())).collect();
        self.columns.push((name, Arc::new(column)));
        self
    }

    #[must_use]
    pub fn number(mut self, name: &'static str, value: impl Fn(&'a T) -> Option<i64>) -> Self {
        let column: Int64Array = self.rows.iter().map(value).collect();
        self.columns.push((name, Arc::new(column)));
        self
    }

    #[must_use]
    pub fn boolean(mut self, name: &'static str, value: impl Fn(&'a T) -> Option<bool>) -> Self {
        let column: BooleanArray = self.rows.iter().map(value).collect();
        self.columns.push((name, Arc::new(column)));
        self
    }

    /// Joined with `;`.
    #[must_use]
    pub fn protocols(self, name: &'static str, value: impl Fn(&'a T) -> &'a [Protocol]) -> Self {
        self.text(name, |row| Some(joined(value(row))))
    }

    /// # Errors
    /// Fails if two columns have one name: JSON and SQL would show only one of them.
    pub fn batch(self) -> Result<RecordBatch> {
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = self.columns.iter().find(|(name, _)| !names.insert(*name)) {
            let source = ArrowError::SchemaError(format!("two columns are named {twice}"));
            return Err(Error::Arrow { what: "building rows", source });
        }
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
            .collect();
        let columns = self.columns.into_iter().map(|(_, column)| column).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|source| Error::Arrow { what: "building rows", source })
    }
}

/// Names joined with `;`.
#[must_use]
pub fn joined(protocols: &[Protocol]) -> String {
    protocols.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    // The status of a campaign once had the same column twice, and its JSON lost one of them.
    #[test]
    fn two_columns_of_one_name_are_an_error() {
        let rows = [1];
        let columns = || Columns::of(&rows).text("a", |_| None);
        assert!(columns().text("b", |_| None).batch().is_ok());
        assert!(columns().text("a", |_| None).batch().is_err());
    }
}
