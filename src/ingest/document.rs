//! Finds record borders in JSON that is not one record a line: arrays, envelopes
//! (`{"records":[…]}`, `{"value":[…]}`), pretty-printed and concatenated objects. Only strings and
//! brackets are followed; whether a record is valid is for its parser to say. A record that never
//! closes is given up at the next line that starts an object, so one cut record costs one record.

use std::ops::Range;

use super::encoding::BYTE_ORDER_MARK;
use super::formats::RejectReason;
use super::frame::{OVER_LONG_BYTES_KEPT, RECORD_BYTES_MAX, over_long};
use super::json::JsonError;

/// Members before the record array of an envelope may take this much.
const ENVELOPE_HEAD_BYTES: usize = 64 << 10;

/// Where the scanner stands between two records; carried from buffer to buffer.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    containers: Vec<Container>,
    /// Behind a record array: a colon was last, so that a value follows.
    value_follows: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    /// In the record array of an envelope object.
    EnvelopeArray,
    /// Behind it, in the rest of the object.
    EnvelopeTail,
}

/// What one pass over a buffer found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) records: Vec<Range<usize>>,
    pub(super) broken: Vec<(Range<usize>, RejectReason)>,
    /// Bytes that need not be looked at again.
    pub(super) consumed: usize,
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

enum Envelope {
    /// Index behind the `[` of its record array.
    Opens(usize),
    No,
    NeedsMore,
}

impl Scanner {
    /// Scans a buffer that starts where the last scan's `consumed` ended; `last` says that nothing
    /// follows it.
    pub(super) fn scan(&mut self, buffer: &[u8], last: bool) -> Scan {
        let mut scan = Scan::default();
        loop {
            let at = skip_separators(buffer, scan.consumed);
            scan.consumed = at;
            let Some(byte) = buffer.get(at) else { return scan };
            match (byte, self.containers.last()) {
                (b'}', Some(Container::EnvelopeTail)) => {
                    self.containers.pop();
                    scan.consumed = at + 1;
                }
                // An envelope that was cut before it closed: what opens here is the next one.
                (b'{' | b'[', Some(Container::EnvelopeTail)) if !self.value_follows => {
                    self.containers.pop();
                }
                (_, Some(Container::EnvelopeTail)) => {
                    match value_end(buffer, at) {
                        // Keys, colons and values of what follows the record array.
                        Value::Ends(end) => scan.consumed = end,
                        Value::NeedsMore if !last => return scan,
                        _ => scan.consumed = at + 1,
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
                    match envelope(&buffer[at..]) {
                        Envelope::Opens(behind) => {
                            // In the record array of another, that one was cut between two records.
                            if container != Some(&Container::EnvelopeArray) {
                                self.containers.push(Container::EnvelopeArray);
                            }
                            scan.consumed = at + behind;
                            continue;
                        }
                        Envelope::NeedsMore if !last => return scan,
                        _ => {}
                    }
                    if !record(buffer, at, last, &mut scan) {
                        return scan;
                    }
                }
                _ => {
                    if !garbage(buffer, at, last, &mut scan) {
                        return scan;
                    }
                }
            }
        }
    }
}

/// Takes the object at `at`; false if more bytes are needed to tell where it ends.
fn record(buffer: &[u8], at: usize, last: bool, scan: &mut Scan) -> bool {
    let (broken_at, expected) = match value_end(buffer, at) {
        Value::Ends(end) => {
            if end - at > RECORD_BYTES_MAX {
                scan.broken.push((at..at + OVER_LONG_BYTES_KEPT, over_long()));
            } else {
                scan.records.push(at..end);
            }
            scan.consumed = end;
            return true;
        }
        Value::NeedsMore if last => (buffer.len(), "the end of the record"),
        Value::NeedsMore if buffer.len() - at > RECORD_BYTES_MAX => {
            let end = next_object_line(buffer, at + 1).unwrap_or(buffer.len());
            if end - at > RECORD_BYTES_MAX {
                scan.broken.push((at..at + OVER_LONG_BYTES_KEPT, over_long()));
                scan.consumed = end;
                return true;
            }
            (end, "the end of the record")
        }
        Value::NeedsMore => return false,
        Value::Broken { at, expected } => (at, expected),
    };
    let end =
        next_object_line(buffer, at + 1).unwrap_or(if last { buffer.len() } else { broken_at.max(at + 1) });
    let error = JsonError { at: broken_at.min(end) - at, expected };
    scan.broken.push((at..end, RejectReason::InvalidJson(error)));
    scan.consumed = end;
    true
}

/// Takes bytes that no record starts with, up to the next object.
fn garbage(buffer: &[u8], at: usize, last: bool, scan: &mut Scan) -> bool {
    let line_end = memchr::memchr(b'\n', &buffer[at..]).map(|len| at + len);
    let object = memchr::memchr(b'{', &buffer[at..]).map(|len| at + len);
    let end = match (line_end, object) {
        (Some(line_end), Some(object)) => line_end.min(object),
        (Some(end), None) | (None, Some(end)) => end,
        (None, None) if last || buffer.len() - at > RECORD_BYTES_MAX => buffer.len(),
        (None, None) => return false,
    };
    let end = end.max(at + 1);
    let kept = end.min(at + OVER_LONG_BYTES_KEPT);
    scan.broken.push((at..kept, RejectReason::InvalidJson(JsonError { at: 0, expected: "a record" })));
    scan.consumed = end;
    true
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

/// Start of the next line whose first byte that is not blank opens an object.
fn next_object_line(buffer: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(newline) = memchr::memchr(b'\n', &buffer[at..]) {
        let line = at + newline + 1;
        let start = line + buffer[line..].iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))?;
        // In a pretty-printed record an inner object's brace follows its key on the same line,
        // or opens an array element: those lie deeper than the record itself.
        if buffer[start] == b'{' && starts_record(&buffer[start..]) {
            return Some(start);
        }
        at = line;
    }
    None
}

