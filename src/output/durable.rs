//! What a command has written survives a power cut once the command has ended.

use std::fs::File;
use std::path::Path;

use super::Error;

/// Waits until everything that was written into a folder is on the disk, with its names.
///
/// One call for all files: a command writes a hundred thousand at times, and asking for each by itself takes
/// minutes on some disks.
///
/// # Errors
/// Fails if the disk says that it could not keep something.
#[cfg(target_os = "linux")]
pub fn sync(folder: &Path) -> Result<(), Error> {
    let opened = File::open(folder).map_err(Error::write(folder))?;
    rustix::fs::syncfs(opened).map_err(|error| Error::write(folder)(error.into()))
}

/// Waits until everything that was written into a folder is on the disk.
///
/// # Errors
/// Fails if the disk says that it could not keep something.
#[cfg(not(target_os = "linux"))]
pub fn sync(folder: &Path) -> Result<(), Error> {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.map_err(|error| Error::write(folder)(error.into()))?;
        // Windows keeps names with the files.
        if entry.file_type().is_file() || (cfg!(unix) && entry.file_type().is_dir()) {
            let synced = File::options().read(true).write(entry.file_type().is_file()).open(entry.path());
            synced.and_then(|file| file.sync_all()).map_err(Error::write(entry.path()))?;
        }
    }
    Ok(())
}
