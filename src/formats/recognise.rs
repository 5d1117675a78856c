//! Tells from the head of a file what it is: shape, framing, and what holds for all of its records.
//! File names tell nothing.

use super::answer::{AnswerState, is_frame_header};
use super::csv;
use super::document::{self, Scanner};
use super::framing::Framing;
use super::json::Cursor;
use super::reject::{RECORD_BYTES_MAX, RejectReason};
use super::scan::Scan;
use super::shapes::look_alike::{graph_error, of_start, of_text};
use super::shapes::{NotRead, RecordReader, Says, Shape, describe_record, envelope, is_picture};
use crate::settings::{collected, smtp_report};
use lightsout_model::settings::SettingsKind;
use lightsout_model::time::DateEvidence;

/// How many records are looked at, from the first that some shape knows.
const HEAD_RECORDS: usize = 64;

/// So much of a file is searched for its first record.
const SEARCHED_BYTES_MAX: usize = 4 << 20;

/// How many of them may show that records have others as members.
const CARRIERS_TRIED: usize = 8;

/// How far into a file its `kind` may be.
const KIND_WITHIN_BYTES: usize = 4 << 10;

/// What the head of a file shows.
#[derive(Debug, Clone)]
pub enum Recognised {
    Records(Head),
    /// No records, but what a tenant's settings say.
    Settings(SettingsKind),
    /// No record: no byte but blanks, or an empty array.
    Empty,
    /// Nothing that is read.
    Unknown(NotRead),
}

/// What is known of a file before its records are read.
#[derive(Debug, Clone)]
pub struct Head {
    pub reader: RecordReader,
    pub framing: Framing,
    /// CSV: the header row.
    pub header: Option<String>,
    /// Bytes before the first record that are none: lines for a program, the header.
    pub skip: usize,
    /// Some record of the head says its tenant; its category.
    pub says_tenant: bool,
    pub says_category: bool,
    /// What some record of the head has in place of a tenant id.
    pub tenant_name: Option<String>,
    /// Times are written with day and month as numbers, in an order that the file has to settle.
    pub numbered_dates: bool,
}

impl Head {
    fn new<'a>(reader: RecordReader, framing: Framing, records: impl Iterator<Item = &'a str>) -> Self {
        let mut head = Self {
            reader,
            framing,
            header: None,
            skip: 0,
            says_tenant: false,
            says_category: false,
            tenant_name: None,
            numbered_dates: false,
        };
        for record in records.take(HEAD_RECORDS) {
            head.learn(record);
            // The dates of these are of one kind, and there is no more to learn.
            if head.says_tenant && head.says_category && head.reader.shape() == Shape::Diagnostic {
                break;
            }
        }
        head
    }

    fn learn(&mut self, record: &str) {
        let mut numbered = false;
        self.reader.times(record, |time| numbered |= DateEvidence::concerns(time));
        self.numbered_dates |= numbered;
        if self.reader.in_envelopes
            && let Some(records) = envelope::records(record)
        {
            for record in &records {
                if let Some(shape) = Shape::recognise(record) {
                    self.hear(RecordReader::json(shape).says(record));
                }
            }
        } else {
            self.hear(self.reader.says(record));
        }
    }

    fn hear(&mut self, says: Says) {
        self.says_tenant |= says.tenant;
        self.says_category |= says.category;
        self.tenant_name = self.tenant_name.take().or(says.tenant_name);
    }
}

/// The reader for records of which these are the first, if some shape knows one; and which of them is the first that
/// one knows: a log of many kinds may begin with another.
fn reader_of<'a>(records: &(impl Iterator<Item = &'a str> + Clone)) -> Option<(RecordReader, usize)> {
    // What is in the first record that a shape knows tells of all.
    let bare = records.clone().position(|record| Shape::of_record(record).is_some());
    let first = match bare {
        Some(0) => 0,
        _ => records.clone().position(|record| Shape::recognise(record).is_some())?,
    };
    let mut reader = RecordReader::json(Shape::recognise(records.clone().nth(first)?)?);
    let carriers = records.clone().skip(first).take(CARRIERS_TRIED);
    reader.in_envelopes =
        bare != Some(first) || carriers.into_iter().any(|record| envelope::records(record).is_some());
    Some((reader, first))
}

/// Looks at the head; `None`: more of the file is needed. `last` says that nothing follows it.
pub fn recognise(head: &[u8], last: bool) -> Option<Recognised> {
    let Some(start) = head.iter().position(|byte| !byte.is_ascii_whitespace()) else {
        return last.then_some(Recognised::Empty);
    };
    if matches!(head[start], b'{' | b'[') || is_json_text(&head[start..]) {
        json(head, start, last)
    } else {
        table(head, start, last)
    }
}

/// Whether more of a file is looked at before it is none that is read: a log of many kinds may begin with others.
const fn needs_more(head: &[u8], last: bool) -> bool {
    !last && head.len() <= SEARCHED_BYTES_MAX
}

