//! The places of all quotes of a record, found before it is walked. The walk then jumps from quote to
//! quote, and no string's end waits for the one before it; what is between strings is still looked at
//! byte by byte. Text that is odd (a control character in a string, an escape that is none, a string
//! without end) is not indexed: [`Scanned`] says what is wrong with it.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use std::borrow::Cow;

#[cfg(target_arch = "x86_64")]
use super::blocks::avx2::Avx2;
use super::blocks::{Look, Words};
use super::strings::{Scanned, Strings};
use super::{Cursor, JsonError, escape};

/// Room for the quotes of one record after another.
#[derive(Debug)]
pub struct Index {
    #[cfg(target_arch = "x86_64")]
    avx2: Option<Avx2>,
    /// Places of unescaped quotes: the first `quotes_len` are of this record.
    quotes: Vec<u32>,
    quotes_len: usize,
    /// Places of the backslashes that begin an escape.
    escapes: Vec<u32>,
}

/// What came of indexing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Indexed,
    Odd,
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

impl Index {
    /// With the fastest instructions that the processor has.
    #[must_use]
    pub fn new() -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            avx2: Avx2::detect(),
            ..Self::portable()
        }
    }

    /// With instructions that every processor has.
    #[must_use]
    pub fn portable() -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            avx2: None,
            quotes: Vec::new(),
            quotes_len: 0,
            escapes: Vec::new(),
        }
    }

    /// A cursor over a record, `None` if its text is odd.
    pub fn cursor<'i, 'a>(&'i mut self, text: &'a str) -> Option<Cursor<'a, Indexed<'i>>> {
        let outcome = u32::try_from(text.len()).map_or(Outcome::Odd, |_| self.build(text.as_bytes()));
        (outcome == Outcome::Indexed).then(|| {
            let (strings, rest) = self.quotes[..self.quotes_len].as_chunks();
            debug_assert!(rest.is_empty(), "every string is closed");
            Cursor::over(text, Indexed { strings: strings.iter(), escapes: !self.escapes.is_empty() })
        })
    }

    fn build(&mut self, text: &[u8]) -> Outcome {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = self.avx2 {
            return avx2.build(self, text);
        }
        self.build_by(Words, text)
    }

    #[inline(always)]
    pub(super) fn build_by(&mut self, look: impl Look, text: &[u8]) -> Outcome {
        self.quotes_len = 0;
        self.escapes.clear();
        let mut state = State::default();
        let (blocks, rest) = text.as_chunks::<64>();
        for block in blocks {
            self.block(look, block, &mut state);
        }
        let mut last = [b' '; 64];
        last[..rest.len()].copy_from_slice(rest);
        self.block(look, &last, &mut state);
        if state.odd || state.in_string != 0 || !self.escapes_are_valid(text) {
            return Outcome::Odd;
        }
        Outcome::Indexed
    }

    #[inline(always)]
    fn block(&mut self, look: impl Look, block: &[u8; 64], state: &mut State) {
        let masks = look.masks(block);
        let mut escaped = state.escaped;
        state.escaped = 0;
        let mut backslashes = masks.backslashes & !escaped;
        while backslashes != 0 {
            let at = backslashes.trailing_zeros();
            self.escapes.push(state.base + at);
            if at == 63 {
                state.escaped = 1;
            } else {
                escaped |= 2 << at;
            }
            // What it escapes begins no escape.
            backslashes &= !(3 << at);
        }
        let mut quotes = masks.quotes & !escaped;
        let in_string = look.running_parity(quotes) ^ state.in_string;
        state.in_string = (in_string.cast_signed() >> 63).cast_unsigned();
        state.odd |= masks.controls & in_string != 0;

        let at = self.quotes_len;
        if self.quotes.len() < at + 64 {
            self.quotes.resize(2 * at + 256, 0);
        }
        let count = quotes.count_ones() as usize;
        let (first, more) = self.quotes[at..at + 64].split_at_mut(8);
        // Most blocks have fewer than eight: to write eight takes no branch.
        for slot in first {
            *slot = state.base + quotes.trailing_zeros();
            quotes &= quotes.wrapping_sub(1);
        }
        if count > 8 {
            for slot in &mut more[..count - 8] {
                *slot = state.base + quotes.trailing_zeros();
                quotes &= quotes.wrapping_sub(1);
            }
        }
        self.quotes_len += count;
        state.base = state.base.wrapping_add(64);
    }

    fn escapes_are_valid(&self, text: &[u8]) -> bool {
        let mut passed = 0;
        self.escapes.iter().all(|at| {
            let at = *at as usize;
            // The second half of a surrogate pair.
            if at < passed {
                return true;
            }
            let decoded = escape::decode(text, at);
            passed = decoded.map_or(0, |(_, end)| end);
            decoded.is_ok()
        })
    }
}

/// What one block leaves to the next.
#[derive(Debug, Default)]
struct State {
    base: u32,
    /// Lowest bit: its first byte is escaped.
    escaped: u64,
    /// All bits, if it starts within a string.
    in_string: u64,
    odd: bool,
}

/// Knows the place of every quote.
#[derive(Debug, Clone)]
pub struct Indexed<'i> {
    /// Opening and closing quotes of the strings that follow.
    strings: std::slice::Iter<'i, [u32; 2]>,
    /// Some string of the record has an escape; all are valid.
    escapes: bool,
}

impl Indexed<'_> {
    #[inline]
    fn next(&mut self, open: usize) -> Result<usize, JsonError> {
        match self.strings.next() {
            Some([known, close]) if *known as usize == open => Ok(*close as usize),
            // Outside strings there is a backslash, which the walk comes to before.
            _ => Err(JsonError { at: open, expected: "a string" }),
        }
    }
}

impl Strings for Indexed<'_> {
    #[inline]
    fn read<'a>(&mut self, text: &'a str, open: usize) -> Result<(Cow<'a, str>, usize), JsonError> {
        let close = self.next(open)?;
        let inner = &text[open + 1..close];
        if self.escapes && memchr::memchr(b'\\', inner.as_bytes()).is_some() {
            return Scanned.read(text, open);
        }
        Ok((Cow::Borrowed(inner), close + 1))
    }

    #[inline]
    fn pass(&mut self, _: &str, open: usize) -> Result<usize, JsonError> {
        Ok(self.next(open)? + 1)
    }
}
