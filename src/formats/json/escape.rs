//! Escapes in strings, decoded and checked as `serde_json` does it.

use super::JsonError;

type Result<T> = std::result::Result<T, JsonError>;

/// The character that the escape at `at`, a backslash, stands for, and where what follows it starts.
///
/// # Errors
/// Fails if it is no valid escape.
pub(super) fn decode(bytes: &[u8], at: usize) -> Result<(char, usize)> {
    let fail = |expected| Err(JsonError { at, expected });
    let plain = match bytes.get(at + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let first = hex4(bytes, at, at + 2)?;
            if !(0xD800..0xE000).contains(&first) {
                let at_end = at + 6;
                return char::from_u32(first).map_or_else(|| fail("a character"), |c| Ok((c, at_end)));
            }
            if first >= 0xDC00 || bytes.get(at + 6..at + 8) != Some(b"\\u") {
                return fail("a surrogate pair");
            }
            let second = hex4(bytes, at, at + 8)?;
            if !(0xDC00..0xE000).contains(&second) {
                return fail("a surrogate pair");
            }
            let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            return char::from_u32(code).map_or_else(|| fail("a character"), |c| Ok((c, at + 12)));
        }
        _ => return fail("an escape"),
    };
    Ok((plain, at + 2))
}

fn hex4(bytes: &[u8], escape: usize, at: usize) -> Result<u32> {
    const EXPECTED: &str = "four hexadecimal digits";
    let digits = bytes.get(at..at + 4).ok_or(JsonError { at: escape, expected: EXPECTED })?;
    digits.iter().try_fold(0, |code, digit| {
        let value = char::from(*digit).to_digit(16);
        value.map(|value| code * 16 + value).ok_or(JsonError { at: escape, expected: EXPECTED })
    })
}
