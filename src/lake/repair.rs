//! Mends a lake as far as its logs suffice. Nothing is deleted: what is damaged moves to `_damaged`. Rows that are lost
//! are let go with all that their sources brought, so that the sources can be ingested again and count once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use deltalake::checkpoints;
use serde::Serialize;

use super::Lake;
use super::commit::{Replaced, Replacing};
use super::durable;
use super::inspect::{Damage, Inspection, Part, inspect};
use super::lake_log::LogEntry;
use super::log_check;
use super::lost_sources::OF_SOURCES;
use super::schema::Table;
use super::schema_evolution::FORMAT_VERSION;
use super::verify::Depth;
use crate::error::{Error, Result};

/// Where damaged files go, in the lake's folder.
pub(super) const ASIDE: &str = "_damaged";

/// What was mended, or would be.
#[derive(Debug, Default, Serialize)]
pub struct RepairReport {
    pub damages: Vec<Damage>,
    /// In words, in the order in which they are done.
    pub steps: Vec<String>,
    /// What only a backup brings back, or a new ingest.
    pub not_mended: Vec<String>,
    /// Sources that were let go, as they were named; to be ingested again.
    pub ingest_again: Vec<String>,
}

impl RepairReport {
    /// Whether everything is as it was written, or was mended.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.not_mended.is_empty()
    }
}

/// Mends a lake; or, as a dry run, tells what it would do. Other processes must not write meanwhile.
///
/// # Errors
/// Fails if there is no lake, or it can't be read or written.
pub async fn repair(root: &Path, dry_run: bool, now: DateTime<Utc>) -> Result<RepairReport> {
    let io = |source| Error::File { lake: root.display().to_string(), source };
    if super::object_stores::is_url(&root.to_string_lossy()) {
        return Err(Error::RepairInStore { lake: root.display().to_string() });
    }
    super::Lake::exists(root)?;
    let root = root.canonicalize().map_err(io)?;
    let inspection = inspect(&root)?;
    let mut repair = Repair {
        aside: root.join(ASIDE).join(now.format("%Y%m%dT%H%M%SZ").to_string()),
        root,
        dry_run,
        now,
        report: RepairReport { damages: inspection.damages.clone(), ..RepairReport::default() },
        rebuild: BTreeSet::new(),
        is_cut_back: false,
        is_stuck: false,
        pruned_before: inspection.entries.iter().filter_map(|entry| entry.pruned_before).max(),
    };
    repair.mend_logs(&inspection)?;
    if repair.is_stuck {
        return Ok(repair.report);
    }
    if dry_run && !repair.report.steps.is_empty() {
        let then = if repair.is_cut_back {
            "remove all rows of sources that lost rows; ingest those sources again"
        } else {
            "read the data files too"
        };
        repair.report.steps.push(then.to_owned());
        return Ok(repair.report);
    }
    repair.mend_tables().await?;
    Ok(repair.report)
}

struct Repair {
    root: PathBuf,
    aside: PathBuf,
    dry_run: bool,
    now: DateTime<Utc>,
    report: RepairReport,
    /// Tables that get a new checkpoint.
    rebuild: BTreeSet<Table>,
    /// Some table goes back to an earlier version.
    is_cut_back: bool,
    /// Something is damaged without which the tables can't be read, or must not be changed.
    is_stuck: bool,
    /// As the entries say that can be read.
    pruned_before: Option<NaiveDate>,
}

