//! Deletes data files that nobody can ask for any more: neither the newest version of their table names
//! them nor one that a kept decision was made from. The log stays whole, so every version can be listed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::UNIX_EPOCH;

use arrow::array::AsArray;
use deltalake::DeltaTable;
use futures::TryStreamExt;
use serde::Serialize;

use super::schema::Table;
use super::{Lake, listed};
use crate::error::{Error, Result};

/// While other processes have the lake open, nothing younger goes: they may still read it, or have
/// written it and not committed it yet.
const IN_USE_MS: i64 = 24 * 60 * 60 * 1000;

/// What to delete.
#[derive(Debug, Clone, Copy)]
pub struct VacuumSettings {
    /// How long ago a file left its table, or was written if no commit names it, at least.
    pub older_than_ms: i64,
    /// Tell what would go; delete nothing.
    pub dry_run: bool,
    pub now_ms: i64,
}

/// Why a file is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unneeded {
    /// Its table had it once.
    Replaced,
    /// A run that was killed left it.
    NeverCommitted,
}

/// A data file that goes.
#[derive(Debug, Clone, Serialize)]
pub struct UnneededFile {
    pub table: Table,
    /// Relative to the table's folder.
    pub path: String,
    pub bytes: u64,
    pub why: Unneeded,
}

/// What went, and what stays although no table has it today.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VacuumReport {
    /// Sorted by table and path.
    pub deleted: Vec<UnneededFile>,
    pub deleted_bytes: u64,
    pub kept_for_decisions_files: u64,
    pub kept_for_decisions_bytes: u64,
    pub kept_as_young_files: u64,
    pub kept_as_young_bytes: u64,
    /// Other processes had the lake open, so nothing younger than a day went.
    pub in_use: bool,
    /// Versions that decisions name and the log has lost: their decisions can't be made again anyway.
    pub lost_versions: Vec<(Table, u64)>,
}

/// Deletes what is not needed. Nobody commits meanwhile, and nobody who comes later is disturbed.
///
/// # Errors
/// Fails if a log can't be read, or a file can't be deleted; what went until then was not needed.
pub async fn vacuum(lake: &mut Lake, settings: VacuumSettings) -> Result<VacuumReport> {
    // Also finishes or undoes what a killed process had in hand: no manifest is left after this.
    let lock = lake.lock().await?;
    let mut report =
        VacuumReport { in_use: lake.remote.is_some() || !lake.claim()?, ..VacuumReport::default() };
    let age = if report.in_use { settings.older_than_ms.max(IN_USE_MS) } else { settings.older_than_ms };
    let decided = lake.decided_versions()?;
    for table in Table::ALL {
        let current: HashSet<String> = lake.files(table)?.into_iter().map(|file| file.path).collect();
        let beside: Vec<Stored> =
            lake.stored(table)?.into_iter().filter(|file| !current.contains(&file.path)).collect();
        if beside.is_empty() {
            continue;
        }
        let versions = decided.get(&table).cloned().unwrap_or_default();
        let (named, lost) = lake.files_of(table, &versions).await?;
        report.lost_versions.extend(lost.into_iter().map(|version| (table, version)));
        let left_at_ms = lake.left_at_ms(table).await?;
        for file in beside {
            if named.contains(&file.path) {
                report.kept_for_decisions_files += 1;
                report.kept_for_decisions_bytes += file.bytes;
                continue;
            }
            let left = left_at_ms.get(&file.path);
            // A clock that was set back makes a file no older than now.
            if (settings.now_ms - left.unwrap_or(&file.written_at_ms)).max(0) < age {
                report.kept_as_young_files += 1;
                report.kept_as_young_bytes += file.bytes;
                continue;
            }
            if !settings.dry_run {
                lake.remove_data_file(table, &file.path)?;
            }
            report.deleted_bytes += file.bytes;
            let why = if left.is_some() { Unneeded::Replaced } else { Unneeded::NeverCommitted };
            report.deleted.push(UnneededFile { table, path: file.path, bytes: file.bytes, why });
        }
    }
    lake.publish(&lock).await?;
    Ok(report)
}

