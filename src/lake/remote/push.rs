//! Puts what was committed in the working copy into the store, in an order in which a kill at any instant leaves a batch
//! that the next writer finishes or undoes: data files, manifests, the commits of the tables, last the entry of the lake's
//! log. Everything that says what happened is created, never overwritten.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{
    Error as StoreError, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutResult,
};
use serde_json::Value;

use super::super::error::{Error, Result};
use super::super::schema::Table;
use super::super::{MANIFESTS, lake_log};
use super::lease::Holder;
use super::{ATTEMPTS, CONNECTIONS, Known, Listed, PAUSE, Remote, modified_ns, normal, on_runtime};

/// A larger data file is put in parts of this size.
const PART_BYTES: usize = 8 << 20;

/// Whether a file of a log is an entry, and not a checkpoint or the pointer to one.
fn is_json(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "json")
}

impl Remote {
    /// Puts everything that is new in the copy into the store, then deletes what is gone.
    pub(crate) async fn push(self: &Arc<Self>, holder: &Holder) -> Result<()> {
        let (this, holder) = (Arc::clone(self), holder.clone());
        on_runtime(async move {
            this.push_new(&holder).await?;
            this.push_deletions(&holder).await?;
            this.end()?;
            this.write_mark()
        })
        .await
    }

    /// The same, of new files alone: what is gone may be needed until all is there.
    pub(crate) async fn push_commits(self: &Arc<Self>, holder: &Holder) -> Result<()> {
        let (this, holder) = (Arc::clone(self), holder.clone());
        on_runtime(async move { this.push_new(&holder).await }).await
    }

