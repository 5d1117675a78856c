//! One writer at a time: an object `_lease.json` that its owner renews. Who waits compares no clocks, only how long the
//! object has stayed the same on its own, with the time that the lease itself states. Taking a lease that was not given
//! back is theft: the thief fences every table before it recovers anything, so the owner, should it wake up, can commit
//! nothing any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use object_store::{
    Error as StoreError, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::super::error::{Error, Result};
use super::super::lock::{self, LONG};
use super::{PAUSE, Remote, blocking, on_runtime, runtime};

const LEASE: &str = "_lease.json";
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LeaseText {
    /// Counts owners.
    epoch: u64,
    owner: String,
    copy_id: String,
    /// Who this is, for others that wait.
    holder: String,
    /// Who does not renew it for so long can lose it.
    seconds: u64,
    /// Makes each renewal another text, and so another `ETag`.
    renewals: u64,
    pub(super) released: bool,
}

type Version = UpdateVersion;

#[derive(Debug)]
struct Shared {
    remote: Arc<Remote>,
    current: Mutex<(LeaseText, Version)>,
    is_lost: AtomicBool,
    /// It must be stolen by whoever comes next, who then fences: requests of ours may still be on their way.
    must_fence: AtomicBool,
}

/// What a push asks before each step.
#[derive(Debug, Clone)]
pub(crate) struct Holder(Arc<Shared>);

impl Holder {
    pub(super) fn check(&self) -> Result<()> {
        if self.0.is_lost.load(Ordering::Acquire) {
            let found = "its lease was taken over".to_owned();
            return Err(Error::WrittenMeanwhile { lake: self.0.remote.url.clone(), found });
        }
        Ok(())
    }

    pub(super) fn is_held(&self) -> bool {
        !self.0.is_lost.load(Ordering::Acquire)
    }
}

/// Held while this process writes; given back when dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    shared: Arc<Shared>,
    renewing: JoinHandle<()>,
    epoch: u64,
}

impl Lease {
    /// Waits for the lease by the process's lock policy.
    pub(crate) async fn acquire(remote: &Arc<Remote>) -> Result<Self> {
        let remote = Arc::clone(remote);
        on_runtime(async move {
            remote.probe().await?;
            let (text, version, is_stolen) = remote.take_lease().await?;
            let epoch = text.epoch;
            let shared = Arc::new(Shared {
                remote,
                current: Mutex::new((text, version)),
                is_lost: AtomicBool::new(false),
                must_fence: AtomicBool::new(is_stolen),
            });
            let renewing = runtime().spawn(renew(Arc::clone(&shared)));
            Ok(Self { shared, renewing, epoch })
        })
        .await
    }

    pub(crate) fn holder(&self) -> Holder {
        Holder(Arc::clone(&self.shared))
    }

    /// Counts the owners of the lake's lease.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the tables must be fenced before anything is recovered or written.
    pub(crate) fn must_fence(&self) -> bool {
        self.shared.must_fence.load(Ordering::Acquire)
    }

    pub(crate) fn set_must_fence(&self, must: bool) {
        self.shared.must_fence.store(must, Ordering::Release);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
        if self.must_fence() || self.shared.is_lost.load(Ordering::Acquire) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        // Who waits gets it when its time is over, too.
        let _ = blocking(async move {
            for _ in 0..3 {
                let mut current = shared.current.lock().await;
                let text = LeaseText { released: true, ..current.0.clone() };
                let mode = PutMode::Update(current.1.clone());
                match shared.remote.put_lease(&text, mode).await {
                    Err(StoreError::Precondition { .. }) => {}
                    Ok(_) | Err(_) => return Ok(()),
                }
                // A renewal of our own, whose answer was not waited for.
                match shared.remote.read_lease().await? {
                    Some(there) if there.0.owner == text.owner && !there.0.released => *current = there,
                    _ => return Ok(()),
                }
            }
            Ok(())
        });
    }
}

/// Renews a lease until it is dropped or lost.
async fn renew(shared: Arc<Shared>) {
    let period = shared.remote.seconds / 4;
    loop {
        tokio::time::sleep(period).await;
        let mut current = shared.current.lock().await;
        let text = LeaseText { renewals: current.0.renewals + 1, ..current.0.clone() };
        match shared.remote.put_lease(&text, PutMode::Update(current.1.clone())).await {
            Ok(version) => *current = (text, version),
            Err(
                StoreError::Precondition { .. }
                | StoreError::NotFound { .. }
                | StoreError::AlreadyExists { .. },
            ) => {
                match shared.remote.read_lease().await {
                    // Our own, whose answer was lost.
                    Ok(Some(there)) if there.0.owner == text.owner && !there.0.released => *current = there,
                    Ok(_) => {
                        shared.is_lost.store(true, Ordering::Release);
                        return;
                    }
                    Err(_) => {}
                }
            }
            // Perhaps the next one reaches the store.
            Err(_) => {}
        }
    }
}

