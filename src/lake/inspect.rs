//! What is damaged in a lake's logs, seen without opening it: all of it, not only what an opening meets first.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use serde::Serialize;
use serde_json::Value;

use super::commit::Manifest;
use super::lake_log::{self, CommitBy, LogEntry};
use super::log_check::{checkpoint_entry, damage_of_commit, unreadable};
use super::schema::Table;
use super::{LOCK, MANIFESTS};
use crate::error::{Error, Result};

/// Which part of a lake is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// An entry of the lake's log that is not the newest.
    OldEntry,
    /// The newest entry of the lake's log.
    NewestEntry,
    /// A table's folder.
    Folder,
    /// A commit in the log of a table.
    Commit,
    Checkpoint,
    /// `_last_checkpoint`, which only says where to begin.
    CheckpointHint,
    /// What a batch adds, while it is written.
    Manifest,
    DataFile,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Damage {
    pub part: Part,
    /// Relative to the lake's folder.
    pub path: String,
    pub found: String,
    #[serde(skip)]
    pub(crate) table: Option<Table>,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Whoever can write into the lake's folder names files in it.
        write!(f, "{}: {}", self.path.escape_debug(), self.found)
    }
}

/// The state of a lake's logs.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    pub(crate) damages: Vec<Damage>,
    /// The newest entry that can be read.
    pub(crate) newest: Option<LogEntry>,
    /// All entries that can be read.
    pub(crate) entries: Vec<LogEntry>,
    /// An entry was lost, and no writer is at work that will write it.
    pub(crate) entry_lost: bool,
    /// Commits of lightsout that no entry names, with their versions, oldest first.
    pub(crate) unlogged: Vec<(Table, u64)>,
}

/// Looks through the logs of a lake.
///
/// # Errors
/// Fails if there is no lake, or a folder can't be listed.
pub(crate) fn inspect(root: &Path) -> Result<Inspection> {
    super::Lake::exists(root)?;
    let mut inspection = Inspection::default();
    inspection.entries(root)?;
    for table in Table::ALL {
        inspection.table(root, table)?;
    }
    inspection.manifests(root)?;
    Ok(inspection)
}

impl Inspection {
    fn add(&mut self, root: &Path, part: Part, table: Option<Table>, path: &Path, found: impl Into<String>) {
        let relative = path.strip_prefix(root).unwrap_or(path);
        let path = relative.display().to_string();
        self.damages.push(Damage { part, path, found: found.into(), table });
    }

    fn entries(&mut self, root: &Path) -> Result<()> {
        let numbers = lake_log::numbers(root)?;
        let Some(last) = numbers.last() else { return Ok(()) };
        let there: BTreeSet<u64> = numbers.iter().copied().collect();
        for number in 0..=*last {
            let path = lake_log::path_of(root, number);
            let part = if number == *last { Part::NewestEntry } else { Part::OldEntry };
            if !there.contains(&number) {
                self.add(root, part, None, &path, "it is missing");
                continue;
            }
            match lake_log::read(root, number) {
                Ok(entry) => self.entries.push(entry),
                Err(Error::DamagedLog { found, .. }) => self.add(root, part, None, &path, found),
                Err(error @ Error::NewerFormat { .. }) => return Err(error),
                Err(error) => self.add(root, part, None, &path, error.to_string()),
            }
        }
        self.newest = self.entries.last().cloned();
        Ok(())
    }

    fn table(&mut self, root: &Path, table: Table) -> Result<()> {
        let folder = root.join(table.as_str());
        let log = folder.join("_delta_log");
        let named = self.newest.as_ref().and_then(|entry| entry.version(table));
        if !log.is_dir() {
            // Lakes of before have fewer tables.
            if named.is_some() || table == Table::SignInRecords {
                let gone = if folder.is_dir() { &log } else { &folder };
                self.add(root, Part::Folder, Some(table), gone, "it is missing");
            }
            return Ok(());
        }
        let in_log = names_in(&log)?;
        let of = |suffix: &str| -> BTreeSet<u64> {
            let digits = in_log.iter().filter_map(|name| name.strip_suffix(suffix));
            digits.filter(|digits| digits.len() == 20).filter_map(|digits| digits.parse().ok()).collect()
        };
        let (commits, checkpoints) = (of(".json"), of(".checkpoint.parquet"));
        let newest = commits.last().copied().max(named).unwrap_or(0);
        // Commits before the first can have been pruned, behind a checkpoint.
        let first = commits.first().copied().unwrap_or(0);
        let needed_from = if checkpoints.range(..=first).next_back().is_some() { first } else { 0 };
        for version in needed_from..=newest {
            let path = log.join(format!("{version:020}.json"));
            if !commits.contains(&version) {
                self.add(root, Part::Commit, Some(table), &path, "it is missing");
                continue;
            }
            match fs::read(&path) {
                Ok(text) => {
                    if let Some(found) = damage_of_commit(&text) {
                        self.add(root, Part::Commit, Some(table), &path, found);
                    }
                }
                Err(error) => self.add(root, Part::Commit, Some(table), &path, error.to_string()),
            }
        }
        for version in &checkpoints {
            self.checkpoint(root, table, &log, *version);
        }
        self.hint(root, table, &log, &checkpoints);
        let beyond = named.map_or(0, |named| named + 1);
        for version in commits.range(beyond..) {
            if matches!(lake_log::commit_of(table, &log, *version), Ok(Some(CommitBy::Us))) {
                self.unlogged.push((table, *version));
            }
        }
        Ok(())
    }

