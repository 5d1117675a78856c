//! The text encodings of exports: UTF-8 with or without a byte order mark, UTF-16 in both byte orders, Windows-1252.
//! Nothing at the start of a file tells the last one; `plain` finds it. UTF-16 is turned into UTF-8 while it is read. What is no valid UTF-16 becomes what is no valid UTF-8, so
//! that its record is rejected as such, and turning it back gives the bytes of the file.

use std::io::{self, Read};

/// The byte order mark as UTF-8; in the midst of a file where files were joined.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a file's text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    #[default]
    Utf8,
    Utf16Le,
    Utf16Be,
    /// The code page of Western Europe: Excel's "CSV", the default of Windows PowerShell.
    Windows1252,
}

impl Encoding {
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    /// The word in the `sources` table and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// The encoding of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.as_str() == word)
    }

    /// Tells it from the first bytes, and how many of them are a byte order mark. Without one, a file
    /// whose first two characters are ASCII shows by its zeros.
    #[must_use]
    pub fn sniff(head: &[u8]) -> (Self, usize) {
        match head {
            [0xef, 0xbb, 0xbf, ..] => (Self::Utf8, 3),
            [0xff, 0xfe, ..] => (Self::Utf16Le, 2),
            [0xfe, 0xff, ..] => (Self::Utf16Be, 2),
            [1..=0x7f, 0, 1..=0x7f, 0, ..] => (Self::Utf16Le, 0),
            [0, 1..=0x7f, 0, 1..=0x7f, ..] => (Self::Utf16Be, 0),
            _ => (Self::Utf8, 0),
        }
    }

    /// How many bytes of the file some text takes there.
    #[must_use]
    pub fn len_of(self, text: &[u8]) -> usize {
        match self {
            Self::Utf8 => return text.len(),
            Self::Windows1252 => return text.iter().filter(|byte| !matches!(byte, 0x80..0xc0)).count(),
            Self::Utf16Le | Self::Utf16Be => {}
        }
        let units = |byte: &u8| match byte {
            0x80..0xc0 => 0,
            0xf0.. => 2,
            _ => 1,
        };
        text.iter().map(units).sum::<usize>() * 2
    }

    fn bytes(self, unit: u16) -> [u8; 2] {
        if self == Self::Utf16Be { unit.to_be_bytes() } else { unit.to_le_bytes() }
    }

    /// The bytes of the file for some text of it.
    #[must_use]
    pub fn encode(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 => return text.to_vec(),
            Self::Windows1252 => return in_windows_1252(&String::from_utf8_lossy(text)),
            Self::Utf16Le | Self::Utf16Be => {}
        }
        match std::str::from_utf8(text) {
            Ok(text) => text.encode_utf16().flat_map(|unit| self.bytes(unit)).collect(),
            Err(_) => self.encode_surrogates(text),
        }
    }

    /// The same for text with lone surrogates, three bytes each.
    fn encode_surrogates(self, text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() * 2);
        let mut at = 0;
        while at < text.len() {
            if let [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ..] = text[at..] {
                let unit = 0xd000 | (u16::from(second & 0x3f) << 6) | u16::from(third & 0x3f);
                bytes.extend(self.bytes(unit));
                at += 3;
                continue;
            }
            let end = (at + 1..=text.len())
                .find(|end| *end == text.len() || text[*end] & 0xc0 != 0x80)
                .unwrap_or(text.len());
            for unit in String::from_utf8_lossy(&text[at..end]).encode_utf16() {
                bytes.extend(self.bytes(unit));
            }
            at = end;
        }
        bytes
    }

    /// Text from bytes of the file.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 => return bytes.to_vec(),
            Self::Windows1252 => {
                return encoding_rs::WINDOWS_1252
                    .decode_without_bom_handling(bytes)
                    .0
                    .into_owned()
                    .into_bytes();
            }
            Self::Utf16Le | Self::Utf16Be => {}
        }
        let mut text = Vec::with_capacity(bytes.len());
        self.decode_into(bytes, &mut text);
        text
    }

    /// Decodes whole code units; an odd byte at the end is a byte that no UTF-8 text has.
    fn decode_into(self, bytes: &[u8], text: &mut Vec<u8>) {
        let (pairs, odd) = bytes.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| {
            if self == Self::Utf16Be { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) }
        };
        for decoded in char::decode_utf16(pairs.iter().map(unit)) {
            match decoded {
                Ok(c) => text.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(lone) => {
                    let unit = lone.unpaired_surrogate();
                    text.extend([0xed, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]);
                }
            }
        }
        if !odd.is_empty() {
            text.push(0xff);
        }
    }
}

