//! Many small data files become few, of the same rows. Rewriting needs no lock, so others ingest and
//! read meanwhile; only the swap takes it. A kill before the swap leaves files that no log names, which
//! `vacuum` takes; a kill within it is finished by whoever takes the lock next.

use std::collections::{BTreeMap, HashSet};
use std::fs;

use chrono::DateTime;
use serde::Serialize;
use serde_json::Value;

use super::commit::{Manifest, Replaced, Replacing};
use super::rewrite::{FULL_ROWS, Rewrite, decoded_bytes, month};
use super::schema::Table;
use super::write::DataFile;
use super::{Lake, LakeFile};
use crate::error::{Error, Result};

/// How to compact.
#[derive(Debug, Clone, Copy)]
pub struct CompactSettings {
    pub memory_limit_bytes: usize,
    /// Tell what would be done; write nothing.
    pub dry_run: bool,
    pub now_ms: i64,
}

/// What became of one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableCompaction {
    pub table: Table,
    pub files_before: usize,
    pub bytes_before: u64,
    /// In a dry run an estimate.
    pub files_after: usize,
    /// `None` in a dry run: only writing tells.
    pub bytes_after: Option<u64>,
    pub files_rewritten: usize,
    pub rows_rewritten: u64,
}

/// Compacts every table, each in one commit that changes no row.
///
/// # Errors
/// Fails if another process replaced a file meanwhile, or what was written is not what was read; the
/// table at hand is then as it was.
pub async fn compact(lake: &mut Lake, settings: CompactSettings) -> Result<Vec<TableCompaction>> {
    drop(lake.lock().await?);
    let mut report = Vec::new();
    for table in Table::ALL {
        report.push(lake.compact_table(table, settings).await?);
    }
    Ok(report)
}

/// What one table's rewriting gave.
#[derive(Default)]
struct Rewritten {
    files: Vec<DataFile>,
    replaced: Vec<Replaced>,
    rows: u64,
}

impl Lake {
    async fn compact_table(&mut self, table: Table, settings: CompactSettings) -> Result<TableCompaction> {
        let before = self.files(table)?;
        // The sorted copy, the writer's pages and the reader's take the rest.
        let memory_bytes = settings.memory_limit_bytes / 6;
        self.fetch(table, &before)?;
        let folder = self.root.join(table.as_str());
        let jobs = plan(table, &before, memory_bytes as u64, |file| decoded_bytes(&folder.join(&file.path)))?;
        let bytes = |files: &[LakeFile]| files.iter().map(|file| file.bytes).sum();
        let mut report = TableCompaction {
            table,
            files_before: before.len(),
            bytes_before: bytes(&before),
            files_after: before.len(),
            bytes_after: Some(bytes(&before)),
            files_rewritten: 0,
            rows_rewritten: 0,
        };
        if settings.dry_run {
            report.files_rewritten = jobs.iter().map(|job| job.files.len()).sum();
            report.rows_rewritten = jobs.iter().map(Job::rows).sum();
            report.files_after -= jobs.iter().map(|job| job.files.len() - job.files_after()).sum::<usize>();
            report.bytes_after = (report.files_rewritten == 0).then_some(report.bytes_before);
            return Ok(report);
        }
        let batch_id = uuid::Uuid::new_v4().simple().to_string();
        let rewritten = tokio::task::block_in_place(|| self.rewrite(table, &jobs, &batch_id, memory_bytes))?;
        if rewritten.replaced.is_empty() {
            return Ok(report);
        }
        report.files_rewritten = rewritten.replaced.len();
        report.rows_rewritten = rewritten.rows;
        self.swap(table, rewritten, batch_id, settings.now_ms).await?;
        let after = self.files(table)?;
        (report.files_after, report.bytes_after) = (after.len(), Some(bytes(&after)));
        Ok(report)
    }

