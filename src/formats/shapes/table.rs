//! A CSV file's rows, read by its header. Which shape it is, and which column tells what, `columns` says. Any order, any
//! subset, names twice: of several columns that tell the same, a row's first filled one counts, unless another may be usage.
//! A row whose columns name two client apps that may both be usage is rejected.

mod columns;
mod last_cells;
mod prefix;

use std::borrow::Cow;

use super::draft::{Draft, Item};
use super::{NotRead, Parsed, RecordReader, Shape, nested, portal};
use crate::csv::{self, Cell, DELIMITERS, Row};
use crate::reject::RejectReason;
use columns::Columns;
pub(crate) use columns::is_header;
use last_cells::LastCells;
use lightsout_model::time::DateOrder;

/// With fewer columns, text of several lines has as many separators by chance.
const SWALLOWED_SEPARATORS_MIN: usize = 3;

/// A header that is understood.
#[derive(Debug, Clone)]
pub(super) struct Table {
    delimiter: u8,
    /// As in the file.
    names: Vec<String>,
    columns: Columns,
    last_cells: LastCells,
    /// Rows may end with a delimiter more than the header.
    may_be_padded: bool,
}

impl Table {
    /// Reads a header row; of the delimiters, the one that makes most of it.
    ///
    /// # Errors
    /// Fails with what was found if no shape has such columns.
    pub(super) fn read(header: &str) -> Result<Self, NotRead> {
        let header = header.trim_start_matches('\u{feff}');
        let mut found = None;
        for delimiter in DELIMITERS {
            let Some(cells) = csv::cells(header, delimiter) else { continue };
            let names: Vec<String> = cells.into_iter().map(Cow::into_owned).collect();
            if let Some(table) = Self::of_names(names.clone(), delimiter) {
                return Ok(table);
            }
            if found.as_ref().is_none_or(|known: &Vec<String>| known.len() < names.len()) {
                found = Some(names);
            }
        }
        let names = found.unwrap_or_default();
        Err(super::look_alike::of_columns(&names))
    }

    fn of_names(names: Vec<String>, delimiter: u8) -> Option<Self> {
        let columns = Columns::of(&names)?;
        Some(Self { delimiter, names, columns, last_cells: LastCells::default(), may_be_padded: true })
    }

    pub(super) fn shape(&self) -> Shape {
        self.columns.shape
    }

    /// Whether a row is an audit record, or holds a record as JSON.
    pub(super) fn holds_audit_records(&self) -> bool {
        self.columns.record.is_some() || self.columns.members.is_some()
    }

