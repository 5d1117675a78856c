//! The rows of some data files into fewer ones, sorted, within a bound of memory, and the proof that
//! they are the same rows. Commits nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{SortColumn, concat, filter_record_batch, interleave_record_batch, lexsort_to_indices};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use chrono::{DateTime, Datelike};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::schema::Table;
use super::schema_evolution::widened;
use super::write::{DataFile, DataFileWriter};
use crate::error::{Error, Result};

/// A file of so many rows is large enough to stay as it is.
pub(super) const FULL_ROWS: u64 = 256 * 1024;
/// Rows that are handled at a time.
const STEP_ROWS: usize = 8 * 1024;
const STEP_BYTES: usize = 4 << 20;

/// Files whose rows become others.
pub(super) struct Rewrite<'a> {
    pub(super) lake: &'a Path,
    pub(super) table: Table,
    pub(super) provably_modern: Option<bool>,
    /// Of what is written: `<name>-<number><suffix>.parquet`.
    pub(super) name: &'a str,
    pub(super) suffix: &'a str,
    /// Relative to the table's folder.
    pub(super) inputs: &'a [String],
    /// Decoded bytes to hold at most, one row group and one output's pages aside.
    pub(super) memory_bytes: usize,
}

impl Rewrite<'_> {
    /// Writes the rows anew: sorted as a table's rows are, files of sign-in records by calendar month.
    /// Adds each finished file to `written`, which is the caller's to remove if this fails.
    ///
    /// Fails if the new files, read back, do not hold the very rows of the old ones, duplicates too.
    pub(super) fn run(&self, number: &mut usize, written: &mut Vec<DataFile>) -> Result<u64> {
        let first = written.len();
        let mut old = Fingerprint::of(self.table)?;
        let mut buffers: BTreeMap<i32, Buffer> = BTreeMap::new();
        for input in self.inputs {
            read(&self.path(input), self.table, self.memory_bytes, |batch| {
                old.add(&batch)?;
                for (month, batch) in self.by_month(batch)? {
                    let buffer = buffers.entry(month).or_default();
                    buffer.push(batch);
                    if buffer.rows >= FULL_ROWS {
                        let full = std::mem::take(buffer);
                        written.push(self.write(&full, number)?);
                    }
                }
                while buffers.values().map(|buffer| buffer.bytes).sum::<usize>() > self.memory_bytes {
                    let largest = buffers.iter().max_by_key(|(_, buffer)| buffer.bytes);
                    let Some(month) = largest.map(|(month, _)| *month) else { break };
                    let full = buffers.remove(&month).unwrap_or_default();
                    written.push(self.write(&full, number)?);
                }
                Ok(())
            })?;
        }
        for buffer in buffers.into_values().filter(|buffer| buffer.rows > 0) {
            written.push(self.write(&buffer, number)?);
        }
        let mut new = Fingerprint::of(self.table)?;
        for file in &written[first..] {
            read(&self.path(&file.path), self.table, self.memory_bytes, |batch| new.add(&batch))?;
        }
        if old.rows != new.rows || old.sum != new.sum {
            return Err(Error::CompactionDiffers {
                lake: self.lake.display().to_string(),
                table: self.table.as_str(),
                expected: old.rows,
                found: new.rows,
            });
        }
        Ok(old.rows)
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.lake.join(self.table.as_str()).join(relative)
    }

    /// The rows of a batch by the month they happened in; other tables have no months.
    fn by_month(&self, batch: RecordBatch) -> Result<Vec<(i32, RecordBatch)>> {
        if self.table != Table::SignInRecords || batch.num_rows() == 0 {
            return Ok(vec![(0, batch)]);
        }
        let times = column(&batch, "signed_in_at").as_primitive::<TimestampMicrosecondType>();
        let months: Vec<i32> = (0..batch.num_rows())
            .map(|row| if times.is_null(row) { 0 } else { month(times.value(row)) })
            .collect();
        let mut distinct = months.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if let [month] = distinct[..] {
            return Ok(vec![(month, batch)]);
        }
        let of = |month: i32| {
            let mask: BooleanArray = months.iter().map(|at| Some(*at == month)).collect();
            filter_record_batch(&batch, &mask).map(|batch| (month, batch)).map_err(arrow)
        };
        distinct.into_iter().map(of).collect()
    }

    /// One file of what is held.
    fn write(&self, buffer: &Buffer, number: &mut usize) -> Result<DataFile> {
        let keys: Vec<SortColumn> = sort_key(self.table)
            .iter()
            .map(|name| {
                let parts: Vec<&dyn Array> =
                    buffer.batches.iter().map(|batch| column(batch, name).as_ref()).collect();
                concat(&parts).map(|values| SortColumn { values, options: None })
            })
            .collect::<std::result::Result<_, _>>()
            .map_err(arrow)?;
        let order = lexsort_to_indices(&keys, None).map_err(arrow)?;
        drop(keys);
        let places: Vec<(usize, usize)> = buffer
            .batches
            .iter()
            .enumerate()
            .flat_map(|(at, batch)| (0..batch.num_rows()).map(move |row| (at, row)))
            .collect();
        let batches: Vec<&RecordBatch> = buffer.batches.iter().collect();
        let name = format!("{}-{number:05}{}", self.name, self.suffix);
        *number += 1;
        let mut writer = DataFileWriter::create(self.lake, self.table, self.provably_modern, &name)?;
        let row_bytes = (buffer.bytes / places.len().max(1)).max(1);
        let group_rows = (self.memory_bytes / 4 / row_bytes).max(1);
        let mut in_group = 0;
        for some in order.values().chunks((STEP_BYTES / row_bytes).clamp(1, STEP_ROWS)) {
            let rows: Vec<(usize, usize)> = some.iter().map(|at| places[*at as usize]).collect();
            writer.write(&interleave_record_batch(&batches, &rows).map_err(arrow)?)?;
            in_group += rows.len();
            if in_group >= group_rows {
                writer.end_row_group()?;
                in_group = 0;
            }
        }
        writer.finish()
    }
}

