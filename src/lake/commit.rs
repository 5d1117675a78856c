//! Commits a batch to several tables so that a kill at any instant leaves it whole or absent.
//!
//! Data files are written first. Then, under the lake's lock: a manifest that names them all, the
//! commit of `sign_in_records`, the other tables' commits, the entry of the lake's log, and the
//! manifest goes. Whoever takes the lock next finishes what a killed process left: if any table holds
//! a file of the batch, or lacks one that the batch replaces, the others get theirs (adding a file
//! twice is adding it once); else the files are removed.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use deltalake::checkpoints;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Remove};
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::durable::{self, Existing};
use super::remote::lease::Lease;
use super::schema::{PARTITION, Table};
use super::write::DataFile;
use super::{LOCK, Lake, MANIFESTS, checkpoint, lake_log, lock, log_check};
use crate::error::{Error, Result};

/// What one batch adds and takes away, written before its first commit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub batch_id: String,
    pub files: Vec<DataFile>,
    /// Files whose rows stand in the added ones: they leave a table in the commit that adds those.
    #[serde(default)]
    pub replaced: Vec<Replaced>,
}

impl Manifest {
    /// Reads one that lies in the lake.
    ///
    /// # Errors
    /// Fails if it is damaged, or names a file outside of its table.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path).map_err(Error::read(path.display().to_string()))?;
        let damaged = |source| Error::Manifest { path: path.to_owned(), source };
        let manifest: Self = serde_json::from_slice(&text).map_err(damaged)?;
        let added = manifest.files.iter().map(|file| &file.path);
        for named in added.chain(manifest.replaced.iter().map(|file| &file.path)) {
            // Files are removed by these names.
            let parts = Path::new(named).components();
            if !named.is_empty() && parts.clone().all(|part| matches!(part, Component::Normal(_))) {
                continue;
            }
            return Err(damaged(serde_json::Error::custom(format!("it names the file {named:?}"))));
        }
        Ok(manifest)
    }
}

/// A data file that leaves its table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replaced {
    pub table: Table,
    /// Relative to the table's folder.
    pub path: String,
    pub bytes: u64,
    #[serde(default)]
    pub reason: Replacing,
}

/// Why files are replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replacing {
    /// Rows changed, came or went.
    #[default]
    Rows,
    /// The same rows lie in other files; who follows the table's changes need not look.
    Layout,
    /// The rows have the columns of today, which their table gets in the same commit.
    Columns,
}

impl Replaced {
    fn to_remove(&self, now_ms: i64) -> Remove {
        Remove {
            path: self.path.clone(),
            deletion_timestamp: Some(now_ms),
            data_change: self.reason != Replacing::Layout,
            extended_file_metadata: Some(false),
            partition_values: None,
            size: Some(i64::try_from(self.bytes).unwrap_or(i64::MAX)),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
        }
    }
}

/// Whether a commit of a batch may have been made before.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begun {
    No,
    Perhaps,
}

/// Holds the lake's lock; let go when dropped, also by a kill.
pub struct Locked {
    /// Of a lake in an object store; given back before the lock of the working copy.
    pub(super) lease: Option<Lease>,
    _file: File,
}

impl Lake {
    /// Waits for the lock, finishes what a killed process left, and sees the newest commits.
    pub async fn lock(&mut self) -> Result<Locked> {
        let locked = self.lock_file().await?;
        self.pull_locked(&locked).await?;
        self.entry = self.newest_entry()?;
        if let Some(entry) = &self.entry {
            self.pruned_before = self.pruned_before.max(entry.pruned_before);
        }
        self.see_newest_commits().await?;
        self.fence(&locked).await?;
        let begun = self.begin_recovery()?;
        let recovered = self.recover().await?;
        if !self.is_logged()? {
            self.sync_unlogged()?;
            self.log_commit(None, chrono::Utc::now().timestamp_millis())?;
        }
        // Only now: commits beyond the newest entry without a manifest mean that an entry was lost.
        if begun {
            self.publish_commits(&locked).await?;
        }
        recovered.iter().try_for_each(|path| fs::remove_file(path).map_err(Error::write(path)))?;
        if begun {
            self.publish(&locked).await?;
        }
        Ok(locked)
    }

