//! One source while it is read, and its row in the `sources` table.

mod advice;
mod closing;
mod reopen;
mod tail;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use super::account::{Account, Coverage};
use super::coverage;
use super::find::Input;
use super::identity::Identity;
use super::known::{Known, Prefix};
use super::open::{Compression, Opened};
use super::settings::ReadSettings;
use super::{FileFate, IngestSettings};
use crate::Result;
use lightsout_formats::answer::AnswerState;
use lightsout_formats::encoding::Encoding;
use lightsout_formats::framing::Framing;
use lightsout_formats::pages::Pages;
use lightsout_formats::shapes::{RecordReader, Shape};
use lightsout_lake::Lake;
use lightsout_model::settings::{SettingsKind, SettingsRow};
use lightsout_model::sign_in::Category;

/// A source whose chunks are being parsed.
pub(super) struct Source {
    pub(super) input: Input,
    /// Names its content, once that is known.
    name: OnceLock<Name>,
    /// Stands for the id in data files until then.
    placeholder: String,
    /// Tenant and category, where they are part of what a source is.
    assigned: Option<(Option<String>, Option<Category>)>,
    /// `None`: its records are not read.
    pub(super) reader: Option<RecordReader>,
    pub(super) framing: Option<Framing>,
    /// CSV: the header row.
    pub(super) header: Option<String>,
    /// Found while it is read.
    encoding: Mutex<Encoding>,
    pub(super) compression: &'static str,
    pub(super) fate: FileFate,
    pub(super) detail: Option<String>,
    /// It is refused as something that holds no sign-ins.
    pub(super) is_look_alike: bool,
    /// It has no text at all, not even a header or brackets around nothing.
    pub(super) is_blank: bool,
    /// It is refused because it changed whenever it was read.
    is_changing: bool,
    /// What the lake knows of this content already.
    pub(super) is_known: bool,
    pub(super) known_coverage: Vec<Coverage>,
    /// Of a Graph download.
    pub(super) pages: Option<Pages>,
    /// Which settings it holds instead of records, also where it is refused.
    pub(super) settings_kind: Option<SettingsKind>,
    settings: Option<ReadSettings>,
    /// What the file begins with, if only what is behind it is read.
    pub(super) prefix: Option<Prefix>,
    /// A record of it has no id.
    lacks_ids: AtomicBool,
    pub(super) account: Mutex<Account>,
    identity: Mutex<Identity>,
    /// It was cut while it was written or copied.
    is_torn: AtomicBool,
    /// An answer in it says that records are missing.
    is_incomplete: AtomicBool,
    /// It holds results of a search that had not ended; of one that had.
    has_previews: AtomicBool,
    has_final_results: AtomicBool,
    /// Rejected records that may be usage and do not say whose.
    unplaced: AtomicU64,
    /// How often a record without an id occurred, by the hash of its text.
    pub(super) occurrences: Mutex<HashMap<[u8; 16], u32>>,
}

/// The words of `sources.truncation` for a file that was cut, and for one that says that records are missing.
const TORN: &str = "torn";
const INCOMPLETE: &str = "incomplete";

#[derive(Debug)]
struct Name {
    id: String,
    content_id: String,
    stored_bytes: u64,
}

impl Source {
    /// A source of which nothing is known but its bytes.
    pub(super) fn new(input: Input, opened: &Opened) -> Self {
        Self { compression: opened.compression.as_str(), ..Self::unnamed(input) }
    }

    /// A file of a folder that can't be read: nobody knows what it holds.
    pub(super) fn unreadable(input: &Input, reason: &str) -> Self {
        let why = format!(
            "it can't be read ({reason}); make it readable and ingest it again, or remove it from the folder"
        );
        Self::unread(input, "unreadable", why)
    }

    /// A file that changes whenever it is read: nobody knows what it will hold.
    pub(super) fn changing(input: &Input) -> Self {
        let why = "it changed while it was read, twice in a row, so nothing of it is recorded; ingest it again when \
                   its writer has finished, or ingest a copy of it";
        Self { is_changing: true, ..Self::unread(input, "changing", why.to_owned()) }
    }

    fn unread(input: &Input, state: &str, why: String) -> Self {
        let mut source = Self::unnamed(input.clone());
        // The same file is refused once.
        source.settle(blake3::hash(format!("{state} {}", input.name).as_bytes()), 0);
        source.refuse(why);
        source
    }

