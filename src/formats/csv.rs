//! CSV as exporters write it: rows whose quoted cells may span lines, any of the usual delimiters. Finds
//! where rows end, and splits a row into cells. A row whose quotes do not close as they should is given
//! up at the end of its first line, so one cut row costs one row.
//!
//! Rows are found, and split, byte by byte, which is right for any text; `places` finds both at once,
//! faster, in the rows that are as they should be.

mod places;

use std::borrow::Cow;

pub(super) use places::{Cell, Finder, Row};

use super::reject::{OVER_LONG_BYTES_KEPT, RECORD_BYTES_MAX, RejectReason};
use super::scan::Scan;

/// Cells are separated by one of these.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Where a row ends.
enum End {
    /// End of its text, and start of what follows.
    At(usize, usize),
    NeedsMore,
    Broken(usize),
}

/// Finds whole rows in a buffer that starts at a row; `last` says that nothing follows it.
pub(super) fn scan(buffer: &[u8], delimiter: u8, last: bool) -> Scan {
    let mut scan = Scan::default();
    while next_row(buffer, delimiter, last, &mut scan) {}
    scan
}

/// Takes the next row of a buffer; false if there is none, or more bytes are needed to tell where it ends.
fn next_row(buffer: &[u8], delimiter: u8, last: bool, scan: &mut Scan) -> bool {
    let line_ends = buffer[scan.consumed..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    scan.consumed += line_ends;
    let at = scan.consumed;
    if at == buffer.len() {
        return false;
    }
    let broken_at = match row_end(buffer, at, delimiter, last) {
        End::At(end, next) => {
            if end - at > RECORD_BYTES_MAX {
                scan.broken.push((at..at + OVER_LONG_BYTES_KEPT, RejectReason::over_long()));
            } else if !buffer[at..end].trim_ascii().is_empty() {
                scan.records.push(at..end);
            }
            scan.consumed = next;
            return true;
        }
        End::NeedsMore if last => buffer.len(),
        End::NeedsMore if buffer.len() - at > RECORD_BYTES_MAX => buffer.len(),
        End::NeedsMore => return false,
        End::Broken(at) => at,
    };
    let line_end = memchr::memchr(b'\n', &buffer[at..]).map(|len| at + len);
    let end = match line_end {
        Some(end) => end,
        None if last || buffer.len() - at > RECORD_BYTES_MAX => buffer.len(),
        None => return false,
    };
    if end - at > RECORD_BYTES_MAX {
        scan.broken.push((at..at + OVER_LONG_BYTES_KEPT, RejectReason::over_long()));
    } else {
        let reason = RejectReason::InvalidCsv { at: broken_at.min(end) - at };
        scan.broken.push((at..end, reason));
    }
    scan.consumed = (end + 1).min(buffer.len());
    true
}

/// End of the first row: its text, and where the next one starts. `None` if the buffer does not hold it.
pub(super) fn first_row(buffer: &[u8], delimiter: u8, last: bool) -> Option<(usize, usize)> {
    match row_end(buffer, 0, delimiter, last) {
        End::At(end, next) => Some((end, next)),
        _ => None,
    }
}

fn row_end(buffer: &[u8], mut at: usize, delimiter: u8, last: bool) -> End {
    loop {
        // At the start of a cell.
        if buffer.get(at) == Some(&b'"') {
            at += 1;
            loop {
                let Some(len) = memchr::memchr(b'"', &buffer[at..]) else { return End::NeedsMore };
                at += len + 1;
                match buffer.get(at) {
                    Some(b'"') => at += 1,
                    _ => break,
                }
            }
            match buffer.get(at) {
                Some(b'\r' | b'\n') => {}
                Some(byte) if *byte == delimiter => {
                    at += 1;
                    continue;
                }
                Some(_) => return End::Broken(at),
                None if last => return End::At(at, at),
                None => return End::NeedsMore,
            }
        }
        let Some(len) = memchr::memchr2(delimiter, b'\n', &buffer[at..]) else {
            return if last { End::At(buffer.len(), buffer.len()) } else { End::NeedsMore };
        };
        at += len;
        if buffer[at] == b'\n' {
            let end = if at > 0 && buffer[at - 1] == b'\r' { at - 1 } else { at };
            return End::At(end, at + 1);
        }
        at += 1;
    }
}

/// The cells of a row, unquoted; `None` if its quotes do not fit.
pub(super) fn cells(row: &str, delimiter: u8) -> Option<Vec<Cow<'_, str>>> {
    let bytes = row.as_bytes();
    let mut cells = Vec::new();
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            let start = at + 1;
            let mut end = start;
            let mut doubled = false;
            loop {
                end += memchr::memchr(b'"', &bytes[end..])?;
                if bytes.get(end + 1) != Some(&b'"') {
                    break;
                }
                doubled = true;
                end += 2;
            }
            let text = &row[start..end];
            cells.push(if doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) });
            at = end + 1;
            match bytes.get(at) {
                None => return Some(cells),
                Some(byte) if *byte == delimiter => at += 1,
                // The row's own line end, where it was not cut.
                Some(b'\r') if at + 1 == bytes.len() => return Some(cells),
                Some(_) => return None,
            }
        } else {
            let end = memchr::memchr(delimiter, &bytes[at..]).map_or(bytes.len(), |len| at + len);
            cells.push(Cow::Borrowed(&row[at..end]));
            if end == bytes.len() {
                return Some(cells);
            }
            at = end + 1;
        }
    }
}

#[cfg(test)]
mod tests;