impl Repair {
    fn mend_logs(&mut self, inspection: &Inspection) -> Result<()> {
        let damages = &inspection.damages;
        let of = |part: Part| damages.iter().filter(move |damage| damage.part == part);
        for damage in of(Part::Folder) {
            self.not_mended(damage, "restore it from a backup");
        }
        let damaged_tables: BTreeSet<Table> = of(Part::Commit).filter_map(|damage| damage.table).collect();
        for table in damaged_tables {
            let commits: Vec<&Damage> =
                of(Part::Commit).filter(|damage| damage.table == Some(table)).collect();
            self.mend_commits(inspection, table, &commits)?;
        }
        let mut hints = BTreeSet::new();
        for damage in of(Part::Checkpoint) {
            let Some(table) = damage.table else { continue };
            if !log_suffices(&self.root, inspection, table) {
                self.not_mended(damage, "the log is not enough to rebuild it; restore it from a backup");
                continue;
            }
            self.set_aside(damage, "rebuild it from the commits")?;
            hints.insert(table);
            self.rebuild.insert(table);
        }
        for damage in of(Part::CheckpointHint) {
            self.set_aside(damage, "the log is read without it")?;
            hints.extend(damage.table);
        }
        for table in hints {
            let hint = format!("{}/_delta_log/_last_checkpoint", table.as_str());
            // It names what went.
            if !self.dry_run && self.root.join(&hint).exists() {
                self.move_aside(&hint)?;
            }
        }
        let mut rolled_back = false;
        for damage in of(Part::Manifest) {
            self.set_aside(damage, "its batch is undone: run the interrupted ingest again")?;
            rolled_back = true;
        }
        if rolled_back {
            for (table, version) in inspection.unlogged.iter().rev() {
                let log = format!("{}/_delta_log", table.as_str());
                self.report
                    .steps
                    .push(format!("undo version {version} of {}, which no entry names", table.as_str()));
                for name in [format!("{version:020}.json"), format!("{version:020}.checkpoint.parquet")] {
                    let path = format!("{log}/{name}");
                    if !self.dry_run && self.root.join(&path).exists() {
                        self.move_aside(&path)?;
                    }
                }
            }
        }
        for damage in of(Part::OldEntry) {
            let number = number_of(damage);
            let before = inspection.entries.iter().rev().find(|entry| entry.number < number);
            let Some(stand_in) =
                before.or_else(|| inspection.entries.iter().find(|entry| entry.number > number))
            else {
                continue;
            };
            self.set_aside(
                damage,
                "replace it by an entry without files, which are then no longer checked by hash",
            )?;
            self.write_entry(number, stand_in.versions.clone())?;
        }
        let damaged_newest = of(Part::NewestEntry).next();
        if let Some(damage) = damaged_newest {
            self.set_aside(damage, "write one that names what the tables hold")?;
        } else if self.is_cut_back || (inspection.entry_lost && !rolled_back) {
            self.report
                .steps
                .push("write an entry of the lake's log that names what the tables hold".to_owned());
        } else {
            return Ok(());
        }
        if !self.is_stuck {
            let number = match damaged_newest {
                Some(damage) => number_of(damage),
                None => inspection.newest.as_ref().map_or(0, |entry| entry.number + 1),
            };
            self.write_entry(number, self.newest_versions())?;
        }
        Ok(())
    }

