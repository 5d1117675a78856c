//! One parsing thread: chunks in; rows, rejects and counts out. It writes data files of its own, so
//! threads share nothing but the accounts.

mod place;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::accept::{Accepted, accept, content_hash};
use super::account::{Account, Days};
use super::dictionary::Dictionary;
use super::find::Input;
use super::identity::Identity;
use super::rejects::{Reject, Rejects};
use super::rows::{self, RowContext, Rows};
use super::source::Source;
use super::{IngestSettings, Keep, Progress};
use crate::Result;
use lightsout_formats::classify::classify;
use lightsout_formats::frame::Chunk;
use lightsout_formats::lenient::{self, ReadsAs};
use lightsout_formats::reject::{OVER_LONG_BYTES_KEPT, RECORD_BYTES_MAX, RejectReason};
use lightsout_formats::shapes::envelope::CutPayload;
use lightsout_formats::shapes::envelope::answer_state;
use lightsout_formats::shapes::{Parsed, RecordReader, Remembered};
use lightsout_lake::schema::Table;
use lightsout_lake::write::{DataFileWriter, Unsettled};
use lightsout_model::sign_in::Classified;
use lightsout_model::tenant::Named;
use place::Place;

/// Rows of a row group.
const ROWS_MAX: usize = 128 * 1024;
const REJECT_BYTES_MAX: usize = 4 << 20;
/// More names of tenants than this are not kept from source to source.
const TENANT_BYTES_KEPT: usize = 4 << 20;
const NAMES_KEPT: usize = 100_000;

/// Rows that lie together: verdicts read the first stream alone.
const STREAMS: [(&str, bool); 3] = [("legacy", false), ("service", false), ("modern", true)];

