//! Where strings end, told by looking at the text: eight bytes at a time, on any machine.

use std::borrow::Cow;

use super::{JsonError, escape};

type Result<T> = std::result::Result<T, JsonError>;

/// How a cursor finds the ends of strings. Each string of a record is asked for once, in the order
/// of the text.
pub trait Strings: Clone {
    /// The text of the string whose opening quote is at `open`, borrowed unless it has escapes, and
    /// where what follows it starts.
    ///
    /// # Errors
    /// Fails if it is no valid string.
    fn read<'a>(&mut self, text: &'a str, open: usize) -> Result<(Cow<'a, str>, usize)>;

    /// Where what follows the string starts; all of it being valid.
    ///
    /// # Errors
    /// Fails if it is no valid string.
    fn pass(&mut self, text: &str, open: usize) -> Result<usize>;
}

/// Looks at the text as it goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scanned;

impl Strings for Scanned {
    fn read<'a>(&mut self, text: &'a str, open: usize) -> Result<(Cow<'a, str>, usize)> {
        let bytes = text.as_bytes();
        let start = open + 1;
        let mut at = run_end(bytes, start)?;
        if bytes[at] == b'"' {
            return Ok((Cow::Borrowed(&text[start..at]), at + 1));
        }
        let mut owned = String::with_capacity(at - start + 32);
        owned.push_str(&text[start..at]);
        loop {
            let (c, run) = escape::decode(bytes, at)?;
            owned.push(c);
            at = run_end(bytes, run)?;
            owned.push_str(&text[run..at]);
            if bytes[at] == b'"' {
                return Ok((Cow::Owned(owned), at + 1));
            }
        }
    }

    fn pass(&mut self, text: &str, open: usize) -> Result<usize> {
        let bytes = text.as_bytes();
        let mut from = open + 1;
        loop {
            let at = run_end(bytes, from)?;
            if bytes[at] == b'"' {
                return Ok(at + 1);
            }
            (_, from) = escape::decode(bytes, at)?;
        }
    }
}

/// Looks at text of which every quote is doubled, as it goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Doubled;

impl Doubled {
    /// Where what follows the quotes at `at` starts.
    fn behind_quotes(bytes: &[u8], at: usize) -> Result<usize> {
        if bytes.get(at..at + 2) == Some(b"\"\"") {
            return Ok(at + 2);
        }
        Err(JsonError { at, expected: "two quotes" })
    }

    /// The character that the escape at `at` stands for, and where what follows it starts.
    fn decode(bytes: &[u8], at: usize) -> Result<(char, usize)> {
        match bytes.get(at + 1) {
            Some(b'"') => Ok(('"', Self::behind_quotes(bytes, at + 1)?)),
            _ => escape::decode(bytes, at),
        }
    }
}

impl Strings for Doubled {
    fn read<'a>(&mut self, text: &'a str, open: usize) -> Result<(Cow<'a, str>, usize)> {
        let bytes = text.as_bytes();
        let start = Self::behind_quotes(bytes, open)?;
        let mut at = run_end(bytes, start)?;
        if bytes[at] == b'"' {
            return Ok((Cow::Borrowed(&text[start..at]), Self::behind_quotes(bytes, at)?));
        }
        let mut owned = text[start..at].to_owned();
        loop {
            let (c, run) = Self::decode(bytes, at)?;
            owned.push(c);
            at = run_end(bytes, run)?;
            owned.push_str(&text[run..at]);
            if bytes[at] == b'"' {
                return Ok((Cow::Owned(owned), Self::behind_quotes(bytes, at)?));
            }
        }
    }

    fn pass(&mut self, text: &str, open: usize) -> Result<usize> {
        let bytes = text.as_bytes();
        let mut from = Self::behind_quotes(bytes, open)?;
        loop {
            let at = run_end(bytes, from)?;
            if bytes[at] == b'"' {
                return Self::behind_quotes(bytes, at);
            }
            (_, from) = Self::decode(bytes, at)?;
        }
    }
}

/// Index of the next quote or backslash from `at` on, passing no control character.
#[inline]
fn run_end(bytes: &[u8], mut at: usize) -> Result<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // A byte equal to a quote or backslash, or below 0x20, raises the high bit of its lane. A borrow
    // may raise a lane after the first hit, never before it.
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let hits = (quote.wrapping_sub(ONES) & !quote
            | slash.wrapping_sub(ONES) & !slash
            | word.wrapping_sub(ONES * 0x20) & !word)
            & HIGHS;
        if hits == 0 {
            at += 8;
            continue;
        }
        at += (hits.trailing_zeros() / 8) as usize;
        break;
    }
    loop {
        match bytes.get(at) {
            Some(b'"' | b'\\') => return Ok(at),
            Some(0..0x20) | None => return Err(JsonError { at, expected: "the end of the string" }),
            Some(_) => at += 1,
        }
    }
}
