//! Records that a forwarder put into an object of its own: `{"eventHubsAzureRecord":{…}}`, or as text
//! into a member of it.

use std::borrow::Cow;

use crate::json::{Cursor, JsonError, Kind};

/// Members that hold a whole record.
const NAMES: [&str; 9] =
    ["eventHubsAzureRecord", "event", "record", "_source", "data", "body", "_raw", "message", "AuditData"];

/// The record inside, if the object is such a wrapper.
pub(super) fn inner(record: &str) -> Option<Cow<'_, str>> {
    let mut found = None;
    let mut cursor = Cursor::new(record);
    cursor
        .object::<JsonError>(|cursor, key| {
            let kind = cursor.kind()?;
            let start = cursor.at();
            if found.is_some() || !NAMES.contains(&key) {
                return cursor.skip();
            }
            match kind {
                Kind::Object => {
                    cursor.skip()?;
                    found = Some(Cow::Borrowed(record[start..cursor.at()].trim()));
                }
                Kind::String => {
                    let text = cursor.string()?;
                    if text.trim_start().starts_with('{') {
                        found = Some(Cow::Owned(text.into_owned()));
                    }
                }
                _ => cursor.skip()?,
            }
            Ok(())
        })
        .ok()?;
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_is_found_as_object_and_as_text() {
        assert_eq!(inner(r#"{"x":1,"eventHubsAzureRecord": {"time":1} }"#).as_deref(), Some(r#"{"time":1}"#));
        assert_eq!(inner(r#"{"message":"{\"time\":1}"}"#).as_deref(), Some(r#"{"time":1}"#));
        assert_eq!(inner(r#"{"message":"hello"}"#), None);
    }
}
