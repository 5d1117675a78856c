//! The lake: Delta tables in a folder. Rows become data files (`write`), data files become
//! commits (`commit`), and a snapshot gives the files back to the query engine.

mod checkpoint;
pub mod commit;
pub mod compact;
mod cut;
mod durable;
mod error;
mod inspect;
pub mod lake_log;
pub mod lock;
mod log_check;
mod lost_sources;
pub mod object_stores;
pub mod prune;
pub mod pseudonym_key;
mod publish;
pub mod read;
mod remote;
pub mod remove;
pub mod repair;
mod rewrite;
pub mod rows;
pub mod schema;
mod schema_evolution;
pub mod size;
pub mod vacuum;
pub mod verify;
pub mod write;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use deltalake::kernel::StructField;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use futures::FutureExt as _;
use serde_json::Value;

pub use error::{Error, Result};
use lake_log::{CheckpointEntry, ForeignCommit, LogEntry};
pub use publish::{folder_of, is_there};
use remote::Remote;
use schema::{PARTITION, Table};

/// A committed data file, with what the log knows of it.
#[derive(Debug, Clone)]
pub struct LakeFile {
    /// Relative to the table's folder.
    pub path: String,
    pub bytes: u64,
    pub provably_modern: Option<bool>,
    /// The log's statistics, as JSON.
    pub statistics: Option<String>,
}

impl LakeFile {
    /// Its rows, as the log says.
    pub(crate) fn rows(&self) -> Option<u64> {
        serde_json::from_str::<Value>(self.statistics.as_deref()?).ok()?.get("numRecords")?.as_u64()
    }

    /// Whether the log's bounds of a column let a text be among its values.
    fn may_hold(&self, column: &str, is: &str) -> bool {
        let bounds = self.statistics.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let bound = |which: &str| bounds.as_ref()?.get(which)?.get(column)?.as_str();
        bound("minValues").is_none_or(|least| least <= is)
            && bound("maxValues").is_none_or(|greatest| is <= greatest)
    }
}

/// Shared by every process that has the lake open, so that `vacuum` knows of readers of old versions and
/// of files that are written and not committed yet.
const IN_USE: &str = "_in_use";

/// Batches that are being committed.
const MANIFESTS: &str = "_batches";
/// Held by whoever writes.
const LOCK: &str = "_lock";

/// An open lake.
pub struct Lake {
    /// The lake's folder, or the working copy of a lake in an object store.
    root: PathBuf,
    /// The store that the folder is a working copy of.
    remote: Option<Arc<Remote>>,
    tables: HashMap<Table, DeltaTable>,
    /// Holds the shared lock; `None` where the lake can only be read.
    in_use: Option<File>,
    /// The newest entry of the lake's log that is seen.
    entry: Option<LogEntry>,
    /// What is seen beyond it.
    by_others: Vec<ForeignCommit>,
    /// The newest checkpoints that lightsout made, by table.
    checkpoints: BTreeMap<String, CheckpointEntry>,
    /// Everything before this day was pruned.
    pruned_before: Option<NaiveDate>,
    /// Data files that were read whole and found as they were written, by table and path.
    whole: Mutex<HashSet<(String, String)>>,
}

impl Lake {
    /// Opens the lake for reading.
    ///
    /// # Errors
    /// Fails if there is none.
    pub async fn open(root: &Path) -> Result<Self> {
        let remote = remote::attach(root)?;
        Self::open_with(root, remote, true).boxed().await
    }

    /// Opens the lake, creating the tables that do not exist yet.
    pub async fn open_or_create(root: &Path) -> Result<Self> {
        let remote = remote::attach(root)?;
        Self::open_with(root, remote, false).boxed().await
    }

    async fn open_with(root: &Path, remote: Option<Arc<Remote>>, must_exist: bool) -> Result<Self> {
        let Some(remote) = remote else {
            if must_exist {
                Self::exists(root)?;
            }
            return Self::open_tables(root, None, &BTreeMap::new()).await;
        };
        // A process that writes has made its copy the newest.
        let lock = File::create(remote.root().join(LOCK)).map_err(Error::write(remote.root()))?;
        if lock.try_lock().is_ok() {
            remote.pull().await?;
        }
        drop(lock);
        if must_exist && Self::exists(remote.root()).is_err() {
            return Err(Error::NoLake { lake: remote.url().to_owned() });
        }
        let root = remote.root().to_owned();
        Self::open_tables(&root, Some(remote), &BTreeMap::new()).await
    }

