//! Second headers: tables that were joined to one file. Where the second one is the first again, its rows are read on. Rows
//! below one with other columns, or with the same in another order, cannot be told from rows of the first table: they are
//! rejected, up to where the first header comes again.

use crate::csv::cells;
use crate::reject::RejectReason;
use crate::scan::{Cells, Scan};
use crate::shapes::is_header;

/// Below a header stand times, which have four digits in a row; a header has none.
const DIGITS_OF_DATA: usize = 4;
/// A header of fewer columns is not told from a row.
const COLUMNS_MIN: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    /// That of the file again.
    First,
    Other,
}

/// The header of a file, and whether the rows that come are below it.
#[derive(Debug)]
pub(crate) struct Headers {
    first: Vec<String>,
    delimiter: u8,
    is_below_other: bool,
}

impl Headers {
    /// `None` if another header could not be told from rows.
    pub(crate) fn new(header: &str, delimiter: u8) -> Option<Self> {
        let first = names(header, delimiter)?;
        let may_be_told = first.len() >= COLUMNS_MIN && !has_data(header.as_bytes());
        may_be_told.then_some(Self { first, delimiter, is_below_other: false })
    }

    /// Rejects the rows that are below another header. A scan ends before the header at which that changes, so that the
    /// next one begins with it.
    pub(crate) fn split(&mut self, buffer: &[u8], scan: &mut Scan) {
        if self.is_below_other && self.position(buffer, scan, Header::First) == Some(0) && scan.begins_with(0)
        {
            self.is_below_other = false;
        }
        let ends_with = if self.is_below_other { Header::First } else { Header::Other };
        let mut end = self.position(buffer, scan, ends_with);
        if !self.is_below_other && end == Some(0) && scan.begins_with(0) {
            self.is_below_other = true;
            end = self.position(buffer, scan, Header::First);
        }
        if let Some(end) = end {
            scan.end_before(end);
        }
        if self.is_below_other {
            scan.cells = Cells::default();
            let rows = std::mem::take(&mut scan.records).into_iter();
            scan.broken.extend(rows.map(|range| (range, RejectReason::OtherHeader)));
            scan.broken.sort_by_key(|(range, _)| range.start);
        }
    }

    /// The first row that is such a header.
    fn position(&self, buffer: &[u8], scan: &Scan, header: Header) -> Option<usize> {
        scan.records.iter().position(|range| self.header(&buffer[range.clone()]) == Some(header))
    }

    fn header(&self, row: &[u8]) -> Option<Header> {
        if has_data(row) {
            return None;
        }
        let row = std::str::from_utf8(row).ok()?;
        let names = names(row, self.delimiter).filter(|names| names.len() >= COLUMNS_MIN)?;
        if names == self.first {
            return Some(Header::First);
        }
        let is_same_set = || {
            let sorted = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort_unstable();
                names
            };
            sorted(&names) == sorted(&self.first)
        };
        (is_same_set() || is_header(row, self.delimiter)).then_some(Header::Other)
    }
}

/// The names of a header as they are compared.
fn names(header: &str, delimiter: u8) -> Option<Vec<String>> {
    let cells = cells(header.trim_start_matches('\u{feff}'), delimiter)?;
    let mut names: Vec<String> =
        cells.iter().map(|cell| cell.trim().trim_matches('"').to_ascii_lowercase()).collect();
    while names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    Some(names)
}

fn has_data(row: &[u8]) -> bool {
    let mut digits = 0;
    row.iter().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits == DIGITS_OF_DATA
    })
}

#[cfg(test)]
mod tests {
    use crate::encoding::Encoding;
    use crate::frame::Framer;
    use crate::recognise::Recognised;
    use crate::shapes::Parsed;
    use crate::text::Text;

    const FIRST: &str = "Id,CreatedDateTime,UserPrincipalName,AppDisplayName,ClientAppUsed,ErrorCode";

