//! Rows as an Excel workbook of one sheet, written as they come: its header is frozen and has a filter, times are dates of
//! Excel, and text is text, whatever it begins with. What Excel can't hold is refused; nothing is cut.
//!
//! The parts are those of ECMA-376 that a sheet needs. `rust_xlsxwriter` would do the same, but holds the rows or spools
//! them to a file, and its compression builds the engine anew with other features.

use std::fmt::Write as _;
use std::io::Write;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use unicode_width::UnicodeWidthStr as _;
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};

use crate::error::{Error, Result};
use lightsout_output::table::as_text;

/// Rows of a sheet, the header among them.
const ROWS_MAX: usize = 1_048_576;
const COLUMNS_MAX: usize = 16_384;
/// Of one cell, in units of UTF-16.
const CHARACTERS_MAX: usize = 32_767;
/// Excel keeps a number as a double and shows no more digits of it.
const DIGITS_MAX: usize = 15;

/// Days from Excel's day 0 to 1970-01-01.
const UNIX_EPOCH_DAY: i64 = 25_569;
/// 1900-03-01: before it Excel counts a day that never was.
const FIRST_DAY: i64 = 61;
const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// Rows that the widths of columns are taken from.
const MEASURED_ROWS_MAX: usize = 1_000;
const WIDTH_MAX: usize = 60;

/// The styles of `STYLES`, by number.
const TEXT: u8 = 1;
const HEADER: u8 = 2;
const DAY: u8 = 3;
const TIME: u8 = 4;

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// See the file's first lines.
pub(super) struct Workbook<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    schema: SchemaRef,
    /// Rows so far, the header among them; none before the first batch.
    rows: usize,
}

const fn arrow(source: arrow::error::ArrowError) -> Error {
    Error::Arrow { what: "writing rows", source }
}

/// An error of the stream stays one, so that a reader who has gone is known.
fn failed(source: ZipError) -> Error {
    match source {
        ZipError::Io(source) => Error::write("the output")(source),
        source => Error::Workbook { source },
    }
}

impl<W: Write> Workbook<W> {
    pub(super) fn new(out: W, schema: &SchemaRef) -> Result<Self> {
        let columns = schema.fields().len();
        if columns > COLUMNS_MAX {
            let found = format!("the rows have {columns}");
            return Err(Error::BeyondExcel { limit: "16,384 columns", found });
        }
        Ok(Self { zip: ZipWriter::new_stream(out), schema: schema.clone(), rows: 0 })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns: Vec<Cells> =
            batch.columns().iter().map(Cells::of).collect::<Result<_, _>>().map_err(arrow)?;
        if self.rows == 0 {
            self.begin(&columns, batch.num_rows())?;
        }
        let mut xml = String::new();
        for row in 0..batch.num_rows() {
            if self.rows == ROWS_MAX {
                let found = "there are more of them than that".to_owned();
                return Err(Error::BeyondExcel { limit: "1,048,575 rows below its header", found });
            }
            self.rows += 1;
            let _ = write!(xml, "<row r=\"{}\">", self.rows);
            for (column, cells) in columns.iter().enumerate() {
                let Some(cell) = cells.cell(row).map_err(arrow)? else { continue };
                if let Cell::Text(text) = &cell {
                    self.check_length(text, column)?;
                }
                cell.write(&mut xml, column, self.rows);
            }
            xml.push_str("</row>");
            if xml.len() > 1 << 16 {
                self.put(&xml)?;
                xml.clear();
            }
        }
        self.put(&xml)
    }

    fn check_length(&self, text: &str, column: usize) -> Result<()> {
        let length = if text.len() > CHARACTERS_MAX { text.encode_utf16().count() } else { 0 };
        if length <= CHARACTERS_MAX {
            return Ok(());
        }
        let name = self.schema.field(column).name();
        Err(Error::BeyondExcel {
            limit: "32,767 characters in a cell",
            found: format!("row {} has {length} in its column {name}", self.rows - 1),
        })
    }