pub(super) struct Worker<'a> {
    settings: &'a IngestSettings,
    progress: &'a Progress,
    lake: PathBuf,
    /// Prefix of its data files: batch id and thread.
    name: String,
    batch_id: String,
    row_bytes_max: usize,
    streams: [(Rows, Option<DataFileWriter>); 3],
    seen: Remembered,
    tenants: Dictionary,
    /// Whom names in records stand for, as far as they were looked up.
    named: HashMap<String, Option<String>>,
    identity: Identity,
    /// The source that is read, and who was seen in it when.
    current: Option<Arc<Source>>,
    days: Days,
    /// What was inside of the record that is read breaks off.
    payload_is_cut: bool,
    rejects: Rejects,
    reject_writer: Option<DataFileWriter>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        settings: &'a IngestSettings,
        progress: &'a Progress,
        lake: PathBuf,
        batch_id: &str,
        thread: usize,
    ) -> Self {
        // Half of the limit is for rows; builders, the sorted copy and the writer's pages share it.
        let row_bytes_max = settings.memory_limit_bytes / (settings.jobs.max(1) * STREAMS.len() * 8);
        Self {
            settings,
            progress,
            lake,
            name: format!("{batch_id}-{thread}"),
            batch_id: batch_id.to_owned(),
            // Places in a column's text are kept in 31 bits.
            row_bytes_max: row_bytes_max.clamp(1 << 20, 1 << 30),
            streams: Default::default(),
            seen: Remembered::default(),
            tenants: Dictionary::default(),
            named: HashMap::new(),
            identity: Identity::default(),
            current: None,
            days: Days::default(),
            payload_is_cut: false,
            rejects: Rejects::default(),
            reject_writer: None,
        }
    }

    /// Parses one chunk.
    pub(super) fn chunk(&mut self, source: &Arc<Source>, chunk: &Chunk) -> Result<()> {
        if !self.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, source)) {
            self.leave();
            self.current = Some(Arc::clone(source));
        }
        let Some(reader) = &source.reader else { return Ok(()) };
        let mut account = Account { content_bytes: chunk.bytes.len() as u64, ..Account::default() };
        let text = simdutf8::basic::from_utf8(&chunk.bytes).ok();
        let mut place = Place::start(chunk);
        let records = chunk.records();
        let last = records.len().saturating_sub(1);
        for (at, range) in records.into_iter().enumerate() {
            account.records += 1;
            let cells = chunk.cells.of(at);
            let is_open = chunk.is_open && at == last;
            let cut = if is_open { cut_at_end(reader, &chunk.bytes[range.clone()]) } else { None };
            self.payload_is_cut = false;
            let taken = match cut {
                Some(cut) => Err(cut),
                None => {
                    self.record(source, reader, chunk, text, range.clone(), cells, &mut place, &mut account)?
                }
            };
            let is_of_text = taken.as_ref().is_err_and(RejectReason::is_of_text);
            if is_open && (is_of_text || self.payload_is_cut) {
                source.tear();
            }
            match taken {
                Ok(()) => {}
                Err(reason) => {
                    self.reject(source, chunk, range, &reason, &mut place, &mut account)?;
                }
            }
        }
        let mut place = Place::start(chunk);
        for (range, reason) in &chunk.broken {
            account.records += 1;
            if chunk.is_open && range.end == chunk.bytes.len() && reason.is_of_text() {
                source.tear();
            }
            self.reject(source, chunk, range.clone(), reason, &mut place, &mut account)?;
        }
        self.progress.records.fetch_add(account.records, Ordering::Relaxed);
        source.add(account);
        if !self.identity.is_empty() {
            source.identify(std::mem::take(&mut self.identity));
        }
        Ok(())
    }

    /// Takes one record; the inner error is why it is rejected.
    #[expect(clippy::too_many_arguments, reason = "one call site, all of it per record")]
    fn record(
        &mut self,
        source: &Arc<Source>,
        reader: &RecordReader,
        chunk: &Chunk,
        text: Option<&str>,
        range: Range<usize>,
        cells: &[u32],
        place: &mut Place,
        account: &mut Account,
    ) -> Result<std::result::Result<(), RejectReason>> {
        if range.len() > RECORD_BYTES_MAX {
            return Ok(Err(RejectReason::over_long()));
        }
        let within = match text {
            Some(text) => Ok((text, range.clone())),
            None => std::str::from_utf8(&chunk.bytes[range.clone()]).map(|record| (record, 0..record.len())),
        };
        let (text, within) = match within {
            Ok(within) => within,
            Err(error) => return Ok(Err(RejectReason::InvalidUtf8 { at: error.valid_up_to() })),
        };
        let at = range.start;
        let record = &text[within.clone()];
        // The head of the file has shown it, so that bare records never come this way.
        if reader.in_envelopes
            && let Some(records) = open_envelope(source, reader, record)
        {
            self.unwrapped(source, reader, chunk, at, &records, place, account)?;
            return Ok(Ok(()));
        }
        let parsed = if cells.is_empty() || within != range {
            reader.parse_in(text, within.clone(), &mut self.seen)
        } else {
            reader.parse_row(text, range.clone(), cells)
        };
        if let Err(reason) = &parsed
            && reason.may_be_of_envelope()
        {
            if let Some(records) = open_envelope(source, reader, record) {
                self.unwrapped(source, reader, chunk, at, &records, place, account)?;
                return Ok(Ok(()));
            }
            self.note_cut_payload(source, reader, record);
        }
        self.take(source, reader, chunk, parsed, record, at, place, account)
    }

    /// Takes the records that one was the envelope of: they have its place.
    #[expect(clippy::too_many_arguments, reason = "called for each record that is an envelope")]
    fn unwrapped(
        &mut self,
        source: &Arc<Source>,
        reader: &RecordReader,
        chunk: &Chunk,
        at: usize,
        records: &[Cow<'_, str>],
        place: &mut Place,
        account: &mut Account,
    ) -> Result<()> {
        if records.is_empty() {
            account.not_sign_ins += 1;
            return Ok(());
        }
        let reader = reader.inner();
        account.records += records.len() as u64 - 1;
        for record in records {
            let parsed = reader.parse(record);
            let taken = self.take(source, &reader, chunk, parsed, record, at, place, account)?;
            if let Err(reason) = taken {
                self.payload_is_cut |= reason.is_of_text();
                self.note_cut_payload(source, &reader, record);
                self.reject_bytes(source, &reader, chunk, at, record.as_bytes(), &reason, place, account)?;
            }
        }
        Ok(())
    }

    /// Notes that what was inside of a rejected record breaks off. Of a list nobody knows how many records are lost;
    /// one record that was cut is a reject like others, unless the file ends with it.
    fn note_cut_payload(&mut self, source: &Source, reader: &RecordReader, record: &str) {
        match reader.cut_payload(record) {
            Some(CutPayload::List) => source.tear(),
            Some(CutPayload::Record) => self.payload_is_cut = true,
            None => {}
        }
    }

    /// Takes what was read of a record; the inner error is why it is rejected.
    #[expect(clippy::too_many_arguments, reason = "called for each record")]
    fn take(
        &mut self,
        source: &Arc<Source>,
        reader: &RecordReader,
        chunk: &Chunk,
        parsed: std::result::Result<Parsed<'_>, RejectReason>,
        record: &str,
        at: usize,
        place: &mut Place,
        account: &mut Account,
    ) -> Result<std::result::Result<(), RejectReason>> {
        let raw = match parsed {
            Ok(Parsed::SignIn(raw)) => raw,
            Ok(Parsed::NotSignIn) => {
                account.not_sign_ins += 1;
                return Ok(Ok(()));
            }
            Err(reason) => return Ok(Err(reason)),
        };
        let mut raw = *raw;
        let stated = raw.tenant_id.is_some();
        let named = raw.tenant_name.take();
        if let Some(name) = named.as_deref()
            && !stated
        {
            raw.tenant_id = self.tenant_named(name).map(Cow::Owned);
            self.identity.count_name(name, raw.tenant_id.is_some());
        }
        let accepted = match accept(raw, named.as_deref(), &source.input, self.settings.now) {
            Ok(accepted) => accepted,
            Err(reason) => return Ok(Err(reason)),
        };
        if !stated || Identity::concerns(reader.shape()) {
            let raw = &accepted.raw;
            let (home, resource) = (raw.home_tenant_id.as_deref(), raw.resource_tenant_id.as_deref());
            self.identity.count(&accepted.tenant_id, home, resource);
        }
        if accepted.raw.sign_in_id.is_none() {
            source.lack_ids();
        }
        let tenant = self.tenants.code(&accepted.tenant_id);
        let now = self.settings.now;
        account.count_sign_in(&accepted, tenant, now, &mut self.days);
        let classified = classify(&accepted.raw);
        if self.settings.keep == Keep::Legacy && classified.is_provably_modern() {
            account.counted += 1;
        } else if !self.settings.dry_run {
            let offset = place.offset_of(chunk, at);
            self.row(source, reader, record, &accepted, classified, offset)?;
        }
        Ok(Ok(()))
    }

    /// The tenant that a name in a record stands for.
    fn tenant_named(&mut self, name: &str) -> Option<String> {
        if let Some(known) = self.named.get(name) {
            return known.clone();
        }
        let id = match self.settings.roster.find(name) {
            Named::One(id) => Some(id.to_owned()),
            Named::Nobody | Named::Several(_) => None,
        };
        if self.named.len() < NAMES_KEPT {
            self.named.insert(name.to_owned(), id.clone());
        }
        id
    }

    fn row(
        &mut self,
        source: &Arc<Source>,
        reader: &RecordReader,
        record: &str,
        accepted: &Accepted<'_>,
        classified: Classified,
        source_offset: u64,
    ) -> Result<()> {
        let Accepted { raw, tenant_id, signed_in_at } = accepted;
        let sign_in_id = raw.sign_in_id.as_deref().map_or_else(
            || {
                let hash = content_hash(tenant_id, &reader.content(record));
                Cow::Owned(format!("row:{:032x}-{}", u128::from_be_bytes(hash), source.next_occurrence(hash)))
            },
            Cow::Borrowed,
        );
        let stream = match (classified.is_provably_modern(), classified.protocol) {
            (true, _) => 2,
            (false, None) => 1,
            (false, Some(_)) => 0,
        };
        let row = RowContext {
            tenant_id,
            sign_in_id: &sign_in_id,
            signed_in_at: *signed_in_at,
            source_offset,
            record_hash: rows::record_hash(record),
        };
        let rows = &mut self.streams[stream].0;
        rows.push(raw, classified, row, source);
        if rows.len() >= ROWS_MAX || rows.bytes() >= self.row_bytes_max {
            self.flush(stream)?;
        }
        Ok(())
    }

    fn flush(&mut self, stream: usize) -> Result<()> {
        let (rows, writer) = &mut self.streams[stream];
        if rows.is_empty() {
            return Ok(());
        }
        let batch = rows.take()?;
        let writer = if let Some(writer) = writer {
            writer
        } else {
            let (suffix, modern) = STREAMS[stream];
            let name = format!("part-{}-{suffix}", self.name);
            let (table, schema) = (Table::SignInRecords, rows::SCHEMA.clone());
            let created = DataFileWriter::create_unsettled(&self.lake, table, Some(modern), &name, schema)?;
            writer.insert(created)
        };
        writer.write(&batch)?;
        Ok(writer.end_row_group()?)
    }

    fn reject(
        &mut self,
        source: &Source,
        chunk: &Chunk,
        range: Range<usize>,
        reason: &RejectReason,
        place: &mut Place,
        account: &mut Account,
    ) -> Result<()> {
        let Some(reader) = &source.reader else { return Ok(()) };
        let kept = range.start
            ..range.end.min(
                range.start + if range.len() > RECORD_BYTES_MAX { OVER_LONG_BYTES_KEPT } else { range.len() },
            );
        let bytes = &chunk.bytes[kept];
        self.reject_bytes(source, reader, chunk, range.start, bytes, reason, place, account)
    }

    /// Rejects a record that stands at `at`, or inside of what does.
    #[expect(clippy::too_many_arguments, reason = "called where a record is rejected")]
    fn reject_bytes(
        &mut self,
        source: &Source,
        reader: &RecordReader,
        chunk: &Chunk,
        at: usize,
        bytes: &[u8],
        reason: &RejectReason,
        place: &mut Place,
        account: &mut Account,
    ) -> Result<()> {
        *account.rejected.entry(reason.code()).or_default() += 1;
        let reads = lenient::read_reject(bytes, reason, reader, known_of(&source.input), self.settings.now);
        if reads.tenant_id.is_none() && reads.reads_as == ReadsAs::Unclear {
            source.count_unplaced();
        }
        if self.settings.dry_run {
            return Ok(());
        }
        self.rejects.push(Reject {
            source_id: source.id(),
            path: &source.input.name,
            batch_id: &self.batch_id,
            byte_offset: place.offset_of(chunk, at),
            line: place.line_of(chunk, at),
            reason,
            raw: chunk.encoding.encode(bytes),
            reads,
        });
        if self.rejects.bytes() >= REJECT_BYTES_MAX {
            self.flush_rejects()?;
        }
        Ok(())
    }

    fn flush_rejects(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.rejects).into_batch()?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let writer = match &mut self.reject_writer {
            Some(writer) => writer,
            none => {
                let name = format!("part-{}", self.name);
                let (table, schema) = (Table::Rejects, Table::Rejects.file_schema());
                none.insert(DataFileWriter::create_unsettled(&self.lake, table, None, &name, schema)?)
            }
        };
        writer.write(&batch)?;
        Ok(writer.end_row_group()?)
    }

    /// Leaves the source that was read: its account learns who was seen in it.
    fn leave(&mut self) {
        if let Some(source) = self.current.take() {
            let mut account = Account::default();
            account.see(&mut self.days, &self.tenants);
            source.add(account);
            if self.tenants.bytes() > TENANT_BYTES_KEPT {
                self.tenants.clear();
            }
        }
    }

    /// Ends its data files.
    pub(super) fn finish(mut self) -> Result<Vec<Unsettled>> {
        self.leave();
        for stream in 0..STREAMS.len() {
            self.flush(stream)?;
        }
        self.flush_rejects()?;
        let writers = self.streams.into_iter().filter_map(|(_, writer)| writer).chain(self.reject_writer);
        Ok(writers.map(DataFileWriter::close).collect::<lightsout_lake::Result<_>>()?)
    }
}

/// What a record is known to be where it does not say it.
/// The records that one is the envelope of.
fn open_envelope<'r>(source: &Source, reader: &RecordReader, record: &'r str) -> Option<Vec<Cow<'r, str>>> {
    let records = reader.unwrap_record(record)?;
    if let Some(state) = answer_state(record) {
        source.hear_answer(state);
    }
    Some(records)
}

fn cut_at_end(reader: &RecordReader, record: &[u8]) -> Option<RejectReason> {
    reader.cut_at_end(std::str::from_utf8(record).ok()?)
}

fn known_of(input: &Input) -> lenient::Known<'_> {
    lenient::Known { tenant_id: input.tenant_id(), category: input.says.category.or(input.assigned.category) }
}
