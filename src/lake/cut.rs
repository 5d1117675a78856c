//! One consistent cut through all tables, seen without a lock: each table as the newest entry of the lake's log names
//! it. The tables of a batch are committed one after the other, so whoever took the newest version of each could see
//! what a log covers without what it shows, and take usage for none.

use std::fs;
use std::io;

use super::commit::Manifest;
use super::lake_log::{self, CommitBy, ForeignCommit, LogEntry};
use super::schema::Table;
use super::schema_evolution::FORMAT_VERSION;
use super::{Lake, MANIFESTS};
use crate::error::{Error, Result};

impl Lake {
    /// Sees the newest batches, each as a whole.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub async fn refresh(&mut self) -> Result<()> {
        if let Some(remote) = &self.remote {
            remote.pull().await?;
        }
        match self.newest_entry()? {
            Some(entry) => self.see(entry).await,
            None => self.see_without_log().await,
        }
    }

    /// The newest entry of the lake's log; `None` if it has none yet.
    pub(super) fn newest_entry(&self) -> Result<Option<LogEntry>> {
        match &self.entry {
            Some(known) => lake_log::newest_after(&self.root, known).map(Some),
            None => lake_log::newest(&self.root),
        }
    }

    /// Whether there is something to see that [`Lake::refresh`] would see. Looks for one file a table, not through
    /// the logs.
    ///
    /// # Errors
    /// Fails if a log can't be read.
    pub fn is_behind(&self) -> Result<bool> {
        if lake_log::has(&self.root, self.entry.as_ref().map_or(0, |entry| entry.number + 1)) {
            return Ok(true);
        }
        for (table, version) in self.versions()? {
            let log = self.log_of(table);
            let is_gone = !log.join(format!("{version:020}.json")).exists();
            if is_gone || matches!(lake_log::commit_of(table, &log, version + 1)?, Some(CommitBy::Other(_))) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What other programs committed since lightsout had last written when this lake was opened or refreshed. It is
    /// still told when a command has written since.
    #[must_use]
    pub fn commits_by_others(&self) -> &[ForeignCommit] {
        &self.by_others
    }

    /// The newest entry of the lake's log that is seen; `None` where the lake is seen as it was at other versions,
    /// or can't be written and has no log yet.
    #[must_use]
    pub const fn entry(&self) -> Option<&LogEntry> {
        self.entry.as_ref()
    }

    /// As [`Lake::is_behind`], also of a lake in an object store, which is asked for the next entry of the lake's log.
    ///
    /// # Errors
    /// Fails if a log can't be read.
    pub async fn has_news(&self) -> Result<bool> {
        match (&self.remote, &self.entry) {
            (Some(remote), Some(entry)) => remote.newest_entry_after(entry.number).await,
            _ => self.is_behind(),
        }
    }

    async fn see(&mut self, entry: LogEntry) -> Result<()> {
        for table in Table::ALL {
            let seen = self.table(table)?.version().unwrap_or(0);
            let Some(version) = entry.version(table).filter(|version| *version > seen) else { continue };
            self.check_commits_after(table, seen)?;
            let delta = self.table_mut(table)?;
            if delta.update_incremental(Some(version)).await.is_err() || delta.version() != Some(version) {
                let opened = self.open_committed(table, version, entry.number).await?;
                self.tables.insert(table, opened);
            }
        }
        self.pruned_before = entry.pruned_before;
        self.entry = Some(entry);
        self.see_others().await
    }

    /// Sees the commits of other programs on top of the newest entry.
    pub(super) async fn see_others(&mut self) -> Result<()> {
        self.by_others.clear();
        let mut unlogged = None;
        for table in Table::ALL {
            let log = self.log_of(table);
            let committed = self.entry.as_ref().and_then(|entry| entry.version(table));
            let seen = self.table(table)?.version().unwrap_or(0);
            let mut newest = committed.unwrap_or(seen);
            while let Some(CommitBy::Other(commit)) = lake_log::commit_of(table, &log, newest + 1)? {
                self.by_others.push(commit);
                newest += 1;
            }
            if lake_log::commit_of(table, &log, newest + 1)?.is_some() {
                unlogged = Some((table, newest + 1));
            }
            if newest > seen {
                self.check_commits_after(table, seen)?;
                let updated = self.table_mut(table)?.update_incremental(Some(newest)).await;
                updated.map_err(|source| self.wrong("reading the commits of other programs", source))?;
            }
        }
        if let Some((table, version)) = unlogged {
            self.check_entry_lost(table, version)?;
        }
        // One of them may be a newer lightsout.
        self.tables.values().try_for_each(|table| self.check_format(table))
    }

    /// A commit of lightsout beyond the newest entry belongs to a batch that somebody writes, or that a manifest
    /// names; else the entry that named it is gone, and what it brought would not be seen.
    fn check_entry_lost(&self, table: Table, version: u64) -> Result<()> {
        if !self.is_unlocked() || !self.unfinished_batches()?.is_empty() {
            return Ok(());
        }
        let newest = lake_log::newest(&self.root)?;
        if newest.as_ref().is_some_and(|newest| newest.version(table) >= Some(version)) {
            return Ok(());
        }
        let newest = newest.map_or_else(
            || "there is none".to_owned(),
            |newest| match newest.version(table) {
                Some(version) => format!("entry {} is the newest and names version {version}", newest.number),
                None => format!("entry {} is the newest and does not name it", newest.number),
            },
        );
        Err(Error::EntryLost { lake: self.name(), table: table.as_str(), version, newest })
    }

    /// Sees a lake that was made before it had a log. Whoever can write gives it one.
    pub(super) async fn see_without_log(&mut self) -> Result<()> {
        for (table, version) in self.versions()? {
            if matches!(lake_log::commit_of(table, &self.log_of(table), version)?, Some(CommitBy::Us)) {
                self.check_entry_lost(table, version)?;
            }
        }
        if self.lock().await.is_ok() {
            return Ok(());
        }
        self.see_newest_commits().await?;
        // What a killed process left is seen as it was before, until somebody who can write finishes it.
        for manifest in self.unfinished_batches()? {
            for table in Table::ALL {
                if self.has_part_of(&manifest, table)? {
                    let version = self.table(table)?.version().unwrap_or(0).saturating_sub(1);
                    let before = self.open_version(table, version).await?;
                    self.tables.insert(table, before);
                }
            }
        }
        Ok(())
    }

    /// Writes the next entry if the tables have gone on since the newest: a batch, new columns, or what other
    /// programs did. The caller holds the lock.
    pub(super) fn log_commit(&mut self, batch: Option<&Manifest>, now_ms: i64) -> Result<()> {
        let versions = self.versions()?;
        let mut by_others = Vec::new();
        for (table, version) in &versions {
            let Some(before) = self.entry.as_ref().and_then(|entry| entry.version(*table)) else { continue };
            for version in before + 1..=*version {
                let by = lake_log::commit_of(*table, &self.log_of(*table), version)?;
                if let Some(CommitBy::Other(commit)) = by {
                    by_others.push(commit);
                }
            }
        }
        let mut checkpoints = self.entry.as_ref().map(|entry| entry.checkpoints.clone()).unwrap_or_default();
        checkpoints.append(&mut self.checkpoints.clone());
        let entry = LogEntry {
            number: self.entry.as_ref().map_or(0, |entry| entry.number + 1),
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            committed_at: chrono::DateTime::from_timestamp_millis(now_ms).unwrap_or_default(),
            batch_id: batch.map(|batch| batch.batch_id.clone()),
            versions: versions
                .into_iter()
                .map(|(table, version)| (table.as_str().to_owned(), version))
                .collect(),
            files: batch.map(|batch| batch.files.iter().map(Into::into).collect()).unwrap_or_default(),
            by_others,
            checkpoints,
            pruned_before: self.pruned_before,
        };
        if !entry.by_others.is_empty() {
            self.by_others.clone_from(&entry.by_others);
        }
        entry.write(&self.root)?;
        self.entry = Some(entry);
        Ok(())
    }

    /// Whether the newest entry names the tables as they are seen.
    pub(super) fn is_logged(&self) -> Result<bool> {
        let Some(entry) = &self.entry else { return Ok(false) };
        Ok(self.versions()?.into_iter().all(|(table, version)| entry.version(table) == Some(version)))
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
            match Manifest::read(&path) {
                Ok(manifest) => manifests.push(manifest),
                // Its batch is finished.
                Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        manifests.sort_by(|a, b| a.batch_id.cmp(&b.batch_id));
        Ok(manifests)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use super::*;
    use crate::commit::Begun;
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
        writer.commit_files(&half, Begun::No, 0).await.expect("a commit");
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

    /// A commit as another program makes it.
    fn commit_by_another(lake: &Lake, table: Table, version: u64, file: &DataFile) {
        let info = serde_json::json!({"commitInfo": {"operation": "WRITE", "engineInfo": "Spark"}});
        let add = serde_json::json!({"add": {
            "path": file.path, "size": file.bytes, "partitionValues": {}, "modificationTime": 0, "dataChange": true,
        }});
        let path = lake.log_of(table).join(format!("{version:020}.json"));
        fs::write(path, format!("{info}\n{add}\n")).expect("written");
    }

    #[tokio::test]
    async fn the_log_names_versions_files_and_what_other_programs_did() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = open(&folder).await;
        let mut reader = open(&folder).await;
        assert_eq!(reader.entry().map(|entry| entry.number), Some(0), "a lake has a log from its creation");
        let lock = writer.lock().await.expect("the lock");
        let first = batch(&writer, "first");
        writer.commit(&lock, &first, 1_000).await.expect("a commit");
        drop(lock);
        assert!(reader.is_behind().expect("looked"));
        reader.refresh().await.expect("seen");
        assert!(!reader.is_behind().expect("looked"));
        let entry = reader.entry().expect("an entry").clone();
        assert_eq!((entry.number, entry.batch_id.as_deref()), (1, Some("first")));
        let version = |table: Table| reader.table(table).expect("a table").version();
        assert!(Table::ALL.into_iter().all(|table| entry.version(table) == version(table)), "{entry:?}");
        for (logged, file) in entry.files.iter().zip(&first.files) {
            let content =
                fs::read(folder.path().join(file.table.as_str()).join(&file.path)).expect("the file");
            assert_eq!((logged.bytes, logged.rows), (content.len() as u64, 0));
            assert_eq!(logged.hash, format!("blake3:{}", blake3::hash(&content).to_hex()));
        }

        let theirs = file(&writer, Table::Rejects, "theirs");
        commit_by_another(&writer, Table::Rejects, 2, &theirs);
        assert!(reader.is_behind().expect("looked"));
        for mut lake in [open(&folder).await, reader] {
            lake.refresh().await.expect("seen");
            assert_eq!(counts(&lake), [2, 1], "it is seen at once");
            let told: Vec<String> = lake.commits_by_others().iter().map(ToString::to_string).collect();
            assert_eq!(told, ["version 2 of rejects: WRITE by Spark"]);
        }
        drop(writer.lock().await.expect("the lock"));
        let entry = writer.entry().expect("an entry");
        assert_eq!((entry.number, entry.by_others.len(), entry.batch_id.as_ref()), (2, 1, None));
        assert!(open(&folder).await.commits_by_others().is_empty(), "the log knows of it now");
    }

    #[tokio::test]
    async fn a_batch_that_was_killed_before_its_entry_gets_it_and_one_killed_after_it_no_second() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = open(&folder).await;
        let lock = writer.lock().await.expect("the lock");
        let batch = batch(&writer, "batch");
        writer.commit_files(&batch, Begun::No, 0).await.expect("all tables");
        let manifest = folder.path().join(MANIFESTS).join("batch.json");
        let leave = || {
            fs::create_dir_all(folder.path().join(MANIFESTS)).expect("a folder");
            fs::write(&manifest, serde_json::to_vec(&batch).expect("JSON")).expect("written");
        };
        leave();
        drop(lock);
        assert_eq!(counts(&open(&folder).await), [0, 0]);
        drop(writer.lock().await.expect("the lock"));
        let entry = writer.entry().expect("an entry");
        assert_eq!((entry.number, entry.batch_id.as_deref(), entry.files.len()), (1, Some("batch"), 2));
        leave();
        drop(writer.lock().await.expect("the lock"));
        assert_eq!(writer.entry().map(|entry| entry.number), Some(1));
        assert!(!manifest.exists());
        assert_eq!(counts(&open(&folder).await), [1, 1]);
    }

    #[tokio::test]
    async fn a_damaged_entry_is_an_error_whose_way_out_works() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = open(&folder).await;
        let lock = writer.lock().await.expect("the lock");
        let batch = batch(&writer, "batch");
        writer.commit(&lock, &batch, 0).await.expect("a commit");
        drop(lock);
        let newest = folder.path().join("_commits/00000000000000000001.json");
        for damaged in ["", "\0\0\0\0", "{\"number\": 1"] {
            fs::write(&newest, damaged).expect("written");
            let error = Lake::open(folder.path()).await.map(drop).expect_err("damaged").to_string();
            assert!(
                error.contains("00000000000000000001.json is damaged")
                    && error.contains("lightsout lake repair"),
                "{error}"
            );
        }
        let report = crate::repair::repair(folder.path(), false, chrono::Utc::now()).await.expect("repaired");
        assert!(report.is_whole(), "{report:?}");
        assert_eq!(counts(&open(&folder).await), [1, 1]);
    }

    /// `LIGHTSOUT_READER_BATCHES` sets the number of batches for long runs; the test says how often it looked.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn readers_beside_a_writer_see_each_batch_whole() {
        let batches = std::env::var("LIGHTSOUT_READER_BATCHES").ok().and_then(|number| number.parse().ok());
        let batches: usize = batches.unwrap_or(60);
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = open(&folder).await;
        let mut reader = open(&folder).await;
        let writing = tokio::spawn(async move {
            for number in 0..batches {
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
            if seen % 10 == 0 {
                // One that sees the lake for the first time.
                let [rejects, sources] = counts(&open(&folder).await);
                assert_eq!(rejects, sources, "opened after {seen} moments");
            }
        }
        writing.await.expect("written");
        reader.refresh().await.expect("a cut");
        assert_eq!(counts(&reader), [batches, batches]);
        eprintln!("{batches} batches, looked at {seen} moments");
        assert!(seen > 1, "only {seen} moments");
    }
}