    /// Opens the lake as it was, each table at the version given.
    ///
    /// # Errors
    /// Fails if there is no lake, or it does not have such a version any more.
    pub async fn open_at(root: &Path, versions: &BTreeMap<Table, u64>) -> Result<Self> {
        let remote = remote::attach(root)?;
        let root = remote.as_ref().map_or(root, |remote| remote.root()).to_owned();
        Self::exists(&root)?;
        Self::open_tables(&root, remote, versions).boxed().await
    }

    fn exists(root: &Path) -> Result<()> {
        // Any of the folders: what is missing beside it is damage, not a new lake.
        let has_log = |table: Table| root.join(table.as_str()).join("_delta_log").is_dir();
        if root.join(lake_log::FOLDER).is_dir() || Table::ALL.into_iter().any(has_log) {
            return Ok(());
        }
        Err(Error::NoLake { lake: root.display().to_string() })
    }

    /// Callers box it: a future that shows Delta's types costs the compiler minutes in each crate that sends it to another
    /// thread.
    async fn open_tables(
        root: &Path,
        remote: Option<Arc<Remote>>,
        versions: &BTreeMap<Table, u64>,
    ) -> Result<Self> {
        let io = |source| Error::File { lake: root.display().to_string(), source };
        check_characters(root)?;
        durable::create_folders(root).map_err(io)?;
        let root = root.canonicalize().map_err(io)?;
        check_characters(&root)?;
        let in_use = File::create(root.join(IN_USE)).ok();
        if let Some(file) = &in_use {
            file.lock_shared().map_err(io)?;
        }
        let mut lake = Self {
            root,
            remote,
            tables: HashMap::new(),
            in_use,
            entry: None,
            by_others: Vec::new(),
            checkpoints: BTreeMap::new(),
            pruned_before: None,
            whole: Mutex::default(),
        };
        // Two processes that make the same lake wait for each other.
        let mut making = None;
        let mut newest = if versions.is_empty() { lake_log::newest(&lake.root)? } else { None };
        if newest.is_none() && versions.is_empty() && lake.is_writable() {
            let lock = lake.lock_file().await?;
            if let Some(remote) = &lake.remote {
                remote.pull().await?;
                remote.begin()?;
            }
            making = Some(lock);
            newest = lake_log::newest(&lake.root)?;
        }
        let is_new = Self::exists(&lake.root).is_err();
        lake.entry.clone_from(&newest);
        lake.pruned_before = newest.as_ref().and_then(|entry| entry.pruned_before);
        if newest.is_none() && versions.is_empty() && !is_new && !lake.log_of(Table::SignInRecords).is_dir() {
            return Err(Error::TableGone { lake: lake.name(), table: Table::SignInRecords.as_str() });
        }
        for table in Table::ALL {
            let committed = newest.as_ref().and_then(|entry| Some((entry.version(table)?, entry.number)));
            let opened = match versions.get(&table) {
                Some(version) => lake.open_version(table, *version).await?,
                None if let Some((version, number)) = committed => {
                    lake.open_committed(table, version, number).await?
                }
                None if is_new || lake.root.join(table.as_str()).is_dir() => lake.open_table(table).await?,
                // A lake that an earlier version made.
                None => lake.open_table(table).await.map_err(|source| lake.not_upgraded(source))?,
            };
            // Before a table is created that a newer format may lack.
            lake.check_format(&opened)?;
            lake.tables.insert(table, opened);
        }
        if let Some(lock) = making {
            lake.publish(&lock).await?;
        }
        if newest.is_some() {
            lake.see_others().await?;
        } else if versions.is_empty() {
            lake.see_without_log().await?;
        }
        Ok(lake)
    }

    /// For `map_err` where a lake of an earlier version can't be brought to the tables and columns of today.
    #[must_use]
    pub fn not_upgraded(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::NotUpgraded { lake: self.name(), source: source.into() }
    }

    /// A table as an entry of the lake's log names it.
    async fn open_committed(&self, table: Table, version: u64, number: u64) -> Result<DeltaTable> {
        if !self.log_of(table).is_dir() {
            return Err(Error::TableGone { lake: self.name(), table: table.as_str() });
        }
        match self.open_version(table, version).await {
            Err(Error::NoVersion { lake, table: name, found, .. }) => {
                Err(match self.missing_commit(table, self.newest_commit(table)?) {
                    Some(version) => Error::LogGap { lake, table: name, version },
                    None => Error::CommitLost { lake, table: name, version, number, found },
                })
            }
            opened => opened,
        }
    }

