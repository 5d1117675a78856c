//! What can go wrong with a lake, with the lake and the table it happened in.

use std::path::PathBuf;

/// An error of the lake.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("reading {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("the lake at {lake}, {action}: {source}")]
    Delta { lake: String, action: &'static str, source: Box<deltalake::DeltaTableError> },
    #[error("the lake at {lake}: {source}")]
    File { lake: String, source: std::io::Error },
    #[error("there is no lake at {lake}; make one with: lightsout ingest INPUT... --lake {lake}")]
    NoLake { lake: String },
    #[error(
        "the lake at {lake}: expected version {version} of the table {table}, but {found}; restore {table}/_delta_log from a backup, or assess again with: lightsout assess"
    )]
    NoVersion { lake: String, table: &'static str, version: u64, found: String },
    #[error(
        "the lake at {lake}: the log of the table {table} lacks the file {version:020}.json, so no later version can be read; restore it from a backup, or see what can be repaired with: lightsout lake repair --lake {lake}"
    )]
    LogGap { lake: String, table: &'static str, version: u64 },
    #[error(
        "the lake at {lake}: {gone} of the {files} data files of version {version} of the table {table} are gone, pruned or deleted (the first: {first}); restore them from a backup, or assess again with: lightsout assess"
    )]
    DataGone { lake: String, table: &'static str, version: u64, gone: usize, files: usize, first: String },
    #[error(
        "the lake at {lake}: another process has replaced {gone} of the files of {table} while they were compacted, so nothing of that table was changed; run the command again"
    )]
    CompactedMeanwhile { lake: String, table: &'static str, gone: usize },
    #[error(
        "the lake at {lake}: the compacted files of {table} should hold the {expected} rows of the old ones, but they hold {found} rows or others, so nothing was changed; check the disk and the memory of this machine, and run the command again"
    )]
    CompactionDiffers { lake: String, table: &'static str, expected: u64, found: u64 },
    #[error(
        "the lake at {lake}: entry {number} of its log (_commits) names version {version} of the table {table}, but {found}; restore {table}/_delta_log from a backup, or see what can be repaired with: lightsout lake repair --lake {lake}"
    )]
    CommitLost { lake: String, table: &'static str, version: u64, number: u64, found: String },
    #[error(
        "{path} is damaged: {found}; restore it from a backup, or see what can be repaired with: lightsout lake repair --lake {}",
        lake.display()
    )]
    DamagedLog { path: PathBuf, lake: PathBuf, found: String },
    #[error(
        "{path} is damaged: {found}; restore it from a backup, or see what can be repaired with: lightsout lake repair --lake {}",
        lake.display()
    )]
    DamagedData { path: PathBuf, lake: PathBuf, found: String },
    #[error(
        "another process has the lake at {lake} open, which may still read what is to be deleted; stop it and run the command again"
    )]
    InUse { lake: String },
    #[error(
        "the lake at {lake} has lost the folder {table}, which its log names; restore it from a backup; list all damage with: lightsout lake verify --deep --lake {lake}"
    )]
    TableGone { lake: String, table: &'static str },
    #[error(
        "the lake at {lake} has lost the newest entries of its log (_commits): {newest}, but the table {table} has version {version}; restore them from a backup, or write a new entry with: lightsout lake repair --lake {lake}"
    )]
    EntryLost { lake: String, table: &'static str, version: u64, newest: String },
    #[error(
        "the lake at {lake} has format {found}, but this lightsout ({}) reads formats up to {known}; nothing was changed; use the lightsout that wrote the lake, or a newer one",
        env!("CARGO_PKG_VERSION")
    )]
    NewerFormat { lake: String, found: String, known: u32 },
    #[error(
        "the lake at {lake} uses the hash '{found}' for contents, but this lightsout ({}) knows only '{known}'; nothing was changed; use the lightsout that wrote the lake, or a newer one",
        env!("CARGO_PKG_VERSION")
    )]
    UnknownHash { lake: String, found: String, known: &'static str },
    #[error(
        "the lake's manifest {path} is damaged: {source}; see what can be repaired with: lightsout lake repair"
    )]
    Manifest { path: PathBuf, source: serde_json::Error },
    #[error(
        "the lake at {lake}: {holder} is still writing to it after {} s; wait for it, or raise --lock-timeout",
        waited.as_secs()
    )]
    Locked { lake: String, holder: String, waited: std::time::Duration },
    #[error("parquet file {path}: {source}")]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
    #[error(transparent)]
    Output(#[from] lightsout_output::Error),
    #[error("{what}: {source}")]
    Arrow { what: &'static str, source: arrow::error::ArrowError },
    #[error("{what}: {source}")]
    Json { what: &'static str, source: serde_json::Error },
    #[error("--lake: expected a folder, found '{found}'")]
    NotAFolder { found: String },
    #[error("expected a path that is UTF-8 without control characters, found '{found}'; rename the folder")]
    PathCharacters { found: String },
    #[error(
        "the lake at {lake} was made by an earlier version and could not be upgraded to the current tables and columns: {source}; if it can't be written here, run this where it can: lightsout lake status --lake {lake}"
    )]
    NotUpgraded { lake: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("'{url}' is not the address of a lake: {problem}")]
    StoreUrl { url: String, problem: String },
    #[error("the lake at {lake}, {action}: {source}; {hint}")]
    Store { lake: String, action: &'static str, hint: String, source: Box<object_store::Error> },
    #[error(
        "the lake at {lake} was written by another process while this one held its lease ({found}), so this command \
         stopped; what was committed before is kept, and nothing that this command reported as done is lost; run the \
         command again"
    )]
    WrittenMeanwhile { lake: String, found: String },
    #[error(
        "the store of the lake at {lake} ignores conditional writes ({found}), so two writers could overwrite each other's \
         commits; use a store that honours If-None-Match and If-Match on PUT, as Azure Blob Storage, Amazon S3 and \
         Google Cloud Storage do"
    )]
    StoreIgnoresConditions { lake: String, found: &'static str },
    #[error(
        "the lake at {lake}: {path} is gone from the store; if another command has replaced and deleted it meanwhile, run \
         this command again; else restore it from a backup, and list all damage with: lightsout lake verify --lake {lake}"
    )]
    StoreFileGone { lake: String, path: String },
    #[error(
        "{folder} is the working copy of the lake at {url}, and what is written there would be lost; use --lake {url}"
    )]
    WorkingCopy { folder: String, url: String },
    #[error(
        "lake repair works on folders only, and {lake} is in an object store; while no command writes to it, download \
         the folder, repair it with: lightsout lake repair --lake FOLDER, and upload it again"
    )]
    RepairInStore { lake: String },
    #[error("no folder for the working copy of {lake}; set LIGHTSOUT_CACHE to a folder on a local disk")]
    NoCache { lake: String },
    #[error("LIGHTSOUT_LEASE_SECONDS: expected whole seconds from 1 to 86400, found '{found}'")]
    LeaseSeconds { found: String },
}

impl Error {
    /// For `map_err` where a file is written.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Write { path: path.into(), source }
    }

    /// For `map_err` where a file is read.
    pub fn read(path: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Read { path: path.into(), source }
    }
}

/// Results of the lake.
pub type Result<T, E = Error> = std::result::Result<T, E>;
