//! Whether a lake is what was written: its logs, and the data files of what is seen.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use lightsout_output::text::count;
use serde::Serialize;

pub use super::inspect::{Damage, Part};
use super::inspect::{footer, inspect, without_panic};
use super::lake_log::{self, DataFileEntry};
use super::read::OpenedFile;
use super::schema::Table;
use super::write::hash_of;
use super::{Lake, LakeFile};
use crate::error::{Error, Result};

/// How much of the data files is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Sizes, footers and numbers of rows.
    Footers,
    /// Hashes and all rows too.
    Content,
}

/// What a look at the data files found.
#[derive(Debug, Default, Serialize)]
pub struct FileReport {
    pub damages: Vec<Damage>,
    pub files: u64,
    pub bytes: u64,
    /// Files of which the lake's log has no hash: written by other programs or by lightsout of before.
    pub unhashed: u64,
}

/// What is damaged in the logs of a lake, which need not open.
///
/// # Errors
/// Fails if there is no lake, or a folder can't be listed.
pub fn damaged_logs(root: &Path) -> Result<Vec<Damage>> {
    let inspection = inspect(root)?;
    let mut damages = inspection.damages;
    let is_quiet = super::remote::attach(root)?.is_none_or(|remote| remote.is_quiet());
    if inspection.entry_lost && is_quiet {
        damages.push(Damage {
            part: Part::NewestEntry,
            path: lake_log::FOLDER.to_owned(),
            found: "its newest entries are missing: tables have versions that no entry names".to_owned(),
            table: None,
        });
    }
    Ok(damages)
}

type Known = HashMap<(String, String), DataFileEntry>;

impl Lake {
    /// Checks the data files of every table in this snapshot.
    ///
    /// # Errors
    /// Fails if a table's files can't be listed.
    pub fn verify_files(&self, depth: Depth) -> Result<FileReport> {
        let known = self.known_files();
        let mut report = FileReport::default();
        for table in Table::ALL {
            let files = self.files(table)?;
            // What is missing there is damage like any other.
            self.fetch_those_there(table, &files)?;
            for file in files {
                report.files += 1;
                report.bytes += file.bytes;
                let entry = known.get(&(table.as_str().to_owned(), file.path.clone()));
                report.unhashed += u64::from(entry.is_none_or(|entry| entry.hash.is_empty()));
                if let Some(found) = self.damage_of(table, &file, entry, depth) {
                    let path = format!("{}/{}", table.as_str(), file.path);
                    report.damages.push(Damage { part: Part::DataFile, path, found, table: Some(table) });
                }
            }
        }
        Ok(report)
    }

    fn damage_of(
        &self,
        table: Table,
        file: &LakeFile,
        entry: Option<&DataFileEntry>,
        depth: Depth,
    ) -> Option<String> {
        if let Some(found) = self.size_damage(table, file) {
            return Some(found);
        }
        let path = self.root.join(table.as_str()).join(&file.path);
        let rows = match footer(&path) {
            Ok(rows) => rows,
            Err(found) => return Some(found),
        };
        let logged = [entry.map(|entry| entry.rows), file.rows()];
        if let Some(expected) = logged.into_iter().flatten().find(|expected| *expected != rows) {
            return Some(format!("expected rows: {expected}, found: {rows}"));
        }
        if depth == Depth::Footers {
            return None;
        }
        content_damage(&path, entry, rows).err()
    }

    /// Fails if a data file of this snapshot is not there, or not as long as it was written. Reads none.
    ///
    /// # Errors
    /// Fails with the first such file.
    pub fn check_sizes(&self) -> Result<()> {
        self.fetch_all()?;
        for table in Table::ALL {
            for file in self.files(table)? {
                if let Some(found) = self.size_damage(table, &file) {
                    return Err(self.damaged(table, &file, found));
                }
            }
        }
        Ok(())
    }

    /// Fails if a data file that a verdict can rest on is not, byte by byte, what was written. Provably modern records
    /// are no verdict's. A file that was found whole is not read again.
    ///
    /// # Errors
    /// Fails with the first such file.
    pub fn check_contents(&self, tables: &[Table]) -> Result<()> {
        let mut known = None;
        for &table in tables {
            let mut files = self.files(table)?;
            files.retain(|file| file.provably_modern != Some(true));
            self.fetch(table, &files)?;
            for file in &files {
                let name = (table.as_str().to_owned(), file.path.clone());
                let mut whole = self.whole.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if whole.contains(&name) {
                    continue;
                }
                let entry = known.get_or_insert_with(|| self.known_files()).get(&name);
                let path = self.root.join(table.as_str()).join(&file.path);
                let damage = self.size_damage(table, file).or_else(|| hash_damage(&path, entry).err());
                if let Some(found) = damage {
                    return Err(self.damaged(table, file, found));
                }
                whole.insert(name);
            }
        }
        Ok(())
    }

    fn damaged(&self, table: Table, file: &LakeFile, found: String) -> Error {
        let path = self.root.join(table.as_str()).join(&file.path);
        Error::DamagedData { path, lake: self.root.clone(), found }
    }

    fn size_damage(&self, table: Table, file: &LakeFile) -> Option<String> {
        match fs::metadata(self.root.join(table.as_str()).join(&file.path)) {
            Ok(metadata) if metadata.len() == file.bytes => None,
            Ok(metadata) => Some(format!("expected bytes: {}, found: {}", file.bytes, metadata.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("it is missing".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// What the lake's log says of data files. An entry that can't be read leaves its files without a hash;
    /// `damaged_logs` names it.
    fn known_files(&self) -> Known {
        let entries = lake_log::numbers(&self.root).unwrap_or_default();
        let entries = entries.into_iter().filter_map(|number| lake_log::read(&self.root, number).ok());
        let files = entries.flat_map(|entry| entry.files);
        files.map(|file| ((file.table.clone(), file.path.clone()), file)).collect()
    }
}

/// Whether the hash of a file is the one that the log has, if it has one.
fn hash_damage(path: &Path, entry: Option<&DataFileEntry>) -> std::result::Result<(), String> {
    let Some(entry) = entry.filter(|entry| !entry.hash.is_empty()) else { return Ok(()) };
    let hash = File::open(path).and_then(|file| hash_of(&file)).map_err(|error| error.to_string())?;
    if hash == entry.hash { Ok(()) } else { Err("its hash is not that of what was written".to_owned()) }
}

fn content_damage(path: &Path, entry: Option<&DataFileEntry>, rows: u64) -> std::result::Result<(), String> {
    hash_damage(path, entry)?;
    without_panic(|| {
        let text = |error: Error| error.to_string();
        let mut found = 0;
        for batch in OpenedFile::open(path.to_owned()).and_then(|file| file.batches(None)).map_err(text)? {
            found += batch.map_err(text)?.num_rows() as u64;
        }
        if found == rows {
            Ok(())
        } else {
            Err(format!("its footer says {}, and it holds {found}", count(rows, "row", "rows")))
        }
    })
}
