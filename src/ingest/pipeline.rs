//! Files to commits: inputs are gathered into batches, each is read (`batch`), and one commit holds
//! what came of it.

use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use tempfile::TempPath;

use super::batch::{Attempts, discard, read_batch};
use super::find::Input;
use super::known::Known;
use super::source::Source;
use super::source_row::{self, SourceRow};
use super::store::fetch::{Fetching, States};
use super::store::{KnownVersions, Listing, Stores};
use super::{FileFate, FileReport, IngestReport, IngestSettings, Progress};
use crate::{Error, Result};
use lightsout_lake::Lake;
use lightsout_lake::commit::Manifest;
use lightsout_lake::rows::to_batch;
use lightsout_lake::schema::Table;
use lightsout_lake::write::{DataFile, write_file};

/// A batch is cut when it has this much input; a larger file is a batch of its own.
const BATCH_BYTES: u64 = 4 << 30;
const BATCH_FILES: usize = 20_000;

/// Ingests all inputs.
///
/// Memory held: a chunk or two a thread, and the rows of three row groups.
///
/// # Errors
/// Fails on disk errors and interrupts; batches that were committed stay.
pub async fn ingest(
    lake: &mut Lake,
    inputs: Vec<Input>,
    settings: &IngestSettings,
    progress: &Progress,
) -> Result<IngestReport> {
    let mut report = IngestReport::default();
    if inputs.is_empty() {
        return Ok(report);
    }
    let mut known = Known::of(lake, &inputs)?;
    let mut inputs = inputs.into_iter().peekable();
    while inputs.peek().is_some() {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(input) = inputs.next_if(|input| {
            batch.is_empty() || (batch.len() < BATCH_FILES && bytes + input.stored_bytes <= BATCH_BYTES)
        }) {
            bytes += input.stored_bytes;
            batch.push(input);
        }
        Batch { inputs: batch, connections: 1 }
            .ingest(lake, settings, progress, &mut known, &mut report)
            .await?;
    }
    Ok(report)
}

/// Ingests what is in object stores, and adds it to the account. What is listed is not kept: only a batch of it, and hashes of
/// the versions that the lake knows.
///
/// # Errors
/// As [`ingest`], and if a store can't be listed or read.
pub async fn ingest_stores(
    lake: &mut Lake,
    stores: &Stores,
    settings: &IngestSettings,
    progress: &Progress,
    report: &mut IngestReport,
) -> Result<()> {
    // Days that are declared are recorded with what was read.
    let versions = if stores.again || settings.covers.is_some() {
        KnownVersions::default()
    } else {
        KnownVersions::of(lake)?
    };
    let mut listing = Listing::start(stores);
    loop {
        let inputs = listing.next_batch(&versions, progress, report).await?;
        if inputs.is_empty() {
            return Ok(());
        }
        let mut known = Known::of(lake, &inputs)?;
        let batch = Batch { inputs, connections: stores.connections };
        batch.ingest(lake, settings, progress, &mut known, report).await?;
    }
}

/// Inputs whose rows become one commit.
struct Batch {
    inputs: Vec<Input>,
    /// Requests in flight, where inputs are blobs.
    connections: usize,
}

/// What is to be committed of a batch.
struct Outcome {
    reports: Vec<FileReport>,
    rows: Vec<SourceRow>,
    files: Vec<DataFile>,
    ids: HashSet<String>,
    /// By path, the sources whose tails were read.
    continued: Vec<(String, String)>,
}

impl Batch {
    async fn ingest(
        mut self,
        lake: &mut Lake,
        settings: &IngestSettings,
        progress: &Progress,
        known: &mut Known,
        report: &mut IngestReport,
    ) -> Result<()> {
        // What stdin and pipes give is kept, so that it can be read again.
        let _spooled: Vec<TempPath> = tokio::task::block_in_place(|| spool(&mut self.inputs))?;
        let fetching = Fetching::start(&mut self.inputs, self.connections)?;
        let states = fetching.as_ref().map(Fetching::states);
        let counted = [&progress.stored_bytes, &progress.records].map(|count| count.load(Ordering::Relaxed));
        loop {
            let batch_id = uuid::Uuid::new_v4().simple().to_string();
            let outcome = self.read(lake, settings, progress, known, &batch_id, states)?;
            if !settings.dry_run && !self.commit(lake, &outcome, settings, known, batch_id).await? {
                // Another process has ingested some of it meanwhile: read again, it is seen before.
                for (count, before) in [&progress.stored_bytes, &progress.records].iter().zip(counted) {
                    count.store(before, Ordering::Relaxed);
                }
                continue;
            }
            if !settings.dry_run {
                known.ids.extend(outcome.ids);
                outcome.rows.iter().for_each(|row| known.learn(row));
            }
            outcome.reports.into_iter().for_each(|file| report.add(file, settings.dry_run));
            return Ok(());
        }
    }

