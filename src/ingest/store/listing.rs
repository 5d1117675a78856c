//! What is in the stores, listed while it is read: the store gives pages, and no more of them are kept than a batch needs.
//! With `--since` the folders of the layout are listed one by one, and those of earlier days are passed.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as BlobPath;
use object_store::{ListResult, ObjectMeta};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::layout::{Age, age};
use super::{KnownVersions, Location, Stores};
use crate::find::{Input, may_be_log};
use crate::{Error, IngestReport, Progress, Result};

/// A batch of blobs lies in temporary files while it is read; a larger blob is a batch of its own.
const BATCH_BYTES: u64 = 2 << 30;
const BATCH_BLOBS: usize = 20_000;

/// Blobs that were listed and are not asked for yet.
const AHEAD: usize = 10_000;

/// How long to wait for a page before looking whether to stop.
const TICK: Duration = Duration::from_millis(200);

type Listed = (usize, ObjectMeta);

/// The blobs of all locations, one after another.
pub(crate) struct Listing<'a> {
    stores: &'a Stores,
    listed: mpsc::Receiver<Result<Listed>>,
    task: JoinHandle<()>,
    /// The first of the next batch.
    next: Option<Input>,
}

impl Drop for Listing<'_> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<'a> Listing<'a> {
    pub(crate) fn start(stores: &'a Stores) -> Self {
        let (sender, inputs) = mpsc::channel(AHEAD);
        let lister = Lister {
            locations: stores.locations.clone(),
            since: stores.since,
            connections: stores.connections.max(1),
            sender,
        };
        let task = tokio::spawn(async move {
            if let Err(error) = lister.list().await {
                // Nobody listens where the ingest has failed.
                let _ = lister.sender.send(Err(error)).await;
            }
        });
        Self { stores, listed: inputs, task, next: None }
    }

    /// The inputs of the next batch; none at the end. What is not to be read is counted.
    pub(crate) async fn next_batch(
        &mut self,
        known: &KnownVersions,
        progress: &Progress,
        report: &mut IngestReport,
    ) -> Result<Vec<Input>> {
        let mut batch: Vec<Input> = self.next.take().into_iter().collect();
        let mut bytes: u64 = batch.iter().map(|input| input.stored_bytes).sum();
        while batch.len() < BATCH_BLOBS {
            let Some((location, blob)) = self.receive(progress).await? else { break };
            let Some(input) = self.input(location, blob, report) else { continue };
            if known.has(&input) {
                report.pass_known(input.stored_bytes);
                continue;
            }
            progress.listed(input.stored_bytes);
            if !batch.is_empty() && bytes + input.stored_bytes > BATCH_BYTES {
                self.next = Some(input);
                break;
            }
            bytes += input.stored_bytes;
            batch.push(input);
        }
        Ok(batch)
    }

    async fn receive(&mut self, progress: &Progress) -> Result<Option<Listed>> {
        loop {
            if progress.stopped() {
                return Err(Error::Interrupted);
            }
            if let Ok(listed) = tokio::time::timeout(TICK, self.listed.recv()).await {
                return listed.transpose();
            }
        }
    }

    /// A blob as an input, if it is one of this process.
    fn input(&self, location: usize, blob: ObjectMeta, report: &mut IngestReport) -> Option<Input> {
        let stores = self.stores;
        let location = stores.locations.get(location)?;
        if stores.since.is_some_and(|since| age(blob.location.as_ref(), since) == Age::Before) {
            return None;
        }
        let is_hidden = location.hides(&blob.location);
        let mut input = location.input(blob);
        if stores.shard.is_some_and(|shard| !shard.has(&input.name)) {
            return None;
        }
        if is_hidden {
            let name = input.name.rsplit('/').next().unwrap_or_default();
            if may_be_log(&format!(".{}", name.trim_start_matches('.'))) {
                report.hidden.push(input.name);
            }
            return None;
        }
        input.assigned = stores.assignments.of(&input);
        Some(input)
    }
}

/// Asks the stores.
struct Lister {
    locations: Vec<Location>,
    since: Option<chrono::NaiveDate>,
    connections: usize,
    sender: mpsc::Sender<Result<Listed>>,
}

impl Lister {
    async fn list(&self) -> Result<()> {
        for (index, location) in self.locations.iter().enumerate() {
            let mut is_empty = true;
            if let Some(blob) = location.head().await? {
                self.send(index, blob).await?;
                continue;
            }
            if let Some(since) = self.since {
                is_empty = !self.list_since(index, location, since).await?;
            } else {
                let prefix = Some(&location.prefix).filter(|prefix| !prefix.as_ref().is_empty());
                let mut blobs = location.store.list(prefix);
                while let Some(blob) = blobs.next().await {
                    let blob = blob.map_err(location.failed("listing"))?;
                    if location.fits(&blob.location) {
                        is_empty = false;
                        self.send(index, blob).await?;
                    }
                }
            }
            if is_empty && !location.is_container() {
                return Err(Error::NoBlob { url: location.url.clone() });
            }
        }
        Ok(())
    }

    async fn send(&self, location: usize, blob: ObjectMeta) -> Result<()> {
        self.sender.send(Ok((location, blob))).await.map_err(|_| Error::Interrupted)
    }

    /// Lists folder by folder, a level at a time, as long as paths do not say their day. Whether anything was found, also of
    /// earlier days.
    async fn list_since(&self, index: usize, location: &Location, since: chrono::NaiveDate) -> Result<bool> {
        let mut found = false;
        let mut level = vec![location.prefix.clone()];
        while !level.is_empty() {
            let mut next = Vec::new();
            let folders = futures::stream::iter(level).map(|folder| {
                let is_whole = age(folder.as_ref(), since) == Age::Since;
                list_folder(location, folder, is_whole)
            });
            let mut folders = folders.buffered(self.connections);
            while let Some(listed) = folders.next().await {
                let listed = listed?;
                found |= !listed.objects.is_empty() || !listed.common_prefixes.is_empty();
                let is_later = |path: &BlobPath| age(path.as_ref(), since) != Age::Before;
                next.extend(listed.common_prefixes.into_iter().filter(is_later));
                for blob in listed.objects.into_iter().filter(|blob| location.fits(&blob.location)) {
                    self.send(index, blob).await?;
                }
            }
            level = next;
        }
        Ok(found)
    }
}

/// What a folder holds: all of it, or its own blobs and the folders in it.
async fn list_folder(location: &Location, folder: BlobPath, is_whole: bool) -> Result<ListResult> {
    let prefix = Some(&folder).filter(|folder| !folder.as_ref().is_empty());
    let store = Arc::clone(&location.store);
    let listed = if is_whole {
        let objects = store.list(prefix).try_collect().await;
        objects.map(|objects| ListResult { common_prefixes: Vec::new(), objects })
    } else {
        store.list_with_delimiter(prefix).await
    };
    listed.map_err(location.failed("listing"))
}
