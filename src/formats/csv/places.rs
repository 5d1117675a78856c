//! Rows and their cells, found sixty-four bytes at a time. A quote opens at the start of a cell and
//! closes before a delimiter or a line end; inside, quotes are doubled. So a byte is inside quotes where
//! the number of quotes before it is odd, as long as every quote is at such a place; a row in which one
//! is not, is left to the reader that goes byte by byte.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use std::borrow::Cow;

use crate::json::blocks::{BLOCK, Look, Processor, Work};
use crate::reject::{OVER_LONG_BYTES_KEPT, RECORD_BYTES_MAX, RejectReason};
use crate::scan::Scan;

/// The text of one cell as it lies in its row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// Without the quotes around it.
    text: &'a str,
    /// In it quotes are doubled.
    quoted: bool,
}

/// A row whose cells are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a, 'c> {
    chunk: &'a str,
    start: usize,
    ends: &'c [u32],
}

impl<'a, 'c> Row<'a, 'c> {
    /// The row of a chunk that starts at `start`, and what [`Cells`](crate::scan::Cells) has of it; `None` if that is nothing.
    #[inline]
    pub(crate) fn new(chunk: &'a str, start: usize, ends: &'c [u32]) -> Option<Self> {
        (!ends.is_empty()).then_some(Self { chunk, start, ends })
    }

    /// How many cells it has.
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn cell(self, at: usize) -> Cell<'a> {
        let start = if at == 0 { self.start } else { self.ends[at - 1] as usize + 1 };
        let text = &self.chunk[start..self.ends[at] as usize];
        match text.as_bytes() {
            [b'"', .., b'"'] => Cell { text: &text[1..text.len() - 1], quoted: true },
            _ => Cell { text, quoted: false },
        }
    }
}

impl<'a> Cell<'a> {
    /// As it lies in its row, without the quotes around it and the blanks at its ends.
    #[inline]
    pub(crate) fn raw(self) -> &'a str {
        trim(self.text)
    }

    /// What it says, without the blanks at its ends.
    #[inline]
    pub(crate) fn text(self) -> Cow<'a, str> {
        let text = self.raw();
        if self.quoted && memchr::memchr(b'"', text.as_bytes()).is_some() {
            return Cow::Owned(text.replace("\"\"", "\""));
        }
        Cow::Borrowed(text)
    }

    #[inline]
    pub(crate) fn is_blank(self) -> bool {
        crate::json::is_blank(self.text)
    }
}

/// As [`str::trim`].
#[inline]
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        // Printed characters of ASCII.
        [0x21..0x7f] | [0x21..0x7f, .., 0x21..0x7f] => text,
        _ => text.trim(),
    }
}

/// Finds rows.
#[derive(Debug)]
pub(crate) struct Finder {
    processor: Processor,
}

impl Finder {
    pub(crate) fn new() -> Self {
        Self { processor: Processor::detect() }
    }

    /// With instructions that every processor has.
    #[cfg(test)]
    pub(crate) const fn portable() -> Self {
        Self { processor: Processor::portable() }
    }

    /// As [`super::scan`], and where the cells of the rows are.
    pub(crate) fn scan(&self, buffer: &[u8], delimiter: u8, last: bool) -> Scan {
        let mut scan = Scan::default();
        loop {
            if u32::try_from(buffer.len()).is_ok() {
                self.processor.run(Rows { buffer, delimiter, scan: &mut scan });
            }
            if !super::next_row(buffer, delimiter, last, &mut scan) {
                return scan;
            }
            let cells = &mut scan.cells;
            cells.starts.resize(scan.records.len(), place(cells.ends_len));
        }
    }
}

/// Takes rows from where the scan stands to the first that is odd, or does not end.
struct Rows<'b> {
    buffer: &'b [u8],
    delimiter: u8,
    scan: &'b mut Scan,
}

/// What one block leaves to the next.
struct State {
    base: usize,
    /// Where the row starts, and the first end of a cell in it.
    row: usize,
    first_end: usize,
    ends_len: usize,
    /// All bits, if it starts inside quotes.
    inside: u64,
    /// Lowest bit: its first byte may open quotes; is behind a quote that closed.
    may_open: u64,
    closed: u64,
}

