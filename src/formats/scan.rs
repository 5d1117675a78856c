//! What a search for the borders of records found in a buffer: in JSON documents by `document`, in tables by `csv`.

use std::ops::Range;

use super::reject::RejectReason;

/// What one pass over a buffer found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) records: Vec<Range<usize>>,
    /// Where the cells of its records end, in tables.
    pub(super) cells: Cells,
    pub(super) broken: Vec<(Range<usize>, RejectReason)>,
    /// Bytes that need not be looked at again.
    pub(super) consumed: usize,
}

impl Scan {
    /// Whether nothing is before a record.
    pub(super) fn begins_with(&self, record: usize) -> bool {
        let start = self.records.get(record).map_or(0, |range| range.start);
        record == 0 && self.broken.iter().all(|(range, _)| range.start > start)
    }

    /// Leaves what begins with a record for the next time.
    pub(super) fn end_before(&mut self, record: usize) {
        let start = self.records[record].start;
        self.consumed = start;
        self.records.truncate(record);
        self.broken.retain(|(range, _)| range.start < start);
        if let Some(ends) = self.cells.starts.get(record) {
            self.cells.ends_len = *ends as usize;
            self.cells.starts.truncate(record);
        }
    }
}

/// Where the cells of a chunk's records end.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    /// The delimiters between a row's cells, then the end of the row; row after row. The first
    /// `ends_len` are of these rows.
    pub(crate) ends: Vec<u32>,
    pub(crate) ends_len: usize,
    /// Where those of each record start; a row that was found byte by byte has none.
    pub(crate) starts: Vec<u32>,
}

impl Cells {
    /// Those of one record, the records being counted in their order; empty if its cells are not known.
    pub fn of(&self, record: usize) -> &[u32] {
        let start = self.starts.get(record).map_or(self.ends_len, |start| *start as usize);
        let end = self.starts.get(record + 1).map_or(self.ends_len, |end| *end as usize);
        &self.ends[start..end]
    }
}
