//! A lake in an object store. Commands work on a working copy in a local folder: `pull` makes the copy's logs those of
//! the store, data files are fetched when they are first read, and `push` puts what was committed in the copy into the
//! store. One process has a copy at a time. Who writes holds a lease (`lease`); every commit is a conditional write, so
//! that one whose lease was taken can't overwrite what others wrote.
//!
//! The modules know of files and objects; what is in them is the business of `publish`, which uses this.

mod copies;
pub(crate) mod lease;
mod probe;
mod pull;
mod push;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use super::error::{Error, Result};
use super::object_stores::{FolderUrl, is_url};
use super::schema::Table;
use super::{durable, lake_log};

pub(crate) use copies::Copy;

/// Says of a folder that it is a working copy, and of which lake.
pub(super) const MARK: &str = "_remote.json";
/// There while the copy holds commits that are not, or not wholly, in the store.
pub(super) const UNPUBLISHED: &str = "_unpublished";

/// An answer that breaks off is asked for again, so often; the client repeats requests that fail by itself.
const ATTEMPTS: u32 = 5;
/// Before the second attempt; doubled before each other.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 200 });
/// Objects that are fetched or put at the same time.
const CONNECTIONS: usize = 16;

/// An object as the copy has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    etag: Option<String>,
    bytes: u64,
    /// Of the local file: another content under the same name is seen by it.
    modified_ns: u64,
}

/// An object as the store lists it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) bytes: u64,
    pub(crate) modified_ms: i64,
    etag: Option<String>,
}

/// The file [`MARK`].
#[derive(Debug, Default, Serialize, Deserialize)]
struct Mark {
    url: String,
    copy_id: String,
    /// The store was seen to honour conditional writes.
    probed: bool,
    files: BTreeMap<String, Known>,
}

#[derive(Debug, Default)]
struct State {
    mark: Mark,
    /// Of the last pull, with what was pushed since.
    listed: BTreeMap<String, Listed>,
    /// Data files to delete from the store.
    deletions: BTreeSet<String>,
    /// Nobody wrote while the last pull was made.
    is_quiet: bool,
    is_pulled: bool,
}

/// A lake in an object store, with its working copy.
#[derive(Debug)]
pub(crate) struct Remote {
    url: String,
    hint: String,
    store: Arc<dyn ObjectStore>,
    prefix: ObjectPath,
    copy: Copy,
    seconds: Duration,
    state: Mutex<State>,
    pulling: tokio::sync::Mutex<()>,
}

/// Everything that waits for a store runs here: callers may wait for it with or without a runtime of their own, and the
/// lease is renewed whatever they do.
fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "as in a program that can't start a thread")]
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .thread_name("lightsout-store")
            .enable_all()
            .build()
            .expect("threads for the object store")
    });
    &RUNTIME
}

/// Waits for a future of a store.
async fn on_runtime<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let failed = |source: tokio::task::JoinError| Error::Read {
        path: "the object store".to_owned(),
        source: source.into(),
    };
    runtime().spawn(work).await.map_err(failed)?
}

/// The same where nothing can be awaited.
fn blocking<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let (sender, receiver) = std::sync::mpsc::channel();
    runtime().spawn(async move {
        // Nobody waits any more.
        let _ = sender.send(work.await);
    });
    let failed =
        |source| Error::Read { path: "the object store".to_owned(), source: std::io::Error::other(source) };
    receiver.recv().map_err(failed)?
}

type Attached = Mutex<HashMap<PathBuf, Arc<Remote>>>;

