//! Makes the logs of the working copy those of the store, and fetches data files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{Error as StoreError, ObjectStore as _, ObjectStoreExt as _};

use super::super::error::{Error, Result};
use super::super::lake_log;
use super::super::schema::Table;
use super::{
    ATTEMPTS, CONNECTIONS, Known, Listed, PAUSE, Remote, blocking, is_log, is_of_lake, modified_ns, normal,
    on_runtime,
};

/// How often a copy is made anew because somebody wrote meanwhile.
const PULLS_MAX: usize = 20;

/// Tables whose data files are fetched only when they are read.
const LARGE: [Table; 4] = [Table::SignInRecords, Table::Rejects, Table::Sources, Table::DecisionTenants];

fn is_large(path: &str) -> bool {
    LARGE.iter().any(|table| path.split('/').next() == Some(table.as_str()))
}

/// What one look at the store has found.
enum Pulled {
    Whole,
    /// Somebody wrote meanwhile.
    Changed(Option<String>),
}

impl Remote {
    /// Makes the copy's logs those of the store.
    pub(crate) async fn pull(self: &Arc<Self>) -> Result<()> {
        let this = Arc::clone(self);
        on_runtime(async move {
            let _one = this.pulling.lock().await;
            let mut gone = None;
            for _ in 0..PULLS_MAX {
                match this.pull_once().await? {
                    Pulled::Whole => return this.end(),
                    Pulled::Changed(path) => gone = path,
                }
            }
            let found = gone
                .map_or_else(|| "others commit all the time".to_owned(), |path| format!("{path} is gone"));
            Err(Error::WrittenMeanwhile { lake: this.url.clone(), found })
        })
        .await
    }

    async fn pull_once(&self) -> Result<Pulled> {
        let before = self.read_lease().await?;
        let listed = self.list().await?;
        let is_unpublished = self.is_unpublished();
        let is_first = !self.state().is_pulled;
        // Of what was committed here and not put there, nothing is known to be the same.
        let known = self.state().mark.files.clone();
        let mut wanted = Vec::new();
        let mut outdated = Vec::new();
        for (path, there) in &listed {
            let local = fs::metadata(self.copy.root.join(path)).ok().map(|file| file.len());
            let is_same = known.get(path).is_some_and(|known| {
                known.etag == there.etag && known.bytes == there.bytes && !(is_unpublished && is_log(path))
            });
            if is_same && local == Some(there.bytes) {
                continue;
            }
            if is_log(path) || !is_large(path) {
                wanted.push(path.clone());
            } else if local.is_some() && !is_same {
                outdated.push(path.clone());
            }
        }
        let gone: Vec<String> = self.local()?.into_iter().filter(|path| !listed.contains_key(path)).collect();
        // A data file that no listing has may be one that this process writes just now.
        let gone = gone.into_iter().filter(|path| is_log(path) || is_first);
        for path in gone.chain(outdated) {
            let file = self.copy.root.join(&path);
            fs::remove_file(&file).map_err(Error::write(file))?;
            self.state().mark.files.remove(&path);
        }
        let missing =
            self.fetch_all(wanted.iter().map(|path| (path.clone(), listed[path].clone())).collect()).await?;
        if let Some(path) = missing.into_iter().next() {
            return Ok(Pulled::Changed(Some(path)));
        }
        let numbers = listed.keys().filter_map(|path| entry_number(path));
        let next = numbers.max().map_or(0, |number| number + 1);
        if self.has_entry(next).await? {
            return Ok(Pulled::Changed(None));
        }
        let after = self.read_lease().await?;
        for table in Table::ALL {
            // A folder alone would be taken for a log.
            let _ = fs::remove_dir(self.copy.root.join(table.as_str()).join("_delta_log"));
        }
        let _ = fs::remove_dir(self.copy.root.join(lake_log::FOLDER));
        {
            let mut state = self.state();
            let is_idle = |lease: &Option<(super::lease::LeaseText, object_store::UpdateVersion)>| {
                lease.as_ref().is_none_or(|(text, _)| text.released)
            };
            let same = before.as_ref().map(|(_, version)| &version.e_tag)
                == after.as_ref().map(|(_, version)| &version.e_tag);
            state.is_quiet = is_idle(&before) && same;
            state.mark.files.retain(|path, _| listed.contains_key(path));
            state.listed = listed;
            state.is_pulled = true;
        }
        if !wanted.is_empty() {
            lightsout_output::durable::sync(&self.copy.root)?;
        }
        self.write_mark()?;
        Ok(Pulled::Whole)
    }

