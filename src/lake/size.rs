//! How much room a lake takes, table by table, and what would make it less.

use std::collections::HashSet;

use serde::Serialize;

use super::Lake;
use super::schema::Table;
use crate::error::Result;

/// A file of fewer bytes is small; so many of them are worth a compaction.
const SMALL_BYTES: u64 = 4 << 20;
const SMALL_FILES: u64 = 20;

/// The room that a table takes.
#[derive(Debug, Clone, Serialize)]
pub struct TableSize {
    pub table: Table,
    pub files: u64,
    pub bytes: u64,
    pub small_files: u64,
    /// Data files that the newest version does not name: of old versions, or left by killed runs.
    pub old_files: u64,
    pub old_bytes: u64,
}

impl TableSize {
    /// Whether a compaction would make reading faster.
    #[must_use]
    pub const fn is_scattered(&self) -> bool {
        self.small_files >= SMALL_FILES
    }
}

impl Lake {
    /// The room that each table takes.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub fn sizes(&self) -> Result<Vec<TableSize>> {
        Table::ALL.into_iter().map(|table| self.size(table)).collect()
    }

    fn size(&self, table: Table) -> Result<TableSize> {
        let files = self.files(table)?;
        let mut size = TableSize {
            table,
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.bytes).sum(),
            small_files: files.iter().filter(|file| file.bytes < SMALL_BYTES).count() as u64,
            old_files: 0,
            old_bytes: 0,
        };
        let current: HashSet<String> = files.into_iter().map(|file| file.path).collect();
        for file in self.stored(table)?.into_iter().filter(|file| !current.contains(&file.path)) {
            size.old_files += 1;
            size.old_bytes += file.bytes;
        }
        Ok(size)
    }
}
