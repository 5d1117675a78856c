//! What a lake in an object store does around commits: before one the working copy becomes what the store has, after one
//! the store gets what the copy has. Of a lake in a folder nothing is done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use deltalake::kernel::{Action, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};

use super::commit::Locked;
use super::schema::Table;
use super::{Lake, LakeFile, lake_log, remote};
use crate::error::{Error, Result};

/// What fences are of, in the tables' logs.
const FENCE: &str = "lightsout-lease";
/// The owner of a lease that is stolen is stopped after the first of its commits that is refused.
const FENCES_MAX: usize = 5;

/// The folder of a lake: its own, or a working copy as new as the store.
///
/// # Errors
/// Fails if the store can't be read.
pub async fn folder_of(lake: &Path) -> Result<PathBuf> {
    let Some(remote) = remote::attach(lake)? else { return Ok(lake.to_owned()) };
    remote.pull().await?;
    Ok(remote.root().to_owned())
}

/// Whether a folder, or a lake in an object store, is there.
///
/// # Errors
/// Fails if the store can't be read.
pub async fn is_there(lake: &Path) -> Result<bool> {
    let Some(remote) = remote::attach(lake)? else { return Ok(lake.exists()) };
    remote.pull().await?;
    Ok(Lake::exists(remote.root()).is_ok())
}

impl Lake {
    /// Makes the working copy what the store has, while nobody else writes.
    pub(super) async fn pull_locked(&mut self, _lock: &Locked) -> Result<()> {
        let Some(remote) = self.remote.clone() else { return Ok(()) };
        let is_unpublished = remote.is_unpublished();
        remote.pull().await?;
        if is_unpublished {
            self.reload_all().await?;
        }
        Ok(())
    }

    /// Reads everything anew: what was seen may have been commits that never came to be.
    async fn reload_all(&mut self) -> Result<()> {
        self.entry = lake_log::newest(&self.root)?;
        self.checkpoints.clear();
        for table in Table::ALL {
            self.reload(table).await?;
        }
        Ok(())
    }

    /// Commits to every table in the name of a lease that was stolen, so that its old owner can commit nothing more.
    pub(super) async fn fence(&mut self, lock: &Locked) -> Result<()> {
        let (Some(remote), Some(lease)) = (self.remote.clone(), &lock.lease) else { return Ok(()) };
        if !lease.must_fence() {
            return Ok(());
        }
        for attempt in 1.. {
            remote.begin()?;
            for table in Table::ALL {
                let fence = Transaction {
                    app_id: FENCE.to_owned(),
                    version: i64::try_from(lease.epoch()).unwrap_or(i64::MAX),
                    last_updated: Some(chrono::Utc::now().timestamp_millis()),
                };
                let operation =
                    DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
                self.commit_actions(table, vec![Action::Txn(fence)], operation).await?;
            }
            match remote.push_fences(&lease.holder()).await {
                Ok(true) => break,
                Ok(false) if attempt < FENCES_MAX => {}
                Ok(false) => {
                    let found = "the owner of the lease that was taken over still commits".to_owned();
                    return Err(Error::WrittenMeanwhile { lake: self.name(), found });
                }
                Err(error) => return Err(error),
            }
            // The old owner was faster with one of them.
            self.pull_locked(lock).await?;
        }
        // With what the old owner wrote before its fence.
        self.pull_locked(lock).await?;
        self.reload_all().await?;
        lease.set_must_fence(false);
        Ok(())
    }

    /// Notes that commits follow.
    pub(super) fn begin(&self) -> Result<()> {
        self.remote.as_ref().map_or(Ok(()), |remote| remote.begin())
    }

    /// The same before a recovery that has something to do; whether it has, in an object store.
    pub(super) fn begin_recovery(&self) -> Result<bool> {
        if self.remote.is_none() || (self.unfinished_batches()?.is_empty() && self.is_logged()?) {
            return Ok(false);
        }
        self.begin()?;
        Ok(true)
    }

    /// Puts what was committed into the store; what it replaces stays there.
    pub(super) async fn publish_commits(&self, lock: &Locked) -> Result<()> {
        let (Some(remote), Some(lease)) = (&self.remote, &lock.lease) else { return Ok(()) };
        let pushed = remote.push_commits(&lease.holder()).await;
        // A request that failed may still reach the store.
        lease.set_must_fence(lease.must_fence() || pushed.is_err());
        pushed
    }

    /// Makes the store what the working copy is.
    pub(super) async fn publish(&self, lock: &Locked) -> Result<()> {
        let (Some(remote), Some(lease)) = (&self.remote, &lock.lease) else { return Ok(()) };
        let pushed = remote.push(&lease.holder()).await;
        lease.set_must_fence(lease.must_fence() || pushed.is_err());
        pushed
    }

    /// Removes a data file, in a store with the next [`Lake::publish`].
    pub(super) fn remove_data_file(&self, table: Table, path: &str) -> Result<()> {
        let file = self.root.join(table.as_str()).join(path);
        let removed = fs::remove_file(&file);
        if let Some(remote) = &self.remote {
            remote.delete_later(format!("{}/{path}", table.as_str()));
            if removed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                return Ok(());
            }
        }
        removed.map_err(Error::write(file))
    }

    /// Fetches data files that the working copy lacks.
    ///
    /// # Errors
    /// Fails if the store can't be read or lacks one of them.
    pub(crate) fn fetch(&self, table: Table, files: &[LakeFile]) -> Result<()> {
        match self.fetch_those_there(table, files)?.into_iter().next() {
            Some(path) => Err(Error::StoreFileGone { lake: self.name(), path }),
            None => Ok(()),
        }
    }

    /// The same; gives those that the store lacks.
    pub(super) fn fetch_those_there(&self, table: Table, files: &[LakeFile]) -> Result<Vec<String>> {
        let Some(remote) = &self.remote else { return Ok(Vec::new()) };
        let path = |file: &LakeFile| (format!("{}/{}", table.as_str(), file.path), file.bytes);
        remote.ensure(files.iter().map(path).collect())
    }

    /// Fetches all data files of this snapshot: for whoever reads the folder itself.
    ///
    /// # Errors
    /// As [`Lake::check_sizes`].
    pub fn fetch_all(&self) -> Result<()> {
        Table::ALL.into_iter().try_for_each(|table| self.fetch(table, &self.files(table)?))
    }

    /// Whether the lake is in an object store.
    #[must_use]
    pub const fn is_in_store(&self) -> bool {
        self.remote.is_some()
    }

    /// Of a lake in an object store the URL of the container, and the folder in it.
    #[must_use]
    pub fn store_folder(&self) -> Option<(String, String)> {
        self.remote.as_ref().map(|remote| remote.place())
    }
}
