//! Fetches the blobs of a batch into temporary files, in their order and many at a time, while those that are there are
//! read. A large blob is fetched in ranges of one version of it. One that changes meanwhile is fetched anew, and left for
//! the next ingest if it changes again.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::blob::Blob;
use crate::find::Input;
use crate::{Error, Result};

/// A larger blob is fetched in ranges of this size.
const RANGE_BYTES: u64 = 8 << 20;

/// Ranges of one blob that are asked for at the same time, as far as there are connections.
const RANGES_MAX: usize = 64;

/// An answer that breaks off is asked for again, so often; a request that fails is repeated by the client itself.
const ATTEMPTS: u32 = 5;

/// How long to wait for a blob before looking whether to stop.
const TICK: Duration = Duration::from_millis(200);

/// What became of a blob.
#[derive(Debug)]
enum State {
    Awaited,
    Fetched {
        etag: Option<String>,
        bytes: u64,
    },
    /// It can't be read, and why; others still can.
    Unreadable(String),
    /// It changed whenever it was fetched.
    Changing,
    /// Taken by the thread that fails with it.
    Failed(Option<Error>),
}

/// The blobs of a batch, while they are fetched.
pub(crate) struct Fetching {
    states: Arc<States>,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
pub(crate) struct States {
    of_inputs: Mutex<Vec<State>>,
    told: Condvar,
}

/// An input that is to be read now.
#[expect(clippy::large_enum_variant, reason = "one at a time, and nearly always the large one")]
pub(crate) enum Ready<'a> {
    Input(Cow<'a, Input>),
    Changing,
    /// The batch is given up.
    Stopped,
}

/// A blob of a batch and the file that it goes to.
struct Fetch {
    index: usize,
    blob: Blob,
    name: String,
    bytes: u64,
    file: PathBuf,
}

impl Fetching {
    /// Begins to fetch, if any of the inputs is a blob. Each blob gets the path of its file.
    pub(crate) fn start(inputs: &mut [Input], connections: usize) -> Result<Option<Self>> {
        if inputs.iter().all(|input| input.blob.is_none()) {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("lightsout-").tempdir();
        let folder = folder.map_err(Error::read("a temporary folder"))?;
        let mut fetches = Vec::new();
        let mut states = Vec::new();
        for (index, input) in inputs.iter_mut().enumerate() {
            states.push(State::Awaited);
            let Some(blob) = &input.blob else { continue };
            let file = folder.path().join(index.to_string());
            input.path = Some(file.clone());
            let (name, bytes) = (input.name.clone(), input.stored_bytes);
            fetches.push(Fetch { index, blob: blob.clone(), name, bytes, file });
        }
        let states = Arc::new(States { of_inputs: Mutex::new(states), told: Condvar::new() });
        let task = tokio::spawn(fetch_all(fetches, Arc::clone(&states), connections.max(1)));
        Ok(Some(Self { states, task, _folder: folder }))
    }

    pub(crate) fn states(&self) -> &States {
        &self.states
    }
}

impl States {
    fn tell(&self, index: usize, state: State) {
        if let Ok(mut states) = self.of_inputs.lock()
            && let Some(mine) = states.get_mut(index)
        {
            *mine = state;
        }
        self.told.notify_all();
    }

    /// Waits until a blob is there, and gives it as it was fetched.
    pub(crate) fn await_input<'a>(
        &self,
        index: usize,
        input: &'a Input,
        is_stopped: impl Fn() -> bool,
    ) -> Result<Ready<'a>> {
        if input.blob.is_none() {
            return Ok(Ready::Input(Cow::Borrowed(input)));
        }
        let mut states = self.of_inputs.lock().map_err(|_| Error::WorkerLost)?;
        loop {
            match states.get_mut(index) {
                Some(State::Awaited) if is_stopped() => return Ok(Ready::Stopped),
                Some(State::Awaited) => {}
                Some(State::Fetched { etag, bytes }) => {
                    let mut input = input.clone();
                    input.stored_bytes = *bytes;
                    if let Some(blob) = &mut input.blob {
                        blob.etag.clone_from(etag);
                    }
                    return Ok(Ready::Input(Cow::Owned(input)));
                }
                Some(State::Unreadable(reason)) => {
                    let unreadable = Some(reason.clone());
                    return Ok(Ready::Input(Cow::Owned(Input { unreadable, ..input.clone() })));
                }
                Some(State::Changing) => return Ok(Ready::Changing),
                Some(State::Failed(error)) => return Err(error.take().unwrap_or(Error::WorkerLost)),
                None => return Err(Error::WorkerLost),
            }
            (states, _) = self.told.wait_timeout(states, TICK).map_err(|_| Error::WorkerLost)?;
        }
    }
}

