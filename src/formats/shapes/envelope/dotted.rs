//! Objects whose keys are paths: `properties.clientAppUsed`, `data.ms-graph.id`. Search engines and scripts flatten
//! documents so. The document is put together again.

use serde_json::{Map, Value};

use crate::json::{Cursor, JsonError};
use crate::shapes::draft::Item;

/// So many paths must lead to what a sign-in has.
const MEMBERS_MIN: usize = 2;
/// No sign-in is as deep; `put` goes one call deeper with each dot.
const DOTS_MAX: usize = 16;

/// The document that an object was flattened from; `None`: it is no such object, or says two things of one path.
pub(super) fn document_of(object: &str) -> Option<String> {
    if !is_flattened(object) {
        return None;
    }
    let mut document = Map::new();
    let mut is_one = true;
    Cursor::new(object)
        .object::<JsonError>(|cursor, key| {
            cursor.kind()?;
            let start = cursor.at();
            cursor.skip()?;
            // serde refuses more than the cursor does. Without such a value the document would be another one.
            is_one &= serde_json::from_str(&object[start..cursor.at()])
                .is_ok_and(|value| put(&mut document, key, value));
            Ok(())
        })
        .ok()?;
    is_one.then(|| Value::Object(document).to_string())
}

/// Whether enough keys are paths to what a sign-in has, and none is too long. Its values are not read for this: most
/// objects that come here are none.
fn is_flattened(object: &str) -> bool {
    let (mut members, mut is_too_deep) = (0, false);
    let read = Cursor::new(object).object::<JsonError>(|cursor, key| {
        if let Some((_, name)) = key.rsplit_once('.').filter(|(parents, _)| !parents.is_empty()) {
            is_too_deep |= key.bytes().filter(|byte| *byte == b'.').count() > DOTS_MAX;
            members += usize::from(is_of_sign_in(name));
        }
        cursor.skip()
    });
    read.is_ok() && members >= MEMBERS_MIN && !is_too_deep
}

/// Puts a value at its path; false if another is there.
fn put(document: &mut Map<String, Value>, path: &str, value: Value) -> bool {
    let Some((name, rest)) = path.split_once('.').filter(|(name, rest)| !name.is_empty() && !rest.is_empty())
    else {
        let known = document.insert(path.to_owned(), value);
        return known.is_none_or(|known| Some(&known) == document.get(path));
    };
    let inner = document.entry(name).or_insert_with(|| Value::Object(Map::new()));
    inner.as_object_mut().is_some_and(|inner| put(inner, rest, value))
}

fn is_of_sign_in(name: &str) -> bool {
    name == "created_at" || Item::of_name(name).or_else(|| Item::of_name(&name.replace('_', ""))).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = r#""properties.clientAppUsed":"IMAP4""#;

    #[test]
    fn paths_become_the_document_that_they_were() {
        let object = format!(r#"{{{CLIENT},"properties.status.errorCode":0,"category":"SignInLogs"}}"#);
        let document = document_of(&object).expect("a document");
        let document: Value = serde_json::from_str(&document).expect("JSON");
        let expected = serde_json::json!({
            "category": "SignInLogs",
            "properties": {"clientAppUsed": "IMAP4", "status": {"errorCode": 0}},
        });
        assert_eq!(document, expected);
        assert_eq!(document_of(r#"{"clientAppUsed":"IMAP4","userId":"1"}"#), None, "no key is a path");
    }

    // Each dot was a call deeper, and one line ended the process.
    #[test]
    fn a_path_of_many_dots_is_left_alone() {
        let id = r#""properties.id":"1""#;
        for (dots, is_document) in [(16, true), (17, false), (100_000, false)] {
            let object = format!(r#"{{{CLIENT},{id},"a{}":1}}"#, ".a".repeat(dots));
            assert_eq!(document_of(&object).is_some(), is_document, "{dots} dots");
        }
        let all_dots = format!(r#"{{{CLIENT},{id},"{}":1}}"#, ".".repeat(100_000));
        assert_eq!(document_of(&all_dots), None);
        let alone = format!(r#"{{"a{}":1}}"#, ".a".repeat(100_000));
        assert_eq!(super::super::records(&alone), None);
    }

    // It was read as null, and the client was lost without a trace.
    #[test]
    fn a_value_that_cannot_be_read_leaves_no_document() {
        let id = r#""properties.id":"1""#;
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for client in [r#""IMAP4\ud800""#, deep.as_str()] {
            let object = format!(r#"{{{id},{CLIENT},"properties.userAgent":{client}}}"#);
            assert_eq!(document_of(&object), None, "{client}");
        }
    }
}