    /// Writes the new files of a table. If that fails, none of them stays.
    fn rewrite(
        &self,
        table: Table,
        jobs: &[Job<'_>],
        batch_id: &str,
        memory_bytes: usize,
    ) -> Result<Rewritten> {
        let mut all = Rewritten::default();
        let name = format!("part-{batch_id}");
        let mut number = 0;
        for job in jobs {
            let inputs: Vec<String> = job.files.iter().map(|small| small.file.path.clone()).collect();
            let rewrite = Rewrite {
                lake: &self.root,
                table,
                provably_modern: job.stream.provably_modern(),
                name: &name,
                suffix: job.stream.suffix(),
                inputs: &inputs,
                memory_bytes,
            };
            let mut written = Vec::new();
            let rows = match rewrite.run(&mut number, &mut written) {
                Ok(rows) => rows,
                Err(error) => {
                    self.discard(&written);
                    self.discard(&all.files);
                    return Err(error);
                }
            };
            if written.len() >= inputs.len() {
                // Where memory or the months permit no fewer files, they stay as they are.
                self.discard(&written);
                continue;
            }
            all.rows += rows;
            all.files.extend(written);
            all.replaced.extend(job.files.iter().map(|small| Replaced {
                table,
                path: small.file.path.clone(),
                bytes: small.file.bytes,
                reason: Replacing::Layout,
            }));
        }
        Ok(all)
    }

    async fn swap(
        &mut self,
        table: Table,
        rewritten: Rewritten,
        batch_id: String,
        now_ms: i64,
    ) -> Result<()> {
        let Rewritten { files, replaced, .. } = rewritten;
        let lock = self.lock().await?;
        let present: HashSet<String> = self.files(table)?.into_iter().map(|file| file.path).collect();
        let gone = replaced.iter().filter(|file| !present.contains(&file.path)).count();
        if gone > 0 {
            self.discard(&files);
            return Err(Error::CompactedMeanwhile { lake: self.name(), table: table.as_str(), gone });
        }
        self.commit(&lock, &Manifest { batch_id, files, replaced }, now_ms).await
    }

    fn discard(&self, files: &[DataFile]) {
        for file in files {
            // What can't be removed is an orphan that no log names: harmless, and vacuum takes it.
            let _ = fs::remove_file(self.root.join(file.table.as_str()).join(&file.path));
        }
    }
}

/// Rows that lie together, as ingest writes them: verdicts read the first kind alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stream {
    /// Every row of a table that is not split.
    Whole,
    Legacy,
    Service,
    Modern,
}

impl Stream {
    fn of(table: Table, modern: Option<bool>, statistics: &Value) -> Self {
        let protocols_unknown = statistics["nullCount"]["protocol"] == statistics["numRecords"];
        match (table, modern) {
            (Table::SignInRecords, Some(true)) => Self::Modern,
            (Table::SignInRecords, _) if protocols_unknown => Self::Service,
            (Table::SignInRecords, _) => Self::Legacy,
            _ => Self::Whole,
        }
    }

    const fn provably_modern(self) -> Option<bool> {
        match self {
            Self::Whole => None,
            Self::Legacy | Self::Service => Some(false),
            Self::Modern => Some(true),
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Legacy => "-legacy",
            Self::Service => "-service",
            Self::Modern => "-modern",
        }
    }
}

/// A file that is worth joining with others.
#[derive(Debug)]
struct SmallFile<'a> {
    file: &'a LakeFile,
    rows: u64,
    /// In memory.
    decoded_bytes: u64,
    /// The first and last month of its rows; both 0 where a table has none.
    months: (i32, i32),
}

/// Files that become fewer.
#[derive(Debug)]
struct Job<'a> {
    stream: Stream,
    files: Vec<SmallFile<'a>>,
    /// Months that the rows may lie in.
    months: usize,
    /// What memory holds of one output.
    memory_bytes: u64,
}

impl Job<'_> {
    fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// An estimate: at least one file a month, none of more rows than a full one or than fit.
    fn files_after(&self) -> usize {
        let bytes: u64 = self.files.iter().map(|file| file.decoded_bytes).sum();
        let full = self.rows().div_ceil(FULL_ROWS).max(bytes.div_ceil(self.memory_bytes.max(1)));
        usize::try_from(full).unwrap_or(usize::MAX).max(self.months)
    }

    fn helps(&self) -> bool {
        self.files_after() < self.files.len()
    }
}