/// A data file as it lies in the folder.
pub(super) struct Stored {
    /// Relative to the table's folder.
    pub(super) path: String,
    pub(super) bytes: u64,
    written_at_ms: i64,
}

impl Lake {
    /// The versions that kept decisions were made from.
    fn decided_versions(&self) -> Result<BTreeMap<Table, BTreeSet<u64>>> {
        let mut decided: BTreeMap<Table, BTreeSet<u64>> = BTreeMap::new();
        for batch in self.read(Table::Decisions, Some(&["lake_versions"]))? {
            for text in batch?.column(0).as_string::<i32>().iter().flatten() {
                let versions: BTreeMap<Table, u64> = serde_json::from_str(text)
                    .map_err(|source| Error::Json { what: "the lake versions of a kept decision", source })?;
                for (table, version) in versions {
                    decided.entry(table).or_default().insert(version);
                }
            }
        }
        Ok(decided)
    }

    /// Every file that one of the versions names; and the versions that the log has lost.
    async fn files_of(&self, table: Table, versions: &BTreeSet<u64>) -> Result<(HashSet<String>, Vec<u64>)> {
        let (mut named, mut lost) = (HashSet::new(), Vec::new());
        let mut open: Option<DeltaTable> = None;
        for version in versions {
            // From one version on to the next costs the commits between them.
            let went_on = match &mut open {
                Some(earlier) => earlier.update_incremental(Some(*version)).await.is_ok(),
                None => false,
            };
            if !went_on {
                open = match self.open_version(table, *version).await {
                    Ok(opened) => Some(opened),
                    Err(Error::NoVersion { .. }) if self.missing_commit(table, *version).is_some() => None,
                    Err(error) => return Err(error),
                };
            }
            match &open {
                Some(opened) => {
                    let files = listed(opened).map_err(|source| self.wrong("listing files", source))?;
                    named.extend(files.into_iter().map(|file| file.path));
                }
                None => lost.push(*version),
            }
        }
        Ok((named, lost))
    }

    /// When files left the table, by the log.
    async fn left_at_ms(&self, table: Table) -> Result<HashMap<String, i64>> {
        let delta = self.table(table)?;
        let wrong = |source| self.wrong("listing files that left a table", source);
        let log = delta.log_store();
        let mut removed = delta.snapshot().map_err(wrong)?.all_tombstones(&log);
        let mut left = HashMap::new();
        while let Some(file) = removed.try_next().await.map_err(wrong)? {
            left.insert(file.path().into_owned(), file.deletion_timestamp().unwrap_or(0));
        }
        Ok(left)
    }

    /// The data files in the table's folder, whoever wrote them; not its log. Sorted by path.
    pub(super) fn stored(&self, table: Table) -> Result<Vec<Stored>> {
        let root = self.root.join(table.as_str());
        let io = |source| Error::File { lake: self.name(), source };
        let mut stored = Vec::new();
        let data = |entry: &walkdir::DirEntry| {
            let name = entry.file_name().to_string_lossy();
            !(name.starts_with('_') || name.starts_with('.'))
        };
        let walk = walkdir::WalkDir::new(&root).min_depth(1).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(data) {
            let entry = entry.map_err(|error| io(error.into()))?;
            let is_data = entry.path().extension().is_some_and(|extension| extension == "parquet");
            if !entry.file_type().is_file() || !is_data {
                continue;
            }
            let Ok(relative) = entry.path().strip_prefix(&root) else { continue };
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            let metadata = entry.metadata().map_err(|error| io(error.into()))?;
            let written = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            stored.push(Stored {
                path: parts.join("/"),
                bytes: metadata.len(),
                written_at_ms: written.and_then(|at| i64::try_from(at.as_millis()).ok()).unwrap_or(i64::MAX),
            });
        }
        if let Some(remote) = &self.remote {
            // The store's own, of which the working copy has some.
            let mut there = remote.stored(table);
            for file in &mut stored {
                file.written_at_ms =
                    there.remove(&file.path).map_or(file.written_at_ms, |there| there.modified_ms);
            }
            stored.extend(there.into_iter().map(|(path, there)| Stored {
                path,
                bytes: there.bytes,
                written_at_ms: there.modified_ms,
            }));
            stored.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(stored)
    }
}
