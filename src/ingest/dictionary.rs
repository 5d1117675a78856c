//! Texts that repeat, each kept once and named by a number.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

const RECENT_MAX: usize = 1 << 15;

/// Texts in the order in which they were first met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dictionary {
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<u32>,
    /// The text that was met last, by its hint. Log records repeat those of a moment ago.
    recent: Vec<Recent>,
    known: HashTable<u32>,
    hasher: RandomState,
}

/// A text that was met: where it begins, its length and its number in one word, so that one look at
/// memory tells all of it; 0: none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Recent(u64);

impl Recent {
    const LEN_BITS: u32 = 14;
    const CODE_BITS: u32 = 18;

    /// `None` of a text that is too long, or one of too many.
    fn of(start: u32, len: usize, code: u32) -> Option<Self> {
        let len = u64::try_from(len).ok().filter(|len| len >> Self::LEN_BITS == 0)?;
        // So that none is ever 0.
        let number = u64::from(code) + 1;
        let fits = number >> Self::CODE_BITS == 0;
        fits.then(|| Self(u64::from(start) << 32 | len << Self::CODE_BITS | number))
    }

    const fn start(self) -> usize {
        (self.0 >> 32) as usize
    }

    const fn len(self) -> usize {
        (self.0 >> Self::CODE_BITS) as usize & ((1 << Self::LEN_BITS) - 1)
    }

    /// `None` if there is no text.
    const fn code(self) -> Option<u32> {
        ((self.0 & ((1 << Self::CODE_BITS) - 1)) as u32).checked_sub(1)
    }
}

/// What a dictionary remembers where a text belongs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Guess {
    slot: usize,
    recent: Recent,
}

impl Dictionary {
    /// The number of a text.
    #[inline]
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        let guess = self.guess(text);
        self.code_of(text, guess)
    }

    /// Looks where the text may be remembered. Of several dictionaries all are best asked for this before
    /// any is asked for a number: then memory answers them at once, and not one after the other.
    #[inline]
    pub(crate) fn guess(&self, text: &str) -> Guess {
        // As many as a power of two.
        let slot = hint(text.as_bytes()) & self.recent.len().wrapping_sub(1);
        Guess { slot, recent: self.recent.get(slot).copied().unwrap_or_default() }
    }

    /// The number of a text of which this was guessed, with nothing asked in between.
    #[inline]
    pub(crate) fn code_of(&mut self, text: &str, guess: Guess) -> u32 {
        let Guess { slot, recent } = guess;
        if let Some(code) = recent.code()
            && let Some(known) = self.bytes.get(recent.start()..recent.start() + recent.len())
            && equal(known, text.as_bytes())
        {
            return code;
        }
        let code = self.look_up(text);
        // Room for as many as there are: fewer would push each other out.
        if self.ends.len() * 2 >= self.recent.len() && self.recent.len() < RECENT_MAX {
            self.recent = vec![Recent::default(); (self.recent.len() * 4).clamp(256, RECENT_MAX)];
        } else if let Some(recent) = self.recent.get_mut(slot) {
            let end = self.ends[code as usize];
            let start = end - u32::try_from(text.len()).unwrap_or(end);
            *recent = Recent::of(start, text.len(), code).unwrap_or(*recent);
        }
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
    pub(crate) fn text(&self, code: u32) -> &[u8] {
        slice(&self.bytes, &self.ends, code)
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of text held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// All texts, by number.
    pub(crate) fn texts(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|code| self.text(u32::try_from(code).unwrap_or(u32::MAX)))
    }

    /// Empties it; the room stays.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.recent.fill(Recent::default());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number_however_many_come_between() {
        let mut dictionary = Dictionary::default();
        // More than are remembered, some that share a slot, and texts too long to be.
        let texts: Vec<String> = (0..3 * RECENT_MAX)
            .map(|number| {
                format!("{number}{}", "x".repeat(if number % 4096 == 0 { 20_000 } else { number % 40 }))
            })
            .chain([String::new()])
            .collect();
        for round in 0..2 {
            for (number, text) in (0..).zip(&texts) {
                let guess = dictionary.guess(text);
                assert_eq!(dictionary.code_of(text, guess), number, "round {round}");
                assert_eq!(dictionary.code(text), number, "at once again, round {round}");
            }
        }
        assert!(dictionary.texts().eq(texts.iter().map(String::as_bytes)));
        dictionary.clear();
        assert_eq!(dictionary.code(&texts[7]), 0, "nothing of before is remembered");
    }

    #[test]
    fn what_is_remembered_of_a_text_is_told_apart() {
        let recent = Recent::of(u32::MAX, (1 << 14) - 1, (1 << 18) - 2).expect("it fits");
        assert_eq!(recent.start(), u32::MAX as usize);
        assert_eq!((recent.len(), recent.code()), ((1 << 14) - 1, Some((1 << 18) - 2)));
        assert_eq!(Recent::of(0, 1 << 14, 0), None);
        assert_eq!(Recent::of(0, 0, (1 << 18) - 1), None);
        assert_eq!(Recent::default().code(), None);
    }
}
