//! Raw files to records: find, open, frame, parse by shape, classify, build rows. What is ready goes
//! to the lake in batches: a file's rows are in one commit or in none.

mod accept;
mod account;
mod again;
pub mod assign;
mod batch;
mod blob;
mod coverage;
mod days;
mod dictionary;
mod error;
pub mod find;
mod identity;
mod known;
pub mod open;
mod pipeline;
mod rejects;
mod replay;
mod rows;
mod settings;
mod source;
mod source_row;
pub mod store;
mod upgrade;
mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use lightsout_model::evidence::DayRange;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::Roster;
use lightsout_model::time::DateOrder;

pub use account::{Coverage, Day, Stated};
pub use again::forget_lost;
pub use blob::Blob;
pub use error::{Error, Result};
pub use pipeline::{ingest, ingest_stores};
pub use replay::{ReplayReport, replay};
pub use upgrade::{Upgraded, upgrade};

/// What an ingest is told.
#[derive(Debug, Clone)]
pub struct IngestSettings {
    /// What a flag names: declared coverage speaks for it too. What a file is assigned stands with
    /// the file.
    pub tenant_id: Option<String>,
    /// Whom domains and names in records stand for.
    pub roster: Roster,
    pub category: Option<Category>,
    /// The order of day and month in dates like 3/4/2026; `None`: each file settles its own.
    pub date_order: Option<DateOrder>,
    /// Days that the input is declared to be complete for.
    pub covers: Option<DayRange>,
    pub jobs: usize,
    pub memory_limit_bytes: usize,
    /// Files that are refused keep no tenant from being cleared.
    pub skip_unrecognised: bool,
    pub keep: Keep,
    /// Nothing is written.
    pub dry_run: bool,
    /// The ingest's own clock, UTC microseconds.
    pub now: i64,
}

/// Of which sign-ins the lake gets rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    #[default]
    All,
    /// Of provably modern ones only what `sources` counts: no verdict needs more of them.
    Legacy,
}

/// Counters that a progress bar reads while the work goes on, and the switch that stops it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of finished input, as stored.
    pub stored_bytes: AtomicU64,
    pub records: AtomicU64,
    /// Bytes of blobs that were listed until now, and are to be read.
    pub listed_bytes: AtomicU64,
    pub stop: AtomicBool,
}

impl Progress {
    fn listed(&self, bytes: u64) {
        self.listed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What became of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFate {
    Ingested,
    /// Its content was in the lake already.
    SeenBefore,
    Empty,
    Refused,
    /// Refused before, and now to be passed: only in the `sources` table.
    Skipped,
}

/// The account of one file: `records = rows + rejected + not_sign_ins + counted`.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    pub path: String,
    pub fate: FileFate,
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub shape: Option<&'static str>,
    pub framing: Option<&'static str>,
    pub encoding: &'static str,
    pub compression: &'static str,
    pub stored_bytes: u64,
    pub content_bytes: u64,
    /// The lake has as many bytes that it begins with, and only what is behind them was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_bytes: Option<u64>,
    pub records: u64,
    pub rows: u64,
    pub rejected: u64,
    pub not_sign_ins: u64,
    /// Provably modern sign-ins of which no row is kept.
    pub counted: u64,
    pub tenants: usize,
    pub first_signed_in_at: Option<String>,
    pub last_signed_in_at: Option<String>,
    pub missing_columns: Vec<&'static str>,
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// Of those that may be usage: the ones that do not say whose they are.
    pub rejected_of_unknown_tenant: u64,
    /// Result codes that the table of outcomes does not have; taken for failures.
    pub unknown_codes: BTreeMap<i64, u64>,
    /// It was cut while it was written or copied, so it proves no day.
    pub torn: bool,
    /// It is refused because it changed whenever it was read; the next ingest reads it.
    pub changing: bool,
    /// An answer in it says that records are missing, so it proves no day.
    pub incomplete: bool,
    /// What whoever ingests it should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
}

impl FileReport {
    /// Most of it was rejected, so it proves no day.
    fn is_mostly_rejected(&self) -> bool {
        self.rejected * 2 > self.records
    }
}

/// The account of a whole ingest.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IngestReport {
    pub files: u64,
    pub files_ingested: u64,
    pub files_seen_before: u64,
    /// Of those: blobs that were not read, since the lake knows their version.
    #[serde(skip_serializing_if = "is_zero")]
    pub files_unread: u64,
    pub files_empty: u64,
    pub files_refused: u64,
    /// Of those that were ingested: cut or incomplete by their own word; mostly rejected.
    pub files_torn: u64,
    pub files_mostly_rejected: u64,
    /// Of those that were refused: they changed whenever they were read, and are left for the next ingest.
    pub files_changing: u64,
    /// Rejected records of which nobody knows whose they are, in files of several tenants or of none.
    pub rejected_of_unknown_tenant: u64,
    pub stored_bytes: u64,
    pub content_bytes: u64,
    pub records: u64,
    pub rows: u64,
    pub rejected: u64,
    pub not_sign_ins: u64,
    pub counted: u64,
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    pub unknown_codes: BTreeMap<i64, u64>,
    pub refused: Vec<FileReport>,
    /// Hidden files and folders that may hold logs, and were not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<String>,
    /// What is to be known of which files.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub advice: BTreeMap<String, Vec<String>>,
    /// Every file, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<FileReport>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl IngestReport {
    /// Counts a blob that is not read, since the lake knows its version.
    fn pass_known(&mut self, stored_bytes: u64) {
        self.files += 1;
        self.files_seen_before += 1;
        self.files_unread += 1;
        self.stored_bytes += stored_bytes;
    }

    fn add(&mut self, file: FileReport, keep: bool) {
        self.files += 1;
        match file.fate {
            FileFate::Ingested => self.files_ingested += 1,
            FileFate::SeenBefore => self.files_seen_before += 1,
            FileFate::Empty => self.files_empty += 1,
            FileFate::Refused | FileFate::Skipped => self.files_refused += 1,
        }
        self.files_changing += u64::from(file.changing);
        self.files_torn += u64::from((file.torn || file.incomplete) && file.fate != FileFate::Refused);
        self.files_mostly_rejected += u64::from(file.is_mostly_rejected());
        if file.tenants != 1 {
            self.rejected_of_unknown_tenant += file.rejected_of_unknown_tenant;
        }
        self.stored_bytes += file.stored_bytes;
        self.content_bytes += file.content_bytes;
        self.records += file.records;
        self.rows += file.rows;
        self.rejected += file.rejected;
        self.not_sign_ins += file.not_sign_ins;
        self.counted += file.counted;
        for (reason, count) in &file.rejected_by_reason {
            *self.rejected_by_reason.entry(reason).or_default() += count;
        }
        for (code, count) in &file.unknown_codes {
            *self.unknown_codes.entry(*code).or_default() += count;
        }
        for advice in &file.advice {
            self.advice.entry(advice.clone()).or_default().push(file.path.clone());
        }
        if file.fate == FileFate::Refused {
            self.refused.push(file.clone());
        }
        if keep {
            self.each.push(file);
        }
    }
}