    /// A table whose sources can be ingested again goes back to the version before the first damaged commit.
    fn mend_commits(&mut self, inspection: &Inspection, table: Table, commits: &[&Damage]) -> Result<()> {
        let log = self.root.join(table.as_str()).join("_delta_log");
        let is_damaged = |path: &str| inspection.damages.iter().any(|damage| damage.path == path);
        let relative = |name: &str| format!("{}/_delta_log/{name}", table.as_str());
        let mut versions = BTreeMap::new();
        for entry in fs::read_dir(&log).map_err(Error::read(log.display().to_string()))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(version) = name.split('.').next().and_then(|digits| digits.parse::<u64>().ok()) {
                versions.entry(version).or_insert_with(Vec::new).push(name);
            }
        }
        let base = versions.iter().rev().find(|(_, names)| {
            let checkpoint = names.iter().find(|name| name.ends_with(".checkpoint.parquet"));
            checkpoint.is_some_and(|name| !is_damaged(&relative(name)))
        });
        let base = base.map(|(version, _)| *version);
        for damage in commits {
            if base.is_some_and(|base| number_of(damage) <= base) {
                self.report.not_mended.push(format!(
                    "{damage}; a checkpoint replaces it, so only older versions can't be read any more; restore it from a \
                     backup to reproduce decisions of that time"
                ));
            }
        }
        let behind = commits.iter().filter(|damage| base.is_none_or(|base| number_of(damage) > base));
        let Some(first) = behind.map(|damage| number_of(damage)).min() else { return Ok(()) };
        if first == 0 || !OF_SOURCES.contains(&table) {
            for damage in commits {
                self.not_mended(damage, "restore it from a backup: nothing else has its content");
            }
            return Ok(());
        }
        for damage in commits {
            self.report.steps.push(format!("set aside {damage}"));
        }
        self.report.steps.push(format!("go back to version {} of {}", first - 1, table.as_str()));
        self.is_cut_back = true;
        if self.dry_run {
            return Ok(());
        }
        for name in versions.range(first..).flat_map(|(_, names)| names) {
            self.move_aside(&relative(name))?;
        }
        let hint = relative("_last_checkpoint");
        if self.root.join(&hint).exists() {
            self.move_aside(&hint)?;
        }
        Ok(())
    }

    /// The versions that the tables' logs end with.
    fn newest_versions(&self) -> BTreeMap<String, u64> {
        let mut versions = BTreeMap::new();
        for table in Table::ALL {
            let log = self.root.join(table.as_str()).join("_delta_log");
            let Ok(entries) = fs::read_dir(&log) else { continue };
            let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            let newest = names.filter_map(|name| name.strip_suffix(".json")?.parse::<u64>().ok()).max();
            versions.extend(newest.map(|newest| (table.as_str().to_owned(), newest)));
        }
        versions
    }

    fn write_entry(&self, number: u64, versions: BTreeMap<String, u64>) -> Result<()> {
        if self.dry_run {
            return Ok(());
        }
        let entry = LogEntry {
            number,
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            committed_at: self.now,
            batch_id: None,
            versions,
            files: Vec::new(),
            by_others: Vec::new(),
            checkpoints: BTreeMap::new(),
            pruned_before: self.pruned_before,
        };
        entry.write(&self.root)
    }

    fn not_mended(&mut self, damage: &Damage, way_out: &str) {
        self.is_stuck = true;
        self.report.not_mended.push(format!("{damage}; {way_out}"));
    }

    /// Moves what is damaged away; `then`: what comes of it.
    fn set_aside(&mut self, damage: &Damage, then: &str) -> Result<()> {
        self.report.steps.push(format!("set aside {damage}; {then}"));
        if self.dry_run || !self.root.join(&damage.path).exists() {
            return Ok(());
        }
        self.move_aside(&damage.path)
    }

    fn move_aside(&self, relative: &str) -> Result<()> {
        let (from, to) = (self.root.join(relative), self.aside.join(relative));
        if let Some(folder) = to.parent() {
            durable::create_folders(folder).map_err(Error::write(folder))?;
        }
        fs::rename(&from, &to).map_err(Error::write(&from))?;
        from.parent().map_or(Ok(()), durable::sync_folder).map_err(Error::write(&from))
    }

    async fn mend_tables(&mut self) -> Result<()> {
        let mut lake = Lake::open(&self.root).await?;
        if !self.rebuild.is_empty() {
            let _lock = lake.lock().await?;
            for table in std::mem::take(&mut self.rebuild) {
                lake.rebuild_checkpoint(table).await?;
            }
            lake.log_commit(None, self.now.timestamp_millis())?;
        }
        let damages = lake.verify_files(Depth::Content)?.damages;
        if damages.is_empty() && !self.is_cut_back {
            return Ok(());
        }
        for damage in &damages {
            if !damage.table.is_some_and(|table| OF_SOURCES.contains(&table)) {
                self.not_mended(damage, "restore it from a backup: nothing else has its content");
            }
        }
        self.report.damages.extend(damages.iter().cloned());
        if self.is_stuck {
            return Ok(());
        }
        for damage in &damages {
            self.report.steps.push(format!("remove {damage}"));
        }
        self.let_go(&mut lake, &damages).await
    }

    /// Takes damaged files out of their tables, with all other rows of the sources that had rows in them.
    async fn let_go(&mut self, lake: &mut Lake, damages: &[Damage]) -> Result<()> {
        let lock = if self.dry_run { None } else { Some(lake.lock().await?) };
        let mut unread = Vec::new();
        for damage in damages {
            let Some(table) = damage.table else { continue };
            let path = damage.path.trim_start_matches(table.as_str()).trim_start_matches('/').to_owned();
            let bytes = lake.files(table)?.iter().find(|file| file.path == path).map_or(0, |file| file.bytes);
            unread.push(Replaced { table, path, bytes, reason: Replacing::Rows });
        }
        let lost = lake.lost_sources(&unread)?;
        for (id, path) in &lost {
            let named = path.clone().unwrap_or_else(|| format!("a file whose name is lost (source {id})"));
            self.report.ingest_again.push(named);
        }
        self.report.ingest_again.sort();
        let count = lost.len();
        let word = if count == 1 { "source" } else { "sources" };
        self.report
            .steps
            .push(format!("remove all rows of {count} {word} that lost rows; ingest them again"));
        let Some(lock) = &lock else { return Ok(()) };
        lake.remove_sources(lock, |id| lost.contains_key(id), unread, self.now.timestamp_millis()).await
    }
}

fn number_of(damage: &Damage) -> u64 {
    let name = damage.path.rsplit('/').next().unwrap_or_default();
    name.trim_end_matches(".json").parse().unwrap_or(0)
}

/// Whether a table's commits lead to its newest version without its damaged checkpoints.
fn log_suffices(root: &Path, inspection: &Inspection, table: Table) -> bool {
    let damaged = |part: Part| {
        inspection.damages.iter().any(|damage| damage.part == part && damage.table == Some(table))
    };
    // A pruned log begins behind a checkpoint.
    let first = root.join(table.as_str()).join("_delta_log").join(format!("{:020}.json", 0));
    first.exists() && !damaged(Part::Commit)
}

impl Lake {
    /// Makes a checkpoint of a table's newest version. The caller holds the lock.
    pub(super) async fn rebuild_checkpoint(&mut self, table: Table) -> Result<()> {
        let name = self.name();
        let delta = self.table(table)?;
        let wrong =
            |source| Error::Delta { lake: name, action: "making a checkpoint", source: Box::new(source) };
        checkpoints::create_checkpoint(delta, None).await.map_err(wrong)?;
        let version = self.table(table)?.version().unwrap_or(0);
        let written = log_check::checkpoint_entry(&self.log_of(table), version)?;
        self.checkpoints.insert(table.as_str().to_owned(), written);
        Ok(())
    }
}