    /// Waits for the lock alone.
    pub(super) async fn lock_file(&self) -> Result<Locked> {
        let file = lock::acquire(&self.root.join(LOCK), &self.root).await?;
        let lease = match &self.remote {
            Some(remote) => Some(Lease::acquire(remote).await?),
            None => None,
        };
        Ok(Locked { lease, _file: file })
    }

    /// Whether nobody holds the lock at this moment.
    pub(super) fn is_unlocked(&self) -> bool {
        if self.remote.as_ref().is_some_and(|remote| !remote.is_quiet()) {
            return false;
        }
        match File::open(self.root.join(LOCK)) {
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Commits a batch. The caller holds the lock.
    pub async fn commit(&mut self, lock: &Locked, manifest: &Manifest, now_ms: i64) -> Result<()> {
        self.begin()?;
        self.sync_names(manifest)?;
        let path = self.write_manifest(manifest)?;
        self.commit_files(manifest, Begun::No, now_ms).await?;
        self.log_commit(Some(manifest), now_ms)?;
        self.publish_commits(lock).await?;
        fs::remove_file(&path).map_err(Error::write(&path))?;
        self.publish(lock).await
    }

    /// Waits until the batches that are seen are on the disk. A process that was killed, or is at work, may not have
    /// synced its last one yet; whoever relies on it and writes nothing calls this before saying that all is done.
    pub async fn await_durable(&mut self) -> Result<()> {
        if self.is_writable() && !self.unfinished_batches()?.is_empty() {
            drop(self.lock().await?);
        }
        Ok(())
    }

    /// Before an entry of the lake's log names what is seen: a killed process or another program may not have
    /// synced it.
    fn sync_unlogged(&self) -> Result<()> {
        if self.entry.is_some() {
            return Ok(lightsout_output::durable::sync(&self.root)?);
        }
        // A new lake, perhaps one that a killed process began to make: all of its folders, and those above.
        let mut folders = vec![self.root.join(MANIFESTS), self.root.join(lake_log::FOLDER)];
        for folder in &folders {
            durable::create_folders(folder).map_err(Error::write(folder))?;
        }
        folders.push(self.root.clone());
        for table in Table::ALL {
            folders.extend([self.log_of(table), self.root.join(table.as_str())]);
        }
        folders.iter().try_for_each(|folder| durable::sync_folder(folder).map_err(Error::write(folder)))?;
        // Those that this process may not open, it did not make.
        let mut above = self.root.ancestors().skip(1);
        while above.next().is_some_and(|folder| durable::sync_folder(folder).is_ok()) {}
        Ok(())
    }

    /// The contents of data files are on the disk when they are written, their names only now; and the names of
    /// their folders, which a process may have made that was killed.
    fn sync_names(&self, manifest: &Manifest) -> Result<()> {
        let mut folders = BTreeSet::new();
        for file in &manifest.files {
            let table = self.root.join(file.table.as_str());
            folders.extend(table.join(&file.path).parent().map(Path::to_owned));
            folders.insert(table);
        }
        folders.iter().try_for_each(|folder| durable::sync_folder(folder).map_err(Error::write(folder)))
    }

    fn manifest_path(&self, batch_id: &str) -> PathBuf {
        self.root.join(MANIFESTS).join(format!("{batch_id}.json"))
    }

    /// Commits to each table what it lacks of the batch, records first.
    pub(super) async fn commit_files(
        &mut self,
        manifest: &Manifest,
        begun: Begun,
        now_ms: i64,
    ) -> Result<()> {
        for table in Table::ALL {
            let added: Vec<_> = manifest.files.iter().filter(|file| file.table == table).collect();
            let replaced: Vec<_> = manifest.replaced.iter().filter(|file| file.table == table).collect();
            if added.is_empty() && replaced.is_empty() {
                continue;
            }
            let new_columns = replaced.iter().any(|file| file.reason == Replacing::Columns);
            // What a batch brings that has not begun is in no table; listing a table takes as long as it is large.
            let present: HashSet<String> = match begun {
                Begun::No if replaced.is_empty() => HashSet::new(),
                Begun::No | Begun::Perhaps => self.files(table)?.into_iter().map(|file| file.path).collect(),
            };
            let layout = !replaced.is_empty() && replaced.iter().all(|file| file.reason == Replacing::Layout);
            let adds = added.into_iter().filter(|file| !present.contains(&file.path));
            let mut actions: Vec<Action> =
                adds.map(|file| Action::Add(file.to_add(now_ms, !layout))).collect();
            let operation = if new_columns {
                overwrite()
            } else if layout {
                DeltaOperation::Optimize { predicate: None, target_size: 0 }
            } else if replaced.is_empty() {
                DeltaOperation::Write {
                    mode: SaveMode::Append,
                    partition_by: (table == Table::SignInRecords).then(|| vec![PARTITION.to_owned()]),
                    predicate: None,
                }
            } else {
                DeltaOperation::Delete { predicate: None }
            };
            let removes = replaced.into_iter().filter(|file| present.contains(&file.path));
            actions.extend(removes.map(|file| Action::Remove(file.to_remove(now_ms))));
            if actions.is_empty() {
                continue;
            }
            if new_columns {
                actions.insert(0, self.new_columns(table)?);
            }
            self.commit_actions(table, actions, operation).await?;
            if new_columns {
                self.reload(table).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn commit_actions(
        &mut self,
        table: Table,
        actions: Vec<Action>,
        operation: DeltaOperation,
    ) -> Result<()> {
        let name = self.name();
        let wrong =
            |source| Error::Delta { lake: name.clone(), action: "committing", source: Box::new(source) };
        let delta = self.tables.get_mut(&table).ok_or_else(|| Error::NoLake { lake: name.clone() })?;
        let snapshot = delta.snapshot().map_err(wrong)?;
        // The log is never cleaned: decisions name its old versions.
        let properties =
            CommitProperties::default().with_create_checkpoint(false).with_cleanup_expired_logs(Some(false));
        let ours = (log_check::OURS.to_owned(), env!("CARGO_PKG_VERSION").into());
        let check = (log_check::CHECK.to_owned(), log_check::check_of(&actions)?.into());
        let properties = properties.with_metadata([ours, check]);
        let committed = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(snapshot), delta.log_store(), operation)
            .await
            .map_err(wrong)?;
        let version = committed.version;
        delta.state = Some(committed.snapshot);
        if version.is_multiple_of(checkpoint::COMMITS) {
            checkpoints::create_checkpoint(delta, None).await.map_err(wrong)?;
            let written = log_check::checkpoint_entry(&self.log_of(table), version)?;
            self.checkpoints.insert(table.as_str().to_owned(), written);
            checkpoint::thin(&self.root.join(table.as_str()).join("_delta_log"), version);
            // Read anew, so that the next commits build on the checkpoint.
            self.reload(table).await?;
        }
        Ok(())
    }

    /// Gives a table the columns of today, whose rows have null in those that are new. The caller holds the lock.
    pub async fn commit_columns(&mut self, lock: &Locked, table: Table) -> Result<()> {
        self.begin()?;
        // So that a process that is killed here is told from a lake that lost an entry.
        let batch_id = uuid::Uuid::new_v4().simple().to_string();
        let manifest = Manifest { batch_id, files: Vec::new(), replaced: Vec::new() };
        let path = self.write_manifest(&manifest)?;
        let actions = vec![self.new_columns(table)?];
        self.commit_actions(table, actions, overwrite()).await?;
        self.reload(table).await?;
        self.log_commit(None, chrono::Utc::now().timestamp_millis())?;
        self.publish_commits(lock).await?;
        fs::remove_file(&path).map_err(Error::write(&path))?;
        self.publish(lock).await
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<PathBuf> {
        let path = self.manifest_path(&manifest.batch_id);
        let text =
            serde_json::to_vec(manifest).map_err(|source| Error::Json { what: "a manifest", source })?;
        durable::write(&path, &[&text], Existing::Replace).map_err(Error::write(&path))?;
        Ok(path)
    }

    pub(super) async fn reload(&mut self, table: Table) -> Result<()> {
        let name = self.name();
        let wrong = |source| Error::Delta {
            lake: name.clone(),
            action: "reading a table anew",
            source: Box::new(source),
        };
        let delta = self.tables.get_mut(&table).ok_or_else(|| Error::NoLake { lake: name.clone() })?;
        delta.state = None;
        delta.load().await.map_err(wrong)
    }

    /// Finishes or undoes what killed processes left. Their manifests are the caller's to remove.
    async fn recover(&mut self) -> Result<Vec<PathBuf>> {
        let mut recovered = Vec::new();
        let folder = self.root.join(MANIFESTS);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(recovered),
            // What can't be listed may be half of a batch.
            Err(source) => return Err(Error::read(folder.display().to_string())(source)),
        };
        let mut is_synced = false;
        for entry in entries {
            let path = entry.map_err(Error::read(folder.display().to_string()))?.path();
            if !is_synced {
                // The process was perhaps killed before it could sync its last commit.
                lightsout_output::durable::sync(&self.root)?;
                is_synced = true;
            }
            if path.extension().is_some_and(|extension| extension == "json") {
                let manifest = Manifest::read(&path)?;
                let newest = self.entry.as_ref().and_then(|entry| entry.batch_id.as_ref());
                if newest == Some(&manifest.batch_id) {
                    // All of it was done but this.
                } else if self.has_begun(&manifest)? {
                    let now_ms = chrono::Utc::now().timestamp_millis();
                    self.commit_files(&manifest, Begun::Perhaps, now_ms).await?;
                    self.log_commit(Some(&manifest), now_ms)?;
                } else {
                    for file in &manifest.files {
                        // Already gone is as good.
                        let _ = self.remove_data_file(file.table, &file.path);
                    }
                }
            }
            recovered.push(path);
        }
        Ok(recovered)
    }

    /// Whether some commit of the batch was made.
    fn has_begun(&self, manifest: &Manifest) -> Result<bool> {
        for table in Table::ALL {
            if self.has_part_of(manifest, table)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the batch's commit of this table was made. A file that it replaces can be gone by that alone:
    /// the lock was held from the listing on.
    pub(super) fn has_part_of(&self, manifest: &Manifest, table: Table) -> Result<bool> {
        let mut added = manifest.files.iter().filter(|file| file.table == table).peekable();
        let mut replaced = manifest.replaced.iter().filter(|file| file.table == table).peekable();
        if added.peek().is_none() && replaced.peek().is_none() {
            return Ok(false);
        }
        let present: HashSet<String> = self.files(table)?.into_iter().map(|file| file.path).collect();
        Ok(added.any(|file| present.contains(&file.path))
            || replaced.any(|file| !present.contains(&file.path)))
    }
}

const fn overwrite() -> DeltaOperation {
    DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: None, predicate: None }
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use super::*;
    use crate::write::write_file;

    async fn recovered(replaced_is_gone: bool) -> usize {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut lake = Lake::open_or_create(folder.path()).await.expect("a new lake");
        let write = |lake: &Lake, table: Table, name: &str| {
            write_file(lake.root(), table, name, &RecordBatch::new_empty(table.file_schema()))
                .expect("a file")
        };
        let old = write(&lake, Table::Rejects, "old");
        let replaced = Replaced {
            table: Table::Rejects,
            path: old.path.clone(),
            bytes: old.bytes,
            reason: Replacing::Rows,
        };
        if !replaced_is_gone {
            let lock = lake.lock().await.expect("the lock");
            let manifest = Manifest { batch_id: "a".to_owned(), files: vec![old], replaced: Vec::new() };
            lake.commit(&lock, &manifest, 0).await.expect("a commit");
        }
        // As a kill leaves it: a manifest, its files, and the first of its commits or none.
        let files = vec![write(&lake, Table::Sources, "new")];
        let manifest = Manifest { batch_id: "b".to_owned(), files, replaced: vec![replaced] };
        let path = lake.manifest_path("b");
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(&path, serde_json::to_vec(&manifest).expect("JSON")).expect("written");
        drop(lake.lock().await.expect("the lock"));
        assert!(!path.exists());
        lake.files(Table::Sources).expect("files").len()
    }

    #[tokio::test]
    async fn a_batch_whose_first_commit_only_takes_files_away_is_finished_after_a_kill() {
        assert_eq!(recovered(true).await, 1);
        assert_eq!(recovered(false).await, 0, "and one that has not begun is undone");
    }

    /// What broke: they were taken for none, so that half of a batch would have got its entry.
    #[tokio::test]
    async fn manifests_that_cannot_be_listed_are_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut lake = Lake::open_or_create(folder.path()).await.expect("a new lake");
        let manifests = folder.path().join(MANIFESTS);
        fs::remove_dir(&manifests).expect("it is there and empty");
        fs::write(&manifests, "").expect("a file");
        let failed = lake.lock().await.err().expect("no list of manifests").to_string();
        assert!(failed.contains(MANIFESTS), "{failed}");
    }
}
