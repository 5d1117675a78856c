//! Numbers, checked as `serde_json` does it.

use super::JsonError;

/// Where the number that starts at `start` ends.
///
/// # Errors
/// Fails if it is no valid number, or one too large for 64 bits of floating point.
#[inline]
pub(super) fn end(text: &str, start: usize) -> Result<usize, JsonError> {
    let bytes = text.as_bytes();
    let fail = || Err(JsonError { at: start, expected: "a number" });
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let whole = start + usize::from(bytes.get(start) == Some(&b'-'));
    let mut at = digits(whole);
    if at == whole || (bytes[whole] == b'0' && at > whole + 1) {
        return fail();
    }
    if !matches!(bytes.get(at), Some(b'.' | b'e' | b'E')) && at - start <= 300 {
        return Ok(at);
    }
    if bytes.get(at) == Some(&b'.') {
        let fraction = at + 1;
        at = digits(fraction);
        if at == fraction {
            return fail();
        }
    }
    let exponent = matches!(bytes.get(at), Some(b'e' | b'E'));
    if exponent {
        let digits_from = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = digits(digits_from);
        if at == digits_from {
            return fail();
        }
    }
    if (exponent || at - start > 300) && text[start..at].parse::<f64>().is_ok_and(f64::is_infinite) {
        return fail();
    }
    Ok(at)
}
