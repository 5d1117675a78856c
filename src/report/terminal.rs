//! Rows as a table that a terminal can show: no wider than it, each row on one line. What does not fit is made smaller
//! step by step, the harmless steps first, and what was left out or cut is said below the table. Rows that do not fit
//! even so are for [`expanded`](crate::expanded).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use arrow::array::{Array as _, ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::error::{Error, Result};
use crate::wrapped::wrapped;
use lightsout_output::table::as_text;
use lightsout_output::text::plain;

/// Names of tenants by their ids.
pub type TenantNames = BTreeMap<String, String>;

/// The column whose values are ids of tenants.
pub const TENANT_ID: &str = "tenant_id";

/// Characters of an id that is shortened; more where two would be alike.
const SHORT_ID_MIN: usize = 8;

/// Narrower than this no text is cut, if that suffices; else than the second.
const CUT_WIDTHS: [usize; 2] = [24, 12];

/// Of a report, narrower than this no text is cut.
const CHOSEN_CUT_WIDTH: usize = 16;

/// Columns of a report that go last.
const IMPORTANT: [&str; 5] = ["last_seen", "last_day", "sign_ins", "user_name", "users"];

/// Columns that a report shows at least; narrower rows are for the expanded form.
const COLUMNS_MIN: usize = 4;

/// Characters of a time to the minute.
const MINUTE: usize = "2026-10-30 07:09".len();

/// Of fewer rows nothing is said once for all of them.
const SAME_ROWS_MIN: usize = 2;

const TIME: &str = "%Y-%m-%d %H:%M:%S";
const ZONED_TIME: &str = "%Y-%m-%d %H:%M:%S%:z";

/// How much smaller a table is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Whole,
    /// Ids are short, tenants go by their names.
    ShortIds,
    /// Names of columns take several lines.
    TallHeader,
    /// Columns of nothing, and those that say the same in every row, are told below the table.
    FewerColumns,
    /// Long texts are cut.
    CutTexts(usize),
    /// So are times, to the minute, and the columns that matter least are left out.
    ChosenColumns,
}

/// A column as text.
struct Column {
    name: String,
    cells: Vec<String>,
    is_text: bool,
    is_time: bool,
}

/// The rows as a table of at most `width` columns of a terminal; `None` if there is none so narrow. Of a report, tenants go
/// by their names even where their ids would fit, and the columns that matter least may be left out.
///
/// # Errors
/// Fails if a value has no text.
pub fn fitted_rows(
    batches: &[RecordBatch],
    width: usize,
    names: &TenantNames,
    is_report: bool,
) -> Result<Option<String>> {
    let columns = columns(batches)?;
    let [wide, narrow] = CUT_WIDTHS;
    let first = if is_report && has_names(&columns, names) { Step::ShortIds } else { Step::Whole };
    let last = if is_report { Step::ChosenColumns } else { Step::CutTexts(narrow) };
    let steps = [first, Step::ShortIds, Step::TallHeader, Step::FewerColumns, Step::CutTexts(wide), last];
    Ok(steps.into_iter().find_map(|step| table(&columns, width, names, step)))
}

fn has_names(columns: &[Column], names: &TenantNames) -> bool {
    let is_known = |cell: &String| names.contains_key(cell);
    columns.iter().any(|column| column.name == TENANT_ID && column.cells.iter().any(is_known))
}

fn columns(batches: &[RecordBatch]) -> Result<Vec<Column>> {
    let arrow = |source| Error::Arrow { what: "writing rows", source };
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let mut columns: Vec<Column> = Vec::new();
    for (at, field) in first.schema().fields().iter().enumerate() {
        let mut cells = Vec::new();
        for batch in batches {
            cells.extend(texts(batch.column(at)).map_err(arrow)?);
        }
        let is_text = !field.data_type().is_numeric() && !field.data_type().is_temporal();
        let is_time = matches!(field.data_type(), DataType::Timestamp(..));
        columns.push(Column { name: plain(field.name()), cells, is_text, is_time });
    }
    Ok(columns)
}