/// Whether text starts with a string that holds JSON, not with the quoted cell of a table.
fn is_json_text(text: &[u8]) -> bool {
    document::is_json_text(text) && !text.starts_with(b"\"\"")
}

fn json(head: &[u8], start: usize, last: bool) -> Option<Recognised> {
    if collected::is_collected(&String::from_utf8_lossy(
        &head[start..head.len().min(start + KIND_WITHIN_BYTES)],
    )) {
        return Some(Recognised::Settings(SettingsKind::ExchangeSettings));
    }
    if head[start] == b'{'
        && !holds_arrays(head)
        && let Some((reader, first)) = reader_of(&whole_lines(head, last))
    {
        let records = Head::new(reader, Framing::Lines, whole_lines(head, last).skip(first));
        return Some(Recognised::Records(records));
    }
    let mut scanner = Scanner::default();
    let scan = scanner.scan(head, last);
    let records = || scan.records.iter().filter_map(|range| std::str::from_utf8(&head[range.clone()]).ok());
    if let Some((reader, first)) = reader_of(&records()) {
        return Some(Recognised::Records(Head::new(reader, Framing::Document, records().skip(first))));
    }
    if last && scan.records.is_empty() && scan.broken.is_empty() {
        // An answer that failed looks like one that found nothing.
        let text = std::str::from_utf8(&head[start..]).unwrap_or_default();
        let found = match graph_error(text) {
            Some(error) => error,
            // The last page of a scroll has none of the records that it counts.
            None if !scanner.answers().are_short()
                && (scanner.answers().say_incomplete()
                    || envelope::answer_state(text) == Some(AnswerState::Incomplete)) =>
            {
                "an answer without records that timed out or lacks shards; run the query again".to_owned()
            }
            None if scanner.is_cut() => "JSON that breaks off before its first record".to_owned(),
            None => return Some(Recognised::Empty),
        };
        return Some(Recognised::Unknown(NotRead::unknown(found)));
    }
    if needs_more(head, last) || scan.records.is_empty() && !last && head.len() <= RECORD_BYTES_MAX {
        return None;
    }
    let first = scan.records.first().map_or(&head[start..], |range| &head[range.clone()]);
    Some(Recognised::Unknown(within(describe(first), head, last)))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let mut start = 0;
    memchr::memchr_iter(b'\n', text).chain([text.len()]).map(move |end| {
        let line = &text[start..end];
        start = end + 1;
        line
    })
}

/// Whether some line starts an array: objects and arrays that were appended to one file, such as the
/// pages of a list, of which one with a single record is no array.
fn holds_arrays(head: &[u8]) -> bool {
    let mut start = 0;
    lines(head).take(HEAD_RECORDS).any(|line| {
        let text = head[start..].trim_ascii_start();
        start += line.len() + 1;
        let line = line.trim_ascii_start();
        // What opens a document may go on in the next lines; so do the frames of an answer.
        line.starts_with(b"[")
            || line.starts_with(b"{") && (document::is_envelope(text) || is_frame_header(line))
    })
}

/// Lines that are whole objects.
fn whole_lines(head: &[u8], last: bool) -> impl Iterator<Item = &str> + Clone {
    texts_of_lines(head, last).filter(|line| {
        let mut cursor = Cursor::new(line);
        line.starts_with('{') && cursor.skip().and_then(|()| cursor.end()).is_ok()
    })
}

fn texts_of_lines(head: &[u8], last: bool) -> impl Iterator<Item = &str> + Clone {
    let end = if last { head.len() } else { memchr::memrchr(b'\n', head).unwrap_or(head.len()) };
    lines(&head[..end])
        .filter_map(|line| std::str::from_utf8(line.trim_ascii()).ok())
        .filter(|line| !line.is_empty())
}

/// Lines that begin with what syslog, fluentd or a container runtime writes before each record.
fn prefixed_lines(head: &[u8], last: bool) -> Option<Recognised> {
    let lines = texts_of_lines(head, last);
    let records = lines.filter(|line| line.ends_with(['}', ']']) && line.contains('{'));
    let (reader, first) = reader_of(&records)?;
    Some(Recognised::Records(Head::new(reader, Framing::Lines, records.skip(first))))
}

/// Lines that may stand above a header: a title, who exported the table and when.
const TITLE_LINES_MAX: usize = 10;
/// The filled cells that such a line has at most; a row of data has more.
const TITLE_CELLS_MAX: usize = 2;
const COLUMNS_BELOW_TITLES_MIN: usize = 4;

