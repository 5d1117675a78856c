//! Cuts a byte stream into chunks at record borders, so that every chunk can be parsed on any core.
//! Three framings: *lines* (newline-delimited JSON), *document* (an array, an envelope such as
//! `{"records":[…]}`, pretty-printed or concatenated objects) and *csv*. Each holds at most one chunk
//! and one record, and finds the next good record after a broken one.

use std::io;
use std::ops::Range;

use super::buffer::{Buffer, Buffers};
use super::csv::Finder;
use super::document::{Scanner, broken_off};
use super::encoding::{BYTE_ORDER_MARK, Encoding};
use super::framing::Framing;
use super::headers::Headers;
use super::recognise::{Recognised, recognise};
use super::reject::{OVER_LONG_BYTES_KEPT, RECORD_BYTES_MAX, RejectReason};
use super::scan::{Cells, Scan};
use super::shapes::NotRead;
use super::text::Text;

/// How much is read before a chunk is cut.
/// Small enough to stay in a core's own cache from being read to being parsed.
const CHUNK_BYTES: usize = 512 << 10;
/// How much of a file recognition may look at.
const HEAD_BYTES: usize = 1 << 20;

/// Where a chunk's records are.
#[derive(Debug, Clone)]
pub enum Records {
    /// Each line is one; where lines end.
    Lines(Vec<usize>),
    At(Vec<Range<usize>>),
}

impl Default for Records {
    fn default() -> Self {
        Self::At(Vec::new())
    }
}

/// Part of a file that holds whole records only.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Offset of `bytes` in the inflated file, as encoded there.
    pub offset: u64,
    pub encoding: Encoding,
    /// Line number of its first byte, from 1.
    pub first_line: u64,
    pub bytes: Buffer,
    pub records: Records,
    pub cells: Cells,
    /// What can't be a record, found while framing.
    pub broken: Vec<(Range<usize>, RejectReason)>,
    /// The file ends with it, and not with a line end: its last record may be cut.
    pub is_open: bool,
}

impl Chunk {
    /// Its records: ranges without the blanks around them.
    #[must_use]
    pub fn records(&self) -> Vec<Range<usize>> {
        let ends = match &self.records {
            Records::At(records) => return records.clone(),
            Records::Lines(ends) => ends,
        };
        let mut records = Vec::with_capacity(ends.len());
        let mut start = 0;
        for end in ends.iter().copied().chain([self.bytes.len()]) {
            let mut line = self.bytes[start..end].trim_ascii_start();
            while let Some(rest) = line.strip_prefix(BYTE_ORDER_MARK) {
                line = rest.trim_ascii_start();
            }
            let from = end - line.len();
            let len = line.trim_ascii_end().len();
            if len > 0 {
                records.push(from..from + len);
            }
            start = (end + 1).min(self.bytes.len());
        }
        records
    }
}

/// A stream that is being cut.
pub struct Framer {
    text: Text,
    delimiter: u8,
    /// Read and not handed out yet; starts at `offset`.
    buffer: Buffer,
    offset: u64,
    line: u64,
    ended: Option<End>,
    framing: Framing,
    scanner: Scanner,
    rows: Finder,
    headers: Option<Headers>,
    /// In the middle of a line that is too long: its start is handed out, the rest is passed.
    skipping_line: bool,
    chunk_bytes: usize,
    is_cut: bool,
}

#[derive(Debug, Clone)]
enum End {
    Clean,
    Broken(String),
    Told,
}

impl Framer {
    /// Reads the head and recognises shape and framing from it.
    ///
    /// # Errors
    /// Fails if the stream can't be read.
    pub fn new(text: Text) -> io::Result<(Self, Recognised)> {
        Self::with(text, &Buffers::default(), HEAD_BYTES, CHUNK_BYTES)
    }

    /// The same, looking at `head_bytes` first and reading `chunk_bytes` before it cuts; more where a
    /// record is longer.
    ///
    /// # Errors
    /// Fails if the stream can't be read.
    pub fn in_steps(text: Text, head_bytes: usize, chunk_bytes: usize) -> io::Result<(Self, Recognised)> {
        Self::with(text, &Buffers::default(), head_bytes, chunk_bytes)
    }

