//! The seam between bytes and records: a [`RecordReader`] turns one record's text into a
//! [`RawSignIn`], and knows nothing of files, stores, or tenants' settings. One file a shape; what the
//! head of a file settles for all its records (columns, order of dates) is in the reader.

mod audit;
mod diagnostic;
mod draft;
mod graph;
mod log_analytics;
mod look_alike;
mod names;
mod nested;
mod portal;
mod powershell;
mod table;
mod wrapper;

use std::ops::Range;
use std::sync::Arc;

use draft::{Draft, Item};
pub use draft::{Glimpse, Says};
pub use look_alike::{NotRead, is_picture};
use table::Table;

use crate::csv::Row;
use crate::json::learned::Learned;
use crate::json::{Cursor, Index, JsonError, Kind, Strings};
use lightsout_model::sign_in::RawSignIn;
use lightsout_model::time::DateOrder;

/// The shapes that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Azure Monitor diagnostic records: Event Hub, storage account, SIEM forwarders.
    Diagnostic,
    /// Flat JSON of the Log Analytics tables.
    LogAnalytics,
    /// Graph `signIn` objects, the portal's JSON download.
    Graph,
    /// Unified Audit Log records.
    Audit,
    /// The portal's CSV downloads.
    PortalCsv,
    /// PowerShell's `Export-Csv` of sign-in objects.
    PowershellCsv,
    /// Log Analytics and Sentinel exports, custom logs.
    LogAnalyticsCsv,
    /// `Search-UnifiedAuditLog` and Purview exports: audit records in a column.
    AuditCsv,
}

/// What one record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<'a> {
    SignIn(Box<RawSignIn<'a>>),
    /// A well-formed record of another log category or operation.
    NotSignIn,
}

impl Parsed<'_> {
    fn into_owned(self) -> Parsed<'static> {
        match self {
            Self::SignIn(sign_in) => Parsed::SignIn(Box::new(sign_in.into_owned())),
            Self::NotSignIn => Parsed::NotSignIn,
        }
    }
}

/// Why a record is rejected. `code` is the word in the `rejects` table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    #[error("not valid JSON: {0}")]
    InvalidJson(#[from] JsonError),
    #[error("not a whole CSV row: its quotes do not fit at byte {at}")]
    InvalidCsv { at: usize },
    #[error("expected a row of {expected} cells as in the header, found {found}")]
    WrongColumns { expected: usize, found: usize },
    #[error("not valid UTF-8 from byte {at} on")]
    InvalidUtf8 { at: usize },
    #[error("longer than {limit} bytes; its first {kept} bytes are kept")]
    OverLong { limit: usize, kept: usize },
    #[error("expected {expected}, found a record with {found}")]
    WrongShape { expected: &'static str, found: String },
    #[error("names no tenant: not in tenantId or resourceId, not in the path, not by --tenant")]
    NoTenant,
    #[error(
        "names the tenant '{found}': expected a tenant id (a GUID), or a domain or name that the roster knows \
         (--roster); else say whose log it is with --tenant"
    )]
    UnknownTenant { found: String },
    #[error("has no sign-in time: neither createdDateTime nor time")]
    NoTime,
    #[error("{member} is '{found}': expected a time as in 2026-10-05T08:15:30.1234567Z")]
    BadTime { member: &'static str, found: String },
    #[error("{member} is '{found}': day or month first? Say so with --date-order")]
    AmbiguousDate { member: &'static str, found: String },
    #[error("signed in at {found}: expected a time between 2010 and a day after the ingest")]
    ImpossibleTime { found: String },
    #[error("the compressed stream breaks off here: {detail}")]
    BrokenCompression { detail: String },
    #[error("the file breaks off here: expected {expected}")]
    BrokenOff { expected: &'static str },
}

impl RejectReason {
    /// For a record that is not of the shape that its file has.
    fn wrong_shape(expected: &'static str, record: &str) -> Self {
        let keys = top_level_keys(record);
        let found =
            if keys.is_empty() { "no keys".to_owned() } else { format!("the keys {}", keys.join(", ")) };
        Self::WrongShape { expected, found }
    }

    /// Whether the bytes are no whole record, as those of one that was cut; not what it says.
    #[must_use]
    pub const fn is_of_text(&self) -> bool {
        matches!(
            self,
            Self::InvalidJson(_)
                | Self::InvalidCsv { .. }
                | Self::WrongColumns { .. }
                | Self::InvalidUtf8 { .. }
                | Self::OverLong { .. }
        )
    }

    /// The word in the `rejects` table and in reports.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson(_) => "invalid_json",
            Self::InvalidCsv { .. } => "invalid_csv",
            Self::WrongColumns { .. } => "wrong_columns",
            Self::InvalidUtf8 { .. } => "invalid_utf8",
            Self::OverLong { .. } => "over_long",
            Self::WrongShape { .. } => "wrong_shape",
            Self::NoTenant => "no_tenant",
            Self::UnknownTenant { .. } => "unknown_tenant",
            Self::NoTime => "no_time",
            Self::BadTime { .. } => "bad_time",
            Self::AmbiguousDate { .. } => "ambiguous_date",
            Self::ImpossibleTime { .. } => "impossible_time",
            Self::BrokenCompression { .. } => "broken_compression",
            Self::BrokenOff { .. } => "broken_off",
        }
    }
}

