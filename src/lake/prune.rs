//! What was removed leaves history too: old versions, their logs and checkpoints, and every data file that the newest
//! versions do not name. And the proof: a look at every byte for what must be gone.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use arrow::array::ArrayData;
use chrono::NaiveDate;
use serde::Serialize;

use super::Lake;
use super::commit::Locked;
use super::durable;
use super::schema::Table;
use crate::error::{Error, Result};

/// Files that held old versions.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct PurgedFiles {
    pub files: u64,
    pub bytes: u64,
}

impl PurgedFiles {
    fn remove(&mut self, path: &Path) -> Result<()> {
        let bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
        fs::remove_file(path).map_err(Error::write(path))?;
        self.files += 1;
        self.bytes += bytes;
        Ok(())
    }
}

impl Lake {
    /// Fails if another process has the lake open; else none can open it until this `Lake` is dropped.
    ///
    /// # Errors
    /// Fails also if the lake can't be locked.
    pub fn claim_for_prune(&self) -> Result<()> {
        if self.claim()? { Ok(()) } else { Err(Error::InUse { lake: self.name() }) }
    }

    /// The day before which everything was pruned; `None`: nothing was.
    #[must_use]
    pub const fn pruned_before(&self) -> Option<NaiveDate> {
        self.pruned_before
    }

    /// Notes for all entries to come that everything before a day is pruned.
    pub fn set_pruned_before(&mut self, day: NaiveDate) {
        self.pruned_before = self.pruned_before.max(Some(day));
    }

    /// Deletes every version but the newest, of all tables. Nobody else may have the lake open. What fails half-way is
    /// done by running it again.
    ///
    /// # Errors
    /// Fails if a checkpoint can't be written or a file not be deleted.
    pub async fn purge_history(&mut self, lock: &Locked, now_ms: i64) -> Result<PurgedFiles> {
        self.begin()?;
        for table in Table::ALL {
            self.rebuild_checkpoint(table).await?;
        }
        self.log_commit(None, now_ms)?;
        self.publish_commits(lock).await?;
        let mut purged = PurgedFiles::default();
        for (table, newest) in self.versions()? {
            let log = self.log_of(table);
            for entry in fs::read_dir(&log).map_err(Error::read(log.display().to_string()))? {
                let path = entry.map_err(Error::read(log.display().to_string()))?.path();
                let name =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                // `<version>.json`, `<version>.checkpoint.parquet`, and what is left of one that was being written.
                let version = name.split('.').next().and_then(|digits| digits.parse::<u64>().ok());
                if name.contains('#') || version.is_some_and(|version| version < newest) {
                    purged.remove(&path)?;
                }
            }
            durable::sync_folder(&log).map_err(Error::write(&log))?;
            let current: HashSet<String> = self.files(table)?.into_iter().map(|file| file.path).collect();
            for file in self.stored(table)?.into_iter().filter(|file| !current.contains(&file.path)) {
                self.remove_data_file(table, &file.path)?;
                purged.files += 1;
                purged.bytes += file.bytes;
            }
        }
        let aside = self.root.join(super::repair::ASIDE);
        if aside.exists() {
            fs::remove_dir_all(&aside).map_err(Error::write(&aside))?;
        }
        self.publish(lock).await?;
        Ok(purged)
    }

    /// Where a text stands in the lake, upper or lower case: files that hold it as it is, and tables whose rows hold it.
    /// The columns of `beside` are not looked at.
    ///
    /// # Errors
    /// Fails if a file can't be read.
    pub fn mentions(&self, text: &str, beside: &[&str]) -> Result<Vec<String>> {
        self.fetch_all()?;
        let text = text.to_ascii_lowercase();
        let mut found = Vec::new();
        for entry in walkdir::WalkDir::new(&self.root).sort_by_file_name() {
            let io = |source| Error::File { lake: self.name(), source };
            let entry = entry.map_err(|error| io(error.into()))?;
            let relative =
                entry.path().strip_prefix(&self.root).unwrap_or(entry.path()).display().to_string();
            let in_name = relative.to_ascii_lowercase().contains(&text);
            let in_bytes = entry.file_type().is_file()
                && holds(&fs::read(entry.path()).map_err(Error::read(relative.clone()))?, text.as_bytes());
            if in_name || (in_bytes && !Self::is_only_beside(&relative, beside)) {
                found.push(relative);
            }
        }
        for table in Table::ALL {
            let schema = table.file_schema();
            let names = schema.fields().iter().map(|field| field.name().as_str());
            let columns: Vec<&str> = names.filter(|name| !beside.contains(name)).collect();
            for batch in self.read(table, Some(&columns))? {
                let batch = batch?;
                let mut arrays = batch.columns().iter();
                if arrays.any(|array| any_buffer_holds(&array.to_data(), text.as_bytes())) {
                    found.push(format!("rows of {}", table.as_str()));
                    break;
                }
            }
        }
        Ok(found)
    }

    /// A data file of sign-in records can hold the text in a column that is not looked at: its rows are read anyway.
    fn is_only_beside(relative: &str, beside: &[&str]) -> bool {
        !beside.is_empty()
            && relative.starts_with(Table::SignInRecords.as_str())
            && relative.ends_with(".parquet")
            && !relative.contains("_delta_log")
    }
}

fn any_buffer_holds(data: &ArrayData, text: &[u8]) -> bool {
    data.buffers().iter().any(|buffer| holds(buffer.as_slice(), text))
        || data.child_data().iter().any(|child| any_buffer_holds(child, text))
}

/// Whether bytes hold a text that is in lower case.
pub fn holds(bytes: &[u8], text: &[u8]) -> bool {
    let Some(first) = text.first() else { return false };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte.to_ascii_lowercase() == *first) {
        rest = &rest[at..];
        if rest.get(..text.len()).is_some_and(|found| found.eq_ignore_ascii_case(text)) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}