/// Which files to join. Full ones stay, and so do those of which the log does not say enough. A file is
/// full, too, when two like it are more than `memory_bytes` can be relied on to hold, so that what was
/// joined in little memory is not joined again for nothing.
///
/// Records are kept apart by month, since verdicts ask for weeks: a file of a whole year, sorted by
/// tenant, would have to be read for each. Files that span months are split where that makes fewer.
fn plan<'a>(
    table: Table,
    files: &'a [LakeFile],
    memory_bytes: u64,
    decoded_bytes: impl Fn(&LakeFile) -> Result<u64>,
) -> Result<Vec<Job<'a>>> {
    let mut streams: BTreeMap<Stream, Vec<SmallFile<'a>>> = BTreeMap::new();
    for file in files {
        let statistics = file.statistics.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let statistics: Value = statistics.unwrap_or_default();
        let Some(rows) = statistics["numRecords"].as_u64() else { continue };
        let Some(months) = months(table, &statistics) else { continue };
        if table == Table::SignInRecords && file.provably_modern.is_none() || rows >= FULL_ROWS {
            continue;
        }
        let decoded_bytes = decoded_bytes(file)?;
        if decoded_bytes > memory_bytes / 3 {
            continue;
        }
        let stream = Stream::of(table, file.provably_modern, &statistics);
        streams.entry(stream).or_default().push(SmallFile { file, rows, decoded_bytes, months });
    }
    let mut jobs = Vec::new();
    for (stream, files) in streams {
        let (spanning, single): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| file.months.0 != file.months.1);
        let touched: HashSet<i32> = spanning.iter().flat_map(|file| file.months.0..=file.months.1).collect();
        let mut by_month: BTreeMap<i32, Vec<SmallFile<'a>>> = BTreeMap::new();
        for file in single {
            by_month.entry(file.months.0).or_default().push(file);
        }
        let beside: usize = touched.iter().filter_map(|month| by_month.get(month)).map(Vec::len).sum();
        if touched.len() < spanning.len() + beside {
            let mut files = spanning;
            for month in &touched {
                files.extend(by_month.remove(month).unwrap_or_default());
            }
            // In the order of time, so that what is held is of few months at once.
            files.sort_by(|a, b| (a.months, &a.file.path).cmp(&(b.months, &b.file.path)));
            jobs.push(Job { stream, files, months: touched.len(), memory_bytes });
        }
        jobs.extend(by_month.into_values().map(|files| Job { stream, files, months: 1, memory_bytes }));
    }
    jobs.retain(Job::helps);
    Ok(jobs)
}