/// What the code page has no byte for is written as JSON escapes it: only a record that was text in JSON has any.
fn in_windows_1252(text: &str) -> Vec<u8> {
    let (bytes, _, has_others) = encoding_rs::WINDOWS_1252.encode(text);
    if !has_others {
        return bytes.into_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        let mut utf8 = [0; 4];
        let (byte, _, is_other) = encoding_rs::WINDOWS_1252.encode(c.encode_utf8(&mut utf8));
        if is_other {
            for unit in c.encode_utf16(&mut [0; 2]) {
                bytes.extend(format!("\\u{unit:04x}").as_bytes());
            }
        } else {
            bytes.extend(&*byte);
        }
    }
    bytes
}

/// Reads UTF-16 as UTF-8.
pub struct Transcoder<R> {
    reader: R,
    encoding: Encoding,
    /// Bytes that wait for the rest of their character.
    pending: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Transcoder<R> {
    pub fn new(reader: R, encoding: Encoding) -> Self {
        Self { reader, encoding, pending: Vec::new(), ready: Vec::new(), at: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.at = 0;
        let held = self.pending.len();
        self.pending.resize(held + (64 << 10), 0);
        let read = self.reader.read(&mut self.pending[held..]);
        self.pending.truncate(held + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        let mut whole = self.pending.len();
        if !self.ended {
            whole -= whole % 2;
            // A high surrogate waits for its other half.
            if let Some(last) = self.pending[..whole].last_chunk::<2>() {
                let high = if self.encoding == Encoding::Utf16Be { last[0] } else { last[1] };
                whole -= if matches!(high, 0xd8..0xdc) { 2 } else { 0 };
            }
        }
        self.encoding.decode_into(&self.pending[..whole], &mut self.ready);
        self.pending.drain(..whole);
        Ok(())
    }
}

impl<R: Read> Read for Transcoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() && !self.ended {
            self.refill()?;
        }
        let len = buffer.len().min(self.ready.len() - self.at);
        buffer[..len].copy_from_slice(&self.ready[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_bytes_they_come_back(units in prop::collection::vec(any::<u16>(), 0..200), big in any::<bool>()) {
            let encoding = if big { Encoding::Utf16Be } else { Encoding::Utf16Le };
            let bytes: Vec<u8> = units.iter().flat_map(|unit| encoding.bytes(*unit)).collect();
            let mut text = Vec::new();
            Transcoder::new(bytes.as_slice(), encoding).read_to_end(&mut text).expect("memory");
            prop_assert_eq!(&text, &encoding.decode(&bytes));
            prop_assert_eq!(encoding.len_of(&text), bytes.len());
            prop_assert_eq!(encoding.encode(&text), bytes);
        }
    }

    #[test]
    fn every_byte_of_windows_1252_comes_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = Encoding::Windows1252.decode(&bytes);
        assert_eq!(Encoding::Windows1252.encode(&text), bytes);
        assert_eq!(Encoding::Windows1252.len_of(&text), 256);
        assert_eq!(Encoding::Windows1252.decode(b"J\xf6rg \x80"), "Jörg €".as_bytes());
        assert_eq!(Encoding::Windows1252.encode("\"ü\u{141}\"".as_bytes()), b"\"\xfc\\u0141\"");
    }

    #[test]
    fn byte_order_is_told_with_and_without_a_mark() {
        assert_eq!(Encoding::sniff(b"\xff\xfe{\0"), (Encoding::Utf16Le, 2));
        assert_eq!(Encoding::sniff(b"\0{\0\""), (Encoding::Utf16Be, 0));
        assert_eq!(Encoding::sniff(b"\xef\xbb\xbfDate"), (Encoding::Utf8, 3));
        assert_eq!(Encoding::sniff(b"{}"), (Encoding::Utf8, 0));
    }
}