    /// Puts the tables' commits into the store; false where another's is in the place of one of them.
    pub(crate) async fn push_fences(self: &Arc<Self>, holder: &Holder) -> Result<bool> {
        let (this, holder) = (Arc::clone(self), holder.clone());
        on_runtime(async move {
            match this.push_new(&holder).await {
                Ok(()) => Ok(true),
                // Not of the lease, which is ours.
                Err(Error::WrittenMeanwhile { .. }) if holder.is_held() => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn push_new(&self, holder: &Holder) -> Result<()> {
        let new: Vec<String> = self.local()?.into_iter().filter(|path| self.is_new(path)).collect();
        let mut data = BTreeSet::new();
        let of_table = |table: Table| {
            let log = format!("{}/_delta_log/", table.as_str());
            new.iter().filter(move |path| path.starts_with(&log))
        };
        for table in Table::ALL {
            for path in of_table(table).filter(|path| is_json(path)) {
                data.extend(self.added_by(table, path)?.into_iter().filter(|path| self.is_new(path)));
            }
        }
        holder.check()?;
        let puts = futures::stream::iter(data).map(|path| self.put_data(path));
        puts.buffer_unordered(CONNECTIONS / 2).try_collect::<()>().await?;
        for path in new.iter().filter(|path| path.starts_with(MANIFESTS)) {
            self.create(path, holder).await?;
        }
        for table in Table::ALL {
            for path in of_table(table).filter(|path| is_json(path)) {
                self.create(path, holder).await?;
            }
            // The pointer to a checkpoint after the checkpoint.
            let mut others: Vec<&String> = of_table(table).filter(|path| !is_json(path)).collect();
            others.sort_by_key(|path| path.ends_with("_last_checkpoint"));
            for path in others {
                self.overwrite(path, holder).await?;
            }
        }
        for path in new.iter().filter(|path| path.starts_with(lake_log::FOLDER)) {
            self.create(path, holder).await?;
        }
        Ok(())
    }

    async fn push_deletions(&self, holder: &Holder) -> Result<()> {
        let local: BTreeSet<String> = self.local()?.into_iter().collect();
        let mut gone: BTreeSet<String> = self.state().deletions.clone();
        let of_logs: Vec<String> =
            self.state().mark.files.keys().filter(|path| super::is_log(path)).cloned().collect();
        gone.extend(of_logs.into_iter().filter(|path| !local.contains(path)));
        for path in gone {
            holder.check()?;
            let object = self.object(&path)?;
            for attempt in 1.. {
                match self.store.delete(&object).await {
                    Ok(()) | Err(StoreError::NotFound { .. }) => break,
                    Err(source) if attempt == ATTEMPTS => return Err(self.failed("deleting a file")(source)),
                    Err(_) => tokio::time::sleep(PAUSE * (1 << attempt)).await,
                }
            }
            let mut state = self.state();
            state.mark.files.remove(&path);
            state.listed.remove(&path);
            state.deletions.remove(&path);
        }
        Ok(())
    }

    /// Whether the store lacks a file as the copy has it.
    fn is_new(&self, path: &str) -> bool {
        let state = self.state();
        if !super::is_log(path) {
            // The copy need not have a data file that another put there.
            return !state.listed.contains_key(path);
        }
        let Some(known) = state.mark.files.get(path) else { return true };
        let file = fs::metadata(self.copy.root.join(path));
        let is_changed =
            |file: fs::Metadata| (known.bytes, known.modified_ns) != (file.len(), modified_ns(&file));
        !is_json(path) && file.is_ok_and(is_changed)
    }

    /// The data files that a commit in the copy adds.
    fn added_by(&self, table: Table, path: &str) -> Result<Vec<String>> {
        let file = self.copy.root.join(path);
        let text = fs::read_to_string(&file).map_err(Error::read(path))?;
        let actions = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let added = actions.filter_map(|action| action["add"]["path"].as_str().map(str::to_owned));
        Ok(added.map(|added| format!("{}/{added}", table.as_str())).collect())
    }

    fn learn(&self, path: &str, put: &PutResult) {
        let Ok(file) = fs::metadata(self.copy.root.join(path)) else { return };
        let etag = normal(put.e_tag.as_ref());
        let known = Known { etag: etag.clone(), bytes: file.len(), modified_ns: modified_ns(&file) };
        let listed = Listed {
            bytes: file.len(),
            modified_ms: i64::try_from(known.modified_ns / 1_000_000).unwrap_or(0),
            etag,
        };
        let mut state = self.state();
        state.mark.files.insert(path.to_owned(), known);
        state.listed.insert(path.to_owned(), listed);
    }

    /// Puts a data file; its name is one that nobody else gives.
    async fn put_data(&self, path: String) -> Result<()> {
        let object = self.object(&path)?;
        let file = self.copy.root.join(&path);
        for attempt in 1.. {
            let mut opened = File::open(&file).map_err(Error::write(&file))?;
            let bytes = opened.metadata().map_err(Error::write(&file))?.len();
            let put = if bytes <= PART_BYTES as u64 {
                let content = fs::read(&file).map_err(Error::write(&file))?;
                self.store.put(&object, content.into()).await
            } else {
                self.put_parts(&object, &mut opened).await
            };
            match put {
                Ok(put) => {
                    self.learn(&path, &put);
                    break;
                }
                Err(source) if attempt == ATTEMPTS => return Err(self.failed("writing a data file")(source)),
                Err(_) => tokio::time::sleep(PAUSE * (1 << attempt)).await,
            }
        }
        Ok(())
    }

    async fn put_parts(
        &self,
        object: &object_store::path::Path,
        file: &mut File,
    ) -> object_store::Result<PutResult> {
        let disk =
            |source: std::io::Error| StoreError::Generic { store: "local files", source: source.into() };
        let mut upload = self.store.put_multipart(object).await?;
        let sent = async {
            loop {
                let mut part = Vec::with_capacity(PART_BYTES);
                (&mut *file).take(PART_BYTES as u64).read_to_end(&mut part).map_err(disk)?;
                if part.is_empty() {
                    return upload.complete().await;
                }
                upload.put_part(part.into()).await?;
            }
        };
        let sent = sent.await;
        if sent.is_err() {
            // The store forgets the parts by itself in time.
            let _ = upload.abort().await;
        }
        sent
    }

    /// Puts a file of a log, unless there is one of its name. One that is there and says the same is our own, whose
    /// answer was lost.
    async fn create(&self, path: &str, holder: &Holder) -> Result<()> {
        let object = self.object(path)?;
        let file = self.copy.root.join(path);
        let content = bytes::Bytes::from(fs::read(&file).map_err(Error::read(path))?);
        for attempt in 1.. {
            holder.check()?;
            let put =
                self.store.put_opts(&object, content.clone().into(), PutOptions::from(PutMode::Create)).await;
            match put {
                Ok(put) => {
                    self.learn(path, &put);
                    break;
                }
                Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                    let there = self.store.get(&object).await.map_err(self.failed("reading a file"))?;
                    let etag = there.meta.e_tag.clone();
                    let there = there.bytes().await.map_err(self.failed("reading a file"))?;
                    if there != content {
                        return Err(Error::WrittenMeanwhile {
                            lake: self.url.clone(),
                            found: format!("{path} is another's"),
                        });
                    }
                    self.learn(path, &PutResult { e_tag: etag, version: None });
                    break;
                }
                Err(source) if attempt == ATTEMPTS => return Err(self.failed("committing")(source)),
                Err(_) => tokio::time::sleep(PAUSE * (1 << attempt)).await,
            }
        }
        Ok(())
    }

    async fn overwrite(&self, path: &str, holder: &Holder) -> Result<()> {
        let object = self.object(path)?;
        let content = bytes::Bytes::from(fs::read(self.copy.root.join(path)).map_err(Error::read(path))?);
        for attempt in 1.. {
            holder.check()?;
            match self.store.put(&object, content.clone().into()).await {
                Ok(put) => {
                    self.learn(path, &put);
                    break;
                }
                Err(source) if attempt == ATTEMPTS => {
                    return Err(self.failed("writing a checkpoint")(source));
                }
                Err(_) => tokio::time::sleep(PAUSE * (1 << attempt)).await,
            }
        }
        Ok(())
    }
}
