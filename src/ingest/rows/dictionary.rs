//! Texts that repeat, each kept once and named by a number.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

const RECENT_MAX: usize = 1 << 15;

/// Texts in the order in which they were first met.
#[derive(Debug, Clone, Default)]
pub(in crate::ingest) struct Dictionary {
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<u32>,
    /// The text that was met last, by its hint; from 1 on. Log records repeat those of a moment ago.
    recent: Vec<u32>,
    known: HashTable<u32>,
    hasher: RandomState,
}

impl Dictionary {
    /// The number of a text.
    #[inline]
    pub(in crate::ingest) fn code(&mut self, text: &str) -> u32 {
        // Room for as many as there are: fewer would push each other out.
        if self.ends.len() * 2 >= self.recent.len() && self.recent.len() < RECENT_MAX {
            self.recent = vec![0; (self.recent.len() * 4).clamp(256, RECENT_MAX)];
        }
        let slot = hint(text.as_bytes()) % self.recent.len();
        let recent = self.recent[slot];
        if recent != 0 && equal(self.text(recent - 1), text.as_bytes()) {
            return recent - 1;
        }
        let code = self.look_up(text);
        self.recent[slot] = code + 1;
        code
    }

    fn look_up(&mut self, text: &str) -> u32 {
        let Self { bytes, ends, known, hasher, .. } = self;
        let text = text.as_bytes();
        let hash = hasher.hash_one(text);
        let code = known.entry(
            hash,
            |code| slice(bytes, ends, *code) == text,
            |code| hasher.hash_one(slice(bytes, ends, *code)),
        );
        *code
            .or_insert_with(|| {
                bytes.extend_from_slice(text);
                ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                u32::try_from(ends.len() - 1).unwrap_or(u32::MAX)
            })
            .get()
    }

    /// The text of a number.
    pub(in crate::ingest) fn text(&self, code: u32) -> &[u8] {
        slice(&self.bytes, &self.ends, code)
    }

    pub(in crate::ingest) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of text held.
    pub(in crate::ingest) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// All texts, by number.
    pub(in crate::ingest) fn texts(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|code| self.text(u32::try_from(code).unwrap_or(u32::MAX)))
    }

    /// Empties it; the room stays.
    pub(in crate::ingest) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.recent.fill(0);
        self.known.clear();
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[u32], code: u32) -> &'a [u8] {
    let at = code as usize;
    let start = if at == 0 { 0 } else { ends[at - 1] as usize };
    &bytes[start..ends[at] as usize]
}

/// Whether texts are equal; most are short, and a call would cost more than that.
#[inline]
fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() || a.len() > 64 {
        return a == b;
    }
    match (a.last_chunk::<16>(), b.last_chunk::<16>()) {
        (Some(a_last), Some(b_last)) => {
            let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
            a_last == b_last && a.iter().zip(b).all(|(a, b)| a == b)
        }
        _ => a == b,
    }
}

/// Tells most texts apart in a few instructions: length, first and last bytes.
#[inline]
fn hint(text: &[u8]) -> usize {
    let len = text.len() as u64;
    let (first, last) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => text.iter().fold((0, 0), |(word, _), byte| (word << 8 | u64::from(*byte), 0)),
    };
    let mixed =
        (first ^ len << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ last.wrapping_mul(0xd6e8_feb8_6659_fd93);
    usize::try_from((mixed ^ mixed >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40).unwrap_or(0)
}