    async fn list(&self) -> Result<BTreeMap<String, Listed>> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.list_once().await {
                Ok(listed) => return Ok(listed),
                Err(source @ (StoreError::NotFound { .. } | StoreError::PermissionDenied { .. })) => {
                    return Err(self.failed("listing its files")(source));
                }
                Err(source) if attempt == ATTEMPTS => return Err(self.failed("listing its files")(source)),
                Err(_) => tokio::time::sleep(PAUSE * (1 << attempt)).await,
            }
        }
    }

    async fn list_once(&self) -> object_store::Result<BTreeMap<String, Listed>> {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let mut listed = BTreeMap::new();
        let mut objects = self.store.list(prefix);
        while let Some(object) = objects.try_next().await? {
            let Some(path) = self.relative(&object.location).filter(|path| is_of_lake(path)) else {
                continue;
            };
            let (etag, modified_ms) =
                (normal(object.e_tag.as_ref()), object.last_modified.timestamp_millis());
            listed.insert(path, Listed { bytes: object.size, modified_ms, etag });
        }
        Ok(listed)
    }

    /// The files of the lake in the copy.
    pub(super) fn local(&self) -> Result<Vec<String>> {
        let mut local = Vec::new();
        for entry in walkdir::WalkDir::new(&self.copy.root).min_depth(2).sort_by_file_name() {
            let entry =
                entry.map_err(|error| Error::File { lake: self.url.clone(), source: error.into() })?;
            if !entry.file_type().is_file() {
                continue;
            }
            let Ok(relative) = entry.path().strip_prefix(&self.copy.root) else { continue };
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            local.push(parts.join("/"));
        }
        local.retain(|path| is_of_lake(path));
        Ok(local)
    }

    /// Fetches data files that the copy lacks, and says which the store lacks too.
    pub(crate) fn ensure(self: &Arc<Self>, files: Vec<(String, u64)>) -> Result<Vec<String>> {
        let lacks = |(path, bytes): &(String, u64)| {
            !fs::metadata(self.copy.root.join(path)).is_ok_and(|file| file.len() == *bytes)
        };
        let wanted: Vec<(String, u64)> = files.into_iter().filter(lacks).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let this = Arc::clone(self);
        blocking(async move {
            let listed = |(path, bytes): (String, u64)| {
                let there = this.state().listed.get(&path).cloned();
                (path, there.unwrap_or(Listed { bytes, modified_ms: 0, etag: None }))
            };
            let wanted = wanted.into_iter().map(listed).collect();
            let missing = this.fetch_all(wanted).await?;
            lightsout_output::durable::sync(&this.copy.root)?;
            this.write_mark()?;
            Ok(missing)
        })
    }

    /// Fetches files, several at a time; those that are not there.
    async fn fetch_all(&self, wanted: Vec<(String, Listed)>) -> Result<Vec<String>> {
        let fetches = futures::stream::iter(wanted).map(|(path, listed)| async move {
            Ok::<_, Error>((!self.fetch(&path, listed.etag).await?).then_some(path))
        });
        let missing: Vec<Option<String>> = fetches.buffer_unordered(CONNECTIONS).try_collect().await?;
        Ok(missing.into_iter().flatten().collect())
    }

    /// Fetches a file, whole or not at all; whether it is there.
    async fn fetch(&self, path: &str, listed_as: Option<String>) -> Result<bool> {
        let object = self.object(path)?;
        let file = self.copy.root.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(Error::write(folder))?;
        }
        let part = self.copy.root.join(format!("{path}#fetched"));
        for attempt in 1.. {
            match self.fetch_into(&object, &part).await {
                Ok((etag, bytes)) => {
                    fs::rename(&part, &file).map_err(Error::write(&file))?;
                    let modified_ns = fs::metadata(&file).map_or(0, |file| modified_ns(&file));
                    let known = Known { etag: listed_as.or(etag), bytes, modified_ns };
                    self.state().mark.files.insert(path.to_owned(), known);
                    break;
                }
                Err(Failure::Store(StoreError::NotFound { .. })) => {
                    let _ = fs::remove_file(&part);
                    return Ok(false);
                }
                Err(Failure::Disk(source)) => return Err(Error::write(part)(source)),
                Err(Failure::Store(source)) if attempt == ATTEMPTS => {
                    return Err(self.failed("reading a file")(source));
                }
                Err(Failure::Store(_)) => tokio::time::sleep(PAUSE * (1 << attempt)).await,
            }
        }
        Ok(true)
    }

    async fn fetch_into(
        &self,
        object: &object_store::path::Path,
        part: &Path,
    ) -> Result<(Option<String>, u64), Failure> {
        let answer = self.store.get(object).await.map_err(Failure::Store)?;
        let (etag, size) = (normal(answer.meta.e_tag.as_ref()), answer.meta.size);
        let mut chunks = answer.into_stream();
        let mut file = fs::File::create(part).map_err(Failure::Disk)?;
        let mut bytes = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(Failure::Store)?;
            bytes += chunk.len() as u64;
            file.write_all(&chunk).map_err(Failure::Disk)?;
        }
        if bytes != size {
            let message = format!("expected {size} bytes of {object}, got {bytes}");
            return Err(Failure::Store(StoreError::Generic {
                store: "object store",
                source: message.into(),
            }));
        }
        Ok((etag, bytes))
    }
}

/// Why a file could not be fetched.
enum Failure {
    Store(StoreError),
    Disk(std::io::Error),
}

/// The number of an entry of the lake's log.
pub(super) fn entry_number(path: &str) -> Option<u64> {
    path.strip_prefix(lake_log::FOLDER)?.strip_prefix('/')?.strip_suffix(".json")?.parse().ok()
}
