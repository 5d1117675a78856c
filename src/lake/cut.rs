//! One consistent cut through all tables, seen without a lock. The tables of a batch are committed one after the
//! other, so whoever opens them meanwhile could see what a log covers without what it shows, and take usage for none.
//!
//! While a batch is committed its manifest lies in `_batches`. A cut is taken if, while the tables were opened,
//! neither the manifests nor the tables changed; a table that has its part of an unfinished batch is then seen as it
//! was before that. What a killed process left is seen the same way, until the next writer finishes it.

use std::fs;
use std::io;
use std::time::Duration;

use super::Lake;
use super::commit::{MANIFESTS, Manifest};
use super::schema::Table;
use crate::error::{Error, Result};

/// How often a cut is tried while others commit, and the pause between: about ten seconds in all.
const ATTEMPTS: u32 = 2_000;
/// After this many, the lake's lock is taken, if the lake can be written: then nobody commits.
const ATTEMPTS_WITHOUT_LOCK: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

impl Lake {
    /// Sees the newest batches, each as a whole.
    ///
    /// # Errors
    /// Fails if the lake can't be read, or others commit without a pause.
    pub async fn refresh(&mut self) -> Result<()> {
        for attempt in 0..ATTEMPTS {
            if attempt == ATTEMPTS_WITHOUT_LOCK && self.lock().await.is_ok() {
                return Ok(());
            }
            let unfinished = self.unfinished_batches()?;
            self.see_newest_commits().await?;
            if self.settle_cut(&unfinished).await? {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Error::AlwaysBusy { lake: self.name() })
    }

    /// Makes the tables, opened after `unfinished` was read, a consistent cut. `false`: something changed meanwhile.
    pub(super) async fn settle_cut(&mut self, unfinished: &[Manifest]) -> Result<bool> {
        let ids = |manifests: &[Manifest]| -> Vec<String> {
            manifests.iter().map(|manifest| manifest.batch_id.clone()).collect()
        };
        if ids(&self.unfinished_batches()?) != ids(unfinished) || !self.is_newest()? {
            return Ok(false);
        }
        for manifest in unfinished {
            for table in Table::ALL {
                if self.has_part_of(manifest, table)? {
                    let version = self.table(table)?.version().unwrap_or(0).saturating_sub(1);
                    let before = self.open_version(table, version).await?;
                    self.tables.insert(table, before);
                }
            }
        }
        Ok(true)
    }

    /// The manifests in `_batches`, by batch id.
    pub(super) fn unfinished_batches(&self) -> Result<Vec<Manifest>> {
        let folder = self.root.join(MANIFESTS);
        let mut manifests: Vec<Manifest> = Vec::new();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(manifests),
            Err(source) => return Err(Error::File { lake: self.name(), source }),
        };
        for entry in entries {
            let path = entry.map_err(|source| Error::File { lake: self.name(), source })?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match fs::read(&path) {
                Ok(text) => manifests
                    .push(serde_json::from_slice(&text).map_err(|source| Error::Manifest { path, source })?),
                // Its batch is finished.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::read(path.display().to_string())(error)),
            }
        }
        manifests.sort_by(|a, b| a.batch_id.cmp(&b.batch_id));
        Ok(manifests)
    }

    /// Whether no table has a commit after the one that is seen.
    fn is_newest(&self) -> Result<bool> {
        for (table, version) in self.versions()? {
            let log = self.root.join(table.as_str()).join("_delta_log");
            if log.join(format!("{:020}.json", version + 1)).exists() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use super::*;
    use crate::write::{DataFile, write_file};

    fn file(lake: &Lake, table: Table, name: &str) -> DataFile {
        let empty = RecordBatch::new_empty(table.file_schema());
        write_file(lake.root(), table, name, &empty).expect("a file")
    }

    fn batch(lake: &Lake, name: &str) -> Manifest {
        let files = [Table::Rejects, Table::Sources].map(|table| file(lake, table, name));
        Manifest { batch_id: name.to_owned(), files: files.to_vec(), replaced: Vec::new() }
    }

    fn counts(lake: &Lake) -> [usize; 2] {
        [Table::Rejects, Table::Sources].map(|table| lake.files(table).expect("files").len())
    }

    async fn open(folder: &tempfile::TempDir) -> Lake {
        Lake::open_or_create(folder.path()).await.expect("a lake")
    }

    /// What broke: a reader saw the days of a log without its sign-ins, and `explain` said "no impact".
    #[tokio::test]
    async fn a_batch_of_which_one_table_is_committed_is_not_seen_yet() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = open(&folder).await;
        let lock = writer.lock().await.expect("the lock");
        let first = batch(&writer, "first");
        writer.commit(&lock, &first, 0).await.expect("a commit");
        // As a writer that was stopped, or killed, after the first table leaves it.
        let second = batch(&writer, "second");
        let half = Manifest { files: second.files[..1].to_vec(), ..second.clone() };
        writer.commit(&lock, &half, 0).await.expect("a commit");
        let manifest = folder.path().join(MANIFESTS).join("second.json");
        fs::write(&manifest, serde_json::to_vec(&second).expect("JSON")).expect("written");
        let mut reader = open(&folder).await;
        assert_eq!(counts(&reader), [1, 1]);
        reader.refresh().await.expect("seen again");
        assert_eq!(counts(&reader), [1, 1]);
        drop(lock);
        // The next writer finishes it.
        drop(reader.lock().await.expect("the lock"));
        assert_eq!(counts(&reader), [2, 2]);
        assert_eq!(counts(&open(&folder).await), [2, 2]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn readers_beside_a_writer_see_each_batch_whole() {
        const BATCHES: usize = 60;
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = open(&folder).await;
        let mut reader = open(&folder).await;
        let writing = tokio::spawn(async move {
            for number in 0..BATCHES {
                let lock = writer.lock().await.expect("the lock");
                let batch = batch(&writer, &format!("batch-{number}"));
                writer.commit(&lock, &batch, 0).await.expect("a commit");
            }
        });
        let mut seen = 0;
        while !writing.is_finished() {
            reader.refresh().await.expect("a cut");
            let [rejects, sources] = counts(&reader);
            assert_eq!(rejects, sources, "after {seen} moments");
            seen += 1;
        }
        writing.await.expect("written");
        reader.refresh().await.expect("a cut");
        assert_eq!(counts(&reader), [BATCHES, BATCHES]);
        assert!(seen > 1, "only {seen} moments");
    }
}
