//! What the lake knows of its sources: the contents that it has, what they cover, and what is refused.

mod prefix;

use std::collections::{HashMap, HashSet};

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use serde::Deserialize;

use super::account::Coverage;
use super::find::Input;
use super::source_row::{SourceRow, read_rows};
use crate::Result;
use lightsout_lake::Lake;
use lightsout_lake::read::OpenedFile;
use lightsout_lake::schema::Table;
pub(super) use prefix::Prefix;

/// Words of `sources.fate`.
const REFUSED: &str = "refused";
const SKIPPED: &str = "skipped";

#[derive(Deserialize)]
struct CoveredSource {
    source_id: String,
    #[serde(default)]
    coverage: Vec<Coverage>,
}

/// The sources in the lake.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) ids: HashSet<String>,
    /// Paths of files that are refused until now, with what they held.
    refused: HashMap<String, String>,
    /// Sizes of their files as stored: a file of another size is none of them.
    pub(super) sizes: HashSet<u64>,
    /// By path, what a file that has grown may begin with.
    prefixes: HashMap<String, Prefix>,
    /// What each covers, once a source that is known may cover more than it did.
    coverage: Option<HashMap<String, Vec<Coverage>>>,
}

/// What is looked at of a row of `sources`.
struct KnownRow<'a> {
    id: &'a str,
    path: &'a str,
    fate: Option<&'a str>,
    stored_bytes: u64,
    at: i64,
}

impl Known {
    /// What the lake knows of its sources, and of those that the inputs may continue.
    pub(super) fn of(lake: &Lake, inputs: &[Input]) -> Result<Self> {
        let mut known = Self::default();
        let mut contents = prefix::Contents::of(inputs);
        let mut refused: HashMap<String, (i64, String)> = HashMap::new();
        // Each file is opened once: a lake of many small ingests has as many of them.
        for file in lake.opened(Table::Sources)? {
            let file = file?;
            let mut holds_contents = false;
            each(&file, |row| {
                holds_contents |= contents.are_wanted(row.path);
                if row.fate == Some(REFUSED) {
                    let latest = refused.entry(row.path.to_owned()).or_default();
                    *latest = (row.at, row.id.to_owned()).max(std::mem::take(latest));
                } else if row.fate != Some(SKIPPED) {
                    known.ids.insert(row.id.to_owned());
                    known.sizes.insert(row.stored_bytes);
                }
            })?;
            if holds_contents {
                contents.read(&file)?;
            }
        }
        known.prefixes = contents.prefixes();
        if !refused.is_empty() {
            for file in lake.opened(Table::Sources)? {
                each(&file?, |row| {
                    if row.fate != Some(REFUSED) && refused.get(row.path).is_some_and(|(at, _)| *at <= row.at)
                    {
                        refused.remove(row.path);
                    }
                })?;
            }
        }
        known.refused = refused.into_iter().map(|(path, (_, id))| (path, id)).collect();
        Ok(known)
    }

    /// What a path holds that is refused until now.
    pub(super) fn refused_at(&self, path: &str) -> Option<&str> {
        self.refused.get(path).map(String::as_str)
    }

    /// What a file may begin with whose records are in the lake.
    pub(super) fn prefix_at(&self, path: &str) -> Option<&Prefix> {
        self.prefixes.get(path)
    }

    /// Takes in what becomes of a path.
    pub(super) fn learn(&mut self, row: &SourceRow) {
        if row.is_refused() {
            self.refused.insert(row.path().to_owned(), row.source_id().to_owned());
        } else {
            self.refused.remove(row.path());
        }
    }

    /// What the lake knows that a source covers.
    pub(super) fn coverage_of(&mut self, lake: &Lake, source_id: &str) -> Result<Vec<Coverage>> {
        let coverage = if let Some(coverage) = &self.coverage {
            coverage
        } else {
            let mut coverage: HashMap<String, Vec<Coverage>> = HashMap::new();
            for row in read_rows::<CoveredSource>(lake, Some(&["source_id", "coverage"]))? {
                coverage.entry(row.source_id).or_default().extend(row.coverage);
            }
            self.coverage.insert(coverage)
        };
        Ok(coverage.get(source_id).cloned().unwrap_or_default())
    }
}

/// Reads what is to be known of each row of a data file.
fn each(file: &OpenedFile, mut take: impl FnMut(KnownRow<'_>)) -> Result<()> {
    for batch in file.batches(Some(&["source_id", "stored_bytes", "path", "fate", "ingested_at"]))? {
        let batch = batch?;
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let (Some(ids), Some(paths)) = (text("source_id"), text("path")) else { continue };
        let fates = text("fate");
        let sizes = batch.column_by_name("stored_bytes").and_then(|c| c.as_primitive_opt::<Int64Type>());
        let times = batch.column_by_name("ingested_at");
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        for row in 0..batch.num_rows() {
            let size = sizes.map_or(0, |sizes| sizes.value(row));
            take(KnownRow {
                id: ids.value(row),
                path: paths.value(row),
                fate: fates.filter(|fates| fates.is_valid(row)).map(|fates| fates.value(row)),
                stored_bytes: u64::try_from(size).unwrap_or(0),
                at: times.map_or(0, |times| times.value(row)),
            });
        }
    }
    Ok(())
}
