//! Reads the inputs of one batch. All threads do the same: take the next input, read it chunk by chunk
//! and parse each chunk while it is in the core's own cache; when no input is left, take chunks of those
//! that others still read. So a large file is read by all, many files by one each, and what a compressed
//! one costs to inflate is spent beside the parsing of what was inflated before. Each thread holds one
//! chunk.

mod attempts;
mod dates;
mod members;
mod settings_file;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

pub(super) use self::attempts::Attempts;
use self::attempts::Read;
use super::find::Input;
use super::known::{Known, Prefix};
use super::open::{Compression, Content, Opened, is_of_the_file, open};
use super::source::{Source, content_id_of};
use super::store::fetch::{Ready, States};
use super::worker::Worker;
use super::{FileFate, IngestSettings, Progress};
use crate::{Error, Result};
use lightsout_formats::answer::AnswerState;
use lightsout_formats::buffer::Buffers;
use lightsout_formats::frame::{Chunk, Framer};
use lightsout_formats::framing::Framing;
use lightsout_formats::pages;
use lightsout_formats::recognise::{Head, Recognised};
use lightsout_formats::shapes::{NotRead, Shape};
use lightsout_formats::text::Text;
use lightsout_lake::Lake;
use lightsout_lake::write::{DataFile, Unsettled};

const EXPECTED: &str = "sign-in logs: diagnostic records, Log Analytics, Graph, portal, PowerShell or \
                        Unified Audit Log exports, as JSON or CSV; or the settings collector's JSON, or \
                        an \"SMTP AUTH clients\" report";
const NO_TENANT: &str = "its records name no tenant, and neither does its path (tenantId=…); say whose log it \
                         is with --tenant ID, or for many files with --tenants-from FILE";

/// Why a file is refused whose records have no tenant id.
fn no_tenant(named: Option<&str>) -> String {
    let Some(name) = named else { return NO_TENANT.to_owned() };
    let name: String = name.chars().take(60).collect();
    format!(
        "its records name their tenant '{name}', not by its id; give the list of tenants with their domains \
         and names with --roster FILE, or if all are of one tenant, say whose log it is with --tenant ID"
    )
}

/// Removes data files that will not be committed.
pub(super) fn discard(lake: &Lake, files: &[DataFile]) {
    for file in files {
        // What can't be removed is an orphan that no log names: harmless, and vacuum takes it.
        let _ = std::fs::remove_file(lake.root().join(file.table.as_str()).join(&file.path));
    }
}

/// What one thread has done: the sources that it opened, and its data files.
type Work = (Vec<Arc<Source>>, Vec<Unsettled>);

/// A source whose chunks are handed out to whoever asks.
struct Open {
    source: Arc<Source>,
    /// `None`: all are handed out.
    stream: Mutex<Option<(Framer, Content)>>,
}

/// What can be helped with.
struct Streams {
    open: Vec<Arc<Open>>,
    /// Threads that may still open an input.
    opening: usize,
}

/// What the threads of a batch share.
struct Batch<'a> {
    settings: &'a IngestSettings,
    progress: &'a Progress,
    known: &'a Known,
    inputs: &'a [Input],
    attempts: &'a Attempts,
    next: AtomicUsize,
    /// A thread has failed, and the others need not go on.
    failed: AtomicBool,
    twins: AtomicBool,
    /// Files that changed while they were read.
    changes: Mutex<HashSet<PathBuf>>,
    /// Sizes that several inputs have: they may be the same file.
    sizes: HashSet<u64>,
    this_run: Mutex<HashSet<String>>,
    open: Mutex<Streams>,
    /// Told when `open` changes.
    changed: Condvar,
    buffers: Buffers,
    /// The blobs among the inputs, while they are fetched.
    fetched: Option<&'a States>,
}