/// The values on one line each; times to the second, without the offset where they are UTC.
fn texts(column: &ArrayRef) -> std::result::Result<Vec<String>, arrow::error::ArrowError> {
    let is_utc = matches!(column.data_type(), DataType::Timestamp(_, Some(zone)) if &**zone == "UTC");
    let options = FormatOptions::default()
        .with_timestamp_format(Some(TIME))
        .with_timestamp_tz_format(Some(if is_utc { TIME } else { ZONED_TIME }));
    let column = as_text(column)?;
    let values = ArrayFormatter::try_new(&column, &options)?;
    let text = |row| {
        if column.is_null(row) {
            return Ok(String::new());
        }
        values.value(row).try_to_string().map(|text| plain(&text))
    };
    (0..column.len()).map(text).collect()
}

fn table(columns: &[Column], width: usize, names: &TenantNames, step: Step) -> Option<String> {
    let mut shown: Vec<Column> = columns
        .iter()
        .map(|column| {
            let cells =
                if step >= Step::ShortIds { with_short_ids(column, names) } else { column.cells.clone() };
            Column { name: column.name.clone(), cells, ..*column }
        })
        .collect();
    let mut notes = Vec::new();
    if step >= Step::FewerColumns {
        shown = fewer(shown, &mut notes);
    }
    if step == Step::ChosenColumns {
        for cell in shown.iter_mut().filter(|column| column.is_time).flat_map(|column| &mut column.cells) {
            // One with an offset is as long as it must be.
            if cell.len() == MINUTE + ":00".len() {
                cell.truncate(MINUTE);
            }
        }
        let left_out = leave_out(&mut shown, width);
        if !left_out.is_empty() {
            notes.push(format!("columns not shown: {}; use -x or a wider terminal", left_out.join(", ")));
        }
    }
    let least = match step {
        Step::CutTexts(least) => Some(least),
        Step::ChosenColumns => Some(CHOSEN_CUT_WIDTH),
        _ => None,
    };
    let widest = |texts: &[String]| texts.iter().map(|text| text.width()).max().unwrap_or(0);
    let header = |column: &Column| -> Vec<String> {
        let cells = widest(&column.cells);
        let cells = least.filter(|_| column.is_text).map_or(cells, |least| cells.min(least));
        let is_tall = step >= Step::TallHeader && column.name.width() > cells;
        if is_tall { lines_of(&column.name) } else { vec![column.name.clone()] }
    };
    let headers: Vec<Vec<String>> = shown.iter().map(header).collect();
    let mut widths: Vec<usize> = shown
        .iter()
        .zip(&headers)
        .map(|(column, header)| widest(&column.cells).max(widest(header)))
        .collect();
    // A bar and two blanks each, and the last bar.
    let frame = 3 * widths.len() + 1;
    if let Some(least) = least.filter(|_| widths.iter().sum::<usize>() + frame > width) {
        let least: Vec<usize> = headers.iter().map(|header| widest(header).max(least)).collect();
        let is_text: Vec<bool> = shown.iter().map(|column| column.is_text).collect();
        shrink(&mut widths, &least, &is_text, width.saturating_sub(frame));
        for (column, width) in shown.iter_mut().zip(&widths) {
            column.cells.iter_mut().for_each(|cell| *cell = cut(cell, *width));
        }
        notes.push("texts that end with … are cut; -x (\\x) or a file shows them in full".to_owned());
    }
    if widths.iter().sum::<usize>() + frame > width {
        return None;
    }
    let mut text = drawn(&headers, &shown, &widths);
    for note in notes {
        text.push_str(&wrapped("", &note, width));
    }
    Some(text)
}

