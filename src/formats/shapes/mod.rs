//! The seam between bytes and records: a [`RecordReader`] turns one record's text into a
//! [`RawSignIn`], and knows nothing of files, stores, or tenants' settings. One file a shape; what the
//! head of a file settles for all its records (columns, order of dates) is in the reader.

mod audit;
mod describe;
mod diagnostic;
mod draft;
pub mod envelope;
mod graph;
mod log_analytics;
pub(crate) mod look_alike;
mod names;
mod nested;
mod other_log;
mod portal;
mod powershell;
mod table;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

pub use describe::describe_record;
use describe::{without_blanks, wrong_shape};
use draft::{Draft, Item};
pub use draft::{Glimpse, Says};
pub use look_alike::{NotRead, is_picture};
use table::Table;
pub(crate) use table::is_header;

use crate::csv::Row;
use crate::json::learned::Learned;
use crate::json::{Cursor, Index, Strings};
use crate::reject::RejectReason;
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

    /// The shape of a JSON record, from its content alone, also inside of an envelope; `None` if no shape knows it
    /// or the text is no JSON.
    #[must_use]
    pub fn recognise(record: &str) -> Option<Self> {
        Self::of_record(record)
            .or_else(|| envelope::records(record)?.iter().find_map(|record| Self::of_record(record)))
    }

    /// The shape of a bare JSON record.
    pub(crate) fn of_record(record: &str) -> Option<Self> {
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
    /// The file's records are inside of others, as its head shows.
    pub in_envelopes: bool,
    pub dates: DateOrder,
}

impl RecordReader {
    /// For JSON records.
    #[must_use]
    pub fn json(shape: Shape) -> Self {
        Self { shape, table: None, in_envelopes: false, dates: DateOrder::Unsettled }
    }

    /// For the rows below a CSV header.
    ///
    /// # Errors
    /// Fails with what the header looks like if it is no sign-in log's.
    pub fn csv(header: &str) -> Result<Self, NotRead> {
        let table = Table::read(header)?;
        let (shape, table) = (table.shape(), Some(Arc::new(table)));
        Ok(Self { shape, table, in_envelopes: false, dates: DateOrder::Unsettled })
    }

