//! Files that survive a power cut. The engine's own store for local files never asks the disk to keep what it writes,
//! so a commit could be gone, or its log entry be empty, seconds after the command had said that it was done.
//! `object_store` 0.14 can sync by itself; once Delta Lake uses it, `Store` goes away.
//!
//! Everything is written the same way: under another name, synced, given its name, and the folder synced. New folders
//! are synced into the folders that hold them.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, PoisonError};

use bytes::Bytes;
use deltalake::logstore::{
    LogStore, LogStoreFactory, ObjectStoreFactory, ObjectStoreRef, StorageConfig, default_logstore,
    logstore_factories, object_store_factories,
};
use deltalake::{DeltaResult, DeltaTableError};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};
use url::Url;

/// Makes the names in a folder survive a power cut. Windows keeps them with the file.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder that holds a file or folder; for a bare name, the current one.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Creates a folder and those above it that are missing.
pub(crate) fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    if above != folder {
        create_folders(above)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => Err(error),
        _ => sync_folder(above),
    }
}

/// What happens if there is a file of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Replace,
    Fail,
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, content: &[&[u8]], existing: Existing) -> io::Result<()> {
    let mut staged = Staged::create(path)?;
    content.iter().try_for_each(|part| staged.file.write_all(part))?;
    staged.publish(existing)
}

/// A file that does not have its name yet; removed if it does not get it.
struct Staged {
    path: PathBuf,
    part: PathBuf,
    file: File,
}

impl Staged {
    fn create(path: &Path) -> io::Result<Self> {
        create_folders(folder_of(path))?;
        for number in 1_u64.. {
            // As the engine's store names them, which passes such names when it lists a folder.
            let mut part = path.as_os_str().to_owned();
            part.push(format!("#{number}"));
            let part = PathBuf::from(part);
            match File::options().write(true).create_new(true).open(&part) {
                Ok(file) => return Ok(Self { path: path.to_owned(), part, file }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn publish(self, existing: Existing) -> io::Result<()> {
        self.file.sync_all()?;
        match existing {
            Existing::Replace => fs::rename(&self.part, &self.path)?,
            // A rename would replace the file that another process has just written.
            Existing::Fail => fs::hard_link(&self.part, &self.path)?,
        }
        sync_folder(folder_of(&self.path))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After a rename it is gone already.
        let _ = fs::remove_file(&self.part);
    }
}

/// Delta Lake decodes the path of a URL more than once, so that it would look for `a%20b` in the folder `a b`: the URLs of
/// tables have a name for the lake's folder instead.
const SCHEME: &str = "lightsout";

/// The lakes' folders by the names that stand for them.
fn folders() -> MutexGuard<'static, HashMap<String, PathBuf>> {
    static FOLDERS: OnceLock<Mutex<HashMap<String, PathBuf>>> = OnceLock::new();
    FOLDERS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The URL of a table in a lake's folder, for Delta Lake in this process alone, which then uses [`Store`].
pub(crate) fn table_url(lake: &Path, table: &str) -> std::result::Result<Url, url::ParseError> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Ok(scheme) = Url::parse(&format!("{SCHEME}://")) {
            object_store_factories().insert(scheme.clone(), Arc::new(Factory));
            logstore_factories().insert(scheme, Arc::new(Factory));
        }
    });
    let name = blake3::hash(lake.as_os_str().as_encoded_bytes()).to_hex()[..32].to_owned();
    let url = Url::parse(&format!("{SCHEME}://{name}/{table}/"))?;
    folders().insert(name, lake.to_owned());
    Ok(url)
}

struct Factory;

impl ObjectStoreFactory for Factory {
    fn parse_url_opts(&self, url: &Url, _: &StorageConfig) -> DeltaResult<(ObjectStoreRef, ObjectPath)> {
        let wrong = || DeltaTableError::InvalidTableLocation(url.to_string());
        let folder = url.host_str().and_then(|name| folders().get(name).cloned()).ok_or_else(wrong)?;
        let path = ObjectPath::from_url_path(url.path()).map_err(|_| wrong())?;
        Ok((Arc::new(Store { files: LocalFileSystem::new_with_prefix(folder)? }), path))
    }
}

impl LogStoreFactory for Factory {
    fn with_options(
        &self,
        table: ObjectStoreRef,
        root: ObjectStoreRef,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(table, root, location, options))
    }
}

/// In the order of names, which Delta Lake expects of all but plain folders.
fn sorted(listed: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
    let listed = async move {
        let mut files: Vec<ObjectMeta> = listed.try_collect().await?;
        files.sort_by(|one, other| one.location.cmp(&other.location));
        Ok::<_, object_store::Error>(stream::iter(files.into_iter().map(Ok)))
    };
    stream::once(listed).try_flatten().boxed()
}

/// Local files, where a write is done when the disk has it.
#[derive(Debug)]
struct Store {
    files: LocalFileSystem,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, synced", self.files)
    }
}

fn failed(path: &Path, source: io::Error) -> object_store::Error {
    let path = path.display().to_string();
    match source.kind() {
        io::ErrorKind::AlreadyExists => object_store::Error::AlreadyExists { path, source: Box::new(source) },
        _ => object_store::Error::Generic {
            store: "local files",
            source: format!("writing {path}: {source}").into(),
        },
    }
}