impl Shape {
    pub const ALL: [Self; 8] = [
        Self::Diagnostic,
        Self::LogAnalytics,
        Self::Graph,
        Self::Audit,
        Self::PortalCsv,
        Self::PowershellCsv,
        Self::LogAnalyticsCsv,
        Self::AuditCsv,
    ];

    /// Whether people download it, through a filter that they may have set: each download is by itself.
    #[must_use]
    pub const fn is_downloaded_by_hand(self) -> bool {
        match self {
            Self::Graph
            | Self::LogAnalytics
            | Self::PortalCsv
            | Self::PowershellCsv
            | Self::LogAnalyticsCsv => true,
            Self::Diagnostic | Self::Audit | Self::AuditCsv => false,
        }
    }

    /// The word in the `sources` table and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic",
            Self::LogAnalytics => "log_analytics",
            Self::Graph => "graph",
            Self::Audit => "audit",
            Self::PortalCsv => "portal_csv",
            Self::PowershellCsv => "powershell_csv",
            Self::LogAnalyticsCsv => "log_analytics_csv",
            Self::AuditCsv => "audit_csv",
        }
    }

    /// The shape of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.as_str() == word)
    }

    /// The shape of a JSON record, from its content alone, also inside a forwarder's wrapper; `None`
    /// if no shape knows it or the text is no JSON object.
    #[must_use]
    pub fn recognise(record: &str) -> Option<Self> {
        Self::of_json(record).or_else(|| Self::of_json(&wrapper::inner(record)?))
    }

    fn of_json(record: &str) -> Option<Self> {
        if diagnostic::recognise(record) {
            Some(Self::Diagnostic)
        } else if audit::recognise(record) {
            Some(Self::Audit)
        } else if log_analytics::recognise(record) {
            Some(Self::LogAnalytics)
        } else if graph::recognise(record) {
            Some(Self::Graph)
        } else {
            None
        }
    }

    /// Whether its records can name the tenant whose log they are from, and reject those that
    /// don't one by one.
    #[must_use]
    pub const fn can_name_tenant(self) -> bool {
        matches!(self, Self::Diagnostic | Self::Audit | Self::AuditCsv)
    }
}

/// What one thread remembers from record to record; it makes reading faster and changes nothing.
#[derive(Debug)]
pub struct Remembered {
    index: Index,
    diagnostic: Learned,
    fast: u64,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { index: Index::new(), diagnostic: Learned::new(diagnostic::want), fast: 0 }
    }
}

impl Remembered {
    /// With instructions that every processor has.
    #[must_use]
    pub fn portable() -> Self {
        Self { index: Index::portable(), diagnostic: Learned::portable(diagnostic::want), fast: 0 }
    }

    /// How many records were read by what was remembered.
    #[must_use]
    pub fn read_fast(&self) -> u64 {
        self.fast
    }
}