    /// As [`new`](Self::new), in buffers that go round.
    pub fn reusing(buffers: &Buffers, text: Text) -> io::Result<(Self, Recognised)> {
        Self::with(text, buffers, HEAD_BYTES, CHUNK_BYTES)
    }

    fn with(
        text: Text,
        buffers: &Buffers,
        head_bytes: usize,
        chunk_bytes: usize,
    ) -> io::Result<(Self, Recognised)> {
        let mut framer = Self {
            offset: text.mark_bytes,
            text,
            delimiter: b',',
            buffer: buffers.get(0),
            line: 1,
            ended: None,
            framing: Framing::Lines,
            scanner: Scanner::default(),
            rows: Finder::new(),
            headers: None,
            skipping_line: false,
            chunk_bytes,
            is_cut: false,
        };
        framer.fill(head_bytes)?;
        let recognised = loop {
            match recognise(&framer.buffer, framer.ended.is_some()) {
                Some(recognised) => break recognised,
                None => framer.fill(framer.buffer.len() * 2)?,
            }
        };
        match &recognised {
            Recognised::Records(head) => {
                framer.framing = head.framing;
                framer.delimiter = head.reader.delimiter().unwrap_or(framer.delimiter);
                framer.headers =
                    head.header.as_ref().and_then(|header| Headers::new(header, framer.delimiter));
                drop(framer.take(head.skip));
            }
            // A stream that breaks off before its first record is not an empty file.
            Recognised::Empty if matches!(framer.ended, Some(End::Broken(_))) => {
                let found = NotRead::unknown("a compressed stream that breaks off at its start");
                return Ok((framer, Recognised::Unknown(found)));
            }
            _ => {}
        }
        let recognised = match recognised {
            // Nobody knows what came behind the break.
            Recognised::Unknown(found) if matches!(framer.ended, Some(End::Broken(_))) => {
                Recognised::Unknown(NotRead { may_hold_sign_ins: true, ..found })
            }
            recognised => recognised,
        };
        Ok((framer, recognised))
    }