    pub(super) fn finish(mut self) -> Result<W> {
        if self.rows == 0 {
            self.write(&RecordBatch::new_empty(self.schema.clone()))?;
        }
        let last = format!("{}${}", letters(self.schema.fields().len().saturating_sub(1)), self.rows);
        self.put(&format!("</sheetData><autoFilter ref=\"A1:{}\"/></worksheet>", last.replace('$', "")))?;
        // Excel knows the filter by this name.
        let workbook = format!(
            "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets>\
             <sheet name=\"lightsout\" sheetId=\"1\" r:id=\"rId1\"/></sheets><definedNames>\
             <definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"0\" hidden=\"1\">lightsout!$A$1:${last}\
             </definedName></definedNames></workbook>"
        );
        self.part("xl/workbook.xml", &workbook)?;
        self.zip.finish().map(StreamWriter::into_inner).map_err(failed)
    }

    /// Everything before the first row.
    fn begin(&mut self, columns: &[Cells], rows: usize) -> Result<()> {
        self.part("[Content_Types].xml", CONTENT_TYPES)?;
        let relation = |kind: &str, target: &str, id: u8| {
            format!("<Relationship Id=\"rId{id}\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/>")
        };
        let relations = |inside: String| {
            format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{inside}\
                 </Relationships>"
            )
        };
        self.part("_rels/.rels", &relations(relation("officeDocument", "xl/workbook.xml", 1)))?;
        let inside = relation("worksheet", "worksheets/sheet1.xml", 1) + &relation("styles", "styles.xml", 2);
        self.part("xl/_rels/workbook.xml.rels", &relations(inside))?;
        self.part("xl/styles.xml", &STYLES.replace("MAIN", MAIN))?;
        let mut xml = format!(
            "<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView tabSelected=\"1\" workbookViewId=\"0\">\
             <pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews>"
        );
        let mut widths = String::new();
        for (column, cells) in columns.iter().enumerate() {
            // Room for the button of the filter.
            let header = self.schema.field(column).name().width() + 4;
            let mut width = header;
            for row in 0..rows.min(MEASURED_ROWS_MAX) {
                width = width.max(cells.cell(row).map_err(arrow)?.map_or(0, |cell| cell.width() + 1));
            }
            let (at, width) = (column + 1, width.min(WIDTH_MAX.max(header)));
            let _ = write!(widths, "<col min=\"{at}\" max=\"{at}\" width=\"{width}\" customWidth=\"1\"/>");
        }
        if !widths.is_empty() {
            let _ = write!(xml, "<cols>{widths}</cols>");
        }
        xml.push_str("<sheetData><row r=\"1\">");
        for (column, field) in self.schema.fields().iter().enumerate() {
            Cell::Header(field.name().clone()).write(&mut xml, column, 1);
        }
        xml.push_str("</row>");
        self.rows = 1;
        self.part("xl/worksheets/sheet1.xml", &xml)
    }

    fn part(&mut self, name: &str, xml: &str) -> Result<()> {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        self.zip.start_file(name, options).map_err(failed)?;
        self.put(XML)?;
        self.put(xml)
    }

    fn put(&mut self, xml: &str) -> Result<()> {
        self.zip.write_all(xml.as_bytes()).map_err(Error::write("the output"))
    }
}

/// A column, by how its values are kept in a sheet.
struct Cells {
    values: ArrayRef,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Boolean,
    Day,
    Time,
}

/// The value of a cell.
#[derive(Debug)]
enum Cell {
    Header(String),
    Text(String),
    Number(String),
    Boolean(bool),
    /// Days since Excel's day 0.
    Day(i64),
    Time(f64),
}

impl Cells {
    fn of(column: &ArrayRef) -> Result<Self, arrow::error::ArrowError> {
        let is_utc = |zone: &Option<std::sync::Arc<str>>| {
            zone.as_ref().is_none_or(|zone| ["UTC", "Z", "+00:00", "+00"].contains(&&**zone))
        };
        let (values, kind) = match column.data_type() {
            DataType::Boolean => (column.clone(), Kind::Boolean),
            DataType::Date32 | DataType::Date64 => (cast(column, &DataType::Date32)?, Kind::Day),
            DataType::Timestamp(_, zone) if is_utc(zone) => {
                let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                (cast(column, &micros)?, Kind::Time)
            }
            kind if kind.is_numeric() => (column.clone(), Kind::Number),
            _ => (as_text(column)?, Kind::Text),
        };
        Ok(Self { values, kind })
    }