    /// The JSON record that a row is or holds; of a row that is none, the text itself, if that is JSON.
    pub(super) fn record_in_cell<'a>(&self, row: &'a str) -> Option<Cow<'a, str>> {
        if !self.holds_audit_records() {
            return None;
        }
        match self.cells(row) {
            Ok(mut cells) => self.record_of(&mut cells),
            Err(_) => row.trim_start().starts_with(['{', '[']).then_some(Cow::Borrowed(row)),
        }
    }

    fn record_of<'a>(&self, cells: &mut [Cow<'a, str>]) -> Option<Cow<'a, str>> {
        let Some(members) = &self.columns.members else { return self.audit_record(cells) };
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let filled = members.iter().zip(cells.iter()).filter(|(_, cell)| !cell.trim().is_empty());
        let members: Vec<String> = filled
            .map(|(name, cell)| {
                format!("{}:{}", text(name.trim().trim_start_matches('\u{feff}')), text(cell.trim()))
            })
            .collect();
        Some(Cow::Owned(format!("{{{}}}", members.join(","))))
    }

    /// Whether a row can be what the header promises: a column of any raw text promises nothing.
    pub(super) fn holds_records<'a>(&self, rows: impl Iterator<Item = &'a str>) -> bool {
        let is_raw = |at: &usize| columns::is_raw(&self.names[*at]);
        let Some(at) = self.columns.record.filter(is_raw) else { return true };
        let mut rows = rows.filter_map(|row| self.cells(row).ok()).peekable();
        rows.peek().is_none() || rows.any(|cells| Shape::recognise(&cells[at]).is_some())
    }

    /// What the table is, for the message.
    pub(super) fn describe(&self) -> NotRead {
        super::look_alike::of_columns(&self.names)
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Whether a column tells the item.
    pub(super) fn has(&self, item: Item) -> bool {
        self.columns.items.iter().any(|(known, _)| *known == item)
    }

    /// The audit record of a row, where the table has such a column.
    fn audit_record<'a>(&self, cells: &mut [Cow<'a, str>]) -> Option<Cow<'a, str>> {
        self.columns.record.and_then(|at| cells.get_mut(at)).map(std::mem::take)
    }

    /// Refuses a row in whose cells other rows lie: a stray quote opened there, and the next one closed it rows later.
    /// From quote to quote such a cell has the separators of as many rows as it has line ends.
    ///
    /// # Errors
    /// Fails where a cell may hold rows.
    pub(super) fn check_lines(&self, row: &str) -> Result<(), RejectReason> {
        let row = row.trim_end_matches(['\r', '\n']);
        let Some(at) = memchr::memchr(b'\n', row.as_bytes()) else { return Ok(()) };
        let in_a_row = self.names.len().saturating_sub(1);
        let holds_rows = |cell: &Cow<'_, str>| {
            let line_ends = memchr::memchr_iter(b'\n', cell.as_bytes()).count();
            let separators = memchr::memchr_iter(self.delimiter, cell.as_bytes()).count();
            let is_json = cell.trim_start().starts_with(['{', '[']);
            line_ends > 0 && !is_json && separators >= line_ends * in_a_row
        };
        let cells = csv::cells(row, self.delimiter).unwrap_or_default();
        if in_a_row >= SWALLOWED_SEPARATORS_MIN && cells.iter().any(holds_rows) {
            return Err(RejectReason::InvalidCsv { at });
        }
        Ok(())
    }

    /// Learns from the first rows, which are whole, what a last cell looks like.
    pub(super) fn learn_last_cells<'a>(&mut self, rows: impl Iterator<Item = &'a str>) {
        let rows: Vec<&str> = rows.collect();
        let is_exact =
            |row: &&str| csv::cells(row, self.delimiter).is_some_and(|cells| cells.len() == self.names.len());
        // Where some row has no cell too many, such a cell is a value's that has a delimiter in it.
        self.may_be_padded = !rows.iter().any(is_exact);
        let last = rows.into_iter().filter_map(|row| self.cells(row).ok()?.pop().map(Cow::into_owned));
        self.last_cells = LastCells::new(last);
    }

    /// Whether a row was evidently cut inside its last cell.
    pub(super) fn ends_in_cell(&self, row: &str) -> bool {
        // Of a quoted cell the closing quote would be missing.
        let last = self.cells(row).ok().filter(|_| !row.ends_with('"')).and_then(|mut cells| cells.pop());
        last.is_some_and(|cell| self.last_cells.is_cut(&cell))
    }

    fn cells<'a>(&self, row: &'a str) -> Result<Vec<Cow<'a, str>>, RejectReason> {
        let mut cells = csv::cells(row, self.delimiter).ok_or(RejectReason::InvalidCsv { at: 0 })?;
        // Some tools end every row with a delimiter.
        while self.may_be_padded
            && cells.len() > self.names.len()
            && cells.last().is_some_and(|cell| cell.trim().is_empty())
        {
            cells.pop();
        }
        if cells.len() != self.names.len() {
            return Err(RejectReason::WrongColumns { expected: self.names.len(), found: cells.len() });
        }
        Ok(cells)
    }

    /// Reads the cells of one row.
    pub(super) fn draft<'a>(&self, row: &'a str) -> Result<Draft<'a>, RejectReason> {
        let mut cells = self.cells(row)?;
        let mut draft = Draft::default();
        for (item, columns) in &self.columns.items {
            for at in others_of(*item, columns).filter(|at| !cells[*at].trim().is_empty()) {
                draft.set(*item, Some(trimmed(cells[at].clone())));
            }
            let filled = columns.iter().find(|at| !cells[**at].trim().is_empty());
            draft.set(*item, filled.map(|at| std::mem::take(&mut cells[*at])).map(trimmed));
        }
        self.common_words(&mut draft);
        Ok(draft)
    }

    /// Reads what is there of a row whose end is missing: the cell that was cut tells nothing.
    pub(super) fn draft_of_part<'a>(&self, row: &'a str) -> Option<Draft<'a>> {
        let mut cells = csv::cells(row, self.delimiter)?;
        if cells.len() > self.names.len() {
            return self.draft(row).ok();
        }
        if cells.len() < self.names.len() {
            cells.pop();
        }
        let mut draft = Draft::default();
        for (item, columns) in &self.columns.items {
            let filled =
                columns.iter().find(|at| cells.get(**at).is_some_and(|cell| !cell.trim().is_empty()));
            if let Some(at) = filled {
                draft.set(*item, Some(trimmed(std::mem::take(&mut cells[*at]))));
            }
        }
        self.common_words(&mut draft);
        Some(draft)
    }

    /// Says with the words of the other shapes what this one has words of its own for.
    fn common_words(&self, draft: &mut Draft<'_>) {
        if self.columns.shape == Shape::PortalCsv {
            let word = draft.sign_in.conditional_access.as_deref().and_then(portal::conditional_access);
            draft.sign_in.conditional_access =
                word.map(Cow::Borrowed).or(draft.sign_in.conditional_access.take());
        }
    }

    /// As [`draft`](Self::draft), of a row whose cells end at `ends`; `None` if they are not as many as
    /// in the header.
    fn draft_of_cells<'a>(&self, row: Row<'a, '_>) -> Option<Draft<'a>> {
        self.fits(row).then(|| {
            let mut draft = Draft::default();
            for (item, columns) in &self.columns.items {
                for at in others_of(*item, columns).filter(|at| !row.cell(*at).is_blank()) {
                    draft.set(*item, Some(row.cell(at).text()));
                }
                let filled = columns.iter().map(|at| row.cell(*at)).find(|cell| !cell.is_blank());
                match (item, filled) {
                    (Item::AuthenticationDetails, Some(cell)) => {
                        draft.sign_in.client_certificate = nested::certificate_in_cell(cell.raw());
                    }
                    (Item::Status, Some(cell)) if cell.raw().starts_with('{') => {
                        draft.status(nested::status_in_cell(cell.raw()));
                    }
                    (Item::Location, Some(cell)) if cell.raw().starts_with('{') => {
                        draft.sign_in.country = nested::country_in_cell(cell.raw());
                    }
                    _ => draft.set(*item, filled.map(Cell::text)),
                }
            }
            self.common_words(&mut draft);
            draft
        })
    }

    /// Whether a row has as many cells as the header; some tools end every row with a delimiter.
    fn fits(&self, row: Row<'_, '_>) -> bool {
        let named = self.names.len();
        let is_padded = || self.may_be_padded && (named..row.len()).all(|at| row.cell(at).is_blank());
        row.len() == named || row.len() > named && is_padded()
    }

    /// Reads one row whose cells are known, as [`parse`](Self::parse) does; `None` if that has to say
    /// what is wrong with it.
    pub(super) fn parse_cells<'a>(&self, row: Row<'a, '_>, dates: DateOrder) -> Option<Parsed<'a>> {
        if self.columns.members.is_some() {
            return None;
        }
        let Some(at) = self.columns.record else { return self.draft_of_cells(row)?.finish(dates).ok() };
        let record = self.fits(row).then(|| row.cell(at))?.text();
        if bare(&record) == bare(&self.names[at]) {
            return None;
        }
        let mut reader = RecordReader::json(Shape::Audit);
        reader.dates = dates;
        reader.parse(&record).map(Parsed::into_owned).ok()
    }

    /// The times of a row whose cells are known; false if they are not as many as in the header.
    pub(super) fn times_of_cells(&self, row: Row<'_, '_>, see: &mut impl FnMut(&str)) -> bool {
        if !self.fits(row) || self.holds_audit_records() {
            return false;
        }
        for wanted in [Item::SignedInAt, Item::EmittedAt] {
            for (_, columns) in self.columns.items.iter().filter(|(item, _)| *item == wanted) {
                let filled = columns.iter().map(|at| row.cell(*at)).find(|cell| !cell.is_blank());
                if let Some(cell) = filled {
                    see(&cell.text());
                }
            }
        }
        true
    }

    /// Reads one row. The header, which files that were joined repeat, is none.
    pub(super) fn parse<'a>(&self, row: &'a str, dates: DateOrder) -> Result<Parsed<'a>, RejectReason> {
        if self.holds_audit_records() {
            // A reject of an envelope is kept as the record that was in the cell.
            if row.trim_start().starts_with('{') {
                let mut reader = RecordReader::json(Shape::Audit);
                reader.dates = dates;
                return reader.parse(row).map(Parsed::into_owned);
            }
            let mut cells = self.cells(row)?;
            if self.repeats_header(&cells) {
                return Ok(Parsed::NotSignIn);
            }
            let record = self.record_of(&mut cells).unwrap_or_default();
            // A SIEM keeps records of any shape in such a column.
            let mut reader = RecordReader::json(Shape::Audit);
            reader.dates = dates;
            return reader.parse(&record).map(Parsed::into_owned);
        }
        let draft = self.draft(row)?;
        match draft.finish(dates) {
            Err(_) if self.repeats_header(&self.cells(row)?) => Ok(Parsed::NotSignIn),
            parsed => parsed,
        }
    }

    fn repeats_header(&self, cells: &[Cow<'_, str>]) -> bool {
        cells.len() == self.names.len()
            && cells.iter().zip(&self.names).all(|(a, b)| bare(a).eq_ignore_ascii_case(bare(b)))
    }

    /// A row's content whatever the order of its columns and its line ends: names and cells, sorted.
    pub(super) fn content(&self, row: &str) -> String {
        let cells = csv::cells(row, self.delimiter).unwrap_or_default();
        let mut pairs: Vec<String> = self
            .names
            .iter()
            .zip(cells)
            .map(|(name, cell)| format!("{name}\0{}\0", cell.replace("\r\n", "\n")))
            .collect();
        pairs.sort_unstable();
        pairs.concat()
    }
}

/// The columns beside the first that tell the same, where none of them may be lost: the draft keeps what may be usage.
fn others_of(item: Item, columns: &[usize]) -> impl Iterator<Item = usize> {
    let others = if item.decides() { columns.get(1..).unwrap_or_default() } else { &[] };
    others.iter().rev().copied()
}

/// A name without what is around it in some row.
fn bare(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim_matches('"')
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests;
