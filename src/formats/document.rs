//! Finds record borders in JSON that is not one record a line: arrays, envelopes
//! (`{"records":[…]}`, `{"value":[…]}`), pretty-printed and concatenated objects. Only strings and
//! brackets are followed; whether a record is valid is for its parser to say. A record that never
//! closes is given up where the next one starts, so one cut record costs one record.

mod answers;
mod arrays;
mod values;

use super::encoding::BYTE_ORDER_MARK;
use super::json::JsonError;
use super::json::blocks::Processor;
use super::reject::{OVER_LONG_BYTES_KEPT, RECORD_BYTES_MAX, RejectReason};
use super::scan::Scan;
use answers::Answers;
use arrays::{Arrays, arrays, is_array_key};
pub(super) use arrays::{is_envelope, is_json_text};
use values::Found;

/// Where the scanner stands between two records; carried from buffer to buffer.
#[derive(Debug)]
pub(super) struct Scanner {
    processor: Processor,
    containers: Vec<Container>,
    /// Behind a record array: a colon was last, so that a value follows.
    value_follows: bool,
    /// Behind a record array: the key that was last is that of another one.
    is_array_key: bool,
    /// That key.
    tail_key: Vec<u8>,
    /// The key that the file's first record opens with.
    first_key: Vec<u8>,
    /// Blanks before the next value on its line, if nothing else is before it.
    indent: Option<usize>,
    /// Something was cut before it closed.
    is_cut: bool,
    answers: Answers,
    /// What came last was no whole record.
    after_broken: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    /// In the record array of an envelope object.
    EnvelopeArray,
    /// Behind it, in the rest of the object.
    EnvelopeTail,
}

enum Value {
    Ends(usize),
    NeedsMore,
    /// Can't be a value: `at` is where that shows.
    Broken {
        at: usize,
        expected: &'static str,
    },
}

/// Where the next record starts.
enum Next {
    At(usize),
    NeedsMore,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            processor: Processor::detect(),
            containers: Vec::new(),
            value_follows: false,
            is_array_key: false,
            tail_key: Vec::new(),
            first_key: Vec::new(),
            indent: None,
            is_cut: false,
            answers: Answers::default(),
            after_broken: false,
        }
    }
}