/// Reads the records of one file.
#[derive(Debug, Clone)]
pub struct RecordReader {
    shape: Shape,
    table: Option<Arc<Table>>,
    pub dates: DateOrder,
}

impl RecordReader {
    /// For JSON records.
    #[must_use]
    pub fn json(shape: Shape) -> Self {
        Self { shape, table: None, dates: DateOrder::Unsettled }
    }

    /// For the rows below a CSV header.
    ///
    /// # Errors
    /// Fails with what the header looks like if it is no sign-in log's.
    pub fn csv(header: &str) -> Result<Self, NotRead> {
        let table = Table::read(header)?;
        Ok(Self { shape: table.shape, table: Some(Arc::new(table)), dates: DateOrder::Unsettled })
    }

    /// What the file is instead, if the rows of its head are no records of any shape.
    #[must_use]
    pub fn look_alike<'a>(&self, rows: impl Iterator<Item = &'a str>) -> Option<NotRead> {
        let table = self.table.as_ref()?;
        (!table.holds_records(rows)).then(|| table.describe())
    }

    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The delimiter of CSV, `None` for JSON.
    #[must_use]
    pub fn delimiter(&self) -> Option<u8> {
        self.table.as_ref().map(|table| table.delimiter())
    }

    /// Reads one record.
    ///
    /// # Errors
    /// Fails if the record is to be rejected.
    pub fn parse<'a>(&self, record: &'a str) -> Result<Parsed<'a>, RejectReason> {
        if let Some(table) = &self.table {
            return table.parse(record, self.dates);
        }
        match self.parse_json(self.shape, Cursor::new(record)) {
            // One file may hold several shapes, and wrapped records.
            Err(wrong @ RejectReason::WrongShape { .. }) => match Shape::of_json(record) {
                Some(shape) => self.parse_json(shape, Cursor::new(record)),
                None => match wrapper::inner(record) {
                    Some(inner) => match Shape::of_json(&inner) {
                        Some(shape) => self.parse_json(shape, Cursor::new(&inner)).map(Parsed::into_owned),
                        None => Err(wrong),
                    },
                    None => Err(wrong),
                },
            },
            parsed => parsed,
        }
    }

    /// Reads the record `chunk[range]` as [`parse`](Self::parse) does, faster: JSON by what `seen`
    /// remembers of the records before, or with the places of its quotes found first.
    ///
    /// # Errors
    /// As `parse`, which has the last word on what is refused.
    pub fn parse_in<'a>(
        &self,
        chunk: &'a str,
        range: Range<usize>,
        seen: &mut Remembered,
    ) -> Result<Parsed<'a>, RejectReason> {
        let record = &chunk[range.clone()];
        if self.table.is_none() {
            if self.shape == Shape::Diagnostic
                && let Some(parsed) = diagnostic::parse_learned(chunk, range, &mut seen.diagnostic)
            {
                seen.fast += 1;
                return parsed;
            }
            if let Some(cursor) = seen.index.cursor(record)
                && let parsed @ Ok(_) = self.parse_json(self.shape, cursor)
            {
                return parsed;
            }
        }
        self.parse(record)
    }

    /// Reads the row of a table, faster, where its cells are known; `parse` else.
    ///
    /// # Errors
    /// As `parse`, which has the last word on what is refused.
    pub fn parse_row<'a>(
        &self,
        chunk: &'a str,
        range: Range<usize>,
        ends: &[u32],
    ) -> Result<Parsed<'a>, RejectReason> {
        let known = self.table.as_ref().zip(Row::new(chunk, range.start, ends));
        match known.and_then(|(table, row)| table.parse_cells(row, self.dates)) {
            Some(parsed) => Ok(parsed),
            None => self.parse(&chunk[range]),
        }
    }

    /// [`times`](Self::times) of the row of a table, faster, where its cells are known.
    pub fn times_of_row(&self, chunk: &str, range: Range<usize>, ends: &[u32], mut see: impl FnMut(&str)) {
        let known = self.table.as_ref().zip(Row::new(chunk, range.start, ends));
        if !known.is_some_and(|(table, row)| table.times_of_cells(row, &mut see)) {
            self.times(&chunk[range], see);
        }
    }

    fn parse_json<'a>(
        &self,
        shape: Shape,
        record: Cursor<'a, impl Strings>,
    ) -> Result<Parsed<'a>, RejectReason> {
        match shape {
            Shape::LogAnalytics => log_analytics::parse(record, self.dates),
            Shape::Graph => graph::parse(record, self.dates),
            Shape::Audit => audit::parse(record),
            _ => diagnostic::parse(record),
        }
    }

    fn draft<'a>(&self, record: &'a str) -> Option<Draft<'a>> {
        match (&self.table, self.shape) {
            (_, Shape::Audit | Shape::AuditCsv) => None,
            (Some(table), _) => table.draft(record).ok(),
            (None, Shape::LogAnalytics) => log_analytics::draft(Cursor::new(record)).ok(),
            (None, Shape::Graph) => graph::draft(Cursor::new(record)).ok(),
            (None, _) => diagnostic::draft(Cursor::new(record)).ok(),
        }
    }

    /// The times of a record as written, where the order of day and month is for the file to settle.
    pub fn times(&self, record: &str, mut see: impl FnMut(&str)) {
        if self.shape != Shape::Diagnostic
            && let Some(draft) = self.draft(record)
        {
            draft.times().for_each(&mut see);
        }
    }

    /// What a record itself says of its tenant and its category.
    #[must_use]
    pub fn says(&self, record: &str) -> Says {
        match self.shape {
            Shape::Audit | Shape::AuditCsv => Says { tenant: true, ..Says::default() },
            _ => self.draft(record).map_or_else(Says::default, Draft::says),
        }
    }

    /// What can be told of a record that `parse` rejects, as long as it is whole; of a table's row also where
    /// its end is missing.
    #[must_use]
    pub fn glimpse(&self, record: &str) -> Option<Glimpse> {
        if let Some(table) = self.table.as_ref().filter(|table| table.shape != Shape::AuditCsv) {
            return Some(table.draft_of_part(record)?.glimpse(self.dates));
        }
        let whole = wrapper::inner(record);
        let record = whole.as_deref().filter(|inner| Shape::of_json(inner).is_some()).unwrap_or(record);
        let reader = Self::json(Shape::of_json(record)?);
        Some(reader.draft(record)?.glimpse(self.dates))
    }

    /// A record's content, whatever its line ends, blanks and order of columns.
    #[must_use]
    pub fn content(&self, record: &str) -> String {
        match &self.table {
            Some(table) => table.content(record),
            None => without_blanks(record),
        }
    }

    /// The columns that a verdict needs and a table lacks.
    #[must_use]
    pub fn missing_columns(&self) -> Vec<&'static str> {
        let Some(table) = self.table.as_ref().filter(|table| table.shape != Shape::AuditCsv) else {
            return Vec::new();
        };
        let has = |items: &[Item]| items.iter().any(|item| table.has(*item));
        let needed: [(&str, &[Item]); 3] = [
            ("client_app", &[Item::ClientApp]),
            ("result", &[Item::Status, Item::ErrorCode, Item::ResultType]),
            ("sign_in_time", &[Item::SignedInAt, Item::EmittedAt]),
        ];
        needed.into_iter().filter(|(_, items)| !has(items)).map(|(name, _)| name).collect()
    }
}

/// JSON text without the blanks between its tokens.
fn without_blanks(record: &str) -> String {
    let mut text = String::with_capacity(record.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in record.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        text.push(c);
    }
    text
}

/// What a JSON object that is no sign-in looks like, for the message.
#[must_use]
pub fn describe_keys(keys: &[String]) -> NotRead {
    look_alike::of_keys(keys)
}

/// The keys of a record's top level, for messages; empty if it is no JSON object.
#[must_use]
pub fn top_level_keys(record: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut cursor = Cursor::new(record);
    if cursor.kind() == Ok(Kind::Object) {
        // What was read before an error is still worth telling.
        let _ = cursor.object::<JsonError>(|cursor, key| {
            if keys.len() < 12 {
                keys.push(key.chars().take(40).collect());
            }
            cursor.skip()
        });
    }
    keys
}