    /// Reads the inputs, and writes data files of their rows.
    fn read(
        &self,
        lake: &Lake,
        settings: &IngestSettings,
        progress: &Progress,
        known: &mut Known,
        batch_id: &str,
        states: Option<&States>,
    ) -> Result<Outcome> {
        let mut attempts = Attempts::default();
        let (sources, mut files) = loop {
            let read = tokio::task::block_in_place(|| {
                read_batch(lake, (&self.inputs, states), settings, progress, known, batch_id, &attempts)
            });
            if let Some(read) = attempts.learn(read?)? {
                break read;
            }
        };
        let is_left = |source: &&Source| source.fate == FileFate::Refused && !source.is_look_alike;
        // A blob is read again as long as anything in it is refused.
        let left: HashSet<PathBuf> =
            sources.iter().filter(is_left).filter_map(|source| source.input.path.clone()).collect();
        let mut outcome = Outcome {
            reports: Vec::new(),
            rows: Vec::new(),
            files: Vec::new(),
            ids: HashSet::new(),
            continued: Vec::new(),
        };
        let mut tenant_settings = Vec::new();
        for mut source in sources {
            source.learn_coverage(lake, known, settings)?;
            let (id, stored_bytes) = (source.id().to_owned(), source.stored_bytes());
            outcome.continued.extend(source.continued());
            tenant_settings.extend(source.settings_row(batch_id, settings.now)?);
            let is_left = source.input.path.as_ref().is_some_and(|path| left.contains(path));
            let etag = source.read_version().filter(|_| !is_left).map(str::to_owned);
            let (file, row) = source.close(batch_id, known, settings, etag)?;
            if file.fate == FileFate::Ingested {
                outcome.ids.insert(id);
                known.sizes.insert(stored_bytes);
            }
            outcome.reports.push(file);
            outcome.rows.extend(row);
        }
        if !settings.dry_run && !outcome.rows.is_empty() {
            let name = format!("part-{batch_id}");
            let rows = source_row::to_batch(&outcome.rows)?;
            files.push(write_file(lake.root(), Table::Sources, &name, &rows)?);
            if !tenant_settings.is_empty() {
                let rows = to_batch(Table::TenantSettings, &tenant_settings)?;
                files.push(write_file(lake.root(), Table::TenantSettings, &name, &rows)?);
            }
        }
        outcome.files = files;
        Ok(outcome)
    }

    /// Commits what was read. False: another process has ingested some of it meanwhile, and nothing was committed.
    async fn commit(
        &self,
        lake: &mut Lake,
        outcome: &Outcome,
        settings: &IngestSettings,
        known: &mut Known,
        batch_id: String,
    ) -> Result<bool> {
        if outcome.rows.is_empty() {
            // Everything was known already, so far as the lake has it for good.
            lake.await_durable().await?;
            return Ok(true);
        }
        let before = lake.versions()?;
        let lock = lake.lock().await?;
        if lake.versions()? != before {
            *known = Known::of(lake, &self.inputs)?;
            let is_last = |(path, source_id): &(String, String)| {
                known.prefix_at(path).is_some_and(|prefix| prefix.source_id == *source_id)
            };
            if outcome.ids.iter().any(|id| known.ids.contains(id)) || !outcome.continued.iter().all(is_last) {
                discard(lake, &outcome.files);
                return Ok(false);
            }
        }
        let manifest = Manifest { batch_id, files: outcome.files.clone(), replaced: Vec::new() };
        lake.commit(&lock, &manifest, settings.now / 1000).await?;
        Ok(true)
    }
}

/// Copies what can be read only once to files, which last as long as what is returned.
fn spool(inputs: &mut [Input]) -> Result<Vec<TempPath>> {
    let mut spooled = Vec::new();
    for input in inputs.iter_mut().filter(|input| input.unreadable.is_none() && !input.is_regular()) {
        if input.is_of_folder {
            // It was a regular file when the folder was listed.
            input.unreadable = Some("deleted since the folder was listed".to_owned());
            continue;
        }
        let failed = || Error::read(&input.name);
        let mut file = tempfile::NamedTempFile::new().map_err(failed())?;
        match &input.path {
            Some(path) => std::io::copy(&mut File::open(path).map_err(failed())?, &mut file),
            None => std::io::copy(&mut std::io::stdin().lock(), &mut file),
        }
        .map_err(failed())?;
        let path = file.into_temp_path();
        input.path = Some(path.to_path_buf());
        spooled.push(path);
    }
    Ok(spooled)
}
