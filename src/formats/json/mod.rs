//! A strict JSON cursor that builds nothing: it walks one record, hands out the members that are
//! wanted and validates everything it passes. What `serde_json` refuses, it refuses too; of
//! duplicate keys the caller sees each in turn, so the last one wins as in `serde_json::Value`.
//!
//! Where a string ends is told by its [`Strings`]: [`Scanned`] looks at the text as it goes, and is
//! right everywhere; [`Indexed`] knows the place of every quote beforehand (see [`index`]). Both read
//! the same; a reader takes the second for speed, and the first for the reason of a refusal.

pub(super) mod blocks;
mod escape;
pub mod index;
pub mod learned;
mod number;
mod strings;

use std::borrow::Cow;

pub use index::{Index, Indexed};
pub use strings::{Doubled, Scanned, Strings};

/// Containers inside containers, as `serde_json` permits them.
const DEPTH_MAX: usize = 128;

/// Where and what a record stopped being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub struct JsonError {
    /// Byte offset in the record.
    pub at: usize,
    pub expected: &'static str,
}

type Result<T> = std::result::Result<T, JsonError>;

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    String,
    Number,
    Literal,
}

/// Position in one record's text.
#[derive(Debug, Clone)]
pub struct Cursor<'a, S = Scanned> {
    text: &'a str,
    at: usize,
    depth: usize,
    strings: S,
}

impl<'a> Cursor<'a> {
    /// Over a record of which nothing is known.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self::over(text, Scanned)
    }
}

impl<'a> Cursor<'a, Doubled> {
    /// Over text of which every quote is doubled, as in a cell of a table.
    #[must_use]
    pub fn doubled(text: &'a str) -> Self {
        Self::over(text, Doubled)
    }
}

impl<'a, S: Strings> Cursor<'a, S> {
    fn over(text: &'a str, strings: S) -> Self {
        Self { text, at: 0, depth: 0, strings }
    }

    /// The whole text.
    #[must_use]
    pub fn record(&self) -> &'a str {
        self.text
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T> {
        Err(JsonError { at: self.at, expected })
    }

