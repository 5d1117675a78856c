//! `manifest.json`: which files a folder was given, and what each must be, so that a job that mails or
//! loads them can tell that it has all of them, whole, and none of another run.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Error;
use super::atomic_file::write_atomically;
use chrono::NaiveDate;

/// The manifest's name in its folder.
pub const FILE: &str = "manifest.json";

/// Its name while a run replaces what it speaks of.
const BEFORE: &str = ".manifest.before.json";

/// One file of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Its path in the folder, with `/` between names.
    pub file: String,
    /// Of notices: whose it is, what it tells, and to how many addresses the mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<u64>,
    /// Rows without the header, where it has rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    pub bytes: u64,
    /// Lower-case hexadecimal, as `sha256sum` prints it.
    pub sha256: String,
}

impl ManifestEntry {
    /// Reads a file of the folder, a piece at a time.
    ///
    /// # Errors
    /// Fails if the file can't be read.
    pub fn of(folder: &Path, file: &str, rows: Option<u64>) -> Result<Self, Error> {
        let path = folder.join(file);
        let (bytes, sha256) = sum(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let (tenant_id, kind, contacts) = (None, None, None);
        Ok(Self { file: file.to_owned(), tenant_id, kind, contacts, rows, bytes, sha256 })
    }
}

fn sum(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut sum, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            let mut hex = String::with_capacity(64);
            for byte in sum.finalize() {
                let _ = write!(hex, "{byte:02x}");
            }
            return Ok((bytes, hex));
        }
        sum.update(&piece[..read]);
        bytes += read as u64;
    }
}

/// The decision that files were made of, with its window; the day of its end is not of it.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    pub id: &'a str,
    pub campaign: &'a str,
    pub window_start: NaiveDate,
    pub window_end: NaiveDate,
}

#[derive(Debug, Serialize, Deserialize)]
struct Days {
    first: NaiveDate,
    end: NaiveDate,
}

/// The text of a manifest.
#[derive(Debug, Serialize, Deserialize)]
struct Text {
    /// Of one decision, where all of it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision_id: Option<String>,
    campaign: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<Days>,
    program_version: String,
    /// Sorted by name.
    files: Vec<ManifestEntry>,
}

impl Text {
    fn write_to(&self, path: &Path) -> Result<(), Error> {
        write_atomically(path, |out, path| {
            let json = serde_json::to_string_pretty(self)
                .map_err(|source| Error::Json { path: path.to_owned(), source })?;
            writeln!(out, "{json}").map_err(Error::write(path))
        })
    }
}

/// The manifest of a folder whose files are being written.
///
/// From [`Manifest::begin`] to [`Manifest::finish`] the folder has none, so that nobody takes half of a
/// run for a whole one.
#[derive(Debug)]
pub struct Manifest {
    folder: PathBuf,
    name: String,
    files: Vec<ManifestEntry>,
    earlier: BTreeSet<String>,
}

impl Manifest {
    /// Makes the folder if it is not there, and takes the manifest of an earlier run away.
    ///
    /// # Errors
    /// Fails if the folder can't be written.
    pub fn begin(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::create_folder(folder))?;
        let (current, before) = (folder.join(FILE), folder.join(BEFORE));
        // An interrupted run leaves what it took away; its own files have been replaced or will be.
        let mut earlier = named_by(&before);
        earlier.extend(named_by(&current));
        match fs::rename(&current, &before) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Error::Remove { path: current, source })
            }
            _ => Ok(Self { folder: folder.to_owned(), name: FILE.to_owned(), files: Vec::new(), earlier }),
        }
    }

    /// A manifest of another name, for files in a folder that others write to as well: `<name>.manifest.json`.
    /// What an earlier one named stays where it is.
    ///
    /// # Errors
    /// As [`Manifest::begin`].
    pub fn begin_beside(folder: &Path, name: &str) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::create_folder(folder))?;
        let name = format!("{name}.{FILE}");
        remove(&folder.join(&name))?;
        Ok(Self { folder: folder.to_owned(), name, files: Vec::new(), earlier: BTreeSet::new() })
    }

    /// Takes files out of the folder's manifest that somebody else has written in their place, or removed.
    ///
    /// # Errors
    /// Fails if the manifest can't be written. A folder without one has nothing to forget.
    pub fn forget(folder: &Path, files: &BTreeSet<String>) -> Result<(), Error> {
        let path = folder.join(FILE);
        let text = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Text>(&text).ok());
        let Some(mut text) = text else { return Ok(()) };
        text.files.retain(|entry| !files.contains(&entry.file) && folder.join(&entry.file).exists());
        text.write_to(&path)
    }

    /// Adds files that were written into the folder.
    pub fn add(&mut self, files: impl IntoIterator<Item = ManifestEntry>) {
        self.files.extend(files);
    }

    /// Removes what an earlier manifest named and this one does not, then writes it.
    ///
    /// # Errors
    /// Fails if a file can't be removed or written.
    pub fn finish(self, of: Decision<'_>) -> Result<(), Error> {
        self.write(of.campaign, Some(of))
    }

    /// The same for files of several decisions of one campaign.
    ///
    /// # Errors
    /// As [`Manifest::finish`].
    pub fn finish_for(self, campaign: &str) -> Result<(), Error> {
        self.write(campaign, None)
    }

    fn write(mut self, campaign: &str, of: Option<Decision<'_>>) -> Result<(), Error> {
        self.files.sort_by(|a, b| a.file.cmp(&b.file));
        for entry in &self.files {
            self.earlier.remove(&entry.file);
        }
        for file in &self.earlier {
            remove(&self.folder.join(file))?;
        }
        let text = Text {
            decision_id: of.map(|of| of.id.to_owned()),
            campaign: campaign.to_owned(),
            window: of.map(|of| Days { first: of.window_start, end: of.window_end }),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            files: self.files,
        };
        text.write_to(&self.folder.join(&self.name))?;
        // What is kept of an interrupted run is for the manifest that it is of.
        if self.name == FILE { remove(&self.folder.join(BEFORE)) } else { Ok(()) }
    }
}

