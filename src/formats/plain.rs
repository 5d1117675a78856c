//! Makes a stream plain text: UTF-8 with line feeds. What nothing at the start of a file tells is found while it is read:
//! bytes that are no UTF-8 make it Windows-1252 (Excel's "CSV", Windows PowerShell), in whose place another code page
//! may stand, and a first line that ends with a carriage return alone makes those its line ends (old Macs). Both are decided once, by the same bytes however the
//! stream is cut. As long as a file is ASCII it passes without a copy, and once all is decided it passes unseen.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How much is looked at, from the first byte that is no ASCII on, to tell the encoding.
const LOOK_BYTES: usize = 64 << 10;
/// A first line that is longer ends as lines do on other systems.
const LINE_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    /// All bytes so far are ASCII.
    Undecided,
    /// As it is.
    Utf8,
    Windows1252,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnds {
    Undecided,
    AsTheyAre,
    CarriageReturns,
}

/// Reads plain text.
pub(crate) struct Plain<R> {
    reader: R,
    charset: Charset,
    line_ends: LineEnds,
    /// The first byte that is no blank.
    first: Option<u8>,
    /// Told when the text is of Windows-1252.
    told: Option<Arc<AtomicBool>>,
    /// Read, and not looked at.
    pending: Vec<u8>,
    /// Plain, and not handed out; from `at` on.
    ready: Vec<u8>,
    at: usize,
    /// Bytes of the first line that were handed out.
    line_len: usize,
    ended: bool,
    failed: Option<io::Error>,
}

impl<R: Read> Plain<R> {
    /// `told`: where to say that it is of Windows-1252, if it may be.
    pub(crate) fn new(reader: R, told: Option<Arc<AtomicBool>>) -> Self {
        Self {
            reader,
            charset: if told.is_some() { Charset::Undecided } else { Charset::Utf8 },
            line_ends: LineEnds::Undecided,
            first: None,
            told,
            pending: Vec::new(),
            ready: Vec::new(),
            at: 0,
            line_len: 0,
            ended: false,
            failed: None,
        }
    }

    /// Whether nothing has to be looked at any more.
    fn passes(&self) -> bool {
        self.charset == Charset::Utf8 && self.line_ends == LineEnds::AsTheyAre
    }

    /// Reads more into `pending` until it holds `wanted` bytes; an error is told when what came before is read.
    fn gather(&mut self, wanted: usize) {
        while self.pending.len() < wanted && !self.ended {
            let held = self.pending.len();
            self.pending.resize(held.max(wanted), 0);
            let read = self.reader.read(&mut self.pending[held..]);
            self.pending.truncate(held + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.failed = Some(error);
                }
            }
        }
    }

    /// Decides what `pending` shows, and makes as much of it plain as is decided.
    fn prepare(&mut self) {
        self.ready.clear();
        self.at = 0;
        if self.charset == Charset::Undecided {
            self.first = self.first.or_else(|| self.pending.trim_ascii_start().first().copied());
            let ascii = self.pending.iter().take_while(|byte| byte.is_ascii()).count();
            if ascii < self.pending.len() {
                self.gather(ascii + LOOK_BYTES);
                let looked_at = &self.pending[ascii..self.pending.len().min(ascii + LOOK_BYTES)];
                let is_json = matches!(self.first, Some(b'{' | b'['));
                self.charset = charset_of(looked_at, is_json, self.ended);
                if let Some(told) = self.told.as_ref().filter(|_| self.charset == Charset::Windows1252) {
                    told.store(true, Ordering::Relaxed);
                }
            }
        }
        if self.line_ends == LineEnds::Undecided {
            self.look_for_line_end();
        }
        let bytes = std::mem::take(&mut self.pending);
        self.ready = match self.charset {
            Charset::Undecided | Charset::Utf8 => bytes,
            Charset::Windows1252 => crate::encoding::Encoding::Windows1252.decode(&bytes),
        };
        if self.line_ends == LineEnds::CarriageReturns {
            self.ready.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
    }

    fn look_for_line_end(&mut self) {
        let Some(end) = memchr::memchr2(b'\r', b'\n', &self.pending) else {
            self.line_len += self.pending.len();
            if self.line_len > LINE_BYTES_MAX {
                self.line_ends = LineEnds::AsTheyAre;
            }
            return;
        };
        // Some programs write a carriage return too many.
        let mut next = end;
        loop {
            match self.pending.get(next) {
                Some(b'\r') => next += 1,
                Some(b'\n') => return self.line_ends = LineEnds::AsTheyAre,
                None if !self.ended => self.gather(next + 1),
                Some(_) | None => return self.line_ends = LineEnds::CarriageReturns,
            }
        }
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.at < self.ready.len() {
                let len = buffer.len().min(self.ready.len() - self.at);
                buffer[..len].copy_from_slice(&self.ready[self.at..self.at + len]);
                self.at += len;
                return Ok(len);
            }
            if self.ended || buffer.is_empty() {
                return self.failed.take().map_or(Ok(0), Err);
            }
            if self.passes() {
                return self.reader.read(buffer);
            }
            if self.line_ends == LineEnds::AsTheyAre && self.charset == Charset::Undecided {
                let read = self.reader.read(buffer)?;
                if buffer[..read].is_ascii() {
                    return Ok(read);
                }
                self.pending.extend(&buffer[..read]);
            } else {
                self.gather(LOOK_BYTES);
            }
            self.prepare();
        }
    }
}