fn attached() -> MutexGuard<'static, HashMap<PathBuf, Arc<Remote>>> {
    static ATTACHED: OnceLock<Attached> = OnceLock::new();
    ATTACHED.get_or_init(Attached::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lake in a store that a URL names, or whose working copy this process has in a folder; `None`: a lake in a folder.
pub(crate) fn attach(path: &Path) -> Result<Option<Arc<Remote>>> {
    let mut attached = attached();
    if let Some(url) = path.to_str().filter(|path| is_url(path)) {
        let folder = FolderUrl::parse(url)?;
        if let Some(remote) = attached.values().find(|remote| remote.url == folder.url) {
            return Ok(Some(Arc::clone(remote)));
        }
        let open = |is_probe| {
            folder.provider.open(&folder.root, is_probe).map_err(|source| Error::Store {
                lake: folder.url.clone(),
                action: "opening its store",
                hint: folder.provider.settings(),
                source: Box::new(source),
            })
        };
        // Without credentials only the machine's own identity is left; elsewhere nobody answers, which is not waited for long.
        let store = open(!folder.provider.has_credentials())?;
        let copy = Copy::claim(&folder.url)?;
        let remote = Remote::new(folder.url, folder.provider.settings(), store, folder.prefix, copy)?;
        attached.insert(remote.copy.root.clone(), Arc::clone(&remote));
        return Ok(Some(remote));
    }
    let Ok(root) = path.canonicalize() else { return Ok(None) };
    if let Some(remote) = attached.get(&root) {
        return Ok(Some(Arc::clone(remote)));
    }
    match Mark::read(&root) {
        Some(mark) => Err(Error::WorkingCopy { folder: path.display().to_string(), url: mark.url }),
        None => Ok(None),
    }
}

impl Mark {
    fn read(root: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(root.join(MARK)).ok()?).ok()
    }
}

/// Whether a path of the lake is a file of a log: not a data file.
fn is_log(path: &str) -> bool {
    let folder = path.split('/').next().unwrap_or_default();
    folder == lake_log::FOLDER || folder == super::MANIFESTS || path.split('/').nth(1) == Some("_delta_log")
}

/// Whether a path belongs to the lake at all.
fn is_of_lake(path: &str) -> bool {
    let Some((folder, name)) = path.split_once('/') else { return false };
    let is_table = Table::ALL.into_iter().any(|table| table.as_str() == folder);
    let is_partial = name.contains('#');
    !is_partial
        && (folder == lake_log::FOLDER
            || folder == super::MANIFESTS
            || is_table && (name.starts_with("_delta_log/") || name.ends_with(".parquet")))
}

/// The same text whether a listing or an answer says it.
fn normal(etag: Option<&String>) -> Option<String> {
    etag.map(|etag| etag.trim_matches('"').to_owned())
}

