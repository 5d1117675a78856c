//! Finds the input files: files, folders, glob patterns, stdin; and reads what a path says of its
//! file in the storage-export layout.

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, NaiveDate, Utc};

use crate::blob::Blob;
use crate::{Error, Result};
use lightsout_model::evidence::DayRange;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::tenant_id;

/// One input file, not opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// `None`: stdin, or a blob that is not fetched yet.
    pub path: Option<PathBuf>,
    /// Where it is, if it is in an object store.
    pub blob: Option<Blob>,
    /// As reports name it.
    pub name: String,
    /// Size as stored, 0 for stdin.
    pub stored_bytes: u64,
    pub says: PathFacts,
    /// What the operator says of it, where neither record nor path says it.
    pub assigned: Assigned,
    /// Whether it was found in a folder. If it can't be read, the other files of the folder still are.
    pub is_of_folder: bool,
    /// Why it can't be read, if that is known before it is opened.
    pub unreadable: Option<String>,
}

/// Tenant and category that the operator names for a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assigned {
    pub tenant_id: Option<String>,
    pub category: Option<Category>,
}

impl Input {
    /// Whether it is a file that has its size and can be read again; stdin and pipes are not.
    pub(super) fn is_regular(&self) -> bool {
        if self.blob.is_some() {
            return true;
        }
        self.path.as_ref().is_some_and(|path| self.stored_bytes > 0 || path.is_file())
    }

    /// The tenant of records that name none: the path's, else the operator's.
    #[must_use]
    pub fn tenant_id(&self) -> Option<&str> {
        self.says.tenant_id.as_deref().or(self.assigned.tenant_id.as_deref())
    }
}

/// What the path says: `insights-logs-<category>/…/tenantId=<id>/y=/m=/d=/h=/m=/PT1H.json`, or the
/// portal's names of its downloads (`NonInteractiveSignIns_2026-10-05_2026-11-04.csv`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathFacts {
    pub tenant_id: Option<String>,
    pub category: Option<Category>,
    /// Start of the hour that the file is for.
    pub hour: Option<DateTime<Utc>>,
    /// The days between those that the name of a portal download gives; neither is whole for sure.
    pub days_between: Option<DayRange>,
    /// What holds the `insights-logs-*` folder.
    pub storage_root: Option<PathBuf>,
}

impl PathFacts {
    /// Reads the parts of a path; unknown parts are passed.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let mut facts = Self::default();
        let (mut year, mut month, mut day, mut hour) = (None, None, None, None);
        let mut before = PathBuf::new();
        for component in path.components() {
            let part = component.as_os_str().to_string_lossy();
            if let Some(category) = part.strip_prefix("insights-logs-") {
                facts.category = Category::from_diagnostic(category).or(facts.category);
                facts.storage_root.get_or_insert_with(|| before.clone());
            } else if let Some((key, value)) = part.split_once('=') {
                let number = value.parse::<u32>().ok();
                match key.to_ascii_lowercase().as_str() {
                    "tenantid" => facts.tenant_id = tenant_id(value).or(facts.tenant_id),
                    "y" => year = number,
                    "m" if month.is_none() => month = number,
                    "d" => day = number,
                    "h" => hour = number,
                    _ => {}
                }
            }
            before.push(component);
        }
        if let Some(name) = path.file_name() {
            let name = name.to_string_lossy();
            let of_download = of_download(&name);
            facts.days_between =
                of_download.filter(|_| !is_unfinished(&name)).and_then(|_| days_between(&name));
            facts.category = facts.category.or(of_download);
        }
        if let (Some(year), Some(month), Some(day), Some(hour)) = (year, month, day, hour) {
            facts.hour = i32::try_from(year)
                .ok()
                .and_then(|year| NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, 0, 0))
                .map(|time| time.and_utc());
        }
        facts
    }

    /// The tenant, category and hour that the file covers, if the path is a whole storage path.
    #[must_use]
    pub fn storage(&self) -> Option<(&str, Category, DateTime<Utc>)> {
        Some((self.tenant_id.as_deref()?, self.category?, self.hour?))
    }
}

/// The category in the name of a portal download.
fn of_download(name: &str) -> Option<Category> {
    const NAMES: [(&str, Category); 4] = [
        ("noninteractivesignins", Category::NonInteractive),
        ("interactivesignins", Category::Interactive),
        ("applicationsignins", Category::ServicePrincipal),
        ("msisignins", Category::ManagedIdentity),
    ];
    let name = name.to_ascii_lowercase();
    NAMES.iter().find(|(known, _)| name.contains(known)).map(|(_, category)| *category)
}