impl Remote {
    async fn put_lease(&self, text: &LeaseText, mode: PutMode) -> object_store::Result<Version> {
        let object = self.object(LEASE).map_err(other)?;
        let content = serde_json::to_vec(text).map_err(other)?;
        let put = self.store.put_opts(&object, content.into(), PutOptions::from(mode)).await;
        put.map(Into::into)
    }

    pub(super) async fn read_lease(&self) -> Result<Option<(LeaseText, Version)>> {
        let failed = self.failed("reading its lease");
        let mut attempt = 0;
        loop {
            attempt += 1;
            let answer = match self.store.get(&self.object(LEASE)?).await {
                Ok(answer) => answer,
                Err(StoreError::NotFound { .. }) => return Ok(None),
                Err(source) => return Err(failed(source)),
            };
            let version = Version { e_tag: answer.meta.e_tag.clone(), version: answer.meta.version.clone() };
            match answer.bytes().await {
                Ok(text) => {
                    let text = serde_json::from_slice(&text);
                    let text = text.map_err(|source| Error::Json {
                        what: "the lease of the lake (_lease.json)",
                        source,
                    })?;
                    return Ok(Some((text, version)));
                }
                Err(source) if attempt == super::ATTEMPTS => return Err(failed(source)),
                Err(_) => tokio::time::sleep(PAUSE * (1 << attempt)).await,
            }
        }
    }

    /// Waits for the lease; whether it was stolen.
    async fn take_lease(&self) -> Result<(LeaseText, Version, bool)> {
        let policy = lock::policy();
        let mine = LeaseText {
            epoch: 1,
            owner: uuid::Uuid::new_v4().simple().to_string(),
            copy_id: self.copy_id(),
            holder: policy.holder.clone(),
            seconds: self.seconds.as_secs(),
            renewals: 0,
            released: false,
        };
        let began = Instant::now();
        let (mut pause, mut is_told, mut failures) = (FIRST_PAUSE, false, 0);
        let mut since: Option<(Version, Instant)> = None;
        loop {
            let there = self.read_lease().await?;
            let (mode, epoch, is_stolen) = match &there {
                None => (Some(PutMode::Create), 1, false),
                Some((text, version)) if text.released => {
                    (Some(PutMode::Update(version.clone())), text.epoch + 1, false)
                }
                Some((text, _)) if text.owner == mine.owner => {
                    // Our own, whose answer was lost.
                    if let Some((text, version)) = there {
                        let is_stolen = since.is_some();
                        return Ok((text, version, is_stolen));
                    }
                    continue;
                }
                Some((text, version)) => {
                    let unchanged = match &since {
                        Some((seen, at))
                            if seen.e_tag == version.e_tag && seen.version == version.version =>
                        {
                            at.elapsed()
                        }
                        _ => {
                            since = Some((version.clone(), Instant::now()));
                            Duration::ZERO
                        }
                    };
                    let is_over = unchanged >= Duration::from_secs(text.seconds);
                    let is_dead = text.copy_id == mine.copy_id || self.copy.is_abandoned(&text.copy_id);
                    let mode = (is_over || is_dead).then(|| PutMode::Update(version.clone()));
                    (mode, text.epoch + 1, true)
                }
            };
            if let Some(mode) = mode {
                let text = LeaseText { epoch, ..mine.clone() };
                match self.put_lease(&text, mode).await {
                    Ok(version) => return Ok((text, version, is_stolen)),
                    // Somebody was faster, or an answer was lost: the lease says it.
                    Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {}
                    Err(source) => {
                        failures += 1;
                        if failures == super::ATTEMPTS {
                            return Err(self.failed("taking its lease")(source));
                        }
                    }
                }
                if is_stolen && since.is_none() {
                    since = there.map(|(_, version)| (version, Instant::now()));
                }
            }
            let holder = there_holder(self.read_lease().await?.map(|(text, _)| text.holder));
            let waited = began.elapsed();
            if policy.wait_max.is_some_and(|most| waited >= most) {
                return Err(Error::Locked { lake: self.url.clone(), holder, waited });
            }
            if waited >= LONG && !is_told {
                is_told = true;
                if let Some(tell) = policy.tell {
                    tell(&format!("waiting for {holder}, which writes to the lake at {}", self.url));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// What the holder says of itself.
fn there_holder(holder: Option<String>) -> String {
    holder.filter(|holder| !holder.is_empty()).unwrap_or_else(|| "another process".to_owned())
}

fn other(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Generic { store: "object store", source: Box::new(source) }
}
