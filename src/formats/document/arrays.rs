//! Documents that hold their records in an array of their own: `{"records":[…]}`, the pages of Graph, the answers of
//! search engines and query APIs. The scanner goes into such an array, so that the document may be of any size; what it
//! does not go into is a record to it, and may be opened by `shapes::envelope` later.

use super::{Value, skip_separators, string_end, value_end};
use crate::answer::{Beside, RECORD_ARRAYS, ROW_ARRAYS};

/// Members before the record array may take this much.
const HEAD_BYTES: usize = 64 << 10;

/// Members that are no record's, and may stand before the array.
const BEFORE: [&[u8]; 10] = [
    b"_shards",
    b"_clusters",
    b"total",
    b"schema",
    b"Schema",
    b"columns",
    b"Columns",
    b"Stats",
    b"stats",
    b"messages",
];

/// Whether a document has its records in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrays {
    /// It is open `behind` this byte, `within` so many objects beside its own.
    Open {
        behind: usize,
        within: usize,
        /// What stands before it.
        beside: Beside,
        key: ArrayKey,
    },
    No,
    NeedMore,
}

/// What an array of records is called, where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArrayKey {
    /// `value`, as Graph calls it.
    Value,
    /// `responses`, of which each may be an answer.
    Responses,
    Other,
}

impl ArrayKey {
    pub(super) fn of(key: &[u8]) -> Self {
        match key {
            b"value" => Self::Value,
            b"responses" => Self::Responses,
            _ => Self::Other,
        }
    }
}

/// Whether a key is that of an array of records.
pub(super) fn is_array_key(key: &[u8]) -> bool {
    RECORD_ARRAYS.contains(&key)
}

/// Whether an object is such a document: scalars and what stands before an array, then the array.
pub(super) fn arrays(object: &[u8]) -> Arrays {
    let more = || if object.len() > HEAD_BYTES { Arrays::No } else { Arrays::NeedMore };
    let (mut at, mut within, mut beside) = (1, 0, Beside::default());
    loop {
        at = skip_separators(object, at);
        match object.get(at) {
            Some(b'"') => {}
            Some(_) => return Arrays::No,
            None => return more(),
        }
        let Value::Ends(key_end) = string_end(object, at + 1) else { return more() };
        let key = &object[at + 1..key_end - 1];
        let colon = skip_separators(object, key_end);
        if object.get(colon).is_some_and(|byte| *byte != b':') {
            return Arrays::No;
        }
        let value = skip_separators(object, colon + 1);
        if let Some(value) = object.get(value..) {
            beside.member(key, value);
        }
        match object.get(value) {
            None => return more(),
            Some(b'[') if RECORD_ARRAYS.contains(&key) => {
                return Arrays::Open { behind: value + 1, within, beside, key: ArrayKey::of(key) };
            }
            Some(b'[') if ROW_ARRAYS.contains(&key) => {
                return match object.get(skip_separators(object, value + 1)) {
                    Some(b'{') => Arrays::Open { behind: value + 1, within, beside, key: ArrayKey::of(key) },
                    Some(_) => Arrays::No,
                    None => more(),
                };
            }
            // Elasticsearch: the array is in an object of the same name.
            Some(b'{') if key == b"hits" && within == 0 => (at, within) = (value + 1, 1),
            Some(b'[' | b'{') if BEFORE.contains(&key) => match value_end(object, value) {
                Value::Ends(end) => at = end,
                Value::NeedsMore => return more(),
                Value::Broken { .. } => return Arrays::No,
            },
            Some(b'[' | b'{') => return Arrays::No,
            Some(b'"') => match string_end(object, value + 1) {
                Value::Ends(end) => at = end,
                Value::NeedsMore => return more(),
                Value::Broken { .. } => return Arrays::No,
            },
            Some(_) => match object[value..].iter().position(|byte| matches!(byte, b',' | b'}')) {
                Some(len) => at = value + len,
                None => return more(),
            },
        }
    }
}

/// Whether the object at the start of a text is such a document, as far as the text shows it.
pub(crate) fn is_envelope(text: &[u8]) -> bool {
    matches!(arrays(text), Arrays::Open { .. })
}

/// So far into a string shows whether it holds JSON.
pub(super) const TEXT_START_BYTES: usize = 64;

/// Whether a text starts with a string that holds a JSON object or array, perhaps encoded twice.
pub(crate) fn is_json_text(text: &[u8]) -> bool {
    let Some((b'"', inside)) = text.split_first() else { return false };
    let start = &inside[..inside.len().min(TEXT_START_BYTES)];
    let opens = start.iter().find(|byte| !matches!(byte, b' ' | b'\\' | b'"' | b'n' | b'r' | b't'));
    matches!(opens, Some(b'{' | b'[')) && memchr::memmem::find(start, b"\\\"").is_some()
}