    /// A table as it was.
    async fn open_version(&self, table: Table, version: u64) -> Result<DeltaTable> {
        let url = self.url_of(table)?;
        let wrong = |source| self.wrong("opening a table", source);
        self.check_log(table, version)?;
        let builder = DeltaTableBuilder::from_url(url.clone()).map_err(wrong)?;
        let source = match builder.with_version(version).load().await {
            Ok(opened) => return Ok(opened),
            Err(source) => source,
        };
        let newest = DeltaTableBuilder::from_url(url).map_err(wrong)?.load().await.ok();
        let found = match newest.and_then(|newest| newest.version()) {
            Some(newest) if newest < version => format!("its newest version is {newest}"),
            _ if self.oldest_commit(table)? > version => {
                format!("the versions before {} were pruned", self.oldest_commit(table)?)
            }
            _ => match self.missing_commit(table, version) {
                Some(missing) => format!("its log lacks the file {missing:020}.json"),
                // Perhaps it can't be read: the engine knows.
                None => source.to_string(),
            },
        };
        Err(Error::NoVersion { lake: self.name(), table: table.as_str(), version, found })
    }

    /// The folder of a table's log.
    fn log_of(&self, table: Table) -> PathBuf {
        self.root.join(table.as_str()).join("_delta_log")
    }

