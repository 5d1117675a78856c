//! Payloads that were cut before they were wrapped: a shipper of logs keeps a message of so many bytes and no more. The
//! envelope is whole, what is in it is not.

use std::borrow::Cow;

use super::{Levels, elements, members, part_of};
use crate::document::{Extent, extent, is_envelope};
use crate::json::Cursor;

/// What a payload that breaks off was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CutPayload {
    /// One record, which is rejected.
    Record,
    /// An array of records: how many are lost, nobody knows.
    List,
}

/// What breaks off inside of a value.
pub(super) fn find(value: &Cow<'_, str>, levels: Levels) -> Option<CutPayload> {
    match value.as_bytes().first()? {
        b'{' => {
            let levels = Levels { envelopes: levels.envelopes.checked_sub(1)?, ..levels };
            let members = members(value)?;
            let payloads = members.payloads.into_iter().map(|(_, part)| part);
            let mut parts: Vec<_> = payloads.collect();
            if parts.is_empty() {
                parts = members.containers.unwrap_or_default();
            }
            parts.into_iter().filter_map(|part| find(&part_of(value, part), levels)).max()
        }
        b'[' => {
            let parts = elements(value)?.into_iter();
            parts.filter_map(|part| find(&part_of(value, part), levels)).max()
        }
        b'"' => {
            let levels = Levels { texts: levels.texts.checked_sub(1)?, ..levels };
            let text = Cursor::new(value).string().ok()?;
            of_text(text.trim(), levels)
        }
        _ => None,
    }
}

fn of_text(text: &str, levels: Levels) -> Option<CutPayload> {
    if text.starts_with('"') {
        return find(&Cow::Borrowed(text), levels);
    }
    let start = if text.starts_with('[') { 0 } else { text.find("{\"")? };
    let json = &text[start..];
    match extent(json.as_bytes()) {
        Extent::Whole(end) => find(&Cow::Borrowed(&json[..end]), levels),
        Extent::Cut if json.starts_with('[') || is_envelope(json.as_bytes()) => Some(CutPayload::List),
        Extent::Cut => Some(CutPayload::Record),
        Extent::Broken => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::envelope::cut_payload;

    #[test]
    fn a_payload_that_breaks_off_is_told_by_what_it_was() {
        let record = r#"{"time":"2026-10-05T08:20:00Z","category":"SignInLogs"}"#;
        let message = |text: &str| serde_json::json!({ "message": text, "host": "a" }).to_string();
        let cut = |text: &str| text[..text.len() - 9].to_owned();
        let list = format!(r#"{{"records":[{record},{record}"#);
        for (payload, expected) in [
            (message(record), None),
            (message(&cut(record)), Some(CutPayload::Record)),
            (message(&format!("<134>1 h a: {}", cut(record))), Some(CutPayload::Record)),
            (message(&list), Some(CutPayload::List)),
            (message(&format!("[{record},")), Some(CutPayload::List)),
            (message(&message(&list)), Some(CutPayload::List)),
            (format!("[{},{}]", message(&cut(record)), message(&list)), Some(CutPayload::List)),
            (message("no {record} here"), None),
            (record.to_owned(), None),
        ] {
            assert_eq!(cut_payload(&payload), expected, "{payload}");
        }
    }
}
