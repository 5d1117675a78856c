//! What an answer of a query service says of itself being incomplete: its shards failed, it ran out of time, or an
//! error stands beside the records. Such an answer is read, and proves no day: the records that it lacks may be usage.

use crate::json::{Cursor, JsonError, Kind};

/// Arrays that hold the records of an answer that is read as one record.
const ARRAYS: [&str; 8] = ["value", "tables", "rows", "Rows", "results", "Results", "responses", "records"];

/// Whether a member beside the records says so. `value` starts with the member's value.
pub(crate) fn member_says_incomplete(key: &[u8], value: &[u8]) -> bool {
    match (key, value.first()) {
        // Elasticsearch and OpenSearch.
        (b"timed_out", first) => first == Some(&b't'),
        (b"_shards", Some(b'{')) => failed_shards(value) > 0,
        // Graph, and the PartialError of Log Analytics.
        (b"error", Some(b'{' | b'"')) => !matches!(value, [b'{', b'}', ..] | [b'"', b'"', ..]),
        _ => false,
    }
}

fn failed_shards(value: &[u8]) -> u64 {
    let mut values = serde_json::Deserializer::from_slice(value).into_iter::<serde_json::Value>();
    let shards = values.next().and_then(Result::ok);
    shards.and_then(|shards| shards.get("failed")?.as_u64()).unwrap_or(0)
}

/// Whether an object that holds the records of an answer says so. Where one record is wrapped, a member `error` is
/// what a shipper of logs notes of that record.
pub fn says_incomplete(object: &str) -> bool {
    let names = ["\"error\"", "\"timed_out\"", "\"_shards\""];
    if !names.iter().any(|name| memchr::memmem::find(object.as_bytes(), name.as_bytes()).is_some()) {
        return false;
    }
    let (mut is_answer, mut incomplete) = (false, false);
    let walked = Cursor::new(object).object::<JsonError>(|cursor, key| {
        let kind = cursor.kind()?;
        let start = cursor.at();
        cursor.skip()?;
        let is_hits = key == "hits" && kind == Kind::Object;
        is_answer |= is_hits || (kind == Kind::Array && ARRAYS.contains(&key));
        incomplete |= member_says_incomplete(key.as_bytes(), &object.as_bytes()[start..cursor.at()]);
        Ok(())
    });
    walked.is_ok() && is_answer && incomplete
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
            assert_eq!(says_incomplete(object), expected, "{object}");
        }
    }
}
