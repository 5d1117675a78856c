//! Answers of query services: what the arrays are called that hold their records, and what an answer says of itself being
//! incomplete. Its shards failed, it ran out of time, its search has not ended, an error stands beside the records, or it
//! counts more records than it has (`totals`). Such an answer is read, and proves no day: the records that it lacks may
//! be usage.
//!
//! Of answers that `document` goes into, its scanner asks about each member beside the records; of others
//! `shapes::envelope::answer_state` is asked.

mod frames;
mod totals;

pub(crate) use frames::{Frames, is_header as is_frame_header};
pub(crate) use totals::{Page, Total, Totals};

use crate::json::{Cursor, JsonError, Kind};

/// Arrays of records, which `document` goes into.
pub(crate) const RECORD_ARRAYS: [&[u8]; 9] =
    [b"records", b"Records", b"value", b"hits", b"responses", b"results", b"Results", b"events", b"items"];

/// Arrays of records, or of cells that a list of columns names: these are left for `shapes::envelope`.
pub(crate) const ROW_ARRAYS: [&[u8]; 3] = [b"rows", b"Rows", b"datarows"];

/// Arrays that are not gone into: the tables of an answer, each with columns of its own.
const TABLES: [&[u8]; 2] = [b"tables", b"Tables"];

/// Arrays that others than answers have too: Graylog's, Elasticsearch's ES|QL, and what is called just that. What has one
/// is an answer if it counts records, or says whether it is partial.
const OTHER_ARRAYS: [&str; 3] = ["messages", "values", "data"];

/// What an object that holds records says of the answer that it is, or is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerState {
    Incomplete,
    /// Splunk, of one result: an answer of before the search has ended.
    Preview,
    /// Splunk, of one result: the search has ended.
    Final,
}

/// Whether a key is that of the array that holds an answer.
fn holds_answer(key: &[u8]) -> bool {
    RECORD_ARRAYS.contains(&key) || ROW_ARRAYS.contains(&key) || TABLES.contains(&key)
}

/// Whether a member beside the records says so. `value` starts with the member's value.
fn member_says_incomplete(key: &[u8], value: &[u8]) -> bool {
    match (key, value.first()) {
        // Elasticsearch and OpenSearch; of ES|QL the last.
        // `preview` is Splunk's, before the search has ended.
        (
            b"timed_out" | b"preview" | b"terminated_early" | b"is_partial" | b"HasErrors" | b"isTruncated"
            | b"resultTruncated",
            _,
        ) => value.starts_with(b"true") || value.starts_with(b"\"true\""),
        // Splunk's words beside its results.
        (b"messages", Some(b'[')) => warns(value),
        (b"_shards" | b"_clusters", Some(b'{')) => has_failed_parts(value),
        // CloudWatch Logs Insights, before or without an end.
        (b"status", Some(b'"')) => {
            const NOT_COMPLETE: [&[u8]; 6] = [
                b"\"Timeout\"",
                b"\"timeout\"",
                b"\"Running\"",
                b"\"Scheduled\"",
                b"\"Failed\"",
                b"\"Cancelled\"",
            ];
            NOT_COMPLETE.into_iter().any(|status| value.starts_with(status))
        }
        // The next page of Elasticsearch's SQL, and of many services.
        (b"cursor", Some(b'"')) => value.get(1) != Some(&b'"'),
        (b"has_more" | b"hasMore", _) => value.starts_with(b"true"),
        // Graph, and the PartialError of Log Analytics.
        (b"error", Some(b'{' | b'"')) => !matches!(value, [b'{', b'}', ..] | [b'"', b'"', ..]),
        // Azure Data Explorer, version 1.
        (b"Exceptions", Some(b'[')) => value[1..].trim_ascii_start().first() != Some(&b']'),
        _ => false,
    }
}

/// Whether a list begins with a message that is more than a note.
fn warns(list: &[u8]) -> bool {
    const MESSAGE_BYTES_MAX: usize = 1 << 10;
    let mut values =
        serde_json::Deserializer::from_slice(list[1..].trim_ascii_start()).into_iter::<serde_json::Value>();
    let is_short = memchr::memchr(b'}', list).is_some_and(|end| end <= MESSAGE_BYTES_MAX);
    let first = is_short.then(|| values.next().and_then(Result::ok)).flatten();
    let kind = first.as_ref().filter(|first| first.get("text").is_some()).and_then(|first| first.get("type"));
    matches!(kind.and_then(|kind| kind.as_str()), Some("WARN" | "ERROR" | "FATAL"))
}

