//! A strict JSON cursor that builds nothing: it walks one record, hands out the members that are
//! wanted and validates everything it passes. What `serde_json` refuses, it refuses too; of
//! duplicate keys the caller sees each in turn, so the last one wins as in `serde_json::Value`.

use std::borrow::Cow;

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
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T> {
        Err(JsonError { at: self.at, expected })
    }

    #[inline]
    fn skip_blanks(&mut self) {
        let bytes = self.bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is not blank.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.bytes().get(self.at).copied()
    }

    /// Kind of the next value, without consuming it.
    ///
    /// # Errors
    /// Fails if no value starts here.
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
            if self.peek() != Some(b':') {
                return self.fail("':'").map_err(E::from);
            }
            self.at += 1;
            member(self, &key)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.leave();
                    return Ok(());
                }
                _ => return self.fail("',' or '}'").map_err(E::from),
            }
        }
    }

    /// Walks an array. `element` must consume one value each time.
    ///
    /// # Errors
    /// Fails if the next value is no valid array, or as `element` does.
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
                _ => return self.fail("',' or ']'").map_err(E::from),
            }
        }
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail("at most 128 nested containers");
        }
        self.at += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// A string, borrowed unless it has escapes.
    ///
    /// # Errors
    /// Fails if the next value is no valid string.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return self.fail("a string");
        }
        let start = self.at + 1;
        let end = self.string_run(start)?;
        if self.bytes()[end] == b'"' {
            self.at = end + 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        let mut owned = String::with_capacity(end - start + 32);
        owned.push_str(&self.text[start..end]);
        self.at = end;
        loop {
            owned.push(self.escape()?);
            let run = self.at;
            let end = self.string_run(run)?;
            owned.push_str(&self.text[run..end]);
            self.at = end;
            if self.bytes()[end] == b'"' {
                self.at += 1;
                return Ok(Cow::Owned(owned));
            }
        }
    }

    fn skip_string(&mut self) -> Result<()> {
        let mut from = self.at + 1;
        loop {
            let end = self.string_run(from)?;
            self.at = end;
            if self.bytes()[end] == b'"' {
                self.at += 1;
                return Ok(());
            }
            self.escape()?;
            from = self.at;
        }
    }

    /// Index of the next quote or backslash from `from` on, passing no control character.
    #[inline]
    fn string_run(&mut self, from: usize) -> Result<usize> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = 0x8080_8080_8080_8080;
        let bytes = self.bytes();
        let mut at = from;
        // Eight bytes at a time: a byte equal to a quote or backslash, or below 0x20, raises the
        // high bit of its lane. A borrow may raise a lane after the first hit, never before it.
        while let Some(chunk) = bytes.get(at..at + 8) {
            let mut lanes = [0; 8];
            lanes.copy_from_slice(chunk);
            let word = u64::from_le_bytes(lanes);
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
                Some(0..0x20) | None => {
                    self.at = at;
                    return self.fail("the end of the string");
                }
                Some(_) => at += 1,
            }
        }
    }

    /// Consumes one escape, the cursor being at its backslash.
    fn escape(&mut self) -> Result<char> {
        let letter = self.bytes().get(self.at + 1).copied();
        let plain = match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.hex4(self.at + 2)?;
                if !(0xD800..0xE000).contains(&first) {
                    self.at += 6;
                    return char::from_u32(first).map_or_else(|| self.fail("a character"), Ok);
                }
                let bytes = self.bytes();
                if first >= 0xDC00 || bytes.get(self.at + 6..self.at + 8) != Some(b"\\u") {
                    return self.fail("a surrogate pair");
                }
                let second = self.hex4(self.at + 8)?;
                if !(0xDC00..0xE000).contains(&second) {
                    return self.fail("a surrogate pair");
                }
                self.at += 12;
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(code).map_or_else(|| self.fail("a character"), Ok);
            }
            _ => return self.fail("an escape"),
        };
        self.at += 2;
        Ok(plain)
    }

    fn hex4(&self, at: usize) -> Result<u32> {
        let Some(digits) = self.bytes().get(at..at + 4) else {
            return self.fail("four hexadecimal digits");
        };
        let mut code = 0;
        for digit in digits {
            match char::from(*digit).to_digit(16) {
                Some(value) => code = code * 16 + value,
                None => return self.fail("four hexadecimal digits"),
            }
        }
        Ok(code)
    }

    /// A number's text, valid as JSON writes numbers.
    ///
    /// # Errors
    /// Fails if the next value is no valid number.
    pub fn number(&mut self) -> Result<&'a str> {
        self.skip_blanks();
        let start = self.at;
        let bytes = self.bytes();
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let whole = at;
        at = digits(at);
        if at == whole || (bytes[whole] == b'0' && at > whole + 1) {
            return self.fail("a number");
        }
        if bytes.get(at) == Some(&b'.') {
            let fraction = at + 1;
            at = digits(fraction);
            if at == fraction {
                return self.fail("a number");
            }
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            let exponent = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            at = digits(exponent);
            if at == exponent || self.text[start..at].parse::<f64>().is_ok_and(f64::is_infinite) {
                return self.fail("a number");
            }
        } else if at - start > 300 && self.text[start..at].parse::<f64>().is_ok_and(f64::is_infinite) {
            return self.fail("a number");
        }
        self.at = at;
        Ok(&self.text[start..at])
    }

    /// `true`, `false` (`Some`) or `null` (`None`).
    ///
    /// # Errors
    /// Fails if the next value is none of them.
    pub fn literal(&mut self) -> Result<Option<bool>> {
        self.skip_blanks();
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
    pub fn skip(&mut self) -> Result<()> {
        match self.kind()? {
            Kind::String => self.skip_string(),
            Kind::Number => self.number().map(drop),
            Kind::Literal => self.literal().map(drop),
            Kind::Object => self.skip_object(),
            Kind::Array => self.array(Self::skip),
        }
    }

    fn skip_object(&mut self) -> Result<()> {
        self.enter()?;
        if self.peek() == Some(b'}') {
            self.leave();
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fail("a key");
            }
            self.skip_string()?;
            if self.peek() != Some(b':') {
                return self.fail("':'");
            }
            self.at += 1;
            self.skip()?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.leave();
                    return Ok(());
                }
                _ => return self.fail("',' or '}'"),
            }
        }
    }

    /// Text of a scalar: strings as they are, numbers and booleans as written, else `None`.
    /// Containers are passed. Blank text is `None`.
    ///
    /// # Errors
    /// Fails if the value is not valid.
    pub fn text(&mut self) -> Result<Option<Cow<'a, str>>> {
        Ok(match self.kind()? {
            Kind::String => Some(self.string()?).filter(|text| !text.trim().is_empty()),
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

#[cfg(test)]
mod tests;