/// Whether a browser names a download so until it is whole.
fn is_unfinished(name: &str) -> bool {
    let ends = [".crdownload", ".part", ".partial", ".download", ".opdownload", ".tmp"];
    let lower = name.to_ascii_lowercase();
    ends.iter().any(|end| lower.ends_with(end))
}

/// The days between the two that a name gives, as in `_2026-10-05_2026-11-04`.
fn days_between(name: &str) -> Option<DayRange> {
    const DATE: usize = "2026-10-05".len();
    let date_at = |at: usize| {
        let text = name.get(at..at + DATE)?;
        let stands_alone = !name[at + DATE..].starts_with(|next: char| next.is_ascii_digit());
        text.parse::<NaiveDate>().ok().filter(|_| stands_alone)
    };
    let starts = |from: usize| name.char_indices().map(|(at, _)| at).filter(move |at| *at >= from);
    let (at, first) = starts(0).find_map(|at| Some((at, date_at(at)?)))?;
    let last = starts(at + DATE).find_map(date_at)?;
    let range = DayRange { first: first.succ_opt()?, last: last.pred_opt()? };
    (range.first <= range.last).then_some(range)
}

/// End of the hour that starts at `hour`.
#[must_use]
pub(crate) fn hour_end(hour: DateTime<Utc>) -> DateTime<Utc> {
    hour + Duration::hours(1)
}

/// What the arguments name.
#[derive(Debug, Default)]
pub struct Found {
    pub inputs: Vec<Input>,
    /// Hidden files of folders that may be logs, and hidden folders that hold such files. None of them is read.
    pub hidden: Vec<String>,
    /// Folders that lightsout itself has written: lakes and outputs. None of them is read.
    pub own: Vec<String>,
}

/// Expands the arguments, in a stable order, each file once. Of a folder hidden files are not read: they are what
/// programs keep for themselves, or have not finished writing.
///
/// # Errors
/// Fails if an argument matches nothing, is a folder that lightsout has written, or a folder can't be read.
pub fn find(arguments: &[String]) -> Result<Found> {
    find_beside(arguments, &[])
}

/// The same beside folders that this command writes to: what is in them is no input.
///
/// # Errors
/// As [`find`].
pub fn find_beside(arguments: &[String], written_to: &[&Path]) -> Result<Found> {
    let own: Vec<PathBuf> = written_to.iter().filter_map(|folder| folder.canonicalize().ok()).collect();
    let mut inputs = Vec::new();
    let mut hidden = Vec::new();
    let mut skipped = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for argument in arguments {
        if argument == "-" {
            inputs.push(Input {
                path: None,
                blob: None,
                name: "-".to_owned(),
                stored_bytes: 0,
                says: PathFacts::default(),
                assigned: Assigned::default(),
                is_of_folder: false,
                unreadable: None,
            });
            continue;
        }
        let mut paths = Vec::new();
        if Path::new(argument).exists() {
            skipped.extend(walk(Path::new(argument), &own, &mut paths, &mut hidden)?);
        } else {
            let matches = glob::glob(argument).map_err(|_| Error::NoInput { input: argument.clone() })?;
            for path in matches.flatten() {
                skipped.extend(walk(&path, &own, &mut paths, &mut hidden)?);
            }
            if paths.is_empty() {
                return Err(Error::NoInput { input: argument.clone() });
            }
        }
        for Walked { path, is_of_folder, mut unreadable } in paths {
            if !seen.insert(path.clone()) {
                continue;
            }
            let name = path.to_string_lossy().into_owned();
            let stored_bytes = match path.metadata() {
                Ok(metadata) => metadata.len(),
                Err(source) if is_of_folder => {
                    unreadable.get_or_insert(source.to_string());
                    0
                }
                Err(source) => return Err(Error::read(&name)(source)),
            };
            let says = PathFacts::of(&path);
            let assigned = Assigned::default();
            inputs.push(Input {
                path: Some(path),
                blob: None,
                name,
                stored_bytes,
                says,
                assigned,
                is_of_folder,
                unreadable,
            });
        }
    }
    hidden.sort_unstable();
    hidden.dedup();
    skipped.sort_unstable();
    skipped.dedup();
    Ok(Found { inputs, hidden, own: skipped })
}

/// A path that is an input, whether it can be read or not.
struct Walked {
    path: PathBuf,
    is_of_folder: bool,
    unreadable: Option<String>,
}