/// Rows that become one file.
#[derive(Default)]
struct Buffer {
    batches: Vec<RecordBatch>,
    rows: u64,
    bytes: usize,
}

impl Buffer {
    fn push(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows() as u64;
        self.bytes += batch.get_array_memory_size();
        self.batches.push(batch);
    }
}

/// What a table's rows lie sorted by within a file.
const fn sort_key(table: Table) -> &'static [&'static str] {
    match table {
        Table::SignInRecords => &["tenant_id", "signed_in_at", "source_id", "source_offset"],
        Table::Rejects => &["source_id", "byte_offset"],
        Table::Sources => &["ingested_at", "source_id"],
        Table::DecisionTenants => &["decision_id", "tenant_id"],
        Table::Rosters => &["roster_hash", "tenant_id"],
        Table::Decisions => &["decided_at", "decision_id"],
        Table::CampaignEvents => &["happened_at", "event_id"],
        Table::TenantSettings => &["tenant_id", "collected_at"],
        Table::Dismissals => &["dismissed_at", "dismissal_id"],
    }
}

/// A column of a table, which every batch was read by.
fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    let at = batch.schema_ref().index_of(name).unwrap_or_default();
    batch.column(at)
}

/// Months since the year 0.
pub(super) fn month(micros: i64) -> i32 {
    DateTime::from_timestamp_micros(micros).map_or(0, |at| at.year() * 12 + at.month0().cast_signed())
}

fn arrow(source: ArrowError) -> Error {
    Error::Arrow { what: "compacting", source }
}

/// Reads a file row group by row group, in batches that take a small part of the memory.
fn read(
    path: &Path,
    table: Table,
    memory_bytes: usize,
    mut each: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let wrong = |source| Error::Parquet { path: path.to_owned(), source };
    let file = File::open(path).map_err(Error::read(path.display().to_string()))?;
    let options = ArrowReaderOptions::new().with_schema(table.file_schema());
    let of_today = ArrowReaderMetadata::load(&file, options);
    let is_of_today = of_today.is_ok();
    // A file of an earlier version lacks columns.
    let metadata =
        of_today.or_else(|_| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())).map_err(wrong)?;
    for group in 0..metadata.metadata().num_row_groups() {
        let part = file.try_clone().map_err(Error::read(path.display().to_string()))?;
        let row_bytes = decoded_row_bytes(metadata.metadata().row_group(group));
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(part, metadata.clone())
            .with_row_groups(vec![group])
            .with_batch_size((memory_bytes / 16 / row_bytes).clamp(1, STEP_ROWS))
            .build()
            .map_err(wrong)?;
        for batch in batches {
            let batch = batch.map_err(arrow)?;
            each(if is_of_today { batch } else { widened(table, &batch)? })?;
        }
    }
    Ok(())
}

/// What the rows of a file take in memory, by its footer.
pub(super) fn decoded_bytes(path: &Path) -> Result<u64> {
    let file = File::open(path).map_err(Error::read(path.display().to_string()))?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
        .map_err(|source| Error::Parquet { path: path.to_owned(), source })?;
    Ok(metadata.metadata().row_groups().iter().map(group_bytes).sum())
}