/// Whether an object opens with a key that records and envelopes open with, rather than a nested one.
fn starts_record(object: &[u8]) -> bool {
    const FIRST_KEYS: [&[u8]; 17] = [
        b"time",
        b"category",
        b"operationName",
        b"resourceId",
        b"tenantId",
        b"records",
        b"id",
        b"Level",
        b"level",
        b"createdDateTime",
        b"CreatedDateTime",
        b"TimeGenerated",
        b"TenantId",
        b"AADTenantId",
        b"CreationTime",
        b"Id",
        b"value",
    ];
    let rest = object[1..].trim_ascii_start();
    rest.strip_prefix(b"\"").is_some_and(|rest| {
        FIRST_KEYS.iter().any(|key| rest.strip_prefix(*key).is_some_and(|rest| rest.first() == Some(&b'"')))
    })
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

/// Whether an object is an envelope: scalars, then `"records":[` or `"value":[`.
fn envelope(object: &[u8]) -> Envelope {
    let more = || if object.len() > ENVELOPE_HEAD_BYTES { Envelope::No } else { Envelope::NeedsMore };
    let mut at = 1;
    loop {
        at = skip_separators(object, at);
        match object.get(at) {
            Some(b'"') => {}
            Some(_) => return Envelope::No,
            None => return more(),
        }
        let Value::Ends(key_end) = string_end(object, at + 1) else { return more() };
        let key = &object[at + 1..key_end - 1];
        let colon = skip_separators(object, key_end);
        if object.get(colon).is_some_and(|byte| *byte != b':') {
            return Envelope::No;
        }
        let value = skip_separators(object, colon + 1);
        match object.get(value) {
            None => return more(),
            Some(b'[') if matches!(key, b"records" | b"value") => return Envelope::Opens(value + 1),
            Some(b'[' | b'{') => return Envelope::No,
            Some(b'"') => match string_end(object, value + 1) {
                Value::Ends(end) => at = end,
                Value::NeedsMore => return more(),
                Value::Broken { .. } => return Envelope::No,
            },
            Some(_) => match object[value..].iter().position(|byte| matches!(byte, b',' | b'}')) {
                Some(len) => at = value + len,
                None => return more(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records and broken parts, scanned in steps of `step` bytes as a stream would bring them.
    fn scan(text: &str, step: usize) -> (Vec<String>, usize) {
        let bytes = text.as_bytes();
        let mut scanner = Scanner::default();
        let (mut start, mut end) = (0, 0);
        let (mut records, mut broken) = (Vec::new(), 0);
        loop {
            end = (end + step).min(bytes.len());
            let last = end == bytes.len();
            let scan = scanner.scan(&bytes[start..end], last);
            records.extend(scan.records.iter().map(|range| text[start..][range.clone()].to_owned()));
            broken += scan.broken.len();
            start += scan.consumed;
            if last && (scan.consumed == 0 || start == bytes.len()) {
                return (records, broken);
            }
        }
    }

    #[test]
    fn every_framing_gives_the_same_records_however_the_stream_is_cut() {
        for text in [
            "[{\"a\":1},{\"b\":\"}]\\\"\"}]",
            "{\"records\": [ {\"a\":1},\n{\"b\":\"}]\\\"\"} ] }",
            "{\"@odata.context\":\"x\",\"n\":3,\"value\":[{\"a\":1},{\"b\":\"}]\\\"\"}],\"@odata.nextLink\":\"y\"}",
            "{\"a\":1}\n{\"b\":\"}]\\\"\"}",
            "[{\"a\":1}][{\"b\":\"}]\\\"\"}]",
            "{\"records\":[{\"a\":1}]}\n{\"records\":[{\"b\":\"}]\\\"\"}]}",
        ] {
            for step in [1, 2, 3, 7, 1000] {
                let (records, broken) = scan(text, step);
                assert_eq!(records, ["{\"a\":1}", "{\"b\":\"}]\\\"\"}"], "{text} in steps of {step}");
                assert_eq!(broken, 0, "{text} in steps of {step}");
            }
        }
    }

    #[test]
    fn a_record_cut_in_a_string_or_between_members_costs_only_itself() {
        for cut in ["{\"time\":\"2026", "{\"time\":1,\"properties\":{", "{\"time\":[1,"] {
            let text = format!("[\n{{\"time\":1}},\n{cut}\n{{\"time\":2}},\n{{\"time\":3}}\n]");
            let (records, broken) = scan(&text, 1000);
            assert_eq!((records.len(), broken), (3, 1), "{text}");
        }
    }

    #[test]
    fn an_envelope_that_was_cut_costs_nothing_of_the_next_one() {
        let next = "\n{\"@odata.context\":\"x\",\"value\":[{\"id\":2},{\"id\":3}]}";
        for cut in [
            "{\"value\":[{\"id\":1}",
            "{\"value\":[{\"id\":1},",
            "{\"value\":[{\"id\":1}]",
            "{\"value\":[{\"id\":1}],\"@odata.nextLink\":\"y\"",
            "{\"value\":[{\"id\":1}],\"more\":{\"a\":[]}}",
        ] {
            for step in [1, 5, 1000] {
                let (records, broken) = scan(&format!("{cut}{next}"), step);
                assert_eq!((records.len(), broken), (3, 0), "{cut}");
            }
        }
    }

    #[test]
    fn a_byte_order_mark_between_joined_files_is_no_record() {
        for step in [1, 2, 1000] {
            let (records, broken) = scan("[{\"id\":1}]\u{feff}[{\"id\":2}]", step);
            assert_eq!((records.len(), broken), (2, 0));
        }
    }

    #[test]
    fn a_file_that_ends_in_a_record_rejects_that_record() {
        let (records, broken) = scan("[{\"time\":1},{\"time\":", 4);
        assert_eq!((records.len(), broken), (1, 1));
    }
}
