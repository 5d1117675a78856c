//! The values that a restricted session is shown in place of those of a column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, Int64Array, ListArray, StringArray, StructArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::filter;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use serde_json::Value;

use super::column_rules::ColumnRule;
use super::pseudonyms::Pseudonyms;
use super::source_access::{SourceRow, source_rows};
use super::{NameRights, Rights};
use crate::coverage::is_date_filter;
use lightsout_model::coverage::SEVERAL;

const WITHHELD: &str = "hidden";

/// Shorter parts of a user's name are in words that name nobody.
const NAME_PART_CHARS_MIN: usize = 3;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Masks the columns of one batch, whose columns are those that the rules of its table need.
pub(super) struct Mask<'a> {
    pub(super) rights: &'a Rights,
    pub(super) pseudonyms: &'a Pseudonyms,
    pub(super) batch: &'a RecordBatch,
}

impl Mask<'_> {
    pub(super) fn apply(&self, rule: ColumnRule, name: &str) -> Result<ArrayRef> {
        let column = self.column(name)?;
        Ok(match rule {
            ColumnRule::Hide => new_null_array(column.data_type(), column.len()),
            ColumnRule::Withhold => texts(column, name, |_| WITHHELD.to_owned())?,
            ColumnRule::User => texts(column, name, |text| self.pseudonyms.user(text))?,
            ColumnRule::Address => texts(column, name, |text| self.pseudonyms.of("address", text))?,
            ColumnRule::Path => texts(column, name, |text| self.pseudonyms.path(text))?,
            ColumnRule::Paths => texts(column, name, |text| self.paths(text))?,
            ColumnRule::Json => texts(column, name, |text| self.json(text))?,
            ColumnRule::PageFilter => {
                texts(
                    column,
                    name,
                    |text| {
                        if is_date_filter(text) { text.to_owned() } else { WITHHELD.to_owned() }
                    },
                )?
            }
            ColumnRule::Text => self.free_text(column, name)?,
            ColumnRule::Coverage => self.coverage(column)?,
            ColumnRule::AssignedTenant => {
                let tenants = text_column(column, name)?;
                let shown =
                    |id: Option<&str>| id.filter(|id| self.rights.tenants.contains(id)).map(str::to_owned);
                Arc::new(tenants.iter().map(shown).collect::<StringArray>())
            }
            ColumnRule::SourceCount => self.source_count(name)?,
            ColumnRule::SourceTime => self.source_time(name)?,
        })
    }

    fn column(&self, name: &str) -> Result<&ArrayRef> {
        let missing = || exec_datafusion_err!("the column {name} was not read");
        self.batch.column_by_name(name).ok_or_else(missing)
    }

    fn paths(&self, text: &str) -> String {
        match serde_json::from_str::<Vec<String>>(text) {
            Ok(paths) => paths.iter().map(|path| self.pseudonyms.path(path)).collect::<Value>().to_string(),
            Err(_) => "[]".to_owned(),
        }
    }

    fn json(&self, text: &str) -> String {
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return "null".to_owned() };
        self.mask_json(&mut value, false);
        value.to_string()
    }

    fn mask_json(&self, value: &mut Value, is_path: bool) {
        match value {
            Value::String(text) if is_path => *text = self.pseudonyms.path(text),
            Value::String(text) if self.rights.names == NameRights::Pseudonyms && text.contains('@') => {
                *text = self.pseudonyms.user(text);
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.mask_json(value, is_path)),
            Value::Object(members) => {
                if self.rights.names == NameRights::Pseudonyms {
                    // Of a roster: nobody knows what else its columns hold.
                    members.remove("other_columns");
                    for person in ["by", "by_whom", "why", "exclude"] {
                        if let Some(Value::String(text)) = members.get_mut(person) {
                            *text = self.pseudonyms.user(text);
                        }
                    }
                }
                for (key, value) in members {
                    self.mask_json(value, key == "path" || key == "paths");
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Texts that may name the user of their row; one that does has a pseudonym, so that texts can still be counted.
    fn free_text(&self, column: &ArrayRef, name: &str) -> Result<ArrayRef> {
        let of_row =
            |column: &str| self.batch.column_by_name(column).and_then(|column| column.as_string_opt());
        let users: [Option<&StringArray>; 2] = [of_row("user_principal_name"), of_row("user_id")];
        let column = text_column(column, name)?;
        let shown = (0..column.len()).map(|at| {
            let text = column.is_valid(at).then(|| column.value(at))?;
            let lower = text.to_lowercase();
            let names =
                users.iter().flatten().filter(|names| names.is_valid(at)).map(|names| names.value(at));
            let is_named =
                lower.contains('@') || names.flat_map(name_parts).any(|part| lower.contains(&part));
            Some(if is_named { self.pseudonyms.of("text", text) } else { text.to_owned() })
        });
        Ok(Arc::new(shown.collect::<StringArray>()))
    }

    /// The entries of the session's tenants, in which the only user is told apart and not known.
    fn coverage(&self, column: &ArrayRef) -> Result<ArrayRef> {
        let wrong = || exec_datafusion_err!("sources.coverage is not as ingest writes it");
        let lists: &ListArray = column.as_list_opt().ok_or_else(wrong)?;
        let entries: &StructArray = lists.values().as_struct_opt().ok_or_else(wrong)?;
        let tenants = entries.column_by_name("tenant_id").and_then(|column| column.as_string_opt::<i32>());
        let tenants = tenants.ok_or_else(wrong)?;
        let mut is_kept = vec![false; entries.len()];
        let mut lengths = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let mut length = 0;
            for at in super::source_access::entries_of(lists, row) {
                let is_of_nobody = tenants.is_null(at);
                let is_shown = match &self.rights.tenants {
                    super::TenantRights::All => true,
                    super::TenantRights::Only(own) => !is_of_nobody && own.contains(tenants.value(at)),
                };
                is_kept[at] = is_shown;
                length += usize::from(is_shown);
            }
            lengths.push(length);
        }
        let kept = filter(entries, &BooleanArray::from(is_kept))?;
        let kept = self.without_only_user(kept.as_struct_opt().ok_or_else(wrong)?)?;
        let arrow::datatypes::DataType::List(element) = column.data_type() else { return Err(wrong()) };
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(
            Arc::clone(element),
            offsets,
            Arc::new(kept),
            lists.nulls().cloned(),
        )?))
    }

    fn without_only_user(&self, entries: &StructArray) -> Result<StructArray> {
        let (fields, mut columns, nulls) = entries.clone().into_parts();
        if let Some((at, _)) = fields.find("only_user") {
            columns[at] = texts(&columns[at], "only_user", |user| {
                if user == SEVERAL { user.to_owned() } else { self.pseudonyms.of("user", user) }
            })?;
        }
        Ok(StructArray::try_new(fields, columns, nulls)?)
    }

    /// Of a file that other tenants are in too, what is known of the session's own: its entries' records.
    fn source_count(&self, name: &str) -> Result<ArrayRef> {
        let rows = source_rows(self.batch, self.rights)?;
        let numbers = |name: &str| -> Result<&Int64Array> {
            let column = self.column(name)?.as_primitive_opt::<Int64Type>();
            column.ok_or_else(|| exec_datafusion_err!("sources.{name} is no number"))
        };
        let (column, records, rejected) = (numbers(name)?, numbers("records")?, numbers("rejected")?);
        let of = |at: usize, row: &SourceRow| -> Option<i64> {
            if !row.has_others {
                return column.is_valid(at).then(|| column.value(at));
            }
            match name {
                "records" | "rows" => Some(row.own_records),
                // Whether most of the file was rejected decides whether its days prove anything.
                "rejected" if rejected.value(at).saturating_mul(2) > records.value(at) => {
                    Some(row.own_records.max(1))
                }
                _ => Some(0),
            }
        };
        Ok(Arc::new(rows.iter().enumerate().map(|(at, row)| of(at, row)).collect::<Int64Array>()))
    }

    /// Of a file that other tenants are in too, the day.
    fn source_time(&self, name: &str) -> Result<ArrayRef> {
        let rows = source_rows(self.batch, self.rights)?;
        let wrong = || exec_datafusion_err!("sources.{name} is no time");
        let column: &TimestampMicrosecondArray =
            self.column(name)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(wrong)?;
        let rounded = rows.iter().enumerate().map(|(at, row)| {
            let micros = column.is_valid(at).then(|| column.value(at))?;
            let midnight = micros - micros.rem_euclid(DAY_MICROS);
            Some(match (row.has_others, name) {
                (false, _) => micros,
                (true, "first_signed_in_at") => midnight,
                (true, _) => midnight + DAY_MICROS - 1,
            })
        });
        Ok(Arc::new(rounded.collect::<TimestampMicrosecondArray>().with_timezone("UTC")))
    }
}

/// What of a user's name may stand in a text: it, and the parts before its domain.
fn name_parts(name: &str) -> Vec<String> {
    let name = name.trim().to_lowercase();
    let local = name.split('@').next().unwrap_or_default();
    let parts = local.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    parts.chain([name.clone()]).filter(|part| part.chars().count() >= NAME_PART_CHARS_MIN).collect()
}

fn text_column<'a>(column: &'a ArrayRef, name: &str) -> Result<&'a StringArray> {
    column.as_string_opt().ok_or_else(|| exec_datafusion_err!("the column {name} is no text"))
}

fn texts(column: &ArrayRef, name: &str, each: impl Fn(&str) -> String) -> Result<ArrayRef> {
    Ok(Arc::new(text_column(column, name)?.iter().map(|text| text.map(&each)).collect::<StringArray>()))
}