    /// What each row of a file is read as: its client app, a header, or why it is rejected.
    fn read(file: &str, step: usize) -> Vec<String> {
        let reader = std::io::Cursor::new(file.as_bytes().to_vec());
        let text = Text::new(reader, false, Encoding::Utf8, 0);
        let (mut framer, recognised) = Framer::in_steps(text, step, step).expect("memory");
        let Recognised::Records(head) = recognised else { panic!("a table: {file}") };
        let mut rows = Vec::new();
        while let Some(chunk) = framer.next_chunk().expect("memory") {
            let text = std::str::from_utf8(&chunk.bytes).expect("text");
            let mut found: Vec<(usize, String)> =
                chunk.broken.iter().map(|(range, reason)| (range.start, reason.to_string())).collect();
            for (at, range) in chunk.records().into_iter().enumerate() {
                let told = match head.reader.parse_row(text, range.clone(), chunk.cells.of(at)) {
                    Ok(Parsed::SignIn(sign_in)) => sign_in.client_app.unwrap_or_default().into_owned(),
                    Ok(Parsed::NotSignIn) => "a header".to_owned(),
                    Err(reason) => reason.to_string(),
                };
                found.push((range.start, told));
            }
            found.sort_unstable();
            rows.extend(found.into_iter().map(|(_, told)| told));
        }
        rows
    }

    // The rows below a second header were read by the first: a user's name became the client app, and IMAP4 that of the
    // application.
    #[test]
    fn rows_below_another_header_are_not_read_by_the_first() {
        let row = |client: &str| format!("1,2026-10-20T08:00:00Z,ann@example.com,Outlook,{client},0");
        let swapped = "Id,CreatedDateTime,UserPrincipalName,ClientAppUsed,AppDisplayName,ErrorCode";
        let others = "Date (UTC),Request ID,Username,Application,Client app,Status";
        let below = "is below a second header row";
        let (imap, pop) = (row("IMAP4"), row("POP3"));
        for (second, is_read) in [
            (FIRST, true),
            (&format!("\u{feff}{}", FIRST.to_lowercase()), true),
            (swapped, false),
            (others, false),
        ] {
            let file = [FIRST, &imap, second, &pop, &pop, FIRST, &imap, ""].join("\r\n");
            for step in [1, 40, 200, 1 << 20] {
                let rows = read(&file, step);
                assert_eq!(rows.len(), 6, "{rows:?}");
                assert_eq!((rows[0].as_str(), rows[5].as_str()), ("IMAP4", "IMAP4"), "{rows:?}");
                let middle = &rows[1..4];
                if is_read {
                    assert_eq!(middle, ["a header", "POP3", "POP3"], "{second} in steps of {step}");
                } else {
                    let rejected = middle.iter().all(|told| told.starts_with(below));
                    assert!(rejected, "{rows:?} below {second} in steps of {step}");
                }
                assert_eq!(rows[4], "a header", "{rows:?}");
            }
        }
        // Two others, one at once behind the header of the file.
        let file = [FIRST, swapped, &pop, others, &pop, FIRST, &imap].join("\n");
        for step in [1, 100, 1 << 20] {
            let rows = read(&file, step);
            assert!(rows[..4].iter().all(|told| told.starts_with(below)), "{rows:?}");
            assert_eq!(rows[4..], ["a header", "IMAP4"], "{rows:?}");
        }
        // The last of them has no line end: it is still a row of its own.
        let file = [FIRST, &imap, swapped, &pop, &pop].join("\n");
        for step in [1, 100, 1 << 20] {
            let rows = read(&file, step);
            assert!(rows.len() == 4 && rows[1..].iter().all(|told| told.starts_with(below)), "{rows:?}");
        }
    }

    // The last good row waited for the one behind it, however many broken ones came between, and was handed out together
    // with them.
    #[test]
    fn no_row_waits_for_what_follows_it() {
        let swapped = "Id,CreatedDateTime,UserPrincipalName,ClientAppUsed,AppDisplayName,ErrorCode";
        let good = "1,2026-10-20T08:00:00Z,ann@example.com,IMAP4,Outlook,0";
        let broken = "1,2026-10-20T08:00:00Z,\"ann\\\"x\",IMAP4,Outlook,0\n".repeat(500);
        let file = format!("{FIRST}\n{swapped}\n{good}\n{broken}{good}");
        let reader = std::io::Cursor::new(file.clone().into_bytes());
        let text = Text::new(reader, false, Encoding::Utf8, 0);
        let (mut framer, _) = Framer::in_steps(text, 200, 400).expect("memory");
        let (mut rows, mut bytes) = (0, 0);
        while let Some(chunk) = framer.next_chunk().expect("memory") {
            assert!(chunk.bytes.len() <= 800, "{} bytes were held", chunk.bytes.len());
            let ranges: Vec<_> = chunk.broken.iter().map(|(range, _)| range.clone()).collect();
            assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{ranges:?}");
            rows += ranges.len();
            bytes += ranges.iter().map(|range| range.len() + 1).sum::<usize>();
        }
        assert_eq!((rows, bytes), (503, file.len() - FIRST.len()));
    }
}