    fn unnamed(input: Input) -> Self {
        Self {
            input,
            name: OnceLock::new(),
            placeholder: uuid::Uuid::new_v4().simple().to_string(),
            assigned: None,
            reader: None,
            framing: None,
            header: None,
            encoding: Mutex::default(),
            compression: Compression::None.as_str(),
            fate: FileFate::SeenBefore,
            detail: None,
            is_look_alike: false,
            is_blank: false,
            is_changing: false,
            is_known: false,
            known_coverage: Vec::new(),
            pages: None,
            settings_kind: None,
            settings: None,
            prefix: None,
            lacks_ids: AtomicBool::new(false),
            account: Mutex::default(),
            identity: Mutex::default(),
            is_torn: AtomicBool::new(false),
            is_incomplete: AtomicBool::new(false),
            has_previews: AtomicBool::new(false),
            has_final_results: AtomicBool::new(false),
            unplaced: AtomicU64::new(0),
            occurrences: Mutex::default(),
        }
    }

    /// Tenant and category are part of what a source is where its records do not say them.
    pub(super) fn name_by_assignment(&mut self, says_tenant: bool, says_category: bool) {
        let tenant = self.input.tenant_id().filter(|_| !says_tenant);
        let category = self.input.says.category.or(self.input.assigned.category).filter(|_| !says_category);
        if tenant.is_some() || category.is_some() {
            self.assigned = Some((tenant.map(str::to_owned), category));
        }
    }

    /// The source holds settings instead of records.
    pub(super) fn holds(&mut self, settings: ReadSettings) {
        self.assigned = settings.named_by.clone().map(|named_by| (Some(named_by), None));
        self.framing = Some(settings.framing());
        if let Ok(account) = self.account.get_mut() {
            account.content_bytes = settings.content_bytes;
            account.records = settings.records;
            account.not_sign_ins = settings.records;
        }
        self.settings = Some(settings);
    }

    /// The row of `tenant_settings`, if the lake learns one from it.
    pub(super) fn settings_row(&self, batch_id: &str, now: i64) -> Result<Option<SettingsRow>> {
        let settings = self.settings.as_ref().filter(|_| self.fate == FileFate::Ingested);
        settings.map(|settings| settings.row(self.id(), &self.input.name, batch_id, now)).transpose()
    }