    /// The newest commit that the log's files name.
    fn newest_commit(&self, table: Table) -> Result<u64> {
        let log = self.log_of(table);
        let io = |source| Error::File { lake: self.name(), source };
        let mut newest = 0;
        for entry in std::fs::read_dir(&log).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let version = name.to_string_lossy().strip_suffix(".json").and_then(|name| name.parse().ok());
            newest = newest.max(version.unwrap_or(0));
        }
        Ok(newest)
    }

    /// The oldest commit of a log that `lake prune` has cut off before it; 0 of any other.
    fn oldest_commit(&self, table: Table) -> Result<u64> {
        let log = self.log_of(table);
        let io = |source| Error::File { lake: self.name(), source };
        let mut oldest: Option<u64> = None;
        for entry in std::fs::read_dir(&log).map_err(io)? {
            let name = entry.map_err(io)?.file_name();
            let version = name.to_string_lossy().strip_suffix(".json").and_then(|name| name.parse().ok());
            oldest = oldest.into_iter().chain(version).min();
        }
        let begins = oldest.filter(|oldest| log.join(format!("{oldest:020}.checkpoint.parquet")).exists());
        Ok(begins.unwrap_or(0))
    }

    /// The first commit that a version needs and the log lacks: all after a checkpoint are needed.
    fn missing_commit(&self, table: Table, version: u64) -> Option<u64> {
        let log = self.log_of(table);
        let has = |version: u64, kind: &str| log.join(format!("{version:020}.{kind}")).exists();
        let mut missing = None;
        for needed in (0..=version).rev() {
            if has(needed, "checkpoint.parquet") {
                break;
            }
            if !has(needed, "json") {
                missing = Some(needed);
            }
        }
        missing
    }

    /// Fails if a data file of the table in this snapshot is not there any more.
    pub fn check_files(&self, table: Table) -> Result<()> {
        let files = self.files(table)?;
        self.fetch_those_there(table, &files)?;
        let folder = self.root.join(table.as_str());
        let gone: Vec<&LakeFile> = files.iter().filter(|file| !folder.join(&file.path).exists()).collect();
        let Some(first) = gone.first() else { return Ok(()) };
        Err(Error::DataGone {
            lake: self.name(),
            table: table.as_str(),
            version: self.table(table)?.version().unwrap_or(0),
            gone: gone.len(),
            files: files.len(),
            first: first.path.clone(),
        })
    }

    fn url_of(&self, table: Table) -> Result<url::Url> {
        durable::table_url(&self.root, table.as_str())
            .map_err(|source| self.wrong("naming a table", DeltaTableError::generic(source)))
    }

    async fn open_table(&self, table: Table) -> Result<DeltaTable> {
        let folder = self.root.join(table.as_str());
        durable::create_folders(&folder).map_err(|source| Error::File { lake: self.name(), source })?;
        let url = self.url_of(table)?;
        let wrong = |source| self.wrong("opening a table", source);
        let exists = folder.join("_delta_log").is_dir();
        if exists {
            self.check_log(table, self.newest_commit(table)?)?;
            let builder = DeltaTableBuilder::from_url(url.clone()).map_err(wrong)?;
            match builder.load().await {
                Ok(opened) => return Ok(opened),
                Err(DeltaTableError::NotATable(_)) => {}
                Err(source) => {
                    let newest = self.newest_commit(table)?;
                    return Err(match self.missing_commit(table, newest) {
                        Some(version) => Error::LogGap { lake: self.name(), table: table.as_str(), version },
                        None => wrong(source),
                    });
                }
            }
        }
        let fields: Vec<StructField> = schema_evolution::kernel_schema(table)?.fields().cloned().collect();
        let partitions: &[&str] = if table == Table::SignInRecords { &[PARTITION] } else { &[] };
        let properties = schema_evolution::properties(table);
        let configuration = properties.map(|(key, value)| (key.to_owned(), Some(value)));
        deltalake::operations::create::CreateBuilder::new()
            .with_location(url.as_str())
            .with_table_name(table.as_str())
            .with_columns(fields)
            .with_partition_columns(partitions.iter().copied())
            .with_configuration(configuration)
            // The property that names the format is not one of Delta Lake's.
            .with_raise_if_key_not_exists(false)
            .await
            .map_err(wrong)
    }

    fn wrong(&self, action: &'static str, source: DeltaTableError) -> Error {
        Error::Delta { lake: self.name(), action, source: Box::new(source) }
    }

    /// Whether this process can write to the lake's folder.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        self.in_use.is_some()
    }

    /// The folder or the URL, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        if let Some(remote) = &self.remote {
            return remote.url().to_owned();
        }
        self.root.display().to_string()
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn table(&self, table: Table) -> Result<&DeltaTable> {
        self.tables.get(&table).ok_or_else(|| Error::NoLake { lake: self.name() })
    }

    fn table_mut(&mut self, table: Table) -> Result<&mut DeltaTable> {
        let lake = self.name();
        self.tables.get_mut(&table).ok_or(Error::NoLake { lake })
    }

    /// The version of each table that this snapshot sees.
    pub fn versions(&self) -> Result<Vec<(Table, u64)>> {
        Table::ALL.into_iter().map(|table| Ok((table, self.table(table)?.version().unwrap_or(0)))).collect()
    }

    /// The data files of a table in this snapshot, sorted by path.
    pub fn files(&self, table: Table) -> Result<Vec<LakeFile>> {
        listed(self.table(table)?).map_err(|source| self.wrong("listing files", source))
    }

    /// Whether no other process has the lake open; then none can open it until this `Lake` is dropped.
    fn claim(&self) -> Result<bool> {
        let io = |source| Error::File { lake: self.name(), source };
        let Some(file) = &self.in_use else { return Ok(false) };
        file.unlock().map_err(io)?;
        let alone = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(source)) => return Err(io(source)),
        };
        if !alone {
            file.lock_shared().map_err(io)?;
        }
        Ok(alone)
    }

    /// Sees the newest commits, including those of a batch that is not complete yet.
    async fn see_newest_commits(&mut self) -> Result<()> {
        for (table, seen) in self.versions()? {
            self.check_commits_after(table, seen)?;
        }
        for table in self.tables.values_mut() {
            table.update_state().await.map_err(|source| Error::Delta {
                lake: self.root.display().to_string(),
                action: "reading the newest commits",
                source: Box::new(source),
            })?;
        }
        // A newer program may have upgraded it meanwhile.
        self.tables.values().try_for_each(|table| self.check_format(table))
    }
}

/// The data files of an open table, sorted by path.
fn listed(table: &DeltaTable) -> std::result::Result<Vec<LakeFile>, DeltaTableError> {
    let mut files: Vec<LakeFile> = table
        .snapshot()?
        .log_data()
        .iter()
        .map(|file| LakeFile {
            path: file.path().into_owned(),
            bytes: u64::try_from(file.size()).unwrap_or(0),
            provably_modern: file
                .partition_values_map()
                .get(PARTITION)
                .and_then(|value| value.as_deref().map(|value| value == "true")),
            statistics: file.stats(),
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The engine reads files by paths of UTF-8 without control characters.
fn check_characters(root: &Path) -> Result<()> {
    match root.to_str() {
        Some(path) if !path.contains(char::is_control) => Ok(()),
        _ => Err(Error::PathCharacters { found: lightsout_output::text::plain(&root.to_string_lossy()) }),
    }
}
