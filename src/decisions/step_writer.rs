//! Rows that grow with the number of tenants, written step by step.

use arrow::array::RecordBatch;

use crate::error::Result;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use lightsout_lake::write::{DataFile, DataFileWriter};

/// One file, of which a step is held at a time; none where there are no rows.
pub(crate) fn write_steps(
    lake: &Lake,
    table: Table,
    name: &str,
    steps: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<Option<DataFile>> {
    let mut writer = None;
    for rows in steps {
        let to = match writer.take() {
            Some(to) => to,
            None => DataFileWriter::create(lake.root(), table, None, name)?,
        };
        let to = writer.insert(to);
        to.write(&rows?)?;
        to.end_row_group()?;
    }
    Ok(writer.map(DataFileWriter::finish).transpose()?)
}
