//! Files to commits: inputs are gathered into batches; for each, readers cut files into chunks,
//! workers parse them, and one commit holds what they wrote. Queues are bounded, so memory is too.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use super::account::Coverage;
use super::find::Input;
use super::frame::{Chunk, Framer};
use super::open::{Compression, Opened, open};
use super::recognise::{Head, Recognised};
use super::source::{self, Source};
use super::time::{DateEvidence, DateOrder};
use super::worker::Worker;
use super::{FileFate, FileReport, IngestReport, IngestSettings, Progress};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::lake::commit::Manifest;
use crate::lake::schema::Table;
use crate::lake::write::{DataFile, write_file};

/// A batch is cut when it has this much input; a larger file is a batch of its own.
const BATCH_BYTES: u64 = 4 << 30;
const BATCH_FILES: usize = 20_000;
const EXPECTED: &str = "sign-in logs: diagnostic records, Log Analytics, Graph, portal, PowerShell or \
                        Unified Audit Log exports, as JSON or CSV";
const NO_TENANT: &str = "its records name no tenant, and neither does its path (tenantId=…); say whose log it \
                         is with --tenant ID, or for many files with --tenants-from FILE";

/// Chunks on their way from readers to workers.
type Work = (Arc<Source>, Chunk);

/// Ingests all inputs.
///
/// Memory held: a bounded number of chunks, and per worker the rows of three row groups.
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
    let mut known = source::known(lake)?;
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
    inputs: Vec<Input>,
    settings: &IngestSettings,
    progress: &Progress,
    known: &mut HashMap<String, Vec<Coverage>>,
    report: &mut IngestReport,
) -> Result<()> {
    let batch_id = uuid::Uuid::new_v4().simple().to_string();
    let read =
        tokio::task::block_in_place(|| read_batch(lake, &inputs, settings, progress, known, &batch_id));
    let (sources, mut files) = match read {
        Ok(read) if progress.stopped() => {
            discard(lake, &read.1);
            return Err(Error::Interrupted);
        }
        Ok(read) => read,
        Err(error) => return Err(error),
    };
    let mut rows = Vec::new();
    let mut ids = HashSet::new();
    for source in sources {
        let id = source.id.clone();
        let (file, row) = source.close(&batch_id, settings)?;
        if file.fate == FileFate::Ingested {
            ids.insert(id);
        }
        report.add(file, settings.dry_run);
        rows.extend(row);
    }
    if settings.dry_run || rows.is_empty() {
        return Ok(());
    }
    let name = format!("part-{batch_id}");
    files.push(write_file(lake.root(), Table::Sources, &name, &source::to_batch(&rows)?)?);
    let before = lake.versions()?;
    let lock = lake.lock().await?;
    if lake.versions()? != before {
        *known = source::known(lake)?;
        if ids.iter().any(|id| known.contains_key(id)) {
            discard(lake, &files);
            return Err(Error::IngestedMeanwhile { lake: lake.name() });
        }
    }
    lake.commit(&lock, &Manifest { batch_id, files, replaced: Vec::new() }, settings.now / 1000).await?;
    drop(lock);
    for id in ids {
        known.entry(id).or_default();
    }
    Ok(())
}

/// Removes data files that will not be committed.
pub(super) fn discard(lake: &Lake, files: &[DataFile]) {
    for file in files {
        // What can't be removed is an orphan that no log names: harmless, and vacuum takes it.
        let _ = std::fs::remove_file(lake.root().join(file.table.as_str()).join(&file.path));
    }
}

fn read_batch(
    lake: &Lake,
    inputs: &[Input],
    settings: &IngestSettings,
    progress: &Progress,
    known: &HashMap<String, Vec<Coverage>>,
    batch_id: &str,
) -> Result<(Vec<Source>, Vec<DataFile>)> {
    let jobs = settings.jobs.max(1);
    let readers = jobs.min(inputs.len()).max(1);
    let next = AtomicUsize::new(0);
    let this_run = Mutex::new(HashSet::new());
    let (send, receive) = sync_channel::<Work>(jobs * 2);
    let receive = Mutex::new(receive);
    std::thread::scope(|scope| {
        let reading: Vec<_> = (0..readers)
            .map(|_| {
                let send = send.clone();
                let (next, this_run) = (&next, &this_run);
                scope.spawn(move || -> Result<Vec<Arc<Source>>> {
                    let mut sources = Vec::new();
                    while let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if progress.stopped() {
                            break;
                        }
                        let reading = Reading { settings, known, this_run, progress, send: &send };
                        sources.extend(reading.input(input)?);
                    }
                    Ok(sources)
                })
            })
            .collect();
        drop(send);
        let parsing: Vec<_> = (0..jobs)
            .map(|thread| {
                let receive = &receive;
                let root = lake.root().to_owned();
                scope.spawn(move || {
                    let mut worker = Worker::new(settings, progress, root, batch_id, thread);
                    let parsed = work(receive, &mut worker);
                    if parsed.is_err() {
                        // Readers must not wait for a worker that is gone.
                        progress.stop.store(true, Ordering::Relaxed);
                        while next_chunk(receive).is_some() {}
                    }
                    parsed.and_then(|()| worker.finish())
                })
            })
            .collect();
        let mut files = Vec::new();
        let mut sources = Vec::new();
        for thread in parsing {
            files.extend(thread.join().map_err(|_| Error::WorkerLost)??);
        }
        for thread in reading {
            sources.extend(thread.join().map_err(|_| Error::WorkerLost)??);
        }
        let sources = sources.into_iter().map(|source| Arc::into_inner(source).ok_or(Error::WorkerLost));
        Ok((sources.collect::<Result<_>>()?, files))
    })
}

