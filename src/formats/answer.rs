//! Answers of query services: what the arrays are called that hold their records, and what an answer says of itself being
//! incomplete. Its shards failed, it ran out of time, its search has not ended, or an error stands beside the records.
//! Such an answer is read, and proves no day: the records that it lacks may be usage.

use crate::json::{Cursor, JsonError, Kind};

/// Arrays of records, which `document` goes into.
pub(crate) const RECORD_ARRAYS: [&[u8]; 9] =
    [b"records", b"Records", b"value", b"hits", b"responses", b"results", b"Results", b"events", b"items"];

/// Arrays of records, or of cells that a list of columns names: these are left for `shapes::envelope`.
pub(crate) const ROW_ARRAYS: [&[u8]; 3] = [b"rows", b"Rows", b"datarows"];

/// Arrays that are not gone into: the tables of an answer, each with columns of its own.
const TABLES: [&[u8]; 2] = [b"tables", b"Tables"];

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
pub(crate) fn member_says_incomplete(key: &[u8], value: &[u8]) -> bool {
    match (key, value.first()) {
        // Elasticsearch and OpenSearch.
        // The second is Splunk's, before the search has ended.
        (b"timed_out" | b"preview" | b"terminated_early" | b"HasErrors", first) => first == Some(&b't'),
        // Splunk's words beside its results.
        (b"messages", Some(b'[')) => warns(value),
        (b"_shards", Some(b'{')) => failed_shards(value) > 0,
        // Graph, and the PartialError of Log Analytics.
        (b"error", Some(b'{' | b'"')) => !matches!(value, [b'{', b'}', ..] | [b'"', b'"', ..]),
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

fn failed_shards(value: &[u8]) -> u64 {
    let mut values = serde_json::Deserializer::from_slice(value).into_iter::<serde_json::Value>();
    let shards = values.next().and_then(Result::ok);
    shards.and_then(|shards| shards.get("failed")?.as_u64()).unwrap_or(0)
}

/// What an object says that holds the records of an answer, or one of them. Where one record is wrapped, a member
/// `error` is what a shipper of logs notes of that record.
#[must_use]
pub fn answer_state(object: &str) -> Option<AnswerState> {
    let names = [
        "\"error\"",
        "\"timed_out\"",
        "\"_shards\"",
        "\"preview\"",
        "\"terminated_early\"",
        "\"HasErrors\"",
        "\"messages\"",
    ];
    if !names.iter().any(|name| memchr::memmem::find(object.as_bytes(), name.as_bytes()).is_some()) {
        return None;
    }
    let (mut is_answer, mut is_result, mut incomplete, mut preview) = (false, false, false, None);
    let walked = Cursor::new(object).object::<JsonError>(|cursor, key| {
        let kind = cursor.kind()?;
        let start = cursor.at();
        cursor.skip()?;
        let value = &object.as_bytes()[start..cursor.at()];
        let is_hits = key == "hits" && kind == Kind::Object;
        is_answer |= is_hits || (kind == Kind::Array && holds_answer(key.as_bytes()));
        is_result |= key == "result" && kind == Kind::Object;
        if key == "preview" {
            preview = Some(value.first() == Some(&b't'));
        }
        incomplete |= member_says_incomplete(key.as_bytes(), value);
        Ok(())
    });
    match preview {
        _ if walked.is_err() => None,
        Some(is_preview) if is_result && !is_answer => {
            Some(if is_preview { AnswerState::Preview } else { AnswerState::Final })
        }
        _ => (is_answer && incomplete).then_some(AnswerState::Incomplete),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_an_error_beside_its_records_is_incomplete() {
        for (object, expected) in [
            (r#"{"tables":[],"error":{"code":"PartialError"}}"#, true),
            (r#"{"error":{"code":"UnknownError"},"value":[{"id":"1"}]}"#, true),
            (r#"{"timed_out":true,"hits":{"hits":[]}}"#, true),
            (r#"{"timed_out" : true, "hits":{"hits":[]}}"#, true),
            (r#"{"timed_out":false,"_shards":{"total":2,"failed":1},"hits":{"hits":[]}}"#, true),
            (r#"{"timed_out":false,"_shards":{"total":2,"failed":0},"hits":{"hits":[]}}"#, false),
            (r#"{"tables":[],"error":null}"#, false),
            (r#"{"tables":[],"error":{}}"#, false),
            (r#"{"tables":[{"error":{"code":"in a table"}}]}"#, false),
            (r#"{"message":"{}","error":{"message":"of a shipper"}}"#, false),
        ] {
            let expected = expected.then_some(AnswerState::Incomplete);
            assert_eq!(answer_state(object), expected, "{object}");
        }
    }

    #[test]
    fn results_of_a_search_that_has_not_ended_are_previews() {
        for (object, expected) in [
            (r#"{"preview":true,"offset":0,"result":{"_raw":"{}"}}"#, Some(AnswerState::Preview)),
            (
                r#"{"preview":false,"offset":0,"lastrow":true,"result":{"_raw":"{}"}}"#,
                Some(AnswerState::Final),
            ),
            (r#"{"preview":true,"init_offset":0,"results":[{"_raw":"{}"}]}"#, Some(AnswerState::Incomplete)),
            (r#"{"preview":false,"init_offset":0,"results":[{"_raw":"{}"}]}"#, None),
            (r#"{"preview":true,"message":"{}"}"#, None),
        ] {
            assert_eq!(answer_state(object), expected, "{object}");
        }
    }
}
