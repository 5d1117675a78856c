//! Notices that a file changes while it is read. Size, time of modification and identity are compared with those at
//! its opening: of the file itself, which may grow or be truncated, and of its path, where another file may be by now.

use std::fs::{File, Metadata};
use std::path::PathBuf;
use std::time::SystemTime;

/// A file as it was when it was opened.
#[derive(Debug)]
pub(super) struct Watch {
    file: File,
    path: PathBuf,
    stamp: Stamp,
}

/// Differs between two states of a file, and between two files.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// Device and inode; elsewhere the time of creation.
    #[cfg(unix)]
    identity: (u64, u64),
    #[cfg(not(unix))]
    identity: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let identity = metadata.created().ok();
        Self { bytes: metadata.len(), modified: metadata.modified().ok(), identity }
    }
}

impl Watch {
    pub(super) fn new(file: File, path: PathBuf, metadata: &Metadata) -> Self {
        Self { file, path, stamp: Stamp::of(metadata) }
    }

    /// Its size when it was opened.
    pub(super) fn bytes(&self) -> u64 {
        self.stamp.bytes
    }

    pub(super) fn has_changed(&self) -> bool {
        let is_same = |metadata: &Metadata| Stamp::of(metadata) == self.stamp;
        let is_untouched = self.file.metadata().is_ok_and(|metadata| is_same(&metadata));
        // A file that was moved or deleted was read as it was.
        let is_replaced = std::fs::metadata(&self.path).is_ok_and(|metadata| !is_same(&metadata));
        !is_untouched || is_replaced
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;

    use super::super::{SMALL_BYTES, open};
    use crate::find::find;

    /// Files of this many bytes are read in one step, and in several.
    const SIZES: [u64; 2] = [1000, 3 * SMALL_BYTES];

    fn text_of(bytes: u64) -> Vec<u8> {
        b"{\"id\":1}\n".iter().copied().cycle().take(usize::try_from(bytes).expect("a size")).collect()
    }

    /// Whether a file has changed to which something is done between opening and reading it.
    fn has_changed(bytes: u64, change: impl FnOnce(&Path)) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.json");
        std::fs::write(&path, text_of(bytes)).expect("written");
        let inputs = find(&[path.display().to_string()]).expect("found");
        let opened = open(&inputs.inputs[0], |_| false, None).expect("opened");
        change(&path);
        let (_, content) = opened.read().expect("a text");
        content.finish().expect("read");
        opened.has_changed()
    }

    /// How a file changes, and what does it.
    type Change = (&'static str, fn(&Path));

    fn append(path: &Path) {
        let mut file = std::fs::OpenOptions::new().append(true).open(path).expect("opened");
        file.write_all(b"{\"id\":2}\n").expect("appended");
    }

    #[test]
    fn a_file_that_grows_shrinks_or_is_replaced_has_changed() {
        let changes: [Change; 4] = [
            ("appended to", append),
            ("truncated", |path| std::fs::write(path, "{\"id\":2}\n").expect("written")),
            ("replaced by a copy", |path| {
                let copy = path.with_extension("new");
                std::fs::copy(path, &copy).expect("copied");
                std::fs::rename(&copy, path).expect("renamed");
            }),
            ("rotated", |path| {
                std::fs::rename(path, path.with_extension("1")).expect("renamed");
                std::fs::write(path, text_of(10)).expect("written");
            }),
        ];
        for (how, change) in changes {
            for bytes in SIZES {
                assert!(has_changed(bytes, change), "{how}, {bytes} bytes");
            }
        }
    }

    #[test]
    fn a_file_that_nobody_wrote_to_has_not_changed() {
        let changes: [Change; 3] = [
            ("left alone", |_| {}),
            ("moved", |path| std::fs::rename(path, path.with_extension("1")).expect("renamed")),
            ("deleted", |path| std::fs::remove_file(path).expect("removed")),
        ];
        for (how, change) in changes {
            for bytes in SIZES {
                assert!(!has_changed(bytes, change), "{how}, {bytes} bytes");
            }
        }
    }

    // A file was named by a first pass and parsed in a second one, whatever had become of it.
    #[test]
    fn bytes_that_were_hashed_before_are_compared_with_those_that_are_parsed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.json");
        for changed in [false, true] {
            let mut text = text_of(SIZES[1]);
            std::fs::write(&path, &text).expect("written");
            let inputs = find(&[path.display().to_string()]).expect("found");
            let opened = open(&inputs.inputs[0], |_| true, None).expect("opened");
            assert!(opened.content_hash.is_some());
            if changed {
                text[5] = b'2';
                std::fs::write(&path, &text).expect("written");
            }
            let (text, content) = opened.read().expect("a text");
            drop(text);
            let read = content.finish().expect("read");
            assert_eq!(read.has_changed, changed);
            assert_eq!(Some(read.hash) != opened.content_hash, changed);
        }
    }
}