/// Whether shards failed, or clusters that were asked too.
fn has_failed_parts(value: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(value).into_iter::<serde_json::Value>();
    let Some(Ok(parts)) = values.next() else { return false };
    let count = |name: &str| parts.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    count("failed") > 0 || count("partial") > 0
}

/// What the members say that stand beside the records of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    pub(crate) is_incomplete: bool,
    pub(crate) total: Option<Total>,
    /// A link leads to a next page.
    pub(crate) is_linked: bool,
}

impl Beside {
    /// Takes in a member; `value` starts with its value.
    pub(crate) fn member(&mut self, key: &[u8], value: &[u8]) {
        self.is_incomplete |= member_says_incomplete(key, value);
        self.is_linked |= key == b"@odata.nextLink" && value.first() == Some(&b'"');
        self.total = totals::stated(key, value).or(self.total);
    }
}

/// Whether a text has a name that an answer speaks of itself with, also where it is text in JSON.
pub(crate) fn mentions_state(text: &str) -> bool {
    const NAMES: [&str; 20] = [
        "\"error",
        "\"timed_out",
        "\"_shards",
        "\"_clusters",
        "\"preview",
        "\"terminated_early",
        "\"is_partial",
        "\"HasErrors",
        "\"Cancelled",
        "\"FrameType",
        "\"isTruncated",
        "\"resultTruncated",
        "\"Exceptions",
        "\"messages",
        "\"total",
        "\"@odata.count",
        "\"status",
        "\"cursor",
        "\"has_more",
        "\"hasMore",
    ];
    let bytes = text.as_bytes();
    let names = |name: &str| {
        let mut places = memchr::memmem::find_iter(bytes, name.as_bytes());
        places.any(|at| name == "\"total" || matches!(bytes.get(at + name.len()), Some(b'"' | b'\\')))
    };
    NAMES.into_iter().any(names) || memchr::memmem::find(bytes, totals::ROW_COUNT.as_bytes()).is_some()
}

/// What an object says itself.
pub(crate) fn own_state(object: &str) -> Option<AnswerState> {
    let mut members = Members::default();
    members.read(object).ok()?;
    match members.preview {
        Some(is_preview) if members.is_result && !members.is_answer => {
            Some(if is_preview { AnswerState::Preview } else { AnswerState::Final })
        }
        _ => (members.are_an_answer() && members.say_incomplete()).then_some(AnswerState::Incomplete),
    }
}

/// The members of an object that may be an answer.
#[derive(Default)]
struct Members {
    is_answer: bool,
    is_result: bool,
    preview: Option<bool>,
    beside: Beside,
    held: u64,
    /// Elements of the largest of the other arrays.
    held_elsewhere: Option<u64>,
    says_partial: bool,
    has_value: bool,
}

impl Members {
    fn read(&mut self, object: &str) -> Result<(), JsonError> {
        Cursor::new(object).object::<JsonError>(|cursor, key| {
            let kind = cursor.kind()?;
            let start = cursor.at();
            cursor.skip()?;
            let value = &object[start..cursor.at()];
            if kind == Kind::Array && holds_answer(key.as_bytes()) {
                self.is_answer = true;
                self.held += count(value);
            } else if kind == Kind::Array && OTHER_ARRAYS.contains(&key) {
                self.held_elsewhere = self.held_elsewhere.max(Some(count(value)));
            }
            self.says_partial |= key == "is_partial";
            self.has_value |= key == "value";
            self.is_result |= key == "result" && kind == Kind::Object;
            if key == "preview" {
                self.preview = Some(value.starts_with('t'));
            }
            self.beside.member(key.as_bytes(), value.as_bytes());
            // Elasticsearch counts beside its array.
            if key == "hits" && kind == Kind::Object {
                self.is_answer = true;
                self.read(value)?;
            }
            Ok(())
        })
    }

    fn are_an_answer(&self) -> bool {
        let counts = self.says_partial || self.beside.total.is_some();
        self.is_answer || counts && self.held_elsewhere.is_some()
    }

    fn say_incomplete(&self) -> bool {
        let Beside { is_incomplete, total, is_linked } = self.beside;
        let held = if self.is_answer { self.held } else { self.held_elsewhere.unwrap_or(0) };
        let mut totals = Totals::default();
        totals.add(Page { total, held, is_linked, is_value: self.has_value });
        is_incomplete || totals.is_short()
    }
}

/// How many elements an array has; none if it is no valid one.
fn count(array: &str) -> u64 {
    let mut count = 0;
    let counted = Cursor::new(array).array::<JsonError>(|cursor| {
        count += 1;
        cursor.skip()
    });
    if counted.is_ok() { count } else { 0 }
}

#[cfg(test)]
mod tests;
