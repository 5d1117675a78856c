//! A roster as JSON: an array of objects, one a tenant.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Column, Place, RosterError, Row, Rows, columns};

pub(super) fn rows(text: &str, file: &str) -> Result<Rows, RosterError> {
    let invalid = |source| RosterError::Json { file: file.to_owned(), source };
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(invalid)?;
    let mut rows = Vec::with_capacity(items.len());
    let mut warnings = BTreeSet::new();
    let (mut line, mut counted_to) = (1, 0);
    for item in items {
        // The item is a part of the text, so its address tells where.
        let at = item.get().as_ptr().addr() - text.as_ptr().addr();
        line += text[counted_to..at].bytes().map(|byte| u64::from(byte == b'\n')).sum::<u64>();
        counted_to = at;
        let place = Place::Line(line);
        let Ok(object) = serde_json::from_str::<serde_json::Map<String, Value>>(item.get()) else {
            return Err(RosterError::Value {
                file: file.to_owned(),
                place,
                column: Column { name: "tenant_id", number: None },
                found: item.get().to_owned(),
                expected: "an object for each tenant".to_owned(),
            });
        };
        let columns = columns(object.keys().map(String::as_str), false, file, place, &mut warnings)?;
        let values = columns.into_iter().zip(object.into_iter().map(|(_, value)| value));
        rows.push(Row::new(place, values));
    }
    Ok(Rows { tenants: rows, header: Vec::new(), warnings })
}
