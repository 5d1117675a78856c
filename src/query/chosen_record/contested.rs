//! Finds the contested records: those whose id occurs more than once; of legacy records also those without a client
//! app, which a modern one may explain.

use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};

use arrow::array::{Array as _, AsArray as _};
use foldhash::fast::RandomState;
use parquet::file::statistics::Statistics;

use super::Scope;
use super::rank::Place;
use super::read::{self, Reader, Texts};
use crate::parallel::on_all_cores;

/// The rows of a file.
#[derive(Debug, Default)]
pub(super) struct FileRows {
    /// How many each row group has.
    pub(super) of_groups: Vec<usize>,
    /// Those that another record is chosen over.
    pub(super) superseded: Vec<u32>,
}

impl FileRows {
    fn of(reader: &Reader) -> Option<Self> {
        let groups = reader.metadata().row_groups().iter();
        let of_groups = groups.map(|group| usize::try_from(group.num_rows()).ok()).collect::<Option<_>>()?;
        Some(Self { of_groups, superseded: Vec::new() })
    }

    pub(super) fn count(&self) -> usize {
        self.of_groups.iter().sum()
    }
}

/// Ids are compared by hash, part by part: so many parts.
const PARTS: usize = 64;

/// A record by the hash of its id. The place is in the low bits, above it the file; lowest of all is whether
/// the record states no client app.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hashed(u64, u64);

impl Hashed {
    fn new(hash: u64, (file, row): Place, is_undeclared: bool) -> Self {
        Self(hash, u64::from(file) << 33 | u64::from(row) << 1 | u64::from(is_undeclared))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the row's 32 bits")]
    fn place(self) -> Place {
        (u32::try_from(self.1 >> 33).unwrap_or(u32::MAX), (self.1 >> 1) as u32)
    }

    const fn is_undeclared(self) -> bool {
        self.1 & 1 == 1
    }
}

/// The rows of all files; `None`: one can't be read.
pub(super) fn count_rows(files: &[PathBuf]) -> Option<usize> {
    let rows = on_all_cores(files, |file| Some(read::open(file)?.metadata().file_metadata().num_rows()))?;
    usize::try_from(rows.into_iter().sum::<i64>()).ok()
}

/// What is known of each file, and the contested records in the order of their places. Of two ids that
/// have the same hash, both seem repeated, which costs only time.
///
/// `None`: a file can't be read, or has records without an id among all.
pub(super) fn find_contested(files: &[PathBuf], scope: Scope) -> Option<(Vec<FileRows>, Vec<Place>)> {
    let hasher = RandomState::default();
    let numbered: Vec<(u32, &PathBuf)> = (0..).zip(files).collect();
    let read = on_all_cores(&numbered, |(file, path)| match scope {
        Scope::Legacy => hashed(*file, path, &hasher),
        Scope::All => hashed_ids(*file, path, &hasher),
    })?;
    let (of_files, parts): (Vec<FileRows>, Vec<Vec<Vec<Hashed>>>) = read.into_iter().unzip();
    let numbers: Vec<usize> = (0..PARTS).collect();
    let contested = on_all_cores(&numbers, |part| {
        let mut ids: Vec<Hashed> = parts.iter().flat_map(|of_file| &of_file[*part]).copied().collect();
        ids.sort_unstable();
        let of_ids = ids.chunk_by(|a, b| a.0 == b.0);
        let contested = of_ids.filter(|same| same.len() > 1 || same[0].is_undeclared());
        Some(contested.flatten().map(|record| record.place()).collect::<Vec<Place>>())
    })?;
    let mut contested = contested.concat();
    contested.sort_unstable();
    Some((of_files, contested))
}

/// What is known of a file, and its records by part.
type HashedFile = (FileRows, Vec<Vec<Hashed>>);

/// All records of one file.
fn hashed_ids(file: u32, path: &Path, hasher: &RandomState) -> Option<HashedFile> {
    let reader = read::open(path)?;
    let rows = FileRows::of(&reader)?;
    let mut parts = empty_parts(&rows);
    let mut row = 0;
    for batch in read::columns(reader, &["sign_in_id"], None)? {
        let batch = batch.ok()?;
        let ids = batch.column_by_name("sign_in_id")?.as_string_opt::<i32>()?;
        // Ingest gives each record an id. Where none is, the engine finds out which records are one sign-in.
        if ids.null_count() > 0 {
            return None;
        }
        for id in ids.iter().flatten() {
            push(&mut parts, hasher.hash_one(id), (file, row), false);
            row += 1;
        }
    }
    Some((rows, parts))
}

fn empty_parts(rows: &FileRows) -> Vec<Vec<Hashed>> {
    // Their sizes differ by chance, and a little more than the mean seldom has to grow.
    let mean = rows.count() / PARTS;
    (0..PARTS).map(|_| Vec::with_capacity(mean + 4 * mean.isqrt() + 16)).collect()
}

fn push(parts: &mut [Vec<Hashed>], hash: u64, place: Place, is_undeclared: bool) {
    let part = usize::try_from(hash >> 58).unwrap_or(0);
    parts[part].push(Hashed::new(hash, place, is_undeclared));
}

/// The legacy records of one file.
fn hashed(file: u32, path: &Path, hasher: &RandomState) -> Option<HashedFile> {
    let reader = read::open(path)?;
    let groups = reader.metadata().row_groups();
    let mut rows = FileRows::of(&reader)?;
    // Ingest keeps what has no protocol apart, and the file says it.
    let protocol = reader.parquet_schema().columns().iter().position(|column| column.name() == "protocol")?;
    let all_have_one = groups
        .iter()
        .all(|group| group.column(protocol).statistics().and_then(Statistics::null_count_opt) == Some(0));
    let mut columns = vec!["sign_in_id", "client_app"];
    if !all_have_one {
        columns.push("protocol");
    }
    let mut parts = empty_parts(&rows);
    let mut row = 0;
    for batch in read::columns(reader, &columns, None)? {
        let batch = batch.ok()?;
        let ids = batch.column_by_name("sign_in_id")?.as_string_opt::<i32>()?;
        let client_apps = Texts::of(&batch, "client_app")?;
        let states_no_client_app = client_apps.each(states_no_client_app);
        let protocols = if all_have_one { None } else { Some(Texts::of(&batch, "protocol")?) };
        for at in 0..batch.num_rows() {
            if protocols.as_ref().is_some_and(|protocols| protocols.key(at).is_none()) {
                rows.superseded.push(row);
            } else if ids.is_valid(at) {
                let hash = hasher.hash_one(ids.value(at));
                let is_undeclared = client_apps.key(at).is_none_or(|key| states_no_client_app[key]);
                push(&mut parts, hash, (file, row), is_undeclared);
            }
            row += 1;
        }
    }
    Some((rows, parts))
}

/// Whether a client app that is stated says nothing.
pub(super) fn states_no_client_app(client_app: &str) -> bool {
    // As `btrim` and `lower` have it.
    client_app.trim_matches(' ').to_lowercase() == "unknown"
}
