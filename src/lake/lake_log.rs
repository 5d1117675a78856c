//! The lake's log: `_commits/<n>.json` says which versions of the tables belong together. Each entry is written when
//! all tables have their part of a batch, under the lake's lock, and never changed. Whoever reads takes the entry of
//! the highest number and sees every table as it names it: one consistent cut, without a lock. No clock decides.
//!
//! Other programs may commit to the tables by Delta Lake's own rules. Their commits are told from ours by what ours
//! say of themselves, are seen on top of the newest entry, and are named in the next one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::durable::{self, Existing};
pub use super::log_check::CheckpointEntry;
use super::log_check::{OURS, hash_of_bytes, unreadable};
use super::schema::Table;
use super::schema_evolution::FORMAT_VERSION;
use super::write::DataFile;
use crate::error::{Error, Result};

pub(super) const FOLDER: &str = "_commits";

/// What one commit of the lake brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogEntry {
    /// Counted from 0; the name of the file.
    pub number: u64,
    pub format_version: u32,
    /// The version of lightsout that wrote it.
    pub program_version: String,
    /// By the clock of whoever wrote it; only told, never compared.
    pub committed_at: DateTime<Utc>,
    /// `None` where only the tables' columns or other programs changed something.
    pub batch_id: Option<String>,
    /// Of every table, by name.
    pub versions: BTreeMap<String, u64>,
    /// The data files that it added.
    pub files: Vec<DataFileEntry>,
    /// What other programs committed since the entry before.
    pub by_others: Vec<ForeignCommit>,
    /// The newest checkpoint of each table that lightsout made.
    #[serde(default)]
    pub checkpoints: BTreeMap<String, CheckpointEntry>,
    /// Everything before this day was pruned, also by commits before.
    #[serde(default)]
    pub pruned_before: Option<NaiveDate>,
}

/// A data file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFileEntry {
    pub table: String,
    /// Relative to the table's folder.
    pub path: String,
    pub bytes: u64,
    pub rows: u64,
    /// Of its content, behind the name of the algorithm and a colon; empty if a program wrote it that did not hash.
    pub hash: String,
}

impl From<&DataFile> for DataFileEntry {
    fn from(file: &DataFile) -> Self {
        Self {
            table: file.table.as_str().to_owned(),
            path: file.path.clone(),
            bytes: file.bytes,
            rows: file.rows,
            hash: file.hash.clone(),
        }
    }
}

/// A commit to a table that lightsout did not make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignCommit {
    pub table: String,
    pub version: u64,
    /// As it names itself: `OPTIMIZE`, `WRITE`, `DELETE`.
    pub operation: Option<String>,
    /// The engine, as it names itself.
    pub engine: Option<String>,
}

impl std::fmt::Display for ForeignCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plain = |text: &Option<String>, unknown: &str| {
            // Whoever can write into the lake's folder chooses these texts.
            text.as_deref().map_or_else(|| unknown.to_owned(), |text| text.escape_debug().take(80).collect())
        };
        let (operation, engine) =
            (plain(&self.operation, "a change"), plain(&self.engine, "another program"));
        write!(f, "version {} of {}: {operation} by {engine}", self.version, self.table)
    }
}

impl LogEntry {
    /// The version of a table; `None` for one that whoever wrote this did not know.
    pub(super) fn version(&self, table: Table) -> Option<u64> {
        self.versions.get(table.as_str()).copied()
    }

    /// Writes the entry, unless there is one of its number.
    pub(super) fn write(&self, root: &Path) -> Result<()> {
        let path = path_of(root, self.number);
        let mut text = serde_json::to_string(self)
            .map_err(|source| Error::Json { what: "an entry of the lake's log", source })?;
        // The last member is the hash of what the text is without it.
        let check = hash_of_bytes(text.as_bytes());
        text.pop();
        for part in [CHECK, &check, "\"}"] {
            text.push_str(part);
        }
        durable::write(&path, &[text.as_bytes()], Existing::Fail).map_err(Error::write(&path))
    }
}