/// How long an owner that is not heard of keeps its lease, as the environment has it.
fn lease_seconds(set: Option<&OsStr>) -> Result<Duration> {
    let Some(set) = set.filter(|set| !set.is_empty()) else { return Ok(Duration::from_mins(1)) };
    let seconds =
        set.to_str().and_then(|set| set.parse().ok()).filter(|seconds| (1..=86_400).contains(seconds));
    let wrong =
        || Error::LeaseSeconds { found: lightsout_output::text::plain_short(&set.to_string_lossy(), 40) };
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

fn modified_ns(metadata: &fs::Metadata) -> u64 {
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    modified.and_then(|at| u64::try_from(at.as_nanos()).ok()).unwrap_or(0)
}

impl Remote {
    pub(crate) fn new(
        url: String,
        hint: String,
        store: Arc<dyn ObjectStore>,
        prefix: ObjectPath,
        copy: Copy,
    ) -> Result<Arc<Self>> {
        let seconds = lease_seconds(std::env::var_os("LIGHTSOUT_LEASE_SECONDS").as_deref())?;
        let mut mark = Mark::read(&copy.root).filter(|mark| mark.url == url).unwrap_or_default();
        mark.url.clone_from(&url);
        if mark.copy_id.is_empty() {
            mark.copy_id = uuid::Uuid::new_v4().simple().to_string();
        }
        let state = Mutex::new(State { mark, ..State::default() });
        let pulling = tokio::sync::Mutex::new(());
        let remote = Arc::new(Self { url, hint, store, prefix, copy, seconds, state, pulling });
        remote.write_mark()?;
        Ok(remote)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its container and the folder in that.
    pub(crate) fn place(&self) -> (String, String) {
        let folder = self.prefix.as_ref();
        let container = self.url.strip_suffix(folder).unwrap_or(&self.url);
        (container.trim_end_matches('/').to_owned(), folder.to_owned())
    }

    /// The working copy.
    pub(crate) fn root(&self) -> &Path {
        &self.copy.root
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy_id(&self) -> String {
        self.state().mark.copy_id.clone()
    }

    fn failed(&self, action: &'static str) -> impl Fn(object_store::Error) -> Error + use<> {
        let (lake, hint) = (self.url.clone(), self.hint.clone());
        move |source| Error::Store {
            lake: lake.clone(),
            action,
            hint: hint.clone(),
            source: Box::new(source),
        }
    }

    fn object(&self, path: &str) -> Result<ObjectPath> {
        let whole =
            if self.prefix.as_ref().is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) };
        let wrong = |source: object_store::path::Error| self.failed("naming a file")(source.into());
        ObjectPath::parse(whole).map_err(wrong)
    }

    fn relative(&self, object: &ObjectPath) -> Option<String> {
        let rest = object.as_ref().strip_prefix(self.prefix.as_ref())?;
        Some(rest.trim_start_matches('/').to_owned())
    }

    /// The content of an object that is written once and never changed; what another has written first counts.
    pub(crate) async fn get_or_create(self: &Arc<Self>, path: &str, content: &[u8]) -> Result<Vec<u8>> {
        let (this, object, content) = (Arc::clone(self), self.object(path)?, content.to_vec());
        on_runtime(async move {
            let mut attempt = 0;
            loop {
                attempt += 1;
                match this.get_or_create_once(&object, &content).await {
                    Ok(found) => return Ok(found),
                    Err(source) if attempt == ATTEMPTS => return Err(this.failed("keeping a file")(source)),
                    // Also where another has created it since it was looked for.
                    Err(_) => tokio::time::sleep(PAUSE * (1 << attempt)).await,
                }
            }
        })
        .await
    }

    async fn get_or_create_once(&self, object: &ObjectPath, content: &[u8]) -> object_store::Result<Vec<u8>> {
        match self.store.get(object).await {
            Ok(found) => Ok(found.bytes().await?.to_vec()),
            Err(object_store::Error::NotFound { .. }) => {
                let mode = PutOptions::from(PutMode::Create);
                self.store.put_opts(object, content.to_vec().into(), mode).await?;
                Ok(content.to_vec())
            }
            Err(error) => Err(error),
        }
    }

    fn write_mark(&self) -> Result<()> {
        let text = serde_json::to_vec(&self.state().mark);
        let text = text.map_err(|source| Error::Json { what: "the mark of a working copy", source })?;
        let path = self.copy.root.join(MARK);
        durable::write(&path, &[&text], durable::Existing::Replace).map_err(Error::write(&path))
    }

    /// Whether nobody wrote to the lake while the copy was made what it is.
    pub(crate) fn is_quiet(&self) -> bool {
        self.state().is_quiet
    }

    /// Notes that commits follow in the copy which are not in the store.
    pub(crate) fn begin(&self) -> Result<()> {
        let path = self.copy.root.join(UNPUBLISHED);
        File::create(&path).map(drop).map_err(Error::write(&path))
    }

    pub(crate) fn is_unpublished(&self) -> bool {
        self.copy.root.join(UNPUBLISHED).exists()
    }

    fn end(&self) -> Result<()> {
        let path = self.copy.root.join(UNPUBLISHED);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::write(path)(source)),
            _ => Ok(()),
        }
    }

    /// Has a data file deleted from the store with the next push.
    pub(crate) fn delete_later(&self, path: String) {
        self.state().deletions.insert(path);
    }

    /// The data files of a table in the store, by their paths in it.
    pub(crate) fn stored(&self, table: Table) -> BTreeMap<String, Listed> {
        let below = format!("{}/", table.as_str());
        let state = self.state();
        let data = state.listed.iter().filter(|(path, _)| !is_log(path) && !state.deletions.contains(*path));
        data.filter_map(|(path, listed)| Some((path.strip_prefix(&below)?.to_owned(), listed.clone())))
            .collect()
    }

    /// The newest number of the lake's log in the store, if it is greater than one that is known.
    pub(crate) async fn newest_entry_after(self: &Arc<Self>, number: u64) -> Result<bool> {
        let this = Arc::clone(self);
        on_runtime(async move { this.has_entry(number + 1).await }).await
    }

    async fn has_entry(&self, number: u64) -> Result<bool> {
        let object = self.object(&format!("{}/{number:020}.json", lake_log::FOLDER))?;
        match self.store.head(&object).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(self.failed("looking for new commits")(source)),
        }
    }
}