    /// How the file's text is encoded, as far as it was read.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.text.encoding()
    }

    /// All of a text that is read as a whole. The inner error says why it cannot be.
    ///
    /// # Errors
    /// Fails if the stream can't be read.
    pub fn whole_text(mut self, bytes_max: usize) -> io::Result<Result<Buffer, String>> {
        while self.ended.is_none() && self.buffer.len() <= bytes_max {
            self.fill(self.buffer.len() + CHUNK_BYTES)?;
        }
        Ok(match self.ended {
            _ if self.buffer.len() > bytes_max => {
                Err(format!("expected at most {bytes_max} bytes of settings; the file is longer"))
            }
            Some(End::Broken(detail)) => Err(format!("the compressed stream breaks off: {detail}")),
            _ => Ok(self.buffer),
        })
    }

    /// Reads until the buffer holds `wanted` bytes or the stream ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.ended.is_some() || self.buffer.len() >= wanted {
            return Ok(());
        }
        match self.buffer.fill(&mut self.text.reader, wanted) {
            Ok(false) => self.ended = Some(End::Clean),
            Ok(true) => {}
            // What was inflated before the break is kept, and the break becomes a reject.
            Err(error) if self.text.compressed => self.ended = Some(End::Broken(error.to_string())),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Passes what is before an offset of the file, at which a line begins: its records are known.
    ///
    /// # Errors
    /// Fails if the stream can't be read.
    pub fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        while self.offset < offset {
            self.fill(self.chunk_bytes.max(self.buffer.len()))?;
            let left = usize::try_from(offset - self.offset).unwrap_or(usize::MAX);
            let len = left.min(self.buffer.len());
            if len == 0 {
                break;
            }
            drop(self.take(len));
        }
        Ok(())
    }

    /// The next chunk, `None` at the end.
    ///
    /// # Errors
    /// Fails if the stream can't be read.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        loop {
            self.fill(self.chunk_bytes.max(self.buffer.len()))?;
            if self.buffer.is_empty() {
                return Ok(self.end_of_stream());
            }
            let chunk = match self.framing {
                Framing::Lines => self.next_lines(),
                Framing::Document => {
                    let scan = self.scanner.scan(&self.buffer, self.ended.is_some());
                    self.next_records(scan)
                }
                Framing::Csv => {
                    let mut scan = self.rows.scan(&self.buffer, self.delimiter, self.ended.is_some());
                    if let Some(headers) = &mut self.headers {
                        headers.split(&self.buffer, &mut scan);
                    }
                    self.next_records(scan)
                }
            };
            if let Some(chunk) = chunk {
                return Ok(Some(chunk));
            }
            if self.ended.is_none() {
                self.fill(self.buffer.len() + self.chunk_bytes)?;
            }
        }
    }

    /// Whether the stream shows that it was cut: compressed bytes, an array or an object that break off. All
    /// of it being read.
    pub fn is_cut(&self) -> bool {
        self.is_cut || self.scanner.is_cut()
    }

    /// Whether what was read says of itself that records are missing. All of it being read.
    #[must_use]
    pub fn says_incomplete(&self) -> bool {
        self.scanner.answers().say_incomplete()
    }

    fn end_of_stream(&mut self) -> Option<Chunk> {
        let reason = match self.ended.replace(End::Told) {
            Some(End::Broken(detail)) => {
                self.is_cut = true;
                RejectReason::BrokenCompression { detail }
            }
            Some(End::Clean) if self.scanner.ends_in_array() => broken_off(),
            _ => return None,
        };
        Some(Chunk {
            offset: self.offset,
            first_line: self.line,
            broken: vec![(0..0, reason)],
            ..Chunk::default()
        })
    }

    /// Hands out the first `len` bytes of the buffer.
    fn take(&mut self, len: usize) -> Chunk {
        let rest = self.buffer.split_off(len, self.chunk_bytes);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let is_open =
            self.ended.is_some() && self.buffer.is_empty() && !matches!(bytes.last(), None | Some(b'\n'));
        let newlines = memchr::memchr_iter(b'\n', &bytes);
        let line = self.line;
        let records = if self.framing == Framing::Lines {
            let ends: Vec<usize> = newlines.collect();
            self.line += ends.len() as u64;
            Records::Lines(ends)
        } else {
            self.line += newlines.count() as u64;
            Records::default()
        };
        let chunk = Chunk {
            offset: self.offset,
            encoding: self.encoding(),
            first_line: line,
            bytes,
            records,
            is_open,
            ..Chunk::default()
        };
        self.offset += chunk.encoding.len_of(&chunk.bytes) as u64;
        chunk
    }

    fn next_lines(&mut self) -> Option<Chunk> {
        if self.skipping_line {
            let end = memchr::memchr(b'\n', &self.buffer);
            self.skipping_line = end.is_none();
            let passed = self.take(end.map_or(self.buffer.len(), |end| end + 1));
            drop(passed);
            return None;
        }
        if let Some(last) = memchr::memrchr(b'\n', &self.buffer) {
            return Some(self.take(last + 1));
        }
        if self.ended.is_some() {
            return Some(self.take(self.buffer.len()));
        }
        if self.buffer.len() <= RECORD_BYTES_MAX {
            return None;
        }
        self.skipping_line = true;
        let mut chunk = self.take(self.buffer.len());
        chunk.bytes.truncate(OVER_LONG_BYTES_KEPT);
        chunk.broken.push((0..OVER_LONG_BYTES_KEPT, RejectReason::over_long()));
        chunk.records = Records::default();
        Some(chunk)
    }

    fn next_records(&mut self, scan: Scan) -> Option<Chunk> {
        if scan.consumed == 0 {
            return None;
        }
        let mut chunk = self.take(scan.consumed);
        // A file may be cut behind a line end inside of quotes.
        let is_end = self.ended.is_some() && self.buffer.is_empty();
        if is_end && scan.broken.last().is_some_and(|broken| is_open_row(broken, &chunk.bytes)) {
            self.is_cut = true;
        }
        chunk.records = Records::At(scan.records);
        chunk.cells = scan.cells;
        chunk.broken = scan.broken;
        Some(chunk)
    }
}

/// Whether the last row of a table opens a quote, and the text ends before it is closed.
fn is_open_row((range, reason): &(Range<usize>, RejectReason), text: &[u8]) -> bool {
    let closes_nowhere = matches!(reason, RejectReason::InvalidCsv { at } if *at == range.len());
    closes_nowhere && text[range.end..].trim_ascii().is_empty()
}