async fn fetch_all(fetches: Vec<Fetch>, states: Arc<States>, connections: usize) {
    let requests = Arc::new(Semaphore::new(connections));
    let tasks = futures::stream::iter(fetches).map(|fetch| {
        let (states, requests) = (Arc::clone(&states), Arc::clone(&requests));
        let task = tokio::spawn(async move {
            let state = fetch.run(&requests).await;
            states.tell(fetch.index, state);
        });
        // A batch that is given up fetches no more.
        Aborting(task)
    });
    tasks.buffer_unordered(connections).for_each(|()| std::future::ready(())).await;
}

/// A task that ends with the future that waits for it.
struct Aborting(JoinHandle<()>);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Future for Aborting {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::pin::Pin::new(&mut self.get_mut().0).poll(context).map(|_| ())
    }
}

/// Why a blob could not be fetched.
enum Failure {
    Store(object_store::Error),
    Disk(io::Error),
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Fetch {
    async fn run(&self, requests: &Semaphore) -> State {
        use object_store::Error as StoreError;
        let mut changes = 0;
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.fetch(requests).await {
                Ok((etag, bytes)) => return State::Fetched { etag, bytes },
                Err(Failure::Disk(source)) => {
                    let path = self.file.display().to_string();
                    return State::Failed(Some(Error::Read { path, source }));
                }
                Err(Failure::Store(StoreError::Precondition { .. })) => {
                    changes += 1;
                    if changes == 2 {
                        return State::Changing;
                    }
                }
                Err(Failure::Store(StoreError::NotFound { .. })) => {
                    return State::Unreadable("deleted since it was listed".to_owned());
                }
                Err(Failure::Store(
                    error @ (StoreError::PermissionDenied { .. } | StoreError::AlreadyExists { .. }),
                )) => return State::Unreadable(one_line(&error)),
                Err(Failure::Store(source)) if attempt == ATTEMPTS => {
                    let hint = "run the command again to continue".to_owned();
                    let url = self.name.clone();
                    return State::Failed(Some(Error::Store {
                        action: "reading",
                        url,
                        hint,
                        source: Box::new(source),
                    }));
                }
                Err(Failure::Store(_)) => tokio::time::sleep(Duration::from_millis(200 << attempt)).await,
            }
        }
    }

    /// Fetches the blob into its file; the version and the size that it has.
    async fn fetch(&self, requests: &Semaphore) -> Result<(Option<String>, u64), Failure> {
        let file = File::create(&self.file)?;
        if self.bytes <= RANGE_BYTES {
            return self.part(&file, None, None, requests).await;
        }
        // As it is now, and with its `ETag` as a condition has to name it: a listing may write it otherwise.
        let meta = self.blob.store.head(&self.blob.path).await?;
        let Some(etag) = meta.e_tag else {
            // Nothing else proves that ranges are of one version.
            return self.part(&file, None, None, requests).await;
        };
        let starts = (0..meta.size).step_by(usize::try_from(RANGE_BYTES).unwrap_or(usize::MAX));
        let parts = futures::stream::iter(starts).map(|start| {
            let range = start..meta.size.min(start + RANGE_BYTES);
            self.part(&file, Some(range), Some(etag.clone()), requests)
        });
        // Of them as many at a time as the semaphore lets through, beside other blobs.
        let parts: Vec<_> = parts.buffered(RANGES_MAX).try_collect().await?;
        let fetched: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
        if fetched != meta.size {
            let message = format!("expected {} bytes, got {fetched}", meta.size);
            return Err(object_store::Error::Generic { store: "blob", source: message.into() }.into());
        }
        Ok((Some(etag), meta.size))
    }

    /// Fetches a range, or the whole blob as it is now.
    async fn part(
        &self,
        file: &File,
        range: Option<std::ops::Range<u64>>,
        etag: Option<String>,
        requests: &Semaphore,
    ) -> Result<(Option<String>, u64), Failure> {
        let Ok(_permit) = requests.acquire().await else {
            return Err(io::Error::other("the batch was given up").into());
        };
        let (start, is_range) = (range.as_ref().map_or(0, |range| range.start), range.is_some());
        let options = GetOptions {
            // All ranges are of one version.
            if_match: etag,
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let answer = self.blob.store.get_opts(&self.blob.path, options).await?;
        let (etag, size, got) = (answer.meta.e_tag.clone(), answer.meta.size, answer.range.clone());
        let is_whole = got.start == 0 && got.end == size;
        let mut at = start;
        let mut chunks = answer.into_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            write_at(file, &chunk, at)?;
            at += chunk.len() as u64;
        }
        if at != got.end || (!is_range && !is_whole) {
            let message = format!("expected bytes {} to {}, got them to {at}", got.start, got.end);
            return Err(object_store::Error::Generic { store: "blob", source: message.into() }.into());
        }
        Ok((etag, at - start))
    }
}

fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::write_all_at(file, bytes, at);
    #[cfg(windows)]
    {
        let (mut bytes, mut at) = (bytes, at);
        while !bytes.is_empty() {
            let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
            bytes = &bytes[written..];
            at += written as u64;
        }
        Ok(())
    }
}

/// The first line of what a store says.
fn one_line(error: &object_store::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::find::{Assigned, PathFacts};
    use object_store::memory::InMemory;
    use object_store::throttle::{ThrottleConfig, ThrottledStore};

    fn input<S: object_store::ObjectStore>(
        store: &Arc<S>,
        name: &str,
        bytes: u64,
        etag: Option<&str>,
    ) -> Input {
        let blob = Blob { store: Arc::clone(store) as _, path: name.into(), etag: etag.map(str::to_owned) };
        Input {
            path: None,
            blob: Some(blob),
            name: name.to_owned(),
            stored_bytes: bytes,
            says: PathFacts::default(),
            assigned: Assigned::default(),
            is_of_folder: true,
            unreadable: None,
        }
    }

    fn read(path: Option<&Path>) -> Vec<u8> {
        std::fs::read(path.expect("a path")).expect("a file")
    }

    /// How long it takes to fetch blobs of a store that answers each request after 20 ms.
    async fn fetch_time(connections: usize) -> Duration {
        let memory = InMemory::new();
        for number in 0..100 {
            memory.put(&format!("{number}").into(), "{}".into()).await.expect("put");
        }
        let wait_get_per_call = Duration::from_millis(20);
        let slow =
            ThrottledStore::new(memory, ThrottleConfig { wait_get_per_call, ..ThrottleConfig::default() });
        let slow = Arc::new(slow);
        let mut inputs: Vec<Input> =
            (0..100).map(|number| input(&slow, &number.to_string(), 2, None)).collect();
        let began = std::time::Instant::now();
        let fetching = Fetching::start(&mut inputs, connections).expect("started").expect("blobs");
        tokio::task::block_in_place(|| {
            for (index, input) in inputs.iter().enumerate() {
                let ready = fetching.states().await_input(index, input, || false).expect("fetched");
                assert!(matches!(ready, Ready::Input(_)));
            }
        });
        began.elapsed()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn many_connections_wait_for_many_answers_at_once() {
        let (one, many) = (fetch_time(1).await, fetch_time(50).await);
        assert!(one >= Duration::from_secs(2), "one at a time: {one:?}");
        assert!(many < one / 8, "50 at a time take {many:?}, one at a time takes {one:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn blobs_come_as_they_are_large_ones_in_ranges_of_one_version() {
        let store = Arc::new(InMemory::new());
        let large: Vec<u8> =
            (0..3 * RANGE_BYTES + 17).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
        let put = store.put(&"large".into(), large.clone().into()).await.expect("put");
        store.put(&"small".into(), "{}".into()).await.expect("put");
        // It was smaller when it was listed.
        store.put(&"grown".into(), "{}\n{}\n".into()).await.expect("put");
        let mut inputs = [
            input(&store, "large", large.len() as u64, put.e_tag.as_deref()),
            input(&store, "small", 2, None),
            input(&store, "grown", 3, Some("old")),
            input(&store, "gone", 5, Some("old")),
            // It was replaced since it was listed.
            input(&store, "large", large.len() as u64, Some("old")),
        ];
        let fetching = Fetching::start(&mut inputs, 4).expect("started").expect("blobs");
        let awaited = |index: usize| {
            let ready = fetching.states().await_input(index, &inputs[index], || false).expect("fetched");
            match ready {
                Ready::Input(input) => input.into_owned(),
                Ready::Changing | Ready::Stopped => panic!("{index} is not there"),
            }
        };
        let (first, small, grown, gone, anew) =
            tokio::task::block_in_place(|| (awaited(0), awaited(1), awaited(2), awaited(3), awaited(4)));
        assert!(read(first.path.as_deref()) == large && read(anew.path.as_deref()) == large);
        assert_eq!(read(small.path.as_deref()), b"{}");
        assert_eq!((grown.stored_bytes, read(grown.path.as_deref()).len()), (6, 6));
        let etag = |input: &Input| input.blob.as_ref().and_then(|blob| blob.etag.clone());
        assert!(etag(&grown).is_some_and(|etag| etag != "old"), "the version that was read counts");
        assert_eq!((etag(&anew), etag(&first)), (put.e_tag.clone(), put.e_tag));
        assert!(gone.unreadable.is_some_and(|why| why.contains("deleted")));
    }
}