/// Ids of a column as short as they can be told apart; tenants by their names, with the id where two have one name.
fn with_short_ids(column: &Column, names: &TenantNames) -> Vec<String> {
    if !column.cells.iter().any(|cell| is_guid(cell)) {
        return column.cells.clone();
    }
    let is_tenant = column.name == TENANT_ID;
    let mut ids: BTreeSet<&str> =
        column.cells.iter().map(String::as_str).filter(|cell| is_guid(cell)).collect();
    if is_tenant {
        ids.extend(names.keys().map(String::as_str));
    }
    let short = |id: &str| {
        let length = (SHORT_ID_MIN..id.len())
            .find(|length| ids.iter().filter(|other| other.starts_with(&id[..*length])).count() <= 1);
        length.map_or_else(|| id.to_owned(), |length| format!("{}…", &id[..length]))
    };
    let cell = |cell: &String| {
        if !is_guid(cell) {
            return cell.clone();
        }
        match names.get(cell).filter(|_| is_tenant) {
            Some(name) if names.values().filter(|other| *other == name).count() > 1 => {
                format!("{} ({})", plain(name), short(cell))
            }
            Some(name) => plain(name),
            None => short(cell),
        }
    };
    column.cells.iter().map(cell).collect()
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The columns that tell rows apart; of the others, what they say.
fn fewer(columns: Vec<Column>, notes: &mut Vec<String>) -> Vec<Column> {
    if columns.first().is_none_or(|column| column.cells.len() < SAME_ROWS_MIN) {
        return columns;
    }
    let (mut empty, mut same) = (Vec::new(), Vec::new());
    let (few, all): (Vec<Column>, Vec<Column>) =
        columns.into_iter().partition(|column| column.cells.iter().all(|cell| *cell == column.cells[0]));
    for column in few {
        match column.cells.into_iter().next() {
            Some(value) if !value.is_empty() => same.push(format!("{} {value}", column.name)),
            _ => empty.push(column.name),
        }
    }
    if !same.is_empty() {
        notes.push(format!("in all rows: {}", same.join(", ")));
    }
    if !empty.is_empty() {
        notes.push(format!("empty in all rows: {}", empty.join(", ")));
    }
    all
}

/// Leaves out columns until the others fit, with their texts cut, and names them. The first two say what a row is about.
fn leave_out(columns: &mut Vec<Column>, width: usize) -> Vec<String> {
    let narrowest = |column: &Column| {
        let header = lines_of(&column.name).iter().map(|line| line.width()).max().unwrap_or(0);
        let cells = column.cells.iter().map(|cell| cell.width()).max().unwrap_or(0);
        let least = if column.is_text { cells.min(CHOSEN_CUT_WIDTH) } else { cells };
        least.max(header) + 3
    };
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut left_out = Vec::new();
    while columns.len() > COLUMNS_MIN && columns.iter().map(narrowest).sum::<usize>() + 1 > width {
        let rank = |at: &usize| match columns[*at].name.as_str() {
            name if name.starts_with("first_") => (2, *at),
            name if IMPORTANT.contains(&name) => (0, *at),
            _ => (1, *at),
        };
        let Some(at) = (2..columns.len()).max_by_key(rank) else { break };
        left_out.push(columns.remove(at).name);
    }
    left_out.sort_by_key(|name| names.iter().position(|known| known == name));
    left_out
}

/// The name of a column on several lines: `user_principal_name` on three.
fn lines_of(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = name.split_inclusive('_').map(str::to_owned).collect();
    // A short word is not worth a line of its own.
    let mut at = 1;
    while at < lines.len() {
        if lines[at - 1].len() + lines[at].len() <= SHORT_ID_MIN {
            let next = lines.remove(at);
            lines[at - 1].push_str(&next);
        } else {
            at += 1;
        }
    }
    lines
}

/// Takes from the widest columns of text, until all fit or none can give.
fn shrink(widths: &mut [usize], least: &[usize], is_text: &[bool], room: usize) {
    while widths.iter().sum::<usize>() > room {
        let can_give = |at: &usize| is_text[*at] && widths[*at] > least[*at];
        let Some(at) = (0..widths.len()).filter(can_give).max_by_key(|at| widths[*at]) else { return };
        widths[at] -= 1;
    }
}

/// A text in so many columns of a terminal, with an ellipsis where it is longer.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut short, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

fn drawn(headers: &[Vec<String>], columns: &[Column], widths: &[usize]) -> String {
    let mut text = String::new();
    let border = |text: &mut String| {
        for width in widths {
            let _ = write!(text, "+{}", "-".repeat(width + 2));
        }
        text.push_str("+\n");
    };
    let line = |text: &mut String, cell: &dyn Fn(usize) -> String| {
        for (at, width) in widths.iter().enumerate() {
            let cell = cell(at);
            let _ = write!(text, "| {cell}{} ", " ".repeat(width.saturating_sub(cell.width())));
        }
        text.push_str("|\n");
    };
    border(&mut text);
    for row in 0..headers.iter().map(Vec::len).max().unwrap_or(0) {
        line(&mut text, &|at| headers[at].get(row).cloned().unwrap_or_default());
    }
    border(&mut text);
    for row in 0..columns.first().map_or(0, |column| column.cells.len()) {
        line(&mut text, &|at| columns[at].cells[row].clone());
    }
    border(&mut text);
    text
}

#[cfg(test)]
mod tests;