    /// What the file is instead, if the rows of its head are no records of any shape.
    #[must_use]
    pub fn look_alike<'a>(&self, rows: impl Iterator<Item = &'a str>) -> Option<NotRead> {
        let table = self.table.as_ref()?;
        (!table.holds_records(rows)).then(|| table.describe())
    }

    /// Learns from the first rows of a table, which are whole, what a last cell looks like.
    pub(crate) fn learn_last_cells<'a>(&mut self, rows: impl Iterator<Item = &'a str>) {
        if let Some(table) = &mut self.table {
            Arc::make_mut(table).learn_last_cells(rows);
        }
    }

    /// Why the record that the file ends with, without a line end, is evidently not whole though it reads as if it
    /// were; `None` if it may be.
    #[must_use]
    pub fn cut_at_end(&self, record: &str) -> Option<RejectReason> {
        self.table.as_ref().filter(|table| table.ends_in_cell(record)).map(|_| RejectReason::CutRow)
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
            table.check_lines(record)?;
            return table.parse(record, self.dates);
        }
        match self.parse_json(self.shape, Cursor::new(record)) {
            // One file may hold several shapes, other logs, and records in envelopes.
            Err(wrong @ RejectReason::WrongShape { .. }) => match Shape::of_record(record) {
                Some(shape) => self.parse_json(shape, Cursor::new(record)),
                None if other_log::is_other_log(record) => Ok(Parsed::NotSignIn),
                None => match envelope::only_record(record) {
                    Some(inner) => self.parse_inner(&inner).unwrap_or(Err(wrong)),
                    None => Err(wrong),
                },
            },
            Err(invalid @ RejectReason::InvalidJson(_)) if !record.trim_start().starts_with('{') => {
                match envelope::only_record(record) {
                    Some(inner) => self.parse_inner(&inner).unwrap_or(Err(invalid)),
                    None => Err(invalid),
                }
            }
            parsed => parsed,
        }
    }

    fn parse_inner(&self, inner: &str) -> Option<Result<Parsed<'static>, RejectReason>> {
        let shape = Shape::of_record(inner)?;
        Some(self.parse_json(shape, Cursor::new(inner)).map(Parsed::into_owned))
    }

    /// The records inside of what was framed as one, as [`envelope::records`] has them; `None` if it is a record as
    /// it stands, or holds none. [`inner`](Self::inner) reads them.
    #[must_use]
    pub fn unwrap_record<'a>(&self, record: &'a str) -> Option<Vec<Cow<'a, str>>> {
        let Some(table) = &self.table else { return envelope::records(record) };
        // A reject of such a table is kept as the record that was in the cell.
        let cell = table.record_in_cell(record)?;
        let records = envelope::records(&cell)?.into_iter().map(|record| Cow::Owned(record.into_owned()));
        Some(records.collect())
    }

    /// What breaks off inside of a record that is whole itself.
    #[must_use]
    pub fn cut_payload(&self, record: &str) -> Option<envelope::CutPayload> {
        match &self.table {
            None => envelope::cut_payload(record),
            Some(table) => envelope::cut_payload(&table.record_in_cell(record)?),
        }
    }

    /// Reads the records that were inside of this file's.
    #[must_use]
    pub fn inner(&self) -> Self {
        let shape = if self.table.is_some() { Shape::Audit } else { self.shape };
        Self { shape, table: None, in_envelopes: false, dates: self.dates }
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
                && let Some(parsed) =
                    diagnostic::parse_learned(chunk, range, &mut seen.diagnostic, self.dates)
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
        if let Some(table) = &self.table {
            table.check_lines(&chunk[range.clone()])?;
        }
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
            Shape::Audit | Shape::AuditCsv => audit::parse(record, self.dates),
            Shape::Diagnostic | Shape::PortalCsv | Shape::PowershellCsv | Shape::LogAnalyticsCsv => {
                diagnostic::parse(record, self.dates)
            }
        }
    }

    fn draft<'a>(&self, record: &'a str) -> Option<Draft<'a>> {
        if let Some(table) = self.table.as_ref().filter(|table| !table.holds_audit_records()) {
            return table.draft(record).ok();
        }
        match self.shape {
            Shape::LogAnalytics => log_analytics::draft(Cursor::new(record)).ok(),
            Shape::Graph => graph::draft(Cursor::new(record)).ok(),
            Shape::Diagnostic => diagnostic::draft(Cursor::new(record)).ok(),
            Shape::Audit
            | Shape::AuditCsv
            | Shape::PortalCsv
            | Shape::PowershellCsv
            | Shape::LogAnalyticsCsv => None,
        }
    }

    /// The times of a record as written, where the order of day and month is for the file to settle.
    pub fn times(&self, record: &str, mut see: impl FnMut(&str)) {
        if let Some(table) = self.table.as_ref().filter(|table| table.holds_audit_records()) {
            if let Some(cell) = table.record_in_cell(record) {
                self.inner().times_in(&cell, &mut see);
            }
        } else {
            self.times_in(record, &mut see);
        }
    }

    fn times_in(&self, record: &str, see: &mut dyn FnMut(&str)) {
        if self.table.is_none()
            && (self.in_envelopes || !record.starts_with('{'))
            && let Some(records) = envelope::records(record)
        {
            for record in records {
                if let Some(shape) = Shape::of_record(&record) {
                    Self::json(shape).times_in(&record, see);
                }
            }
            return;
        }
        match self.shape {
            Shape::Audit | Shape::AuditCsv => {
                if let Some(created) = audit::created(record) {
                    see(&created);
                }
            }
            // Its exporters write the time of emission month first.
            Shape::Diagnostic => {
                if let Some(created) = self.draft(record).and_then(|draft| draft.created) {
                    see(&created);
                }
            }
            Shape::LogAnalytics
            | Shape::Graph
            | Shape::PortalCsv
            | Shape::PowershellCsv
            | Shape::LogAnalyticsCsv => {
                if let Some(draft) = self.draft(record) {
                    draft.times().for_each(see);
                }
            }
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
        if let Some(table) = self.table.as_ref().filter(|table| table.shape() != Shape::AuditCsv) {
            return Some(table.draft_of_part(record)?.glimpse(self.dates));
        }
        let inner = envelope::only_record(record);
        let record = inner.as_deref().unwrap_or(record);
        let reader = Self::json(Shape::of_record(record)?);
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
        let Some(table) = self.table.as_ref().filter(|table| table.shape() != Shape::AuditCsv) else {
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
