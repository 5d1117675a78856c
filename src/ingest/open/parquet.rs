//! Parquet tables, as Log Analytics, Azure Data Explorer and notebooks write them, as a line of JSON for each row.

use std::io::{self, Read};
use std::sync::Arc;

use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::FileFrom;

/// Rows that are in memory together.
const ROWS: usize = 1024;

/// A file that is read at any place, also by several at once.
struct Whole {
    file: Arc<std::fs::File>,
    len: u64,
}

impl Length for Whole {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Whole {
    type T = FileFrom;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(FileFrom { file: Arc::clone(&self.file), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes, ParquetError> {
        if start.saturating_add(length as u64) > self.len {
            return Err(ParquetError::EOF(format!(
                "{length} bytes from {start} on are beyond the file's end"
            )));
        }
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads the table as lines of JSON.
pub(super) struct ParquetText {
    rows: ParquetRecordBatchReader,
    ready: io::Cursor<Vec<u8>>,
}

impl ParquetText {
    pub(super) fn new(file: Arc<std::fs::File>) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(Whole { file, len }).map_err(io::Error::other)?;
        let rows = builder.with_batch_size(ROWS).build().map_err(io::Error::other)?;
        Ok(Self { rows, ready: io::Cursor::default() })
    }
}

impl Read for ParquetText {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(batch) = self.rows.next() else { return Ok(0) };
            let batch = batch.map_err(io::Error::other)?;
            // A column that is empty is not a column that is missing.
            let mut writer =
                WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
            writer.write(&batch).and_then(|()| writer.finish()).map_err(io::Error::other)?;
            self.ready = io::Cursor::new(writer.into_inner());
        }
    }
}
