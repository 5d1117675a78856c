//! Files to commits: inputs are gathered into batches, each is read (`batch`), and one commit holds
//! what came of it.

use std::collections::HashSet;
use std::fs::File;

use tempfile::TempPath;

use super::batch::{Attempts, discard, read_batch};
use super::find::Input;
use super::known::Known;
use super::source_row;
use super::{FileFate, IngestReport, IngestSettings, Progress};
use crate::{Error, Result};
use lightsout_lake::Lake;
use lightsout_lake::commit::Manifest;
use lightsout_lake::rows::to_batch;
use lightsout_lake::schema::Table;
use lightsout_lake::write::write_file;

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
        ingest_batch(lake, batch, settings, progress, &mut known, &mut report).await?;
    }
    Ok(report)
}

async fn ingest_batch(
    lake: &mut Lake,
    mut inputs: Vec<Input>,
    settings: &IngestSettings,
    progress: &Progress,
    known: &mut Known,
    report: &mut IngestReport,
) -> Result<()> {
    let batch_id = uuid::Uuid::new_v4().simple().to_string();
    // What stdin and pipes give is kept, so that it can be read again.
    let _spooled: Vec<TempPath> = tokio::task::block_in_place(|| spool(&mut inputs))?;
    let mut attempts = Attempts::default();
    let (sources, mut files) = loop {
        let read = tokio::task::block_in_place(|| {
            read_batch(lake, &inputs, settings, progress, known, &batch_id, &attempts)
        });
        if let Some(read) = attempts.learn(read?)? {
            break read;
        }
    };
    let mut rows = Vec::new();
    let mut tenant_settings = Vec::new();
    let mut ids = HashSet::new();
    // By path, the sources whose tails were read.
    let mut continued = Vec::new();
    for mut source in sources {
        source.learn_coverage(lake, known, settings)?;
        let (id, stored_bytes) = (source.id().to_owned(), source.stored_bytes());
        continued.extend(source.continued());
        tenant_settings.extend(source.settings_row(&batch_id, settings.now)?);
        let (file, row) = source.close(&batch_id, known, settings)?;
        if file.fate == FileFate::Ingested {
            ids.insert(id);
            known.sizes.insert(stored_bytes);
        }
        report.add(file, settings.dry_run);
        rows.extend(row);
    }
    if settings.dry_run {
        return Ok(());
    }
    if rows.is_empty() {
        // Everything was known already, so far as the lake has it for good.
        return Ok(lake.await_durable().await?);
    }
    let name = format!("part-{batch_id}");
    files.push(write_file(lake.root(), Table::Sources, &name, &source_row::to_batch(&rows)?)?);
    if !tenant_settings.is_empty() {
        let batch = to_batch(Table::TenantSettings, &tenant_settings)?;
        files.push(write_file(lake.root(), Table::TenantSettings, &name, &batch)?);
    }
    let before = lake.versions()?;
    let lock = lake.lock().await?;
    if lake.versions()? != before {
        *known = Known::of(lake, &inputs)?;
        let is_last = |(path, source_id): &(String, String)| {
            known.prefix_at(path).is_some_and(|prefix| prefix.source_id == *source_id)
        };
        if ids.iter().any(|id| known.ids.contains(id)) || !continued.iter().all(is_last) {
            discard(lake, &files);
            return Err(Error::IngestedMeanwhile { lake: lake.name() });
        }
    }
    lake.commit(&lock, &Manifest { batch_id, files, replaced: Vec::new() }, settings.now / 1000).await?;
    drop(lock);
    known.ids.extend(ids);
    for row in &rows {
        known.learn(row);
    }
    Ok(())
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
