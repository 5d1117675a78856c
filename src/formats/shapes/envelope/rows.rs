//! Tables in JSON: a list of columns, and rows that are arrays of cells. Each row becomes the object that a record of
//! the same table is when it comes alone.

use std::borrow::Cow;
use std::ops::Range;

use super::{Held, Levels, elements, list, member, open as open_value, part_of};
use crate::json::{Cursor, JsonError, Kind};

/// What the list of columns is called; the last by Splunk.
const COLUMNS: [&str; 5] = ["columns", "Columns", "schema", "Schema", "fields"];
/// What a column's description calls its name.
const NAMES: [&str; 3] = ["name", "Name", "ColumnName"];
const ROWS: [&str; 4] = ["rows", "Rows", "values", "datarows"];

/// Opens the rows in `part` of an object; `part` may also be a list of such tables.
pub(super) fn open<'a>(
    object: &Cow<'a, str>,
    part: Range<usize>,
    levels: Levels,
    found: &mut Vec<Cow<'a, str>>,
) -> Held {
    let Some(inside) = elements(&object[part.clone()]) else { return Held::Nothing };
    let places: Vec<Range<usize>> =
        inside.into_iter().map(|range| part.start + range.start..part.start + range.end).collect();
    if let Some(names) = columns(object) {
        return rows(object, &names, places, levels, found);
    }
    // Several tables: each has columns of its own.
    let start = found.len();
    let mut held = Held::Nothing;
    let mut is_unread = false;
    for table in places {
        let table = part_of(object, table);
        let Some(place) = ROWS.iter().find_map(|name| member(&table, name)) else { continue };
        let Some(inside) = elements(&table[place.clone()]) else { continue };
        let Some(names) = columns(&table) else {
            // Nobody knows what its cells are: it is rejected as a whole.
            if !inside.is_empty() {
                is_unread = true;
                found.push(table);
            }
            continue;
        };
        let places =
            inside.into_iter().map(|range| place.start + range.start..place.start + range.end).collect();
        match rows(&table, &names, places, levels, found) {
            Held::Records => held = Held::Records,
            Held::NoRecord if held == Held::Nothing => held = Held::NoRecord,
            // Statistics and the like beside the table of records.
            Held::NoRecord | Held::Nothing => {}
        }
    }
    if held != Held::Records {
        found.truncate(start);
        if is_unread {
            return Held::Nothing;
        }
    }
    held
}

/// The names of the columns, as JSON text.
fn columns(object: &str) -> Option<Vec<String>> {
    let place = COLUMNS.iter().find_map(|name| member(object, name))?;
    let list = &object[place];
    let names = elements(list)?.into_iter().map(|range| {
        let column = &list[range];
        let mut cursor = Cursor::new(column);
        match cursor.kind().ok()? {
            Kind::String => Some(column.trim().to_owned()),
            Kind::Object => {
                let name = NAMES.iter().find_map(|name| member(column, name))?;
                Some(column[name].trim().to_owned())
            }
            Kind::Array | Kind::Number | Kind::Literal => None,
        }
    });
    names.collect::<Option<Vec<_>>>().filter(|names| !names.is_empty())
}

fn rows<'a>(
    object: &Cow<'a, str>,
    names: &[String],
    places: Vec<Range<usize>>,
    levels: Levels,
    found: &mut Vec<Cow<'a, str>>,
) -> Held {
    let of_cells = |place: &Range<usize>| object[place.clone()].trim_start().starts_with('[');
    if !places.iter().any(of_cells) {
        return list(object, places, levels, found);
    }
    let start = found.len();
    let mut held = Held::Nothing;
    for place in places {
        let row = &object[place];
        let record = Cow::Owned(named(row, names).unwrap_or_else(|| row.trim().to_owned()));
        let before = found.len();
        // A column of a custom log may hold the record.
        if open_value(&record, levels, found) == Held::Records {
            held = Held::Records;
        } else {
            found.truncate(before);
            found.push(record);
        }
    }
    if held == Held::Nothing {
        found.truncate(start);
    }
    held
}

/// The row as an object; `None` if it has another number of cells than there are columns.
fn named(row: &str, names: &[String]) -> Option<String> {
    let mut object = String::with_capacity(row.len() * 2);
    let mut at = 0;
    let mut cursor = Cursor::new(row);
    cursor
        .array::<JsonError>(|cursor| {
            cursor.kind()?;
            let start = cursor.at();
            cursor.skip()?;
            object.push(if at == 0 { '{' } else { ',' });
            object.push_str(names.get(at).map_or("\"\"", String::as_str));
            object.push(':');
            object.push_str(row[start..cursor.at()].trim());
            at += 1;
            Ok(())
        })
        .and_then(|()| cursor.end())
        .ok()?;
    object.push('}');
    (at == names.len()).then_some(object)
}