/// What stands before the hash in an entry.
const CHECK: &str = ",\"check\":\"";

/// Whether an entry's text is the one that was written; entries of before have no hash and pass.
fn holds_its_hash(text: &str) -> bool {
    let Some((members, check)) = text.rsplit_once(CHECK) else { return true };
    check.strip_suffix("\"}") == Some(hash_of_bytes(format!("{members}}}").as_bytes()).as_str())
}

pub(super) fn path_of(root: &Path, number: u64) -> PathBuf {
    root.join(FOLDER).join(format!("{number:020}.json"))
}

/// Whether there is an entry of a number.
pub(super) fn has(root: &Path, number: u64) -> bool {
    path_of(root, number).exists()
}

/// The entry of the highest number. `None`: the lake was made before it had a log.
pub(super) fn newest(root: &Path) -> Result<Option<LogEntry>> {
    numbers(root)?.last().map(|number| read(root, *number)).transpose()
}

/// The numbers of all entries, ascending.
pub(super) fn numbers(root: &Path) -> Result<Vec<u64>> {
    let folder = root.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::read(folder.display().to_string())(source)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::read(folder.display().to_string()))?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".json"));
        numbers.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The newest entry, which is `known` or comes after it; spares listing a long log.
pub(super) fn newest_after(root: &Path, known: &LogEntry) -> Result<LogEntry> {
    let mut number = known.number;
    while has(root, number + 1) {
        number += 1;
    }
    if number == known.number { Ok(known.clone()) } else { read(root, number) }
}

pub(super) fn read(root: &Path, number: u64) -> Result<LogEntry> {
    let path = path_of(root, number);
    let text = fs::read(&path).map_err(Error::read(path.display().to_string()))?;
    // Before its members, which may be others then.
    let version = serde_json::from_slice::<Value>(&text)
        .ok()
        .and_then(|entry| entry.get("format_version").and_then(Value::as_u64));
    if let Some(found) = version.filter(|version| *version > u64::from(FORMAT_VERSION)) {
        let lake = root.display().to_string();
        return Err(Error::NewerFormat { lake, found: found.to_string(), known: FORMAT_VERSION });
    }
    let damaged = |found: String| Error::DamagedLog { path: path.clone(), lake: root.to_owned(), found };
    if let Some(found) = unreadable(&text) {
        return Err(damaged(found));
    }
    let entry: LogEntry = serde_json::from_slice(&text).map_err(|source| damaged(source.to_string()))?;
    if entry.number != number {
        return Err(damaged(format!("it says that its number is {}", entry.number)));
    }
    if !std::str::from_utf8(&text).is_ok_and(holds_its_hash) {
        return Err(damaged("its hash is not that of its text".to_owned()));
    }
    Ok(entry)
}

/// Who made the commit of a table in this file. `None`: there is none.
pub(super) fn commit_of(table: Table, log: &Path, version: u64) -> Result<Option<CommitBy>> {
    let path = log.join(format!("{version:020}.json"));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::read(path.display().to_string())(source)),
    };
    let lines = text.lines().filter(|line| line.contains("\"commitInfo\""));
    let mut actions = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let info = actions.find_map(|mut action| action.get_mut("commitInfo").map(Value::take));
    let info = info.unwrap_or_default();
    if info.get(OURS).is_some() {
        return Ok(Some(CommitBy::Us));
    }
    let told = |member: &str| info.get(member).and_then(Value::as_str).map(str::to_owned);
    Ok(Some(CommitBy::Other(ForeignCommit {
        table: table.as_str().to_owned(),
        version,
        operation: told("operation"),
        engine: told("engineInfo"),
    })))
}

/// Who made a commit.
pub(super) enum CommitBy {
    Us,
    Other(ForeignCommit),
}