    /// `None` of no value.
    fn cell(&self, row: usize) -> Result<Option<Cell>, arrow::error::ArrowError> {
        if self.values.is_null(row) {
            return Ok(None);
        }
        let text = || {
            let options = FormatOptions::default();
            ArrayFormatter::try_new(&self.values, &options)?.value(row).try_to_string()
        };
        Ok(Some(match self.kind {
            Kind::Text => Cell::Text(match self.values.as_string_opt::<i32>() {
                Some(texts) => texts.value(row).to_owned(),
                None => text()?,
            }),
            Kind::Boolean => Cell::Boolean(self.values.as_boolean().value(row)),
            Kind::Day => {
                let day = i64::from(self.values.as_primitive::<Date32Type>().value(row)) + UNIX_EPOCH_DAY;
                if day < FIRST_DAY { Cell::Text(text()?) } else { Cell::Day(day) }
            }
            Kind::Time => {
                let micros = self.values.as_primitive::<TimestampMicrosecondType>().value(row);
                let day = micros.div_euclid(DAY_MICROSECONDS) + UNIX_EPOCH_DAY;
                #[expect(clippy::cast_precision_loss, reason = "Excel keeps times as doubles")]
                let time = day as f64 + micros.rem_euclid(DAY_MICROSECONDS) as f64 / DAY_MICROSECONDS as f64;
                if day < FIRST_DAY { Cell::Text(text()?) } else { Cell::Time(time) }
            }
            Kind::Number => {
                let text = text()?;
                let is_whole = self.values.data_type().is_integer()
                    || matches!(self.values.data_type(), DataType::Decimal128(..) | DataType::Decimal256(..));
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
                // A longer number would lose its last digits.
                if !is_number || (is_whole && digits > DIGITS_MAX) {
                    Cell::Text(text)
                } else {
                    Cell::Number(text)
                }
            }
        }))
    }
}

impl Cell {
    fn width(&self) -> usize {
        match self {
            Self::Header(text) | Self::Text(text) | Self::Number(text) => text.width(),
            Self::Boolean(_) => 5,
            Self::Day(_) => 10,
            Self::Time(_) => 19,
        }
    }

    fn write(&self, xml: &mut String, column: usize, row: usize) {
        let at = format!("<c r=\"{}{row}\"", letters(column));
        let _ = match self {
            Self::Header(text) | Self::Text(text) => {
                let style = if matches!(self, Self::Header(_)) { HEADER } else { TEXT };
                let text = escaped(text);
                write!(
                    xml,
                    "{at} s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>"
                )
            }
            Self::Number(number) => write!(xml, "{at}><v>{number}</v></c>"),
            Self::Boolean(value) => write!(xml, "{at} t=\"b\"><v>{}</v></c>", u8::from(*value)),
            Self::Day(day) => write!(xml, "{at} s=\"{DAY}\"><v>{day}</v></c>"),
            Self::Time(time) => write!(xml, "{at} s=\"{TIME}\"><v>{time}</v></c>"),
        };
    }
}

/// `A`, `Z`, `AA`, as the columns of a sheet are called.
fn letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + u8::try_from(column % 26).unwrap_or(0));
        match (column / 26).checked_sub(1) {
            Some(rest) => column = rest,
            None => break,
        }
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

/// Text of XML. Characters that XML can't hold are written as Excel writes them, `_x0001_`, and what looks so but is text
/// has its underscore written so.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\t' | '\n' => xml.push(c),
            '_' if is_escape(&text.as_bytes()[at..]) => xml.push_str("_x005F_"),
            c if c.is_control() && c < '\u{80}' || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(xml, "_x{:04X}_", u32::from(c));
            }
            c => xml.push(c),
        }
    }
    xml
}

fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'_', b'x', a, b, c, d, b'_', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_hexdigit()))
}

const CONTENT_TYPES: &str = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
    <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
    <Override PartName=\"/xl/workbook.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>\
    <Override PartName=\"/xl/worksheets/sheet1.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>\
    <Override PartName=\"/xl/styles.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/></Types>";

/// Format 49 is text: a cell that somebody edits stays text too.
const STYLES: &str = "<styleSheet xmlns=\"MAIN\"><numFmts count=\"2\">\
    <numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\"/>\
    <numFmt numFmtId=\"165\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm:ss\"/></numFmts>\
    <fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font>\
    <font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
    <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>\
    <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
    <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
    <cellXfs count=\"5\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
    <xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
    <xf numFmtId=\"49\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyFont=\"1\"/>\
    <xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
    <xf numFmtId=\"165\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/></cellXfs>\
    <cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>";

#[cfg(test)]
mod tests;