impl Scanner {
    /// Whether something was cut before it closed; all of the stream being scanned.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut || !self.containers.is_empty()
    }

    /// What the answers of the stream have said; all of it being scanned.
    pub(super) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Whether the stream ends between two records of an array: how many are lost, nobody knows.
    pub(super) fn ends_in_array(&self) -> bool {
        let in_array = !matches!(self.containers.last(), None | Some(Container::EnvelopeTail));
        in_array && !self.after_broken
    }

    /// Scans a buffer that starts where the last scan's `consumed` ended; `last` says that nothing
    /// follows it.
    pub(super) fn scan(&mut self, buffer: &[u8], last: bool) -> Scan {
        let mut scan = Scan::default();
        let mut looked_at = 0;
        loop {
            let at = skip_separators(buffer, scan.consumed);
            if scan.consumed != looked_at {
                self.indent = None;
            }
            let skipped = &buffer[scan.consumed..at];
            self.indent = match memchr::memrchr(b'\n', skipped) {
                Some(newline) => Some(skipped.len() - newline - 1),
                None => self.indent.map(|blanks| blanks + skipped.len()),
            };
            (scan.consumed, looked_at) = (at, at);
            self.answers.close(self.containers.len());
            let Some(byte) = buffer.get(at) else { return scan };
            match (byte, self.containers.last()) {
                (b'}', Some(Container::EnvelopeTail)) => {
                    self.containers.pop();
                    scan.consumed = at + 1;
                }
                // An envelope that was cut before it closed: what opens here is the next one.
                (b'{' | b'[', Some(Container::EnvelopeTail)) if !self.value_follows => {
                    self.containers.pop();
                    self.is_cut = true;
                }
                // Another array of records: `{"records":[],"value":[…]}`.
                (b'[', Some(Container::EnvelopeTail)) if self.value_follows && self.is_array_key => {
                    self.containers.pop();
                    self.containers.push(Container::EnvelopeArray);
                    (self.value_follows, self.is_array_key) = (false, false);
                    scan.consumed = at + 1;
                }
                (_, Some(Container::EnvelopeTail)) => {
                    let is_scalar = self.value_follows && !matches!(byte, b'"' | b'{' | b'[');
                    match if is_scalar { scalar_end(buffer, at, last) } else { value_end(buffer, at) } {
                        // Keys, colons and values of what follows the record array.
                        Value::Ends(end) => {
                            if self.value_follows {
                                self.answers.member(&self.tail_key, &buffer[at..end]);
                            } else if *byte == b'"' {
                                self.tail_key.clear();
                                self.tail_key.extend_from_slice(&buffer[at + 1..end - 1]);
                                self.is_array_key = is_array_key(&self.tail_key);
                            }
                            scan.consumed = end;
                        }
                        Value::NeedsMore if !last => return scan,
                        Value::NeedsMore | Value::Broken { .. } => scan.consumed = at + 1,
                    }
                    self.value_follows = *byte == b':';
                }
                (b']', Some(container)) => {
                    if *container == Container::EnvelopeArray {
                        self.containers.pop();
                        self.containers.push(Container::EnvelopeTail);
                    } else {
                        self.containers.pop();
                    }
                    scan.consumed = at + 1;
                }
                (b'[', _) => {
                    self.containers.push(Container::Array);
                    scan.consumed = at + 1;
                }
                (b'{', container) => {
                    match arrays(&buffer[at..]) {
                        Arrays::Open { behind, within, beside, key } => {
                            let mut outside = self.containers.len();
                            // In the record array of another, that one was cut between two records; of `_msearch` each
                            // response is an answer.
                            if container == Some(&Container::EnvelopeArray) && !self.answers.nest(key) {
                                self.is_cut = true;
                                if !self.after_broken {
                                    scan.broken.push((at..at, broken_off()));
                                }
                                outside = self.answers.end_innermost();
                            } else {
                                let tails = std::iter::repeat_n(Container::EnvelopeTail, within);
                                self.containers.extend(tails);
                                self.containers.push(Container::EnvelopeArray);
                            }
                            self.answers.open(outside, key, beside);
                            self.after_broken = false;
                            scan.consumed = at + behind;
                            continue;
                        }
                        Arrays::NeedMore if !last => return scan,
                        Arrays::NeedMore | Arrays::No => {}
                    }
                    if !self.record(buffer, at, last, &mut scan) {
                        return scan;
                    }
                    self.answers.count();
                }
                (b'"', _) if may_be_json_text(&buffer[at..], last) != Some(false) => {
                    if may_be_json_text(&buffer[at..], last).is_none()
                        || !self.text(buffer, at, last, &mut scan)
                    {
                        return scan;
                    }
                    self.answers.count();
                }
                // Fluent Bit puts the time beside the record: `[1696500000.5, {…}]`.
                (b'0'..=b'9', Some(Container::Array)) => match time_beside(buffer, at) {
                    Value::Ends(end) => scan.consumed = end,
                    Value::NeedsMore if !last && buffer.len() - at <= RECORD_BYTES_MAX => return scan,
                    Value::NeedsMore | Value::Broken { .. } => {
                        if !garbage(buffer, at, last, &mut scan) {
                            return scan;
                        }
                    }
                },
                _ => {
                    if !garbage(buffer, at, last, &mut scan) {
                        return scan;
                    }
                }
            }
        }
    }

    /// Takes the object at `at`; false if more bytes are needed to tell where it ends.
    fn record(&mut self, buffer: &[u8], at: usize, last: bool, scan: &mut Scan) -> bool {
        let too_long = buffer.len() - at > RECORD_BYTES_MAX;
        let value = match values::end(self.processor, buffer, at) {
            Found::Ends(end) => Value::Ends(end),
            Found::NeedsMore => Value::NeedsMore,
            Found::Odd => value_end(buffer, at),
        };
        let (broken_at, expected) = match value {
            Value::Ends(end) => {
                if self.first_key.is_empty() {
                    self.first_key = first_key(&buffer[at..end]).unwrap_or_default().to_vec();
                }
                self.answers.frame(&buffer[at..end]);
                if end - at > RECORD_BYTES_MAX {
                    scan.broken.push((at..at + OVER_LONG_BYTES_KEPT, RejectReason::over_long()));
                } else {
                    scan.records.push(at..end);
                }
                self.after_broken = false;
                scan.consumed = end;
                return true;
            }
            Value::NeedsMore if !last && !too_long => return false,
            Value::NeedsMore => (buffer.len(), "the end of the record"),
            Value::Broken { at, expected } => (at, expected),
        };
        let end = match self.next_record(buffer, at + 1) {
            Next::At(end) => end,
            // Where the next one starts must not depend on how the stream is cut.
            Next::NeedsMore if !last && !too_long => return false,
            Next::NeedsMore => buffer.len(),
        };
        self.after_broken = true;
        self.is_cut |= last && end == buffer.len();
        if end - at > RECORD_BYTES_MAX {
            scan.broken.push((at..at + OVER_LONG_BYTES_KEPT, RejectReason::over_long()));
        } else {
            let error = JsonError { at: broken_at.min(end) - at, expected };
            scan.broken.push((at..end, RejectReason::InvalidJson(error)));
        }
        scan.consumed = end;
        true
    }

    /// Takes the string at `at`, which holds a record as text; false if more bytes are needed to tell where it ends.
    fn text(&mut self, buffer: &[u8], at: usize, last: bool, scan: &mut Scan) -> bool {
        let too_long = buffer.len() - at > RECORD_BYTES_MAX;
        match string_end(buffer, at + 1) {
            Value::Ends(end) if end - at <= RECORD_BYTES_MAX => {
                scan.records.push(at..end);
                self.after_broken = false;
                scan.consumed = end;
                true
            }
            Value::NeedsMore if !last && !too_long => false,
            Value::Ends(_) | Value::NeedsMore | Value::Broken { .. } => {
                self.after_broken = true;
                self.is_cut |= last;
                garbage(buffer, at, last, scan)
            }
        }
    }

    /// The next object from `from` on that is a record by its first key and by what is before it: not
    /// indented deeper than the record that is given up.
    fn next_record(&self, buffer: &[u8], from: usize) -> Next {
        // Where the line starts that is looked at, once there is another than the record's own.
        let (mut line, mut seen) = (None, from);
        for start in memchr::memchr_iter(b'{', &buffer[from..]).map(|at| from + at) {
            line = memchr::memrchr(b'\n', &buffer[seen..start]).map(|newline| seen + newline + 1).or(line);
            let before = buffer[seen..start].trim_ascii_end();
            let at_line_start = line.is_some_and(|line| line >= seen + before.len());
            seen = start;
            if !at_line_start && !matches!(before.last(), Some(b',' | b'[' | b'}' | b']')) {
                continue;
            }
            match first_key(&buffer[start..]) {
                Some(key) if FIRST_KEYS.contains(&key) || key == self.first_key => {}
                Some(_) => continue,
                None => return Next::NeedsMore,
            }
            let deeper = line.zip(self.indent).is_some_and(|(line, indent)| {
                let blanks = buffer[line..start].iter().take(indent + 1);
                blanks.take_while(|byte| matches!(byte, b' ' | b'\t')).count() > indent
            });
            if !deeper {
                return Next::At(start);
            }
        }
        Next::NeedsMore
    }
}