    /// The word for what it holds.
    fn shape(&self) -> Option<&'static str> {
        let of_settings = self.settings_kind.map(SettingsKind::as_str);
        of_settings.or_else(|| self.reader.as_ref().map(RecordReader::shape).map(Shape::as_str))
    }

    /// How its text is encoded, as far as it was read.
    pub(super) fn decode_as(&self, encoding: Encoding) {
        if let Ok(mut mine) = self.encoding.lock() {
            *mine = encoding;
        }
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding.lock().map_or_else(|_| Encoding::default(), |encoding| *encoding)
    }

    /// The id of a content as this source would have it.
    pub(super) fn id_of(&self, content_id: &str) -> String {
        let Some((tenant, category)) = &self.assigned else { return content_id.to_owned() };
        assigned_id(content_id, tenant.as_deref(), *category)
    }

    /// Names the source by its content; only the first name counts.
    pub(super) fn settle(&self, content: blake3::Hash, stored_bytes: u64) -> &str {
        let content_id = content_id_of(content);
        let id = self.id_of(&content_id);
        &self.name.get_or_init(|| Name { id, content_id, stored_bytes }).id
    }

    /// The id, or what stands for it as long as the content is not read.
    pub(super) fn id(&self) -> &str {
        self.name.get().map_or(&self.placeholder, |name| &name.id)
    }

    pub(super) fn is_named(&self) -> bool {
        self.name.get().is_some()
    }

    pub(super) fn stored_bytes(&self) -> u64 {
        self.name.get().map_or(0, |name| name.stored_bytes)
    }

    pub(super) fn placeholder(&self) -> &str {
        &self.placeholder
    }

    /// The version of a blob that was read, as its store names it.
    pub(super) fn read_version(&self) -> Option<&str> {
        self.input.blob.as_ref()?.etag.as_deref()
    }

    pub(super) fn refuse(&mut self, detail: String) {
        self.fate = FileFate::Refused;
        self.detail = Some(detail);
    }

    /// As what the lake is to know it, if it is refused and the lake is to learn it: a file that can hold
    /// sign-ins keeps its tenants from being cleared until it is read, or somebody says to pass it.
    fn refusal(&self, known: &Known, settings: &IngestSettings) -> Option<FileFate> {
        let recorded = known.refused_at(&self.input.name);
        match recorded {
            // Of a blob it is kept that its version need not be read again.
            _ if self.is_look_alike && self.read_version().is_some() => Some(FileFate::Skipped),
            _ if self.is_look_alike => recorded.map(|_| FileFate::Skipped),
            _ if settings.skip_unrecognised && !self.is_changing => recorded.map(|_| FileFate::Skipped),
            Some(id) if id == self.id() => None,
            _ => Some(FileFate::Refused),
        }
    }

    pub(super) fn next_occurrence(&self, hash: [u8; 16]) -> u32 {
        // A poisoned lock means a worker is lost, and then the batch is not committed.
        let Ok(mut occurrences) = self.occurrences.lock() else { return 0 };
        let count = occurrences.entry(hash).or_default();
        *count += 1;
        *count - 1
    }

    pub(super) fn add(&self, account: Account) {
        if let Ok(mut mine) = self.account.lock() {
            mine.merge(account);
        }
    }

    /// Says that one of its records has no id.
    pub(super) fn lack_ids(&self) {
        self.lacks_ids.store(true, Ordering::Relaxed);
    }

    /// Says that it was cut while it was written or copied.
    pub(super) fn tear(&self) {
        self.is_torn.store(true, Ordering::Relaxed);
    }

    /// Takes in what an answer in it says of itself.
    pub(super) fn hear_answer(&self, state: AnswerState) {
        let said = match state {
            AnswerState::Incomplete => &self.is_incomplete,
            AnswerState::Preview => &self.has_previews,
            AnswerState::Final => &self.has_final_results,
        };
        said.store(true, Ordering::Relaxed);
    }

    /// Whether it says itself that records are missing. A search that is exported while it runs gives previews first,
    /// then all results.
    fn says_incomplete(&self) -> bool {
        let said = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        said(&self.is_incomplete) || said(&self.has_previews) && !said(&self.has_final_results)
    }

    /// Takes in what the lake knows that it covers, if it is known and may cover more now.
    pub(super) fn learn_coverage(
        &mut self,
        lake: &Lake,
        known: &mut Known,
        settings: &IngestSettings,
    ) -> Result<()> {
        if self.is_known && (settings.covers.is_some() || self.input.says.storage().is_some()) {
            self.known_coverage = known.coverage_of(lake, self.id())?;
        }
        Ok(())
    }

    /// Counts a rejected record that may be usage and does not say whose.
    pub(super) fn count_unplaced(&self) {
        self.unplaced.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes in what some records say of whose they are.
    pub(super) fn identify(&self, identity: Identity) {
        if let Ok(mut mine) = self.identity.lock() {
            mine.merge(identity);
        }
    }

    /// Why it is not the log that it is said to be, if its records say so.
    pub(super) fn foreign(&self, settings: &IngestSettings) -> Option<String> {
        self.identity.lock().ok()?.refusal(self.input.tenant_id(), &settings.roster)
    }
}

/// The id of a content whose records do not say their tenant, their category or both.
pub(super) fn assigned_id(content_id: &str, tenant: Option<&str>, category: Option<Category>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(content_id.as_bytes()).update(tenant.unwrap_or_default().as_bytes()).update(b"\0");
    hasher.update(category.map_or("", Category::as_str).as_bytes());
    content_id_of(hasher.finalize())
}

/// A content's hash as the lake has it.
pub(super) fn content_id_of(hash: blake3::Hash) -> String {
    hash.to_hex()[..32].to_owned()
}

/// Where files like this one come from again and again.
pub(super) fn channel(input: &Input, shape: Option<Shape>) -> String {
    if let Some(root) = &input.says.storage_root {
        return root.display().to_string();
    }
    let by_hand = shape.is_some_and(Shape::is_downloaded_by_hand);
    match input.path.as_deref().and_then(|_| Path::new(&input.name).parent()) {
        Some(folder) if !by_hand => {
            format!("{} ({})", folder.display(), shape.map_or("unknown", Shape::as_str))
        }
        _ => input.name.clone(),
    }
}