fn group_bytes(group: &RowGroupMetaData) -> u64 {
    let text = |column: &ColumnChunkMetaData| {
        column.unencoded_byte_array_data_bytes().unwrap_or(column.uncompressed_size())
    };
    let bytes: i64 = group.columns().iter().map(|column| text(column) + 8 * group.num_rows()).sum();
    u64::try_from(bytes).unwrap_or(0)
}

/// What a row of the group takes in memory, on average.
fn decoded_row_bytes(group: &RowGroupMetaData) -> usize {
    let rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
    usize::try_from(group_bytes(group) / rows).unwrap_or(usize::MAX).max(1)
}

/// Tells sets of rows apart, whatever their order and however often each occurs.
struct Fingerprint {
    rows: u64,
    /// Of the rows' hashes; a sum keeps duplicates, where a bitwise difference would lose pairs.
    sum: u128,
    converter: RowConverter,
}

impl Fingerprint {
    fn of(table: Table) -> Result<Self> {
        let schema: SchemaRef = table.file_schema();
        let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        Ok(Self { rows: 0, sum: 0, converter: RowConverter::new(fields).map_err(arrow)? })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = self.converter.convert_columns(batch.columns()).map_err(arrow)?;
        for row in &rows {
            let mut hash = [0; 16];
            hash.copy_from_slice(&blake3::hash(row.as_ref()).as_bytes()[..16]);
            self.sum = self.sum.wrapping_add(u128::from_le_bytes(hash));
            self.rows += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray, new_null_array};

    use super::*;

    /// Records of one tenant, one of each time.
    fn records(times: &[i64]) -> RecordBatch {
        let schema = Table::SignInRecords.file_schema();
        let count = times.len();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "signed_in_at" => {
                    Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC"))
                }
                "tenant_id" => Arc::new(StringArray::from(vec!["t"; count])),
                "source_offset" => Arc::new(Int64Array::from(vec![7; count])),
                _ => new_null_array(field.data_type(), count),
            }
        });
        RecordBatch::try_new(Arc::clone(&schema), columns.collect()).expect("records")
    }

    fn fingerprint(batches: &[RecordBatch]) -> (u64, u128) {
        let mut fingerprint = Fingerprint::of(Table::SignInRecords).expect("a fingerprint");
        for batch in batches {
            fingerprint.add(batch).expect("hashed");
        }
        (fingerprint.rows, fingerprint.sum)
    }

    #[test]
    fn a_fingerprint_knows_rows_and_how_often_each_occurs_but_not_their_order() {
        let of = |times: &[i64]| fingerprint(&[records(times)]);
        assert_eq!(of(&[1, 2, 2]), fingerprint(&[records(&[2]), records(&[2, 1])]));
        assert_ne!(of(&[1, 2, 2]), of(&[1, 1, 2]), "as many rows, others of them twice");
        assert_ne!(of(&[1, 2, 2]), of(&[1, 2]), "a duplicate is a row");
        assert_ne!(of(&[1, 1, 3, 3]), of(&[2, 2, 4, 4]), "pairs do not cancel out");
    }

    #[test]
    fn memory_bounds_what_is_held_and_months_lie_apart() {
        const SEPTEMBER_END: i64 = 1_790_812_799_999_999;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let times: Vec<i64> = (0..2_000).map(|at| SEPTEMBER_END + 1 - 1_000 + at).rev().collect();
        let mut writer =
            DataFileWriter::create(folder.path(), Table::SignInRecords, Some(false), "old-legacy")
                .expect("a file");
        writer.write(&records(&times)).expect("written");
        let old = writer.finish().expect("finished");
        let rewrite = |memory_bytes: usize, name: &str| {
            let inputs = [old.path.clone()];
            let rewrite = Rewrite {
                lake: folder.path(),
                table: Table::SignInRecords,
                provably_modern: Some(false),
                name,
                suffix: "-legacy",
                inputs: &inputs,
                memory_bytes,
            };
            let mut written = Vec::new();
            assert_eq!(rewrite.run(&mut 0, &mut written).expect("rewritten"), 2_000);
            written
        };
        let months = rewrite(64 << 20, "new");
        let bounds: Vec<serde_json::Value> =
            months.iter().map(|file| serde_json::from_str(&file.statistics).expect("JSON")).collect();
        assert_eq!(months.iter().map(|file| file.rows).collect::<Vec<_>>(), [1_000, 1_000]);
        assert_eq!(bounds[0]["minValues"]["signed_in_at"], "2026-09-30T23:59:59.999Z");
        assert_eq!(bounds[1]["minValues"]["signed_in_at"], "2026-10-01T00:00:00.000Z");
        let many = rewrite(64 << 10, "small");
        assert!(many.len() > 8, "{} files, each what the memory held", many.len());
    }
}