/// Where the header is below such lines, as they are in a sheet that somebody kept in Excel.
fn below_titles(head: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut titles: Vec<&str> = Vec::new();
    for line in lines(&head[from..]).take(TITLE_LINES_MAX + 1) {
        let text = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
        if let (false, Ok(reader)) = (titles.is_empty(), RecordReader::csv(text)) {
            let delimiter = reader.delimiter()?;
            let filled = |line: &str| {
                let cells = csv::cells(line, delimiter).unwrap_or_default();
                cells.iter().filter(|cell| !cell.trim().is_empty()).count()
            };
            let is_header = filled(text) >= COLUMNS_BELOW_TITLES_MIN;
            return (is_header && titles.iter().all(|line| filled(line) <= TITLE_CELLS_MAX)).then_some(at);
        }
        titles.push(text);
        at += line.len() + 1;
    }
    None
}

fn table(head: &[u8], start: usize, last: bool) -> Option<Recognised> {
    let mut at = start;
    // Lines for PowerShell and Excel.
    while head[at..].starts_with(b"#TYPE ") || head[at..].starts_with(b"sep=") {
        match memchr::memchr(b'\n', &head[at..]) {
            Some(len) => at += len + 1,
            None if last => return Some(Recognised::Empty),
            None => return None,
        }
    }
    // Quotes tell where the header ends, whatever the delimiter turns out to be.
    let ends = csv::DELIMITERS.into_iter().find_map(|delimiter| csv::first_row(&head[at..], delimiter, last));
    let Some((end, next)) = ends else {
        if let Some(found) = prefixed_lines(head, last) {
            return Some(found);
        }
        let found = || Recognised::Unknown(within(describe(&head[start..]), head, last));
        let undecided = !last && head.len() <= RECORD_BYTES_MAX;
        return (!undecided).then(found);
    };
    let Ok(header) = std::str::from_utf8(&head[at..at + end]) else {
        let mut found = NotRead::unknown(
            "text that is not valid UTF-8 or UTF-16; it uses another code page or is damaged; save it as \"CSV UTF-8\", or \
             export it again as UTF-8",
        );
        found.may_hold_sign_ins = !is_picture(head);
        return Some(Recognised::Unknown(found));
    };
    if smtp_report::is_report(header) {
        return Some(Recognised::Settings(SettingsKind::SmtpAuthReport));
    }
    let mut reader = match RecordReader::csv(header) {
        Ok(reader) => reader,
        Err(found) => {
            if let Some(below) = below_titles(head, at) {
                return table(head, below, last);
            }
            let found = of_start(&head[at..]).unwrap_or(found);
            let found = || Recognised::Unknown(within(found, head, last));
            return prefixed_lines(head, last).or_else(|| (!needs_more(head, last)).then(found));
        }
    };
    let rows = &head[at + next..];
    let scan = csv::scan(rows, reader.delimiter().unwrap_or(b','), last);
    let records = || scan.records.iter().filter_map(|range| std::str::from_utf8(&rows[range.clone()]).ok());
    if scan.records.is_empty() && is_escaped_by_backslashes(rows, &scan) {
        let found = NotRead::unknown(
            "a table whose quotes are escaped by backslashes, which is not read; export it with quotes doubled (in Spark \
             with .option(\"escape\", \"\\\"\")), or as JSON",
        );
        return Some(Recognised::Unknown(within(found, head, last)));
    }
    if let Some(found) = reader.look_alike(records()) {
        let found = || Recognised::Unknown(within(found, head, last));
        return prefixed_lines(head, last).or_else(|| (!needs_more(head, last)).then(found));
    }
    // The last row of a file that ends without a line end may be cut.
    let is_open = last && !rows.ends_with(b"\n");
    let whole = scan.records.len().saturating_sub(usize::from(is_open));
    reader.learn_last_cells(records().take(whole.min(HEAD_RECORDS)));
    let mut records = Head::new(reader, Framing::Csv, records());
    records.header = Some(header.to_owned());
    records.skip = at + next;
    Some(Recognised::Records(records))
}

/// Whether the first row is broken at a quote that a backslash escapes.
fn is_escaped_by_backslashes(rows: &[u8], scan: &Scan) -> bool {
    let first = scan.broken.first();
    first.is_some_and(|(range, reason)| {
        let is_of_quotes = matches!(reason, RejectReason::InvalidCsv { .. });
        is_of_quotes && memchr::memmem::find(&rows[range.clone()], b"\\\"").is_some()
    })
}

fn describe(record: &[u8]) -> NotRead {
    let text = String::from_utf8_lossy(&record[..record.len().min(1 << 16)]);
    if let Some(found) = describe_record(&text) {
        return found;
    }
    let mut cursor = Cursor::new(&text);
    if cursor.skip().and_then(|()| cursor.end()).is_ok() {
        return NotRead::unknown("JSON without objects");
    }
    of_text(&text)
}

/// What a file is, by all of it where the head is all.
fn within(found: NotRead, head: &[u8], last: bool) -> NotRead {
    if is_picture(head) {
        return NotRead { may_hold_sign_ins: false, ..found };
    }
    if last { found.in_file(head) } else { found }
}