    fn checkpoint(&mut self, root: &Path, table: Table, log: &Path, version: u64) {
        let path = log.join(format!("{version:020}.checkpoint.parquet"));
        // The newest entry that tells of it.
        let known = self.entries.iter().rev().filter_map(|entry| entry.checkpoints.get(table.as_str()));
        let known = known.clone().find(|known| known.version == version);
        let found = match (checkpoint_entry(log, version), known) {
            (Err(error), _) => Some(error.to_string()),
            (Ok(found), Some(known)) if found == *known => None,
            (Ok(_), Some(_)) => Some("its hash is not that of what was written".to_owned()),
            (Ok(_), None) => footer_damage(&path),
        };
        if let Some(found) = found {
            self.add(root, Part::Checkpoint, Some(table), &path, found);
        }
    }

    fn hint(&mut self, root: &Path, table: Table, log: &Path, checkpoints: &BTreeSet<u64>) {
        let path = log.join("_last_checkpoint");
        let Ok(text) = fs::read(&path) else { return };
        let version =
            || -> Option<u64> { serde_json::from_slice::<Value>(&text).ok()?.get("version")?.as_u64() };
        let found = match (unreadable(&text), version()) {
            (Some(found), _) => found,
            (None, None) => "it names no version".to_owned(),
            // Other programs may have made one of several files.
            (None, Some(version)) if checkpoints.contains(&version) || parts_of(log, version) => return,
            (None, Some(version)) => format!("it names version {version}, which has no checkpoint"),
        };
        self.add(root, Part::CheckpointHint, Some(table), &path, found);
    }

    fn manifests(&mut self, root: &Path) -> Result<()> {
        let folder = root.join(MANIFESTS);
        let mut at_work = false;
        for name in names_in(&folder)?.iter().filter(|name| name.strip_suffix(".json").is_some()) {
            let path = folder.join(name);
            match Manifest::read(&path) {
                Ok(_) => at_work = true,
                // A batch that has just been finished.
                Err(Error::Read { .. }) => {}
                Err(error) => self.add(root, Part::Manifest, None, &path, error.to_string()),
            }
        }
        self.entry_lost = !self.unlogged.is_empty() && !at_work && is_unlocked(root);
        Ok(())
    }
}

fn is_unlocked(root: &Path) -> bool {
    fs::File::open(root.join(LOCK)).map_or(true, |file| file.try_lock_shared().is_ok())
}

fn parts_of(log: &Path, version: u64) -> bool {
    let begins = format!("{version:020}.checkpoint.");
    names_in(log).is_ok_and(|names| names.iter().any(|name| name.starts_with(&begins)))
}

/// The names in a folder; none if it is not there.
fn names_in(folder: &Path) -> Result<Vec<String>> {
    let failed = || Error::read(folder.display().to_string());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed()(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(failed())?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Why a Parquet file has no footer that can be read; `None`: it has.
pub(crate) fn footer_damage(path: &Path) -> Option<String> {
    footer(path).err()
}

/// The number of rows that a Parquet file's footer says, or why it says none.
pub(crate) fn footer(path: &Path) -> std::result::Result<u64, String> {
    let read = || -> std::result::Result<u64, String> {
        let file = fs::File::open(path).map_err(|error| error.to_string())?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new());
        let metadata = metadata.map_err(|error| format!("its footer can't be read: {error}"))?;
        Ok(u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0))
    };
    without_panic(read)
}

/// A decoder may panic over bytes that nobody wrote.
pub(crate) fn without_panic<T>(
    read: impl FnOnce() -> std::result::Result<T, String>,
) -> std::result::Result<T, String> {
    let broken = "its content can't be decoded: the decoder failed on it".to_owned();
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(broken))
}
