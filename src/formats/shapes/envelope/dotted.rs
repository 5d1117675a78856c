//! Objects whose keys are paths: `properties.clientAppUsed`, `data.ms-graph.id`. Search engines and scripts flatten
//! documents so. The document is put together again.

use serde_json::{Map, Value};

use crate::json::{Cursor, JsonError};
use crate::shapes::draft::Item;

/// So many paths must lead to what a sign-in has.
const MEMBERS_MIN: usize = 2;

/// The document that an object was flattened from; `None`: it is no such object, or says two things of one path.
pub(super) fn document_of(object: &str) -> Option<String> {
    let mut document = Map::new();
    let (mut members, mut is_one) = (0, true);
    Cursor::new(object)
        .object::<JsonError>(|cursor, key| {
            cursor.kind()?;
            let start = cursor.at();
            cursor.skip()?;
            let (parents, name) = key.rsplit_once('.').map_or(("", key), |(parents, name)| (parents, name));
            members += usize::from(!parents.is_empty() && is_of_sign_in(name));
            let value = serde_json::from_str(&object[start..cursor.at()]).unwrap_or(Value::Null);
            is_one &= put(&mut document, key, value);
            Ok(())
        })
        .ok()?;
    (members >= MEMBERS_MIN && is_one).then(|| Value::Object(document).to_string())
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
