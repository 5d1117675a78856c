//! The key by which users' names become pseudonyms: random, made once for a lake, so that a user has one pseudonym
//! whoever looks and whenever. Whoever has it can tell whose pseudonym a name has, so that only its owner may read it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use crate::durable::sync_folder;
use crate::error::{Error, Result};
use crate::remote::{self, Remote};

/// In the lake's folder.
pub(super) const FILE: &str = "_pseudonym_key";

const BYTES: usize = 32;

/// The key of a lake in a folder, or of the one in an object store whose working copy lies there; made if there is none.
///
/// # Errors
/// Fails if it can't be read or written, or something else is in its place.
pub async fn pseudonym_key(lake: &Path) -> Result<[u8; BYTES]> {
    match remote::attach(lake)? {
        Some(store) => key_in_store(&store).await,
        None => key_in_folder(lake),
    }
}

/// The store's copy is the key: whichever machine serves the lake, a user has the same pseudonym.
async fn key_in_store(store: &Arc<Remote>) -> Result<[u8; BYTES]> {
    let path = format!("{}/{FILE}", store.url());
    let content = store.get_or_create(FILE, new_key().as_bytes()).await?;
    parse(&content).map_err(|source| Error::Read { path, source })
}

fn key_in_folder(lake: &Path) -> Result<[u8; BYTES]> {
    let path = lake.join(FILE);
    if let Some(key) = read(&path)? {
        return Ok(key);
    }
    make(lake, &path).map_err(Error::write(&path))?;
    let gone = || io::Error::new(io::ErrorKind::NotFound, "it was deleted while it was made");
    read(&path)?.ok_or_else(|| Error::Read { path: path.display().to_string(), source: gone() })
}

fn read(path: &Path) -> Result<Option<[u8; BYTES]>> {
    let failed = |source| Error::Read { path: path.display().to_string(), source };
    match fs::read(path) {
        Ok(content) => parse(&content).map(Some).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn parse(content: &[u8]) -> io::Result<[u8; BYTES]> {
    let key = blake3::Hash::from_hex(content.trim_ascii()).map_err(|_| {
        let expected = format!(
            "expected {} hexadecimal digits, found something else; restore it from a backup, or delete it and every \
             user gets another pseudonym",
            2 * BYTES
        );
        io::Error::new(io::ErrorKind::InvalidData, expected)
    })?;
    Ok(*key.as_bytes())
}

fn new_key() -> String {
    let mut hasher = blake3::Hasher::new_derive_key("lightsout pseudonyms of users");
    for _ in 0..3 {
        hasher.update(uuid::Uuid::new_v4().as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Writes a new key; what another process has written meanwhile stays.
fn make(lake: &Path, path: &Path) -> io::Result<()> {
    // The engine's store passes such names when it lists a folder.
    let part = lake.join(format!("{FILE}#{}", uuid::Uuid::new_v4().simple()));
    let written =
        write_private(&part, new_key().as_bytes()).and_then(|()| match fs::hard_link(&part, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => sync_folder(lake),
        });
    let removed = fs::remove_file(&part);
    written.and(removed)
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lake_has_one_key_and_another_lake_another() {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let key = key_in_folder(one.path()).expect("a key");
        assert_eq!(key_in_folder(one.path()).expect("the same"), key);
        assert_ne!(key_in_folder(other.path()).expect("another"), key);
        let files: Vec<_> = fs::read_dir(one.path()).expect("a folder").flatten().collect();
        assert_eq!(files.len(), 1, "nothing is left over: {files:?}");
    }

    #[test]
    fn processes_that_make_it_at_once_have_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys: Vec<[u8; BYTES]> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| key_in_folder(folder.path()))).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends").expect("a key")).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        key_in_folder(folder.path()).expect("a key");
        let mode = fs::metadata(folder.path().join(FILE)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_told_and_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "abc").expect("written");
        let told = key_in_folder(folder.path()).expect_err("damaged").to_string();
        assert!(told.contains("64 hexadecimal digits") && told.contains("restore it"), "{told}");
        assert_eq!(fs::read(folder.path().join(FILE)).expect("the file"), b"abc");
    }
}