fn why_unreadable(path: &Path, error: walkdir::Error) -> String {
    let error = io::Error::from(error);
    if error.kind() == io::ErrorKind::NotFound && path.is_symlink() {
        return "a link to a file that does not exist".to_owned();
    }
    // Without the path, which is named anyway.
    let os_error = error.get_ref().and_then(|error| error.downcast_ref::<walkdir::Error>()?.io_error());
    os_error.unwrap_or(&error).to_string()
}

/// Whether a hidden file may be a log by its name, also one that a copy has not renamed yet (`.PT1H.json.Xa3bQz`). What
/// editors, Office and macOS keep beside a file is none.
pub(crate) fn may_be_log(name: &str) -> bool {
    const EXTENSIONS: [&str; 14] = [
        "json", "jsonl", "ndjson", "csv", "tsv", "txt", "log", "gz", "zst", "zip", "tar", "tgz", "avro",
        "parquet",
    ];
    const SCRATCH_PREFIXES: [&str; 3] = ["._", ".#", ".~lock."];
    const SCRATCH_SUFFIXES: [&str; 6] = [".swp", ".swo", ".swn", ".swx", "~", "#"];
    let name = name.to_ascii_lowercase();
    let is_scratch = SCRATCH_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SCRATCH_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    !is_scratch && name.split('.').skip(2).any(|part| EXTENSIONS.contains(&part))
}

/// So many files of a hidden folder are looked at.
const HIDDEN_FILES_MAX: usize = 1000;

fn hides_log(path: &Path) -> bool {
    let files = walkdir::WalkDir::new(path).into_iter().flatten().filter(|entry| !entry.file_type().is_dir());
    let is_of_folder = path.is_dir();
    files.take(HIDDEN_FILES_MAX).any(|entry| {
        let name = entry.file_name().to_string_lossy();
        if is_of_folder && !name.starts_with('.') {
            may_be_log(&format!(".{name}"))
        } else {
            may_be_log(&name)
        }
    })
}

/// Whether lightsout has written a folder: a lake, the output of a run, or one that this command writes to.
fn is_own(folder: &Path, own: &[PathBuf]) -> bool {
    let is_lake = folder.join("sign_in_records").join("_delta_log").is_dir();
    let is_output = folder.join("run.json").is_file() && folder.join("assessment.parquet").is_file();
    is_lake || is_output || folder.canonicalize().is_ok_and(|folder| own.contains(&folder))
}

/// Adds the files below a path; returns the folders that were passed because lightsout has written them.
fn walk(
    from: &Path,
    own: &[PathBuf],
    paths: &mut Vec<Walked>,
    hidden: &mut Vec<String>,
) -> Result<Vec<String>> {
    let mut skipped = Vec::new();
    if !from.is_dir() {
        paths.push(Walked { path: from.to_owned(), is_of_folder: false, unreadable: None });
        return Ok(skipped);
    }
    if is_own(from, own) {
        return Err(Error::OwnFolder { folder: from.display().to_string() });
    }
    let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    let mut entries = walkdir::WalkDir::new(from).follow_links(true).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let (path, depth) = match &entry {
            Ok(entry) => (Some(entry.path()), entry.depth()),
            Err(error) => (error.path(), error.depth()),
        };
        if let Some(path) = path.filter(|_| depth > 0)
            && path.file_name().is_some_and(is_hidden)
        {
            if hides_log(path) {
                hidden.push(path.to_string_lossy().into_owned());
            }
            if entry.as_ref().is_ok_and(|entry| entry.file_type().is_dir()) {
                entries.skip_current_dir();
            }
            continue;
        }
        let (path, unreadable) = match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                if depth > 0 && is_own(entry.path(), own) {
                    skipped.push(entry.path().to_string_lossy().into_owned());
                    entries.skip_current_dir();
                }
                continue;
            }
            Ok(entry) => {
                // Opening a pipe would block until another process writes to it.
                let special = "a pipe, a socket or a device".to_owned();
                let unreadable = (!entry.file_type().is_file()).then_some(special);
                (entry.into_path(), unreadable)
            }
            // A link to a folder above it, whose files are found anyway.
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => match (error.path().map(Path::to_owned), error.depth()) {
                (Some(path), 1..) => {
                    let reason = why_unreadable(&path, error);
                    (path, Some(reason))
                }
                (path, _) => {
                    let path = path.as_deref().unwrap_or(from).to_string_lossy().into_owned();
                    return Err(Error::Read { path, source: error.into() });
                }
            },
        };
        paths.push(Walked { path, is_of_folder: true, unreadable });
    }
    Ok(skipped)
}