/// Reads all inputs, the blobs among them as they are fetched, as `attempts` before have shown that they are to be read.
///
/// # Errors
/// Fails on disk errors and interrupts; what was written is removed then.
pub(super) fn read_batch(
    lake: &Lake,
    (inputs, fetched): (&[Input], Option<&States>),
    settings: &IngestSettings,
    progress: &Progress,
    known: &Known,
    batch_id: &str,
    attempts: &Attempts,
) -> Result<Read> {
    let mut once = HashSet::new();
    let batch = Batch {
        settings,
        progress,
        known,
        inputs,
        attempts,
        next: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        twins: AtomicBool::new(false),
        changes: Mutex::default(),
        sizes: inputs.iter().map(|input| input.stored_bytes).filter(|size| !once.insert(*size)).collect(),
        this_run: Mutex::default(),
        open: Mutex::new(Streams { open: Vec::new(), opening: settings.jobs.max(1) }),
        changed: Condvar::new(),
        buffers: Buffers::default(),
        fetched,
    };
    let stored_bytes = progress.stored_bytes.load(Ordering::Relaxed);
    let records = progress.records.load(Ordering::Relaxed);
    let done: Vec<Result<Work>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..settings.jobs.max(1))
            .map(|thread| {
                let worker = Worker::new(settings, progress, lake.root().to_owned(), batch_id, thread);
                let batch = &batch;
                scope.spawn(move || batch.work(worker))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| Error::WorkerLost).flatten()).collect()
    });
    let (mut sources, mut written) = (Vec::new(), Vec::new());
    let mut failed = None;
    for done in done {
        match done {
            Ok((mine, files)) => {
                sources.extend(mine);
                written.extend(files);
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let twins = batch.twins.load(Ordering::Relaxed);
    let changes = std::mem::take(&mut *batch.changes.lock().map_err(|_| Error::WorkerLost)?);
    drop(batch);
    let refusal = |source: &Arc<Source>| Some((source.input.name.clone(), source.foreign(settings)?));
    let foreign: HashMap<String, String> = sources.iter().filter_map(refusal).collect();
    let with_start = sources.iter().filter(|source| !source.stands_alone());
    let whole: HashSet<PathBuf> = with_start.filter_map(|source| source.input.path.clone()).collect();
    if twins
        || !changes.is_empty()
        || !whole.is_empty()
        || !foreign.is_empty()
        || failed.is_some()
        || progress.stopped()
    {
        for file in written {
            let _ = std::fs::remove_file(file.path());
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if progress.stopped() {
            return Err(Error::Interrupted);
        }
        progress.stored_bytes.store(stored_bytes, Ordering::Relaxed);
        progress.records.store(records, Ordering::Relaxed);
        return Ok(match () {
            () if twins => Read::Twins,
            () if !changes.is_empty() => Read::Changed(changes),
            () if !whole.is_empty() => Read::Whole(whole),
            () => Read::Foreign(foreign),
        });
    }
    let sources = sources.into_iter().map(|source| Arc::into_inner(source).ok_or(Error::WorkerLost));
    let sources: Vec<Source> = sources.collect::<Result<_>>()?;
    let named = sources.iter().map(|source| (source.placeholder().to_owned(), source.id().to_owned()));
    let ids: HashMap<String, String> = named.collect();
    let files = written.into_iter().map(|file| file.settle(&ids)).collect::<lightsout_lake::Result<_>>()?;
    Ok(Read::All(sources, files))
}

/// Notes that a stream shows itself to be cut or incomplete.
fn note_end(source: &Source, framer: &Framer) {
    if framer.is_cut() {
        source.tear();
    }
    if framer.says_incomplete() {
        source.hear_answer(AnswerState::Incomplete);
    }
}

/// A thread that may still open an input; also one that panics does so no more.
struct Opening<'b, 'a>(&'b Batch<'a>);

impl Drop for Opening<'_, '_> {
    fn drop(&mut self) {
        if let Ok(mut streams) = self.0.open.lock() {
            streams.opening -= 1;
        }
        self.0.changed.notify_all();
    }
}

impl Batch<'_> {
    /// What one thread does.
    fn work(&self, mut worker: Worker<'_>) -> Result<Work> {
        let mut sources = Vec::new();
        let opening = Opening(self);
        let mine = self.inputs_left(&mut worker, &mut sources);
        drop(opening);
        let ended = mine.and_then(|()| self.help(&mut worker));
        if ended.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        ended?;
        Ok((sources, worker.finish()?))
    }

    fn inputs_left(&self, worker: &mut Worker<'_>, sources: &mut Vec<Arc<Source>>) -> Result<()> {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(input) = self.inputs.get(index).filter(|_| !self.stopped()) else { return Ok(()) };
            let Some(fetched) = self.fetched else {
                self.input(input, worker, sources)?;
                continue;
            };
            match fetched.await_input(index, input, || self.stopped())? {
                Ready::Input(input) => self.input(&input, worker, sources)?,
                Ready::Changing => sources.push(Arc::new(Source::changing(input))),
                Ready::Stopped => return Ok(()),
            }
        }
    }

    fn stopped(&self) -> bool {
        self.progress.stopped() || self.failed.load(Ordering::Relaxed) || self.twins.load(Ordering::Relaxed)
    }

    fn streams(&self) -> Result<MutexGuard<'_, Streams>> {
        self.open.lock().map_err(|_| Error::WorkerLost)
    }

    /// Takes chunks of what others still read, or are about to.
    fn help(&self, worker: &mut Worker<'_>) -> Result<()> {
        let mut streams = self.streams()?;
        loop {
            if let Some(open) = streams.open.last().cloned() {
                drop(streams);
                self.drain(&open, worker)?;
                streams = self.streams()?;
            } else if streams.opening == 0 {
                return Ok(());
            } else {
                streams = self.changed.wait(streams).map_err(|_| Error::WorkerLost)?;
            }
        }
    }

    /// Parses chunks of a source until all are handed out; who finds that names it.
    fn drain(&self, open: &Arc<Open>, worker: &mut Worker<'_>) -> Result<()> {
        while let Some(chunk) = self.next_chunk(open)? {
            worker.chunk(&open.source, &chunk)?;
        }
        self.streams()?.open.retain(|other| !Arc::ptr_eq(other, open));
        Ok(())
    }

    fn next_chunk(&self, open: &Open) -> Result<Option<Chunk>> {
        let failed = || Error::read(&open.source.input.name);
        let mut stream = open.stream.lock().map_err(|_| Error::WorkerLost)?;
        let Some((framer, _)) = stream.as_mut().filter(|_| !self.stopped()) else { return Ok(None) };
        let chunk = framer.next_chunk().map_err(failed())?;
        if chunk.is_none()
            && let Some((framer, content)) = stream.take()
        {
            note_end(&open.source, &framer);
            open.source.decode_as(framer.encoding());
            drop(framer);
            let (hash, bytes) = self.finish(&open.source.input, content)?;
            self.name(&open.source, hash, bytes)?;
        }
        Ok(chunk)
    }

    /// Names a source that was read without looking for it first.
    fn name(&self, source: &Source, content: blake3::Hash, stored_bytes: u64) -> Result<()> {
        if source.is_named() {
            return Ok(());
        }
        let id = source.settle(content, stored_bytes).to_owned();
        let known = self.known.ids.contains(&id);
        if !self.this_run.lock().map_err(|_| Error::WorkerLost)?.insert(id) || known {
            self.twins.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Reads a content to its end, and names it.
    fn finish(&self, input: &Input, content: Content) -> Result<(blake3::Hash, u64)> {
        let read = content.finish().map_err(Error::read(&input.name))?;
        if read.has_changed {
            self.note_change(input)?;
        }
        Ok((read.hash, read.stored_bytes))
    }

    /// Keeps that a file has changed while it was read; an archive does so as a whole.
    fn note_change(&self, input: &Input) -> Result<()> {
        self.changes.lock().map_err(|_| Error::WorkerLost)?.extend(input.path.clone());
        Ok(())
    }

    /// Opens one input and reads it; an archive is as many sources as it has members.
    fn input(&self, input: &Input, worker: &mut Worker<'_>, sources: &mut Vec<Arc<Source>>) -> Result<()> {
        // Hardly any file is the same but one of the same size.
        let hash_first = |bytes| {
            self.attempts.hash_first || self.known.sizes.contains(&bytes) || self.sizes.contains(&bytes)
        };
        let changed = |paths: &HashSet<PathBuf>| input.path.as_ref().is_some_and(|path| paths.contains(path));
        if changed(&self.attempts.changing) {
            sources.push(Arc::new(Source::changing(input)));
            return Ok(());
        }
        let opened = match &input.unreadable {
            Some(reason) => Err(reason.clone()),
            None => match open(input, hash_first, self.prefix(input).map(|prefix| prefix.bytes)) {
                Ok(opened) => Ok(opened),
                // It was there when it was read before.
                Err(Error::Read { .. }) if changed(&self.attempts.changed) => return self.note_change(input),
                Err(Error::Read { source, .. }) if input.is_of_folder && is_of_the_file(&source) => {
                    Err(source.to_string())
                }
                Err(error) => return Err(error),
            },
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(reason) => {
                sources.push(Arc::new(Source::unreadable(input, &reason)));
                return Ok(());
            }
        };
        self.progress.stored_bytes.fetch_add(opened.stored_bytes, Ordering::Relaxed);
        let read = self.opened(input, &opened, worker, sources, 0);
        if matches!(read, Ok(()) | Err(Error::Read { .. })) && opened.has_changed() {
            return self.note_change(input);
        }
        read
    }

    /// What a file may begin with that the lake has.
    fn prefix(&self, input: &Input) -> Option<&Prefix> {
        // What somebody states of a file holds for all of it.
        let is_stated = self.settings.covers.is_some() || input.says.days_between.is_some();
        let path = input.path.as_ref().filter(|path| !is_stated && !self.attempts.whole.contains(*path))?;
        // What is spooled from stdin or a pipe has no name of its own.
        if input.blob.is_none() && path.to_string_lossy() != input.name {
            return None;
        }
        let prefix = self.known.prefix_at(&input.name)?;
        // What was refused there is read as a whole.
        self.known.refused_at(&input.name).is_none().then_some(prefix)
    }

    /// What a file begins with that the lake has, if only what is behind it needs to be read.
    fn tail_of(&self, source: &Source, opened: &Opened, head: &Head) -> Option<&Prefix> {
        let prefix = self.prefix(&source.input)?;
        let content_id = opened.prefix_hash.map(content_id_of)?;
        let continues = opened.compression == Compression::None
            && content_id == prefix.content_id
            && source.id_of(&content_id) == prefix.source_id
            && head.framing == Framing::Lines
            && head.reader.shape().as_str() == prefix.shape
            && !head.numbered_dates;
        continues.then_some(prefix)
    }

    /// Decides the fate of one source, and parses what is to be parsed.
    fn read(
        &self,
        input: &Input,
        opened: &Opened,
        worker: &mut Worker<'_>,
        sources: &mut Vec<Arc<Source>>,
    ) -> Result<()> {
        let (source, stream) = self.source(input, opened)?;
        let source = Arc::new(source);
        sources.push(Arc::clone(&source));
        let Some(stream) = stream else { return Ok(()) };
        let open = Arc::new(Open { source, stream: Mutex::new(Some(stream)) });
        self.streams()?.open.push(Arc::clone(&open));
        self.changed.notify_all();
        self.drain(&open, worker)
    }

    /// Decides the fate of one source; its stream, if there are chunks to be parsed.
    fn source(&self, input: &Input, opened: &Opened) -> Result<(Source, Option<(Framer, Content)>)> {
        let failed = || Error::read(&input.name);
        let mut source = Source::new(input.clone(), opened);
        let (text, content) = opened.read().map_err(failed())?;
        let (mut framer, recognised) = Framer::reusing(&self.buffers, text).map_err(failed())?;
        source.decode_as(framer.encoding());
        if let Recognised::Records(head) = &recognised {
            source.name_by_assignment(head.says_tenant, head.says_category);
        }
        // What names settings is in their text.
        let is_settings = matches!(recognised, Recognised::Settings(_));
        if let Some(hash) = opened.content_hash.filter(|_| !is_settings) {
            let id = source.settle(hash, opened.stored_bytes);
            if self.known.ids.contains(id) {
                source.is_known = true;
                return Ok((source, None));
            }
        }
        note_end(&source, &framer);
        let mut head = match recognised {
            Recognised::Records(head) => head,
            Recognised::Settings(kind) => {
                self.settings(&mut source, kind, framer, content)?;
                return Ok((source, None));
            }
            Recognised::Empty | Recognised::Unknown(_) => {
                // What holds no record is named all the same.
                drop(framer);
                let (hash, bytes) = self.finish(input, content)?;
                source.settle(hash, bytes);
                if let Recognised::Unknown(found) = recognised {
                    let text = opened.text().map_err(failed())?;
                    // What breaks off may hold anything.
                    let found = found.clone().in_text(text).unwrap_or_else(|_| NotRead::unknown(found.found));
                    source.is_look_alike = !found.may_hold_sign_ins;
                    source.refuse(format!("expected {EXPECTED}; found {found}"));
                } else {
                    source.fate = FileFate::Empty;
                    source.is_blank = opened.text().and_then(Text::is_blank).map_err(failed())?;
                    // The last page of an answer may be empty.
                    source.pages = pages::read(opened.text().map_err(failed())?).map_err(failed())?;
                }
                return Ok((source, None));
            }
        };
        if opened.content_hash.is_some() {
            let id = source.id().to_owned();
            if !self.this_run.lock().map_err(|_| Error::WorkerLost)?.insert(id) {
                return Ok((source, None));
            }
        }
        source.framing = Some(head.framing);
        source.prefix = self.tail_of(&source, opened, &head).cloned();
        if head.reader.shape() == Shape::Graph && head.framing == Framing::Document {
            source.pages = pages::read(opened.text().map_err(failed())?).map_err(failed())?;
        }
        source.header = head.header.take();
        let named = head.says_tenant || head.reader.shape().can_name_tenant();
        match self.dates(&head, opened).map_err(failed())? {
            Ok(dates) => head.reader.dates = dates,
            Err(undecided) => source.refuse(undecided),
        }
        let by_name = head.tenant_name.is_some() && !self.settings.roster.tenants.is_empty();
        if !named && !by_name && input.tenant_id().is_none() {
            source.refuse(no_tenant(head.tenant_name.as_deref()));
        }
        if let Some(why) = self.attempts.foreign.get(&input.name) {
            source.refuse(why.clone());
        }
        source.reader = Some(head.reader);
        if source.fate == FileFate::Refused {
            drop(framer);
            let (hash, bytes) = self.finish(input, content)?;
            source.settle(hash, bytes);
            return Ok((source, None));
        }
        if let Some(prefix) = &source.prefix {
            framer.skip_to(prefix.bytes).map_err(failed())?;
        }
        source.fate = FileFate::Ingested;
        Ok((source, Some((framer, content))))
    }
}
