//! Column builders: classified records in, sorted record batches out. Texts that repeat are kept once
//! and named by number, so a row is small, sorting moves numbers, and a row group can be large.

use std::hash::BuildHasher as _;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use foldhash::quality::FixedState;

use super::days::day_of;
use super::dictionary::{Dictionary, Guess};
use super::source::Source;
use crate::{Error, Result};
use lightsout_lake::schema::{Table, timestamp};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::{Category, Classified, RawSignIn};

/// Stands for "none" among numbers that are times or codes.
const NONE: i64 = i64::MIN;
/// The same among numbers of texts.
const NO_TEXT: u32 = u32::MAX;

/// The columns of texts that repeat, each beside what fills it.
macro_rules! repeated_texts {
    (|$raw:ident, $classified:ident, $row:ident| $($name:literal => $text:expr,)+) => {
        const REPEATED: &[&str] = &[$($name),+];

        fn texts_of<'a>(
            $raw: &'a RawSignIn<'_>,
            $classified: Classified,
            $row: RowContext<'a>,
        ) -> [Option<&'a str>; REPEATED.len()] {
            [$($text),+]
        }
    };
}

repeated_texts! { |raw, classified, row|
    "tenant_id" => Some(row.tenant_id),
    "category" => raw.category.map(Category::as_str),
    "user_id" => raw.user_id.as_deref(),
    "user_principal_name" => raw.user_principal_name.as_deref(),
    "user_type" => raw.user_type.as_deref(),
    "app_id" => raw.app_id.as_deref(),
    "app_name" => raw.app_name.as_deref(),
    "resource_id" => raw.resource_id.as_deref(),
    "resource_name" => raw.resource_name.as_deref(),
    "client_app" => raw.client_app.as_deref(),
    "protocol" => classified.protocol.map(Protocol::as_str),
    "auth_method" => Some(classified.auth_method.as_str()),
    "auth_evidence" => classified.auth_evidence,
    "outcome" => Some(classified.outcome.as_str()),
    "failure_reason" => raw.failure_reason.as_deref(),
    "conditional_access" => raw.conditional_access.as_deref(),
    "user_agent" => raw.user_agent.as_deref(),
    "ip_address" => raw.ip_address.as_deref(),
    "country" => raw.country.as_deref(),
    "home_tenant_id" => raw.home_tenant_id.as_deref(),
    "resource_tenant_id" => raw.resource_tenant_id.as_deref(),
}

/// Where the tenant is among them: rows are sorted by it.
const TENANT: usize = 0;

/// Texts of which hardly any two are the same.
const UNIQUE: [&str; 2] = ["sign_in_id", "correlation_id"];

/// The columns of sign-in records as they are built: texts that repeat by number.
pub(super) static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let by_number = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = Table::SignInRecords
        .file_schema()
        .fields()
        .iter()
        .map(|field| {
            let repeats = field.data_type() == &DataType::Utf8 && !UNIQUE.contains(&field.name().as_str());
            let kind = if repeats { by_number.clone() } else { field.data_type().clone() };
            Field::new(field.name(), kind, true)
        })
        .collect::<Vec<_>>();
    Arc::new(Schema::new(fields))
});

/// What a row has besides its record.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowContext<'a> {
    pub tenant_id: &'a str,
    pub sign_in_id: &'a str,
    pub signed_in_at: i64,
    pub source_offset: u64,
    /// See [`record_hash`].
    pub record_hash: i64,
}

/// Tells records apart and puts them in an order that depends on nothing but their text.
///
/// What is once written stays as it is; another version of the hash would only fail to see that a record of today
/// repeats one of before, where ids do not tell.
#[must_use]
pub(super) fn record_hash(record: &str) -> i64 {
    FixedState::with_seed(0).hash_one(record.as_bytes()).cast_signed()
}

/// Rows of one stream that are not written yet.
#[derive(Default)]
pub(super) struct Rows {
    repeated: [Repeated; REPEATED.len()],
    sign_in_id: Unique,
    correlation_id: Unique,
    signed_in_at: Vec<i64>,
    emitted_at: Vec<i64>,
    error_code: Vec<i64>,
    is_interactive: Vec<Option<bool>>,
    source_offset: Vec<i64>,
    record_hash: Vec<i64>,
    sources: Sources,
    bytes: usize,
}

/// The sources of rows. Consecutive rows are mostly of one.
#[derive(Default)]
struct Sources {
    all: Vec<Arc<Source>>,
    of_row: Vec<u32>,
}

impl Sources {
    fn push(&mut self, source: &Arc<Source>) {
        if !self.all.last().is_some_and(|last| Arc::ptr_eq(last, source)) {
            self.all.push(Arc::clone(source));
        }
        self.of_row.push(u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX));
    }
}

