//! Rows that leave tables: the files that hold them are written again without them, in one batch. Old versions keep the
//! rows until `vacuum`.

use std::collections::HashSet;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, not};

use super::commit::{Locked, Manifest, Replaced, Replacing};
use super::schema::Table;
use super::schema_evolution::widened;
use super::write::{DataFile, DataFileWriter};
use super::{Lake, LakeFile};
use crate::error::{Error, Result};

/// Which rows of a table leave it.
pub struct Removal<'a> {
    pub table: Table,
    /// The columns that `leaves` looks at.
    pub columns: &'a [&'a str],
    /// Of each row whether it leaves; never null.
    pub leaves: &'a dyn Fn(&RecordBatch) -> Result<BooleanArray>,
}

/// How many rows left a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct RemovedRows {
    pub table: Table,
    pub rows: u64,
}

impl Lake {
    /// How many rows [`Lake::remove_rows`] would remove, by table.
    ///
    /// # Errors
    /// Fails if a table can't be read.
    pub fn count_removed_rows(&self, removals: &[Removal<'_>]) -> Result<Vec<RemovedRows>> {
        let mut counts = Vec::new();
        for removal in removals {
            let mut rows = 0;
            for file in self.files(removal.table)? {
                rows += self.leaving(removal, &file)?;
            }
            counts.push(RemovedRows { table: removal.table, rows });
        }
        Ok(counts)
    }

    /// Removes rows of several tables in one batch. The caller holds the lock.
    ///
    /// # Errors
    /// Fails if the lake can't be read or written; then every row stays.
    pub async fn remove_rows(
        &mut self,
        lock: &Locked,
        removals: &[Removal<'_>],
        now_ms: i64,
    ) -> Result<Vec<RemovedRows>> {
        self.remove_rows_and_files(lock, removals, Vec::new(), now_ms).await
    }

    /// Removes rows of some tables, adds rows, and gives small tables other rows than they have, in one batch. The
    /// caller holds the lock.
    ///
    /// # Errors
    /// Fails if the lake can't be read or written; then everything stays.
    pub async fn remove_and_replace(
        &mut self,
        lock: &Locked,
        removals: &[Removal<'_>],
        added: &[(Table, RecordBatch)],
        contents: &[(Table, RecordBatch)],
        now_ms: i64,
    ) -> Result<Vec<RemovedRows>> {
        let mut replaced = Vec::new();
        for (table, _) in contents {
            let files = self.files(*table)?.into_iter();
            let leaves = |file: LakeFile| Replaced {
                table: *table,
                path: file.path,
                bytes: file.bytes,
                reason: Replacing::Rows,
            };
            replaced.extend(files.map(leaves));
        }
        let mut written = Vec::new();
        for (table, rows) in added.iter().chain(contents).filter(|(_, rows)| rows.num_rows() > 0) {
            let name = format!("part-{}", uuid::Uuid::new_v4().simple());
            written.push(super::write::write_file(&self.root, *table, &name, rows)?);
        }
        self.remove_add_rows(lock, removals, replaced, written, now_ms).await
    }

    /// The same, and files that are not read.
    pub(super) async fn remove_rows_and_files(
        &mut self,
        lock: &Locked,
        removals: &[Removal<'_>],
        unread: Vec<Replaced>,
        now_ms: i64,
    ) -> Result<Vec<RemovedRows>> {
        self.remove_add_rows(lock, removals, unread, Vec::new(), now_ms).await
    }

    async fn remove_add_rows(
        &mut self,
        lock: &Locked,
        removals: &[Removal<'_>],
        unread: Vec<Replaced>,
        added: Vec<DataFile>,
        now_ms: i64,
    ) -> Result<Vec<RemovedRows>> {
        let batch_id = uuid::Uuid::new_v4().simple().to_string();
        let mut manifest = Manifest { batch_id, files: added, replaced: unread };
        let unread: HashSet<(Table, String)> =
            manifest.replaced.iter().map(|file| (file.table, file.path.clone())).collect();
        let mut counts = Vec::new();
        for removal in removals {
            let mut rows = 0;
            for file in self.files(removal.table)? {
                if unread.contains(&(removal.table, file.path.clone())) {
                    continue;
                }
                let leaving = self.leaving(removal, &file)?;
                if leaving == 0 {
                    continue;
                }
                rows += leaving;
                let name = format!("part-{}-{:05}", manifest.batch_id, manifest.replaced.len());
                manifest.files.extend(self.written_without(removal, &file, &name)?);
                manifest.replaced.push(Replaced {
                    table: removal.table,
                    path: file.path,
                    bytes: file.bytes,
                    reason: Replacing::Rows,
                });
            }
            counts.push(RemovedRows { table: removal.table, rows });
        }
        if !manifest.replaced.is_empty() || !manifest.files.is_empty() {
            self.commit(lock, &manifest, now_ms).await?;
        }
        Ok(counts)
    }

    /// How many rows of a file leave.
    fn leaving(&self, removal: &Removal<'_>, file: &LakeFile) -> Result<u64> {
        let mut rows = 0;
        for batch in self.open_file(removal.table, file)?.batches(Some(removal.columns))? {
            rows += (removal.leaves)(&batch?)?.true_count() as u64;
        }
        Ok(rows)
    }

    /// A file of the rows that stay; `None`: none does.
    fn written_without(
        &self,
        removal: &Removal<'_>,
        file: &LakeFile,
        name: &str,
    ) -> Result<Option<DataFile>> {
        let arrow = |source| Error::Arrow { what: "removing rows", source };
        let mut writer: Option<DataFileWriter> = None;
        for batch in self.open_file(removal.table, file)?.batches(None)? {
            let batch = widened(removal.table, &batch?)?;
            let stays = not(&(removal.leaves)(&batch)?).map_err(arrow)?;
            let staying = filter_record_batch(&batch, &stays).map_err(arrow)?;
            if staying.num_rows() == 0 {
                continue;
            }
            let to = match writer.take() {
                Some(to) => to,
                None => DataFileWriter::create(&self.root, removal.table, file.provably_modern, name)?,
            };
            writer.insert(to).write(&staying)?;
        }
        writer.map(DataFileWriter::finish).transpose()
    }
}