impl Work for Rows<'_> {
    type Done = ();

    #[inline(always)]
    fn by(mut self, look: impl Look) {
        let start = self.scan.consumed;
        let ends_len = self.scan.cells.ends_len;
        let mut state = State {
            base: start,
            row: start,
            first_end: ends_len,
            ends_len,
            inside: 0,
            may_open: 1,
            closed: 0,
        };
        let (blocks, rest) = self.buffer[start..].as_chunks::<BLOCK>();
        let even = blocks.iter().all(|block| self.block(look, block, &mut state));
        if even {
            let mut last = [0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            self.block(look, &last, &mut state);
        }
        self.scan.consumed = state.row;
        self.scan.cells.ends_len = state.first_end;
    }
}

impl Rows<'_> {
    /// Takes the rows that end in a block; false if something is odd.
    #[inline(always)]
    fn block(&mut self, look: impl Look, block: &[u8; BLOCK], state: &mut State) -> bool {
        let quotes = look.places(block, b'"');
        let newlines = look.places(block, b'\n');
        let delimiters = look.places(block, self.delimiter);
        let inside = look.running_parity(quotes) ^ state.inside;
        state.inside = (inside.cast_signed() >> 63).cast_unsigned();
        let mut borders = (newlines | delimiters) & !inside;
        let (opening, closing) = (quotes & inside, quotes & !inside);
        let may_open = borders | closing;
        let misplaced = opening & !(may_open << 1 | state.may_open);
        let unclosed = (closing << 1 | state.closed) & !(newlines | delimiters | quotes);
        state.may_open = may_open >> 63;
        state.closed = closing >> 63;
        let odd = if misplaced | unclosed == 0 {
            0
        } else {
            misplaced | self.not_at_line_end(unclosed, state.base)
        };
        if odd != 0 {
            borders &= (1 << odd.trailing_zeros()) - 1;
        }

        let ends = &mut self.scan.cells.ends;
        if ends.len() < state.ends_len + BLOCK {
            ends.resize(2 * state.ends_len + 4096, 0);
        }
        if borders & newlines == 0 {
            let base = place(state.base);
            let count = borders.count_ones() as usize;
            let (first, more) = ends[state.ends_len..state.ends_len + BLOCK].split_at_mut(4);
            // Most blocks have fewer than four: to write four takes no branch.
            for slot in first {
                *slot = base + borders.trailing_zeros();
                borders &= borders.wrapping_sub(1);
            }
            if count > 4 {
                for slot in &mut more[..count - 4] {
                    *slot = base + borders.trailing_zeros();
                    borders &= borders.wrapping_sub(1);
                }
            }
            state.ends_len += count;
        } else {
            self.rows(borders, newlines, state);
        }
        state.base += BLOCK;
        odd == 0
    }

    /// Bytes behind a closing quote, without those that begin `\r\n`.
    #[cold]
    fn not_at_line_end(&self, mut behind: u64, base: usize) -> u64 {
        let mut odd = 0;
        while behind != 0 {
            let at = behind.trailing_zeros();
            behind &= behind - 1;
            let line_end =
                self.buffer.get(base + at as usize..).is_some_and(|rest| rest.starts_with(b"\r\n"));
            odd |= u64::from(!line_end) << at;
        }
        odd
    }

    /// Takes the borders of a block in which some row ends.
    fn rows(&mut self, mut borders: u64, newlines: u64, state: &mut State) {
        while borders != 0 {
            let bit = borders & borders.wrapping_neg();
            let at = state.base + borders.trailing_zeros() as usize;
            borders ^= bit;
            self.scan.cells.ends[state.ends_len] = place(at);
            state.ends_len += 1;
            if newlines & bit != 0 {
                self.row(at, state);
            }
        }
    }

    /// Takes the row that ends at the newline.
    fn row(&mut self, newline: usize, state: &mut State) {
        let buffer = self.buffer;
        let blanks = buffer[state.row..newline].iter().take_while(|byte| **byte == b'\r').count();
        let start = state.row + blanks;
        let end = if newline > start && buffer[newline - 1] == b'\r' { newline - 1 } else { newline };
        state.row = newline + 1;
        let text = &buffer[start..end];
        if text.len() > RECORD_BYTES_MAX {
            self.scan.broken.push((start..start + OVER_LONG_BYTES_KEPT, RejectReason::over_long()));
        } else if !text.trim_ascii_start().is_empty() {
            self.scan.records.push(start..end);
            let cells = &mut self.scan.cells;
            cells.ends[state.ends_len - 1] = place(end);
            cells.starts.push(place(state.first_end));
            state.first_end = state.ends_len;
            return;
        }
        state.ends_len = state.first_end;
    }
}

/// Buffers are smaller than four gigabytes.
#[expect(clippy::cast_possible_truncation, reason = "checked where a scan begins")]
fn place(at: usize) -> u32 {
    at as u32
}