/// A column of texts by number.
#[derive(Default)]
struct Repeated {
    dictionary: Dictionary,
    codes: Vec<u32>,
}

impl Repeated {
    #[inline]
    fn push(&mut self, text: Option<&str>, guess: Guess) {
        let code = text.map_or(NO_TEXT, |text| self.dictionary.code_of(text, guess));
        self.codes.push(code);
    }

    /// Bytes of text held.
    fn bytes(&self) -> usize {
        self.dictionary.bytes()
    }

    fn take(&mut self, order: &[u32]) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
        let column = by_number(&self.codes, order, self.dictionary.texts())?;
        self.dictionary.clear();
        self.codes.clear();
        Ok(column)
    }
}

/// Codes in `order`, and the texts that they are the numbers of.
fn by_number<'a>(
    codes: &[u32],
    order: &[u32],
    texts: impl ExactSizeIterator<Item = &'a [u8]>,
) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    let sorted = || order.iter().map(|row| codes[*row as usize]);
    let keys: ScalarBuffer<i32> = sorted().map(|code| i32::try_from(code).unwrap_or(0)).collect();
    let nulls = sorted().map(|code| code != NO_TEXT).collect::<NullBuffer>();
    let mut unique = Unique::default();
    texts.for_each(|text| unique.push(text));
    let keys = Int32Array::new(keys, Some(nulls).filter(|nulls| nulls.null_count() > 0));
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(unique.into_array()?))?))
}

/// A column of texts as they are.
#[derive(Default)]
struct Unique {
    bytes: Vec<u8>,
    ends: Vec<i32>,
    nulls: Vec<u32>,
}

