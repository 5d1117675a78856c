//! Files that are there as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::Error;

/// Writes a file under a name that begins with a dot, and gives it its own when all of it is there. The
/// process is in the first name, as two may write the same file at once; what a killed one left of this
/// file is removed.
pub(crate) fn write_atomically(
    path: &Path,
    write: impl Fn(&mut BufWriter<File>, &Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |source: io::Error| Error::Write { path: path.to_owned(), source };
    let part = with_suffix(path, &format!("{}.part", std::process::id()));
    remove_abandoned(path, &part);
    let attempt = || {
        let file = File::create(&part).map_err(failed)?;
        // Held while it is written: whoever finds it unlocked knows that its writer is gone. Where a file
        // can't be locked, nothing is removed either.
        let _ = file.try_lock();
        let mut out = BufWriter::new(file);
        write(&mut out, path)?;
        out.flush().map_err(failed)?;
        Ok(fs::rename(&part, path))
    };
    let written = match attempt() {
        // In the instant before it was locked, another process took it for abandoned.
        Ok(Err(source)) if source.kind() == io::ErrorKind::NotFound => attempt(),
        written => written,
    };
    let written = written.and_then(|renamed| renamed.map_err(failed));
    if written.is_err() {
        // It may not even be there, and the error that matters is the first.
        let _ = fs::remove_file(&part);
    }
    written
}

/// The same for a file whose content is at hand.
pub fn write_content(path: &Path, content: &[u8]) -> Result<(), Error> {
    write_atomically(path, |out, path| out.write_all(content).map_err(Error::write(path)))
}

/// `folder/.name.suffix`
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{suffix}"))
}

/// Removes the parts of this file that no process writes any more. What can't be looked at or removed
/// stays: it is in nobody's way.
fn remove_abandoned(path: &Path, own: &Path) {
    let prefix = with_suffix(path, "");
    let Some(prefix) = prefix.file_name().map(|name| name.to_string_lossy().into_owned()) else { return };
    let Some(entries) = path.parent().and_then(|folder| fs::read_dir(folder).ok()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(".part"));
        let is_part = process.is_some_and(|process| process.parse::<u32>().is_ok());
        if is_part && entry.path() != own {
            let abandoned = File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
            if abandoned {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect();
        names.sort_unstable();
        names
    }

    fn written(folder: &Path, text: &str) -> Result<(), Error> {
        write_atomically(&folder.join("list.csv"), |out, path| {
            out.write_all(text.as_bytes()).map_err(Error::write(path))
        })
    }

    #[test]
    fn what_a_killed_process_left_goes_and_what_another_one_writes_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let left = |name: &str| File::create(folder.join(name)).expect("a file");
        drop(left(".list.csv.4000000001.part"));
        drop(left(".list.csv.mine.part"));
        drop(left(".other.csv.4000000001.part"));
        let busy = left(".list.csv.4000000002.part");
        busy.lock().expect("a lock");
        written(folder, "a\n").expect("a file");
        let others = [".list.csv.4000000002.part", ".list.csv.mine.part", ".other.csv.4000000001.part"];
        assert_eq!(names(folder), [&others[..], &["list.csv"]].concat());
        assert_eq!(fs::read_to_string(folder.join("list.csv")).expect("it"), "a\n");
    }

    #[test]
    fn a_part_that_was_taken_for_abandoned_is_written_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let part = folder.path().join(format!(".list.csv.{}.part", std::process::id()));
        let times = std::cell::Cell::new(0);
        write_atomically(&folder.path().join("list.csv"), |out, path| {
            times.set(times.get() + 1);
            if times.get() == 1 {
                fs::remove_file(&part).expect("it is there");
            }
            out.write_all(b"whole").map_err(Error::write(path))
        })
        .expect("a file");
        assert_eq!(times.get(), 2);
        assert_eq!(names(folder.path()), ["list.csv"]);
    }

    #[test]
    fn a_file_that_could_not_be_written_leaves_the_one_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.csv");
        fs::write(&path, "before").expect("a file");
        let failed = write_atomically(&path, |out, path| {
            out.write_all(b"half").expect("written");
            Err(Error::Write { path: path.to_owned(), source: io::Error::other("full") })
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).expect("a file"), "before");
        assert_eq!(names(folder.path()), ["list.csv"], "and no part of it");
    }
}
