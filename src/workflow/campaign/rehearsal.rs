//! A lake to rehearse a campaign in: a copy of the real one, where the time that a command is told is the system's clock
//! too. Nothing that is recorded there reaches the real ledger. Its logs are those of now, as if nothing new came.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use lightsout_lake::Lake;

/// Names a copy as such; other programs pass it.
const MARK: &str = "_rehearsal";

/// Whether the lake is a copy to rehearse in.
#[must_use]
pub(super) fn is_rehearsal(root: &Path) -> bool {
    root.join(MARK).is_file()
}

/// Copies a lake. A copy that is there is replaced; another folder is left alone.
///
/// # Errors
/// Fails if the folder holds something else, or a file can't be written.
pub(super) async fn copy(lake: &mut Lake, into: &Path) -> Result<()> {
    let (root, copy) = (resolved(lake.root()), resolved(into));
    if copy.starts_with(&root) || root.starts_with(&copy) {
        return Err(Error::RehearsalInLake { folder: into.to_owned(), lake: lake.name() });
    }
    if is_rehearsal(into) {
        fs::remove_dir_all(into).map_err(Error::write(into))?;
    } else if fs::read_dir(into).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotARehearsal { folder: into.to_owned() });
    }
    fs::create_dir_all(into).map_err(Error::write(into))?;
    // First, so that a copy that is cut short is known as one.
    let mark = into.join(MARK);
    fs::write(&mark, format!("a copy of {} to rehearse in\n", lake.name())).map_err(Error::write(&mark))?;
    let _lock = lake.lock().await?;
    lake.fetch_all()?;
    let root = lake.root().to_owned();
    // The files of the root itself are locks.
    for entry in fs::read_dir(&root).map_err(Error::write(&root))?.flatten() {
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &into.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// A path without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for folder in path.ancestors() {
        if let (Ok(there), Ok(rest)) = (folder.canonicalize(), path.strip_prefix(folder)) {
            return there.join(rest);
        }
    }
    path
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::write(to))?;
    for entry in fs::read_dir(from).map_err(Error::write(from))? {
        let entry = entry.map_err(Error::write(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target)?;
            continue;
        }
        // Data files are never changed, so that both lakes can have them.
        let is_data = path.extension().is_some_and(|is| is == "parquet");
        if !(is_data && fs::hard_link(&path, &target).is_ok()) {
            fs::copy(&path, &target).map_err(Error::write(&target))?;
        }
    }
    Ok(())
}
