//! What a record that is not read is, for messages; and a record's content without what does not matter of it.

use super::look_alike::{self, NotRead};
use crate::json::{Cursor, JsonError, Kind};
use crate::reject::RejectReason;

/// JSON text without the blanks between its tokens.
pub(super) fn without_blanks(record: &str) -> String {
    let mut text = String::with_capacity(record.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in record.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        text.push(c);
    }
    text
}

/// What a JSON record that no shape knows is, for the message.
#[must_use]
pub fn describe_record(record: &str) -> Option<NotRead> {
    if let Some(error) = look_alike::graph_error(record) {
        return Some(NotRead::unknown(error));
    }
    let keys = top_level_keys(record);
    (!keys.is_empty()).then(|| look_alike::of_keys(&keys, has_objects(record)))
}

/// Whether a value of a record is an object, or a list of objects or lists.
fn has_objects(record: &str) -> bool {
    let mut found = false;
    let mut cursor = Cursor::new(record);
    let _ = cursor.object::<JsonError>(|cursor, _| {
        let kind = cursor.kind()?;
        let start = cursor.at();
        cursor.skip()?;
        let inside = record[start..cursor.at()].trim_start_matches('[').trim_start();
        found |= kind == Kind::Object
            || kind == Kind::Array && (inside.starts_with(['{', '[']) || record[start..].starts_with("[["));
        Ok(())
    });
    found
}

/// The reason for a record that is not of the shape that its file has.
pub(super) fn wrong_shape(expected: &'static str, record: &str) -> RejectReason {
    let keys = top_level_keys(record);
    if keys.iter().any(|key| matches!(key.as_str(), "error" | "body"))
        && let Some(found) = look_alike::graph_error(record)
    {
        return RejectReason::WrongShape { expected, found };
    }
    let found = if keys.is_empty() {
        "a record without keys".to_owned()
    } else {
        format!("a record with the keys {}", keys.join(", "))
    };
    RejectReason::WrongShape { expected, found }
}

/// The keys of a record's top level, for messages; empty if it is no JSON object.
pub(super) fn top_level_keys(record: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut cursor = Cursor::new(record);
    if cursor.kind() == Ok(Kind::Object) {
        // What was read before an error is still worth telling.
        let _ = cursor.object::<JsonError>(|cursor, key| {
            if keys.len() < 12 {
                keys.push(key.chars().take(40).collect());
            }
            cursor.skip()
        });
    }
    keys
}