/// Whether the string at the start is a record as text; `None` if more bytes are needed to tell.
fn may_be_json_text(text: &[u8], last: bool) -> Option<bool> {
    if !last && text.len() < arrays::TEXT_START_BYTES { None } else { Some(is_json_text(text)) }
}

/// The reason for what stands for records that nobody has.
pub fn broken_off() -> RejectReason {
    RejectReason::BrokenOff { expected: "more records, or the end of their array" }
}

/// Takes bytes that no record starts with, up to the next object.
fn garbage(buffer: &[u8], at: usize, last: bool, scan: &mut Scan) -> bool {
    let end = match memchr::memchr2(b'\n', b'{', &buffer[at..]) {
        Some(len) => at + len,
        None if last || buffer.len() - at > RECORD_BYTES_MAX => buffer.len(),
        None => return false,
    };
    let end = end.max(at + 1);
    let kept = end.min(at + OVER_LONG_BYTES_KEPT);
    scan.broken.push((at..kept, RejectReason::InvalidJson(JsonError { at: 0, expected: "a record" })));
    scan.consumed = end;
    true
}

/// Where the number at `at` ends, if an object is next to it.
fn time_beside(buffer: &[u8], at: usize) -> Value {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let Some(len) = buffer[at..].iter().position(|byte| !is_of_number(byte)) else { return Value::NeedsMore };
    let end = at + len;
    match buffer.get(skip_separators(buffer, end)) {
        Some(b'{') if buffer[end] == b',' => Value::Ends(end),
        Some(_) => Value::Broken { at: end, expected: "a record behind its time" },
        None => Value::NeedsMore,
    }
}