fn next_chunk(receive: &Mutex<Receiver<Work>>) -> Option<Work> {
    receive.lock().ok()?.recv().ok()
}

fn work(receive: &Mutex<Receiver<Work>>, worker: &mut Worker<'_>) -> Result<()> {
    while let Some((source, chunk)) = next_chunk(receive) {
        worker.chunk(&source, &chunk)?;
    }
    Ok(())
}

/// What a reading thread works with.
struct Reading<'a> {
    settings: &'a IngestSettings,
    known: &'a HashMap<String, Vec<Coverage>>,
    this_run: &'a Mutex<HashSet<String>>,
    progress: &'a Progress,
    send: &'a SyncSender<Work>,
}

impl Reading<'_> {
    /// Opens one input and reads it; an archive is as many sources as it has members.
    fn input(&self, input: &Input) -> Result<Vec<Arc<Source>>> {
        let opened = open(input)?;
        self.progress.stored_bytes.fetch_add(opened.stored_bytes, Ordering::Relaxed);
        if opened.compression != Compression::Zip {
            return Ok(vec![self.source(input, &opened)?]);
        }
        let refused = |input: &Input, why: &str| {
            let mut source = Source::new(input.clone(), &opened);
            source.refuse(format!("expected a zip archive that can be read, but {why}"));
            Arc::new(source)
        };
        let members = match opened.members(input) {
            Ok(members) => members,
            Err(why) => return Ok(vec![refused(input, &why)]),
        };
        let mut sources = Vec::new();
        for (input, opened) in &members {
            if self.progress.stopped() {
                break;
            }
            sources.push(match opened {
                Ok(opened) => self.source(input, opened)?,
                Err(why) => refused(input, why),
            });
        }
        Ok(sources)
    }

    /// Decides the fate of one source, and hands out its chunks.
    fn source(&self, input: &Input, opened: &Opened) -> Result<Arc<Source>> {
        let failed = || Error::read(&input.name);
        let mut source = Source::new(input.clone(), opened);
        let (mut framer, recognised) = opened.text().and_then(Framer::new).map_err(failed())?;
        source.encoding = framer.encoding();
        if let Recognised::Records(head) = &recognised {
            source.name_by_assignment(head.says_tenant, head.says_category);
        }
        if let Some(coverage) = self.known.get(&source.id) {
            source.known_coverage.clone_from(coverage);
            return Ok(Arc::new(source));
        }
        let mut head = match recognised {
            Recognised::Records(head) => head,
            Recognised::Empty => {
                source.fate = FileFate::Empty;
                return Ok(Arc::new(source));
            }
            Recognised::Unknown { found } => {
                source.refuse(format!("expected {EXPECTED}; found {found}"));
                return Ok(Arc::new(source));
            }
        };
        let first = self.this_run.lock().map_err(|_| Error::WorkerLost)?.insert(source.id.clone());
        if !first {
            return Ok(Arc::new(source));
        }
        source.framing = Some(head.framing);
        source.header = head.header.take();
        let named = head.says_tenant || head.reader.shape().can_name_tenant();
        let dates = self.dates(&head, opened).map_err(failed())?;
        match dates {
            Ok(dates) => head.reader.dates = dates,
            Err(undecided) => source.refuse(undecided),
        }
        if !named && input.tenant_id().is_none() {
            source.refuse(NO_TENANT.to_owned());
        }
        source.reader = Some(head.reader);
        if source.fate == FileFate::Refused {
            return Ok(Arc::new(source));
        }
        source.fate = FileFate::Ingested;
        let source = Arc::new(source);
        while let Some(chunk) = framer.next_chunk().map_err(failed())? {
            // The receiving end goes only when every worker is gone, which is told there.
            if self.progress.stopped() || self.send.send((Arc::clone(&source), chunk)).is_err() {
                break;
            }
        }
        Ok(source)
    }

    /// The order of day and month in a file's dates, from all of them; or why that is not to be told.
    fn dates(&self, head: &Head, opened: &Opened) -> std::io::Result<Result<DateOrder, String>> {
        if let Some(order) = self.settings.date_order {
            return Ok(Ok(order));
        }
        if !head.numbered_dates {
            return Ok(Ok(DateOrder::Unsettled));
        }
        let mut evidence = DateEvidence::default();
        let latest = self.settings.now + super::worker::MICROS_PER_DAY;
        let (mut framer, _) = Framer::new(opened.text()?)?;
        while let Some(chunk) = framer.next_chunk()? {
            for range in chunk.records() {
                if let Ok(record) = std::str::from_utf8(&chunk.bytes[range]) {
                    head.reader.times(record, |time| evidence.see(time, latest));
                }
            }
            if self.progress.stopped() {
                break;
            }
        }
        let way_out = "say which with --date-order month-first or --date-order day-first";
        Ok(evidence.settle().map_err(|undecided| format!("{undecided}; {way_out}")))
    }
}

/// For the closing account.
impl FileReport {
    /// Whether `records = rows + rejected + not_sign_ins`.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.records == self.rows + self.rejected + self.not_sign_ins
    }
}