/// Runs what waits for the disk where it may wait.
async fn blocking(path: PathBuf, write: impl FnOnce(&Path) -> io::Result<()> + Send + 'static) -> Result<()> {
    let work = move || write(&path).map_err(|source| failed(&path, source));
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|source| object_store::Error::Generic { store: "local files", source: source.into() })?
}

const fn written() -> PutResult {
    PutResult { e_tag: None, version: None }
}

#[async_trait::async_trait]
impl ObjectStore for Store {
    async fn put_opts(
        &self,
        location: &ObjectPath,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let existing = match options.mode {
            PutMode::Overwrite => Existing::Replace,
            PutMode::Create => Existing::Fail,
            PutMode::Update(_) => return self.files.put_opts(location, payload, options).await,
        };
        let path = self.files.path_to_filesystem(location)?;
        blocking(path, move |path| {
            let content: Vec<&[u8]> = payload.iter().map(AsRef::as_ref).collect();
            write(path, &content, existing)
        })
        .await?;
        Ok(written())
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let path = self.files.path_to_filesystem(location)?;
        let staged = Staged::create(&path).map_err(|source| failed(&path, source))?;
        Ok(Box::new(Upload { path, offset: 0, staged: Arc::new(Mutex::new(Some(staged))) }))
    }

    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<ObjectPath>>,
    ) -> BoxStream<'static, Result<ObjectPath>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.files.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&ObjectPath>,
        offset: &ObjectPath,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.files.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await?;
        self.sync(to).await
    }

    async fn rename_opts(&self, from: &ObjectPath, to: &ObjectPath, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await?;
        self.sync(to).await
    }
}

impl Store {
    async fn sync(&self, location: &ObjectPath) -> Result<()> {
        let path = self.files.path_to_filesystem(location)?;
        blocking(path, |path| {
            File::open(path)?.sync_all()?;
            sync_folder(folder_of(path))
        })
        .await
    }
}

/// A file that is written in parts, several at once.
#[derive(Debug)]
struct Upload {
    path: PathBuf,
    /// Where the next part begins.
    offset: u64,
    staged: Arc<Mutex<Option<Staged>>>,
}

impl Upload {
    fn take(&self) -> Option<Staged> {
        self.staged.lock().ok()?.take()
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part.display())
    }
}

#[async_trait::async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let offset = self.offset;
        self.offset += data.content_length() as u64;
        let staged = Arc::clone(&self.staged);
        let write = move |_: &Path| {
            let mut staged = staged.lock().map_err(|_| io::Error::other("another part failed"))?;
            let staged = staged.as_mut().ok_or(io::ErrorKind::NotFound)?;
            staged.file.seek(SeekFrom::Start(offset))?;
            data.iter().try_for_each(|part| staged.file.write_all(part))
        };
        Box::pin(blocking(self.path.clone(), write))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let staged = self.take();
        let publish = move |_: &Path| {
            let staged = staged.ok_or(io::ErrorKind::NotFound)?;
            staged.publish(Existing::Replace)
        };
        blocking(self.path.clone(), publish).await?;
        Ok(written())
    }

    async fn abort(&mut self) -> Result<()> {
        drop(self.take());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt as _;

    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let files = LocalFileSystem::new_with_prefix(folder.path()).expect("it is there");
        (folder, Store { files })
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect()
    }

    #[tokio::test]
    async fn a_file_that_must_be_new_does_not_replace_another() {
        let (folder, store) = store();
        let location = ObjectPath::from("log/0.json");
        let create = || PutOptions::from(PutMode::Create);
        store.put_opts(&location, "first".into(), create()).await.expect("a new file");
        let again = store.put_opts(&location, "second".into(), create()).await;
        assert!(matches!(again, Err(object_store::Error::AlreadyExists { .. })), "{again:?}");
        assert_eq!(fs::read(folder.path().join("log/0.json")).expect("a file"), b"first");
        assert_eq!(names(&folder.path().join("log")), ["0.json"], "nothing is left beside it");
        store.put(&location, "third".into()).await.expect("replaced");
        assert_eq!(fs::read(folder.path().join("log/0.json")).expect("a file"), b"third");
    }

    #[tokio::test]
    async fn parts_have_their_places_whichever_is_written_first() {
        let (folder, store) = store();
        let location = ObjectPath::from("checkpoint.parquet");
        let mut upload = store.put_multipart(&location).await.expect("begun");
        let (first, second) = (upload.put_part("head ".into()), upload.put_part("tail".into()));
        second.await.expect("written");
        first.await.expect("written");
        assert!(!folder.path().join("checkpoint.parquet").exists(), "it has no name before it is whole");
        upload.complete().await.expect("complete");
        assert_eq!(fs::read(folder.path().join("checkpoint.parquet")).expect("a file"), b"head tail");
        let mut given_up = store.put_multipart(&ObjectPath::from("other")).await.expect("begun");
        given_up.put_part("half".into()).await.expect("written");
        given_up.abort().await.expect("aborted");
        assert_eq!(names(folder.path()), ["checkpoint.parquet"]);
    }
}