/// The campaign that a manifest's files are of; `None` if there is no manifest that can be read.
#[must_use]
pub fn campaign_of(manifest: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        campaign: String,
    }
    let head: Head = serde_json::from_slice(&fs::read(manifest).ok()?).ok()?;
    Some(head.campaign)
}

/// The campaigns that the manifests beside the files of a folder name: those of [`Manifest::begin_beside`].
#[must_use]
pub fn campaigns_beside(folder: &Path) -> BTreeSet<String> {
    let end = format!(".{FILE}");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let manifests = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(&end));
    manifests.filter_map(|entry| campaign_of(&entry.path())).collect()
}

/// The campaigns that the manifests of the folders of a folder name, also one that an interrupted run took away.
#[must_use]
pub fn campaigns_inside(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |folder: PathBuf| campaign_of(&folder.join(FILE)).or_else(|| campaign_of(&folder.join(BEFORE)));
    entries.filter_map(|entry| of(entry.path())).collect()
}

/// The files that a manifest names. One that can't be read names none, and no name leads out of
/// the folder.
fn named_by(manifest: &Path) -> BTreeSet<String> {
    let text: Option<Text> = fs::read(manifest).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let files = text.into_iter().flat_map(|text| text.files).map(|entry| entry.file);
    let inside = |file: &String| {
        let mut parts = Path::new(file).components();
        !file.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    files.filter(inside).collect()
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Remove { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision() -> Decision<'static> {
        let day = |text: &str| text.parse().expect("a day");
        Decision {
            id: "d-0123abcd",
            campaign: "basic-auth-all-protocols",
            window_start: day("2026-10-25"),
            window_end: day("2026-11-24"),
        }
    }

    fn write(folder: &Path, files: &[(&str, &str)]) {
        let mut manifest = Manifest::begin(folder).expect("a folder");
        assert!(!folder.join(FILE).exists(), "half a run has no manifest");
        for (file, text) in files {
            fs::write(folder.join(file), text).expect("a file");
            manifest.add([ManifestEntry::of(folder, file, Some(1)).expect("it is there")]);
        }
        manifest.finish(decision()).expect("a manifest");
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn it_names_the_decision_and_each_file_with_rows_bytes_and_the_sum_that_sha256sum_prints() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &[("b.csv", "abc"), ("a.csv", "")]);
        let text = fs::read_to_string(folder.path().join(FILE)).expect("a manifest");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["decision_id"], "d-0123abcd");
        assert_eq!(json["campaign"], "basic-auth-all-protocols");
        assert_eq!(json["window"]["end"], "2026-11-24");
        assert_eq!(json["program_version"], env!("CARGO_PKG_VERSION"));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            json["files"][0],
            serde_json::json!({"file": "a.csv", "rows": 1, "bytes": 0, "sha256": empty})
        );
        assert_eq!(
            json["files"][1],
            serde_json::json!({"file": "b.csv", "rows": 1, "bytes": 3, "sha256": abc})
        );
    }

    #[test]
    fn a_file_of_an_earlier_run_that_is_no_longer_written_goes_and_others_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("notes.txt"), "mine").expect("a file");
        write(folder.path(), &[("a.csv", "a"), ("b.csv", "b")]);
        write(folder.path(), &[("a.csv", "a")]);
        assert_eq!(names(folder.path()), ["a.csv", FILE, "notes.txt"]);
    }

    #[test]
    fn what_a_killed_run_left_goes_with_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &[("a.csv", "a"), ("b.csv", "b")]);
        drop(Manifest::begin(folder.path()).expect("a run that is killed here"));
        write(folder.path(), &[("a.csv", "a")]);
        assert_eq!(names(folder.path()), ["a.csv", FILE]);
    }

    #[test]
    fn a_manifest_beside_it_leaves_its_files_and_what_a_killed_run_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &[("a.csv", "a"), ("b.csv", "b")]);
        drop(Manifest::begin(folder.path()).expect("a run that is killed here"));
        let beside = Manifest::begin_beside(folder.path(), "due").expect("a folder");
        beside.finish_for("mine").expect("a manifest");
        assert!(folder.path().join("b.csv").exists());
        write(folder.path(), &[("a.csv", "a")]);
        assert_eq!(names(folder.path()), ["a.csv", "due.manifest.json", FILE]);
    }

    #[test]
    fn a_manifest_that_somebody_wrote_removes_nothing_outside_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("lists");
        write(&inside, &[("a.csv", "a")]);
        let outside = folder.path().join("precious.txt");
        fs::write(&outside, "mine").expect("a file");
        let text = fs::read_to_string(inside.join(FILE)).expect("a manifest");
        fs::write(inside.join(FILE), text.replace("a.csv", "../precious.txt")).expect("a file");
        write(&inside, &[("b.csv", "b")]);
        assert!(outside.exists());
    }
}