/// Tells the encoding of text that starts with the first byte that is no ASCII. In doubt it is UTF-8, and its records
/// are rejected for what is none.
fn charset_of(text: &[u8], is_json: bool, is_end: bool) -> Charset {
    let (mut sequences, mut wrong) = (0_u32, 0_u32);
    let mut rest = text;
    while !rest.is_empty() {
        let (valid, next) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, &[][..]),
            Err(error) => {
                let (valid, behind) = rest.split_at(error.valid_up_to());
                // Without a length it is cut, where no more was looked at.
                wrong += u32::from(error.error_len().is_some() || is_end);
                let next = error.error_len().map_or(&[][..], |len| &behind[len..]);
                (std::str::from_utf8(valid).unwrap_or_default(), next)
            }
        };
        sequences += u32::try_from(valid.chars().filter(|c| !c.is_ascii()).count()).unwrap_or(u32::MAX);
        rest = next;
    }
    // Bytes that no text has, in whatever code page; and those that no letter of Windows-1252 has, in JSON, of which one
    // record alone may be damaged. What another code page has for a letter of a table is read as a letter: names come out
    // wrong. Quotes, commas, semicolons and tabs are no part of a letter in any of them; in Shift-JIS, GBK and Big5 the
    // second byte of one may be a backslash, which tables do not escape with, or `|`: of a table delimited by that, such a
    // row has a cell too many, and is rejected.
    let is_no_letter = |byte: u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    let is_other = |byte: &u8| matches!(byte, 0..=8 | 0x0e..=0x1f | 0x7f) || is_json && is_no_letter(*byte);
    // A file of UTF-16 that was joined to this one.
    let has_mark = text.windows(2).any(|pair| matches!(pair, [0xff, 0xfe] | [0xfe, 0xff]));
    let is_text = !has_mark && !text.iter().any(is_other);
    if wrong > sequences && is_text { Charset::Windows1252 } else { Charset::Utf8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read in steps of so many bytes, and whether it is of Windows-1252.
    fn read(bytes: &[u8], step: usize) -> (Vec<u8>, bool) {
        struct Steps<'b>(&'b [u8], usize);
        impl Read for Steps<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let step = self.1.min(buffer.len());
                self.0.read(&mut buffer[..step])
            }
        }
        let told = Arc::new(AtomicBool::new(false));
        let mut text = Vec::new();
        let mut reader = Plain::new(Steps(bytes, step), Some(Arc::clone(&told)));
        reader.read_to_end(&mut text).expect("memory");
        (text, told.load(Ordering::Relaxed))
    }

    #[test]
    fn the_encoding_is_told_by_the_bytes_however_they_are_cut() {
        let late = [&b"a,b\n".repeat(100_000)[..], b"J\xf6rg,x\n"].concat();
        let mixed = ["Jörg".as_bytes().repeat(3).as_slice(), b"\xf6"].concat();
        for step in [1, 7, 1 << 20] {
            assert_eq!(read(b"J\xf6rg,\x80\n", step), ("Jörg,€\n".as_bytes().to_vec(), true));
            assert_eq!(read("Jörg\n".as_bytes(), step), ("Jörg\n".as_bytes().to_vec(), false));
            assert_eq!(read(&mixed, step), (mixed.clone(), false), "one wrong byte among right ones");
            assert_eq!(read(b"\xff\0\x01", step), (b"\xff\0\x01".to_vec(), false), "no text");
            assert_eq!(read(b"a\xff\xfeb", step), (b"a\xff\xfeb".to_vec(), false), "joined to UTF-16");
            let (text, told) = read(&late, step);
            assert!(told && text.ends_with("Jörg,x\n".as_bytes()) && text.starts_with(b"a,b\na,b\n"));
        }
    }

    // Rows with a letter that Windows-1252 does not have were rejected one by one, and nothing said why.
    #[test]
    fn letters_of_other_code_pages_leave_a_table_readable() {
        let rows = "Id,CreatedDateTime,UserPrincipalName,UserDisplayName,ClientAppUsed,ErrorCode\n";
        for name in [
            &b"\x9a \x8da\x9ek\xfd"[..],                        // Windows-1250
            b"\xcf\xe5\xf2\xe0\xf0 \x8d\x9d\x81",               // Windows-1251
            b"\x8d\xb2\x93\xa1 \x89\xd4\x8eq \x95\x5c\x8e\xa6", // Shift-JIS
            b"\x81m\xfc",                                       // a code page of DOS
        ] {
            let cells = [b"1,2026-10-20T08:00:00Z,ann@example.com,", name, b",IMAP4,0\n"].concat();
            for step in [1, 50, 1 << 20] {
                let (text, told) = read(&[rows.as_bytes(), &cells].concat(), step);
                let text = String::from_utf8(text).expect("UTF-8");
                assert!(told && text.ends_with(",IMAP4,0\n"), "{text}");
                assert_eq!(text.lines().nth(1).map(|row| row.split(',').count()), Some(6), "{text}");
            }
        }
    }

    #[test]
    fn carriage_returns_end_lines_only_where_the_first_line_has_no_other_end() {
        for step in [1, 2, 1 << 20] {
            for (text, plain) in [
                ("a\rb\rc", "a\nb\nc"),
                ("a\r", "a\n"),
                ("a\r\rb", "a\n\nb"),
                ("a\r\nb\rc", "a\r\nb\rc"),
                ("a\r\r\nb\rc", "a\r\r\nb\rc"),
                ("a\nb\rc", "a\nb\rc"),
                ("a", "a"),
                ("", ""),
            ] {
                let (read, told) = read(text.as_bytes(), step);
                assert_eq!((String::from_utf8(read).as_deref(), told), (Ok(plain), false), "{text:?}");
            }
        }
    }

    #[test]
    fn both_together_are_read() {
        assert_eq!(read(b"a\rJ\xf6rg\rb\r", 3), ("a\nJörg\nb\n".as_bytes().to_vec(), true));
    }
}