/// The months that a file's rows lie in by the log's bounds.
fn months(table: Table, statistics: &Value) -> Option<(i32, i32)> {
    if table != Table::SignInRecords {
        return Some((0, 0));
    }
    let bound = |key: &str| {
        let text = statistics[key]["signed_in_at"].as_str()?;
        Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
    };
    // The log's upper bound is rounded up to a millisecond, which can be the next month's first.
    let (first, last) = (bound("minValues")?, bound("maxValues")?);
    Some((month(first), month((last - 1_000).max(first))))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::write::write_file;

    async fn add_reject(lake: &mut Lake, id: &str) {
        let row = json!({"source_id": id, "byte_offset": 0, "reason": "invalid_json"});
        let batch = crate::rows::to_batch(Table::Rejects, &[row]).expect("a row");
        let file = write_file(lake.root(), Table::Rejects, &format!("part-{id}"), &batch).expect("a file");
        let manifest = Manifest { batch_id: id.to_owned(), files: vec![file], replaced: Vec::new() };
        let lock = lake.lock().await.expect("the lock");
        lake.commit(&lock, &manifest, 0).await.expect("a commit");
    }

    /// What compaction has of the rejects just before its swap.
    fn rewritten(lake: &Lake, batch_id: &str) -> Rewritten {
        let files = lake.files(Table::Rejects).expect("files");
        let jobs = plan(Table::Rejects, &files, 1 << 20, |_| Ok(1)).expect("a plan");
        lake.rewrite(Table::Rejects, &jobs, batch_id, 1 << 20).expect("rewritten")
    }

    fn rejects(lake: &Lake) -> usize {
        let batches = lake.read(Table::Rejects, None).expect("rejects");
        batches.map(|batch| batch.expect("rows").num_rows()).sum()
    }

    fn data_files(root: &Path) -> usize {
        let entries = fs::read_dir(root.join("rejects")).expect("a folder").flatten();
        entries.filter(|entry| entry.path().is_file()).count()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_others_add_meanwhile_stays_and_what_they_replace_stops_the_swap() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut lake = Lake::open_or_create(folder.path()).await.expect("a new lake");
        let mut other = Lake::open_or_create(folder.path()).await.expect("the lake once more");
        add_reject(&mut lake, "a").await;
        add_reject(&mut lake, "b").await;
        let first = rewritten(&lake, "first");
        add_reject(&mut other, "c").await;
        lake.swap(Table::Rejects, first, "first".to_owned(), 0).await.expect("swapped");
        assert_eq!((rejects(&lake), lake.files(Table::Rejects).expect("files").len()), (3, 2));

        let second = rewritten(&lake, "second");
        let settings = CompactSettings { memory_limit_bytes: 64 << 20, dry_run: false, now_ms: 0 };
        compact(&mut other, settings).await.expect("compacted");
        let found = other.read_where(Table::Rejects, "source_id", "b", None).expect("the file of all three");
        let found: Vec<usize> = found.map(|batch| batch.expect("rows").num_rows()).collect();
        assert_eq!(found, [1], "a row is found alone among those it lies with");

        let before = data_files(folder.path());
        let swapped = lake.swap(Table::Rejects, second, "second".to_owned(), 0).await;
        assert!(matches!(swapped, Err(Error::CompactedMeanwhile { gone: 2, .. })), "{swapped:?}");
        assert_eq!((rejects(&lake), lake.files(Table::Rejects).expect("files").len()), (3, 1));
        assert_eq!(data_files(folder.path()), before - 1, "what was written for nothing is gone");
    }

    fn file(name: &str, rows: u64, first: &str, last: &str) -> LakeFile {
        LakeFile {
            path: name.to_owned(),
            bytes: rows,
            provably_modern: Some(false),
            statistics: Some(
                json!({
                    "numRecords": rows, "nullCount": {"protocol": 0},
                    "minValues": {"signed_in_at": first}, "maxValues": {"signed_in_at": last},
                })
                .to_string(),
            ),
        }
    }

    fn planned(files: &[LakeFile]) -> Vec<Vec<&str>> {
        let plan = plan(Table::SignInRecords, files, 6 * FULL_ROWS, |file| Ok(file.bytes));
        let jobs = plan.expect("a plan");
        jobs.iter().map(|job| job.files.iter().map(|small| small.file.path.as_str()).collect()).collect()
    }

    #[test]
    fn a_month_is_joined_when_that_makes_fewer_files_and_full_ones_stay() {
        let in_october =
            |name: &str, rows: u64| file(name, rows, "2026-10-02T00:00:00.000Z", "2026-11-01T00:00:00.000Z");
        let files = [
            in_october("a", 5),
            in_october("b", FULL_ROWS - 1),
            in_october("c", 7),
            in_october("full", FULL_ROWS),
            file("alone", 5, "2026-09-02T00:00:00.000Z", "2026-09-03T00:00:00.000Z"),
        ];
        assert_eq!(planned(&files), [["a", "b", "c"]], "the bound of the last rounds up to November");
        assert!(planned(&files[1..2]).is_empty() && planned(&files[3..]).is_empty());
        let two = [in_october("a", FULL_ROWS - 1), in_october("b", FULL_ROWS - 1)];
        assert!(planned(&two).is_empty(), "two would come of it");
        let mut wide = [in_october("a", 5), in_october("b", 5)];
        assert_eq!(planned(&wide), [["a", "b"]]);
        wide[0].bytes = 3 * FULL_ROWS;
        assert!(planned(&wide).is_empty(), "few rows that fill the memory are not read again");
    }

    #[test]
    fn a_file_that_spans_months_is_split_only_where_fewer_come_of_it() {
        let week = file("week", 5, "2026-09-29T00:00:00.000Z", "2026-10-05T00:00:00.000Z");
        let in_september = file("september", 5, "2026-09-01T00:00:00.000Z", "2026-09-02T00:00:00.000Z");
        let in_october = file("october", 5, "2026-10-08T00:00:00.000Z", "2026-10-09T00:00:00.000Z");
        assert!(planned(std::slice::from_ref(&week)).is_empty());
        assert!(planned(&[week.clone(), in_october.clone()]).is_empty(), "two of two");
        assert_eq!(planned(&[week, in_september, in_october]), [["september", "week", "october"]]);
    }
}