    /// The next byte that is not blank.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Kind of the next value, without consuming it.
    ///
    /// # Errors
    /// Fails if no value starts here.
    #[inline]
    pub fn kind(&mut self) -> Result<Kind> {
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f' | b'n') => Ok(Kind::Literal),
            _ => self.fail("a value"),
        }
    }

    /// Walks an object. `member` is given each key and must consume its value.
    ///
    /// # Errors
    /// Fails if the next value is no valid object, or as `member` does.
    #[inline]
    pub fn object<E: From<JsonError>>(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        if self.peek() != Some(b'{') {
            return self.fail("an object").map_err(E::from);
        }
        self.enter()?;
        if self.peek() == Some(b'}') {
            self.leave();
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fail("a key").map_err(E::from);
            }
            let key = self.string()?;
            self.colon()?;
            member(self, &key)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.leave();
                    return Ok(());
                }
                _ => return self.fail(IN_OBJECT).map_err(E::from),
            }
        }
    }

    /// Walks an array. `element` must consume one value each time.
    ///
    /// # Errors
    /// Fails if the next value is no valid array, or as `element` does.
    #[inline]
    pub fn array<E: From<JsonError>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        if self.peek() != Some(b'[') {
            return self.fail("an array").map_err(E::from);
        }
        self.enter()?;
        if self.peek() == Some(b']') {
            self.leave();
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.leave();
                    return Ok(());
                }
                _ => return self.fail(IN_ARRAY).map_err(E::from),
            }
        }
    }

    #[inline]
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail("at most 128 nested containers");
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    #[inline]
    fn colon(&mut self) -> Result<()> {
        if self.peek() != Some(b':') {
            return self.fail("':'");
        }
        self.at += 1;
        Ok(())
    }

    /// A string, borrowed unless it has escapes.
    ///
    /// # Errors
    /// Fails if the next value is no valid string.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return self.fail("a string");
        }
        let (text, end) = self.strings.read(self.text, self.at)?;
        self.at = end;
        Ok(text)
    }

    /// A number's text, valid as JSON writes numbers.
    ///
    /// # Errors
    /// Fails if the next value is no valid number.
    pub fn number(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        self.at = number::end(self.text, start)?;
        Ok(&self.text[start..self.at])
    }

    /// `true`, `false` (`Some`) or `null` (`None`).
    ///
    /// # Errors
    /// Fails if the next value is none of them.
    pub fn literal(&mut self) -> Result<Option<bool>> {
        self.peek();
        for (word, value) in [("true", Some(true)), ("false", Some(false)), ("null", None)] {
            if self.bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        self.fail("true, false or null")
    }

    /// Passes the next value, validating all of it.
    ///
    /// # Errors
    /// Fails if it is not valid.
    #[inline]
    pub fn skip(&mut self) -> Result<()> {
        if self.peek() == Some(b'"') {
            self.at = self.strings.pass(self.text, self.at)?;
            return Ok(());
        }
        self.skip_any()
    }

    fn skip_any(&mut self) -> Result<()> {
        // One bit a container that is open, the innermost lowest: whether it is an object.
        let (mut objects, mut open) = (0_u128, 0);
        loop {
            match self.peek() {
                Some(b'"') => self.at = self.strings.pass(self.text, self.at)?,
                Some(b'{') => {
                    self.enter()?;
                    if self.peek() != Some(b'}') {
                        (objects, open) = (objects << 1 | 1, open + 1);
                        self.skip_key()?;
                        continue;
                    }
                    self.leave();
                }
                Some(b'[') => {
                    self.enter()?;
                    if self.peek() != Some(b']') {
                        (objects, open) = (objects << 1, open + 1);
                        continue;
                    }
                    self.leave();
                }
                Some(b'-' | b'0'..=b'9') => drop(self.number()?),
                Some(b't' | b'f' | b'n') => drop(self.literal()?),
                _ => return self.fail("a value"),
            }
            loop {
                if open == 0 {
                    return Ok(());
                }
                let in_object = objects & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if in_object {
                            self.skip_key()?;
                        }
                        break;
                    }
                    Some(b'}') if in_object => self.leave(),
                    Some(b']') if !in_object => self.leave(),
                    _ => return self.fail(if in_object { IN_OBJECT } else { IN_ARRAY }),
                }
                (objects, open) = (objects >> 1, open - 1);
            }
        }
    }

    #[inline]
    fn skip_key(&mut self) -> Result<()> {
        if self.peek() != Some(b'"') {
            return self.fail("a key");
        }
        self.at = self.strings.pass(self.text, self.at)?;
        self.colon()
    }

    /// Text of a scalar: strings as they are, numbers and booleans as written, else `None`.
    /// Containers are passed. Blank text is `None`.
    ///
    /// # Errors
    /// Fails if the value is not valid.
    #[inline]
    pub fn text(&mut self) -> Result<Option<Cow<'a, str>>> {
        Ok(match self.kind()? {
            Kind::String => Some(self.string()?).filter(|text| !is_blank(text)),
            Kind::Number => Some(Cow::Borrowed(self.number()?)),
            Kind::Literal => self.literal()?.map(|value| Cow::Borrowed(if value { "true" } else { "false" })),
            Kind::Object | Kind::Array => {
                self.skip()?;
                None
            }
        })
    }

    /// Requires that nothing but blanks follows.
    ///
    /// # Errors
    /// Fails if something does.
    pub fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fail("the end of the record"),
        }
    }

    /// Byte offset of the cursor in the text.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }
}

const IN_OBJECT: &str = "',' or '}'";
const IN_ARRAY: &str = "',' or ']'";

/// Whether a text says nothing.
#[inline]
#[must_use]
pub fn is_blank(text: &str) -> bool {
    // Most texts begin with a printed character of ASCII.
    !matches!(text.as_bytes().first(), Some(0x21..0x7f)) && text.trim().is_empty()
}

#[cfg(test)]
mod tests;