fn skip_separators(buffer: &[u8], mut at: usize) -> usize {
    loop {
        match &buffer[at.min(buffer.len())..] {
            [byte, ..] if byte.is_ascii_whitespace() || *byte == b',' => at += 1,
            // Between two files that were joined.
            [0xef, 0xbb, 0xbf, ..] => at += BYTE_ORDER_MARK.len(),
            _ => return at,
        }
    }
}

/// Keys that records and envelopes open with, and nested objects seldom do.
const FIRST_KEYS: [&[u8]; 24] = [
    b"time",
    b"category",
    b"operationName",
    b"resourceId",
    b"tenantId",
    b"records",
    b"eventHubsAzureRecord",
    b"callerIpAddress",
    b"calleripaddress",
    b"id",
    b"Level",
    b"level",
    b"createdDateTime",
    b"CreatedDateTime",
    b"appDisplayName",
    b"AppDisplayName",
    b"TimeGenerated",
    b"TenantId",
    b"AADTenantId",
    b"CreationTime",
    b"Id",
    b"value",
    b"@odata.context",
    b"@odata.type",
];

/// The key that an object opens with, empty if it opens with none; `None` if more bytes are needed.
fn first_key(object: &[u8]) -> Option<&[u8]> {
    let rest = object[1..].trim_ascii_start();
    let Some((b'"', rest)) = rest.split_first() else {
        return (!rest.is_empty()).then_some(&[]);
    };
    match memchr::memchr3(b'"', b'\\', b'\n', rest) {
        Some(end) if rest[end] == b'"' => Some(&rest[..end]),
        Some(_) => Some(&[]),
        None => None,
    }
}

/// How far the object at the start of a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// To this byte.
    Whole(usize),
    /// Beyond the end.
    Cut,
    /// Its brackets do not fit.
    Broken,
}

/// The extent of an object, by strings and brackets alone.
pub(super) fn extent(object: &[u8]) -> Extent {
    match value_end(object, 0) {
        Value::Ends(end) => Extent::Whole(end),
        Value::NeedsMore => Extent::Cut,
        Value::Broken { .. } => Extent::Broken,
    }
}

/// End of the value that starts at `at`, by strings and brackets alone.
fn value_end(buffer: &[u8], at: usize) -> Value {
    let mut open: Vec<u8> = Vec::new();
    let mut i = at;
    loop {
        let Some(byte) = buffer.get(i) else { return Value::NeedsMore };
        match byte {
            b'"' => match string_end(buffer, i + 1) {
                Value::Ends(end) => i = end,
                other => return other,
            },
            b'{' => {
                open.push(b'}');
                i += 1;
            }
            b'[' => {
                open.push(b']');
                i += 1;
            }
            b'}' | b']' => {
                if open.pop() != Some(*byte) {
                    return Value::Broken { at: i, expected: "the bracket that closes what is open" };
                }
                i += 1;
            }
            _ => i += 1,
        }
        if open.is_empty() {
            return Value::Ends(i);
        }
        if open.len() > 256 {
            return Value::Broken { at: i, expected: "at most 128 nested containers" };
        }
    }
}

/// So long a number may be.
const SCALAR_BYTES_MAX: usize = 64;

/// End of the number or literal at `at`.
fn scalar_end(buffer: &[u8], at: usize, last: bool) -> Value {
    let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
    match buffer[at..].iter().take(SCALAR_BYTES_MAX + 1).position(is_end) {
        Some(len) => Value::Ends(at + len.max(1)),
        None if buffer.len() - at > SCALAR_BYTES_MAX => Value::Ends(at + 1),
        None if last => Value::Ends(buffer.len()),
        None => Value::NeedsMore,
    }
}

fn string_end(buffer: &[u8], mut i: usize) -> Value {
    loop {
        let Some(len) = memchr::memchr3(b'"', b'\\', b'\n', &buffer[i..]) else { return Value::NeedsMore };
        i += len;
        match buffer[i] {
            b'"' => return Value::Ends(i + 1),
            b'\n' => return Value::Broken { at: i, expected: "the end of the string" },
            _ => i += 2,
        }
        if i > buffer.len() {
            return Value::NeedsMore;
        }
    }
}

#[cfg(test)]
mod tests;