impl Unique {
    #[inline]
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }

    fn push_option(&mut self, text: Option<&str>) {
        if text.is_none() {
            self.nulls.push(u32::try_from(self.ends.len()).unwrap_or(u32::MAX));
        }
        self.push(text.unwrap_or_default().as_bytes());
    }

    fn get(&self, row: u32) -> &[u8] {
        let at = row as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[usize::try_from(start).unwrap_or(0)..usize::try_from(self.ends[at]).unwrap_or(0)]
    }

    fn take(&mut self, order: &[u32]) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
        let mut sorted = Self { bytes: Vec::with_capacity(self.bytes.len()), ..Self::default() };
        for row in order {
            sorted.push(self.get(*row));
        }
        let array = sorted.into_array()?;
        let nulls = (!self.nulls.is_empty())
            .then(|| order.iter().map(|row| self.nulls.binary_search(row).is_err()).collect::<NullBuffer>());
        self.bytes.clear();
        self.ends.clear();
        self.nulls.clear();
        let (offsets, values, _) = array.into_parts();
        Ok(Arc::new(StringArray::try_new(offsets, values, nulls)?))
    }

    fn into_array(self) -> std::result::Result<StringArray, arrow::error::ArrowError> {
        let offsets: Vec<i32> = std::iter::once(0).chain(self.ends).collect();
        StringArray::try_new(OffsetBuffer::new(offsets.into()), self.bytes.into(), None)
    }
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.signed_in_at.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.signed_in_at.is_empty()
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.repeated.iter().map(Repeated::bytes).sum::<usize>()
    }

    pub(super) fn push(
        &mut self,
        raw: &RawSignIn<'_>,
        classified: Classified,
        row: RowContext<'_>,
        source: &Arc<Source>,
    ) {
        let texts = texts_of(raw, classified, row);
        let mut guesses = [Guess::default(); REPEATED.len()];
        for ((guess, column), text) in guesses.iter_mut().zip(&self.repeated).zip(texts) {
            *guess = text.map(|text| column.dictionary.guess(text)).unwrap_or_default();
        }
        for ((column, text), guess) in self.repeated.iter_mut().zip(texts).zip(guesses) {
            column.push(text, guess);
        }
        self.sign_in_id.push(row.sign_in_id.as_bytes());
        self.correlation_id.push_option(raw.correlation_id.as_deref());
        self.signed_in_at.push(row.signed_in_at);
        self.emitted_at.push(raw.emitted_at.unwrap_or(NONE));
        self.error_code.push(raw.error_code.unwrap_or(NONE));
        self.is_interactive.push(raw.is_interactive);
        self.source_offset.push(i64::try_from(row.source_offset).unwrap_or(i64::MAX));
        self.record_hash.push(row.record_hash);
        self.sources.push(source);
        self.bytes += row.sign_in_id.len() + raw.correlation_id.as_deref().map_or(0, str::len) + 168;
    }

    /// Takes the rows out, sorted by tenant and time.
    pub(super) fn take(&mut self) -> Result<RecordBatch> {
        let order = self.order();
        let arrow = |source| Error::Arrow { what: "building rows", source };
        let numbers = |values: &mut Vec<i64>| -> (ScalarBuffer<i64>, Option<NullBuffer>) {
            let sorted = || order.iter().map(|row| values[*row as usize]);
            let nulls = sorted().map(|value| value != NONE).collect::<NullBuffer>();
            let sorted = sorted().collect();
            values.clear();
            (sorted, Some(nulls).filter(|nulls| nulls.null_count() > 0))
        };
        let times = |values: &mut Vec<i64>| -> (TimestampMicrosecondArray, ArrayRef) {
            let (values, nulls) = numbers(values);
            let times = TimestampMicrosecondArray::new(values, nulls);
            (times.clone(), Arc::new(times.with_data_type(timestamp())))
        };
        let (plain_times, signed_in_at) = times(&mut self.signed_in_at);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(SCHEMA.fields().len());
        for field in SCHEMA.fields() {
            columns.push(match field.name().as_str() {
                "sign_in_id" => self.sign_in_id.take(&order).map_err(arrow)?,
                "correlation_id" => self.correlation_id.take(&order).map_err(arrow)?,
                "signed_in_at" => Arc::clone(&signed_in_at),
                "emitted_at" => times(&mut self.emitted_at).1,
                "event_date" => {
                    let days = plain_times.values().iter().map(|at| day_of(*at));
                    Arc::new(Date32Array::new(days.collect(), None))
                }
                "error_code" => {
                    let (values, nulls) = numbers(&mut self.error_code);
                    Arc::new(Int64Array::new(values, nulls))
                }
                "is_interactive" => {
                    let values = order.iter().map(|row| self.is_interactive[*row as usize]);
                    Arc::new(values.collect::<BooleanArray>())
                }
                "source_id" => {
                    let ids = self.sources.all.iter().map(|source| source.id().as_bytes());
                    by_number(&self.sources.of_row, &order, ids).map_err(arrow)?
                }
                "source_offset" => Arc::new(Int64Array::new(numbers(&mut self.source_offset).0, None)),
                "record_hash" => {
                    let sorted = order.iter().map(|row| self.record_hash[*row as usize]);
                    Arc::new(Int64Array::new(sorted.collect(), None))
                }
                name => match REPEATED.iter().position(|repeated| *repeated == name) {
                    Some(at) => self.repeated[at].take(&order).map_err(arrow)?,
                    None => return Err(Error::UnfilledColumn { column: name.to_owned() }),
                },
            });
        }
        self.is_interactive.clear();
        self.record_hash.clear();
        self.sources = Sources::default();
        self.bytes = 0;
        RecordBatch::try_new(SCHEMA.clone(), columns).map_err(arrow)
    }

    /// Rows by tenant, time and order of arrival.
    fn order(&self) -> Vec<u32> {
        let tenants = &self.repeated[TENANT];
        let mut by_name: Vec<(&[u8], usize)> = tenants.dictionary.texts().zip(0..).collect();
        by_name.sort_unstable();
        let mut ranks = vec![0_u32; tenants.dictionary.len()];
        for (rank, (_, code)) in (0..).zip(by_name) {
            ranks[code] = rank;
        }
        // One number a row: tenant, time with its sign turned so that it sorts, place.
        let mut keys: Vec<u128> = (0_u32..)
            .zip(tenants.codes.iter().zip(&self.signed_in_at))
            .map(|(row, (tenant, at))| {
                let rank = ranks.get(*tenant as usize).copied().unwrap_or(u32::MAX);
                u128::from(rank) << 96 | u128::from(at.cast_unsigned() ^ 1 << 63) << 32 | u128::from(row)
            })
            .collect();
        keys.sort_unstable();
        #[expect(clippy::cast_possible_truncation, reason = "the lowest part is the row")]
        keys.into_iter().map(|key| key as u32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_the_table_is_filled_by_its_name() {
        let rows = Rows::default().take().expect("no column is left over");
        assert_eq!(rows.schema(), *SCHEMA);
        assert_eq!(REPEATED[TENANT], "tenant_id");
        for name in REPEATED {
            let field = SCHEMA.field_with_name(name).expect("a column of the table");
            assert!(matches!(field.data_type(), DataType::Dictionary(..)), "{name} repeats");
        }
        let by_number = SCHEMA.fields().iter().filter(|field| {
            matches!(field.data_type(), DataType::Dictionary(..)) && field.name() != "source_id"
        });
        assert_eq!(by_number.count(), REPEATED.len(), "no text column is filled by two");
    }
}
