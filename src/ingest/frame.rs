//! Cuts a byte stream into chunks at record borders, so that every chunk can be parsed on any core.
//! Two framings: *lines* (newline-delimited JSON) and *document* (an array, an envelope such as
//! `{"records":[…]}`, pretty-printed or concatenated objects). Both hold at most one chunk and one
//! record, and both find the next good record after a broken one.

use std::io::{self, Read};
use std::ops::Range;

use super::document::Scanner;
use super::formats::{RejectReason, Shape};
use super::json::Cursor;

/// A longer record is rejected.
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// What is kept of one that is longer.
pub const OVER_LONG_BYTES_KEPT: usize = 1 << 20;
/// How much is read before a chunk is cut.
const CHUNK_BYTES: usize = 2 << 20;
/// How much of a file recognition may look at.
const HEAD_BYTES: usize = 1 << 20;
const HEAD_LINES: usize = 64;
const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// How records lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Lines,
    Document,
}

impl Framing {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Document => "document",
        }
    }
}

/// Part of a file that holds whole records only.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Offset of `bytes` in the inflated file.
    pub offset: u64,
    /// Line number of its first byte, from 1.
    pub first_line: u64,
    pub bytes: Vec<u8>,
    /// `None`: each line is a record.
    pub records: Option<Vec<Range<usize>>>,
    /// What can't be a record, found while framing.
    pub broken: Vec<(Range<usize>, RejectReason)>,
}

/// What the head of a file shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised {
    Records(Shape, Framing),
    /// No byte but blanks.
    Empty,
    /// `found` is for the message.
    Unknown {
        found: String,
    },
}

/// A stream that is being cut.
pub struct Framer {
    reader: Box<dyn Read + Send>,
    compressed: bool,
    /// Read and not handed out yet; starts at `offset`.
    buffer: Vec<u8>,
    offset: u64,
    line: u64,
    ended: Option<End>,
    framing: Framing,
    scanner: Scanner,
    /// In the middle of a line that is too long: its start is handed out, the rest is passed.
    skipping_line: bool,
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
    pub fn new(reader: Box<dyn Read + Send>, compressed: bool) -> io::Result<(Self, Recognised)> {
        let mut framer = Self {
            reader,
            compressed,
            buffer: Vec::new(),
            offset: 0,
            line: 1,
            ended: None,
            framing: Framing::Lines,
            scanner: Scanner::default(),
            skipping_line: false,
        };
        framer.fill(HEAD_BYTES)?;
        if framer.buffer.starts_with(UTF8_BOM) {
            framer.buffer.drain(..UTF8_BOM.len());
            framer.offset = UTF8_BOM.len() as u64;
        }
        let recognised = framer.recognise()?;
        if let Recognised::Records(_, framing) = recognised {
            framer.framing = framing;
        }
        Ok((framer, recognised))
    }

    /// Reads until the buffer holds `wanted` bytes or the stream ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.ended.is_none() && self.buffer.len() < wanted {
            let held = self.buffer.len();
            self.buffer.resize(wanted, 0);
            let read = self.reader.read(&mut self.buffer[held..]);
            self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => self.ended = Some(End::Clean),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What was inflated before the break is kept, and the break becomes a reject.
                Err(error) if self.compressed => self.ended = Some(End::Broken(error.to_string())),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn recognise(&mut self) -> io::Result<Recognised> {
        loop {
            let start = self.buffer.iter().position(|byte| !byte.is_ascii_whitespace());
            let Some(start) = start else {
                if self.ended.is_some() {
                    return Ok(Recognised::Empty);
                }
                self.fill(self.buffer.len() + HEAD_BYTES)?;
                continue;
            };
            if self.buffer[start] != b'['
                && let Some(shape) = shape_of_lines(&self.buffer)
            {
                return Ok(Recognised::Records(shape, Framing::Lines));
            }
            let mut scanner = Scanner::default();
            let scan = scanner.scan(&self.buffer, self.ended.is_some());
            let records = scan.records.iter().take(HEAD_LINES).map(|range| &self.buffer[range.clone()]);
            let shape =
                records.filter_map(|record| std::str::from_utf8(record).ok()).find_map(Shape::recognise);
            if let Some(shape) = shape {
                return Ok(Recognised::Records(shape, Framing::Document));
            }
            let decided = !scan.records.is_empty() || self.ended.is_some();
            if decided || self.buffer.len() > RECORD_BYTES_MAX {
                let first =
                    scan.records.first().map_or(&self.buffer[start..], |range| &self.buffer[range.clone()]);
                return Ok(Recognised::Unknown { found: describe(first) });
            }
            self.fill(self.buffer.len() * 2)?;
        }
    }

    /// The next chunk, `None` at the end.
    ///
    /// # Errors
    /// Fails if the stream can't be read.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        loop {
            self.fill(CHUNK_BYTES.max(self.buffer.len()))?;
            if self.buffer.is_empty() {
                return Ok(self.end_of_stream());
            }
            let chunk = match self.framing {
                Framing::Lines => self.next_lines(),
                Framing::Document => self.next_records(),
            };
            if let Some(chunk) = chunk {
                return Ok(Some(chunk));
            }
            if self.ended.is_none() {
                self.fill(self.buffer.len() + CHUNK_BYTES)?;
            }
        }
    }

    fn end_of_stream(&mut self) -> Option<Chunk> {
        match self.ended.replace(End::Told) {
            Some(End::Broken(detail)) => Some(Chunk {
                offset: self.offset,
                first_line: self.line,
                records: Some(Vec::new()),
                broken: vec![(0..0, RejectReason::BrokenCompression { detail })],
                ..Chunk::default()
            }),
            _ => None,
        }
    }

    /// Hands out the first `len` bytes of the buffer.
    fn take(&mut self, len: usize) -> Chunk {
        let rest = self.buffer.split_off(len);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let chunk = Chunk { offset: self.offset, first_line: self.line, bytes, ..Chunk::default() };
        self.offset += len as u64;
        self.line += memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
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
        chunk.broken.push((0..OVER_LONG_BYTES_KEPT, over_long()));
        chunk.records = Some(Vec::new());
        Some(chunk)
    }

    fn next_records(&mut self) -> Option<Chunk> {
        let scan = self.scanner.scan(&self.buffer, self.ended.is_some());
        if scan.consumed == 0 {
            return None;
        }
        let mut chunk = self.take(scan.consumed);
        chunk.records = Some(scan.records);
        chunk.broken = scan.broken;
        Some(chunk)
    }
}

/// The reason for a record that is too long.
#[must_use]
pub fn over_long() -> RejectReason {
    RejectReason::OverLong { limit: RECORD_BYTES_MAX, kept: OVER_LONG_BYTES_KEPT }
}

/// The shape of the first line that is a whole record, if lines are records here.
fn shape_of_lines(head: &[u8]) -> Option<Shape> {
    let mut lines = head.split(|byte| *byte == b'\n').take(HEAD_LINES);
    lines.find_map(|line| {
        let line = std::str::from_utf8(line.trim_ascii()).ok()?;
        if !line.starts_with('{') {
            return None;
        }
        Shape::recognise(line)
    })
}

fn describe(record: &[u8]) -> String {
    let text = String::from_utf8_lossy(&record[..record.len().min(1 << 16)]);
    let keys = super::formats::top_level_keys(&text);
    if !keys.is_empty() {
        return format!("a JSON object with the keys {}", keys.join(", "));
    }
    let mut cursor = Cursor::new(&text);
    if cursor.skip().and_then(|()| cursor.end()).is_ok() {
        return "JSON without objects".to_owned();
    }
    let start: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("text that starts with '{}'", start.trim())
}
