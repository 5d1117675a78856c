//! `COPY (query) TO STDOUT`: rows as text, as CSV or in PostgreSQL's binary format, as they come. Written here and not
//! by the library's encoder, which leaves the header out where there are no rows, and an empty text unquoted in CSV,
//! where it reads as NULL.

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::logical_expr::sqlparser::ast::{
    CopyLegacyCsvOption, CopyLegacyOption, CopyOption, Ident, Statement,
};
use datafusion_postgres::arrow_pg::datatypes::encode_recordbatch;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::{FieldInfo, Tag};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use datafusion_postgres::pgwire::messages::data::DataRow;
use futures::{Sink, SinkExt as _, TryStreamExt as _};

use super::cursors::Rows;
use super::failure::failure;

/// How a file of PostgreSQL's binary format begins: its name, no flags, no more header.
const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const BINARY_TRAILER: &[u8] = &[0xff, 0xff];

/// What the rows look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    kind: Kind,
    delimiter: u8,
    null: String,
    has_header: bool,
    quote: u8,
    escape: u8,
    quoted: Quoted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Csv,
    Binary,
}

/// Columns that are quoted in CSV even where nothing asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Quoted {
    All,
    Named(Vec<String>),
}

/// The options as they were written, in either of the two ways to write them.
#[derive(Default)]
struct Options {
    kind: Option<Kind>,
    delimiter: Option<char>,
    null: Option<String>,
    has_header: bool,
    quote: Option<char>,
    escape: Option<char>,
    quoted: Vec<Ident>,
}

impl Options {
    fn of(statement: &Statement) -> PgWireResult<Self> {
        let Statement::Copy { options, legacy_options, .. } = statement else { return Ok(Self::default()) };
        let mut found = Self::default();
        for option in options {
            match option {
                CopyOption::Format(name) => {
                    found.kind = Some(match name.value.to_lowercase().as_str() {
                        "text" => Kind::Text,
                        "csv" => Kind::Csv,
                        "binary" => Kind::Binary,
                        other => {
                            let told = format!(
                                "COPY format \"{other}\" not recognized: expected text, csv or binary"
                            );
                            return Err(failure("22023", told));
                        }
                    });
                }
                CopyOption::Delimiter(delimiter) => found.delimiter = Some(*delimiter),
                CopyOption::Null(null) => found.null = Some(null.clone()),
                CopyOption::Header(has_header) => found.has_header = *has_header,
                CopyOption::Quote(quote) => found.quote = Some(*quote),
                CopyOption::Escape(escape) => found.escape = Some(*escape),
                CopyOption::ForceQuote(columns) => found.quoted.clone_from(columns),
                CopyOption::Encoding(encoding) if is_utf8(encoding) => {}
                other => return Err(not_known(other)),
            }
        }
        for option in legacy_options {
            match option {
                CopyLegacyOption::Binary => found.kind = Some(Kind::Binary),
                CopyLegacyOption::Delimiter(delimiter) => found.delimiter = Some(*delimiter),
                CopyLegacyOption::Null(null) => found.null = Some(null.clone()),
                CopyLegacyOption::Header => found.has_header = true,
                CopyLegacyOption::Csv(options) => {
                    found.kind = Some(Kind::Csv);
                    for option in options {
                        match option {
                            CopyLegacyCsvOption::Header => found.has_header = true,
                            CopyLegacyCsvOption::Quote(quote) => found.quote = Some(*quote),
                            CopyLegacyCsvOption::Escape(escape) => found.escape = Some(*escape),
                            CopyLegacyCsvOption::ForceQuote(columns) => found.quoted.clone_from(columns),
                            CopyLegacyCsvOption::ForceNotNull(_) => return Err(not_known(option)),
                        }
                    }
                }
                other => return Err(not_known(other)),
            }
        }
        Ok(found)
    }
}

fn is_utf8(encoding: &str) -> bool {
    ["UTF8", "UTF-8", "UNICODE"].contains(&encoding.to_uppercase().as_str())
}

fn not_known(option: &impl ToString) -> PgWireError {
    let expected = "FORMAT, DELIMITER, NULL, HEADER, QUOTE, ESCAPE, FORCE_QUOTE and ENCODING 'UTF8'";
    failure("0A000", format!("COPY TO: expected {expected}, found {}", option.to_string()))
}

fn byte(option: &str, written: Option<char>, default: u8) -> PgWireResult<u8> {
    let Some(written) = written else { return Ok(default) };
    match u8::try_from(written) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(byte),
        _ => Err(failure(
            "22023",
            format!("COPY {option} must be a single one-byte character, found {written:?}"),
        )),
    }
}

impl Layout {
    /// # Errors
    /// Fails if an option is not known, or does not go with the format.
    pub(super) fn of(statement: &Statement) -> PgWireResult<Self> {
        let options = Options::of(statement)?;
        let kind = options.kind.unwrap_or(Kind::Text);
        let only = |is_given: bool, option: &str, kinds: &[Kind]| {
            let is_wrong = is_given && !kinds.contains(&kind);
            is_wrong.then(|| failure("0A000", format!("COPY {option} is not available in this format")))
        };
        let wrong = only(options.quote.is_some(), "QUOTE", &[Kind::Csv])
            .or_else(|| only(options.escape.is_some(), "ESCAPE", &[Kind::Csv]))
            .or_else(|| only(!options.quoted.is_empty(), "FORCE_QUOTE", &[Kind::Csv]))
            .or_else(|| only(options.delimiter.is_some(), "DELIMITER", &[Kind::Csv, Kind::Text]))
            .or_else(|| only(options.null.is_some(), "NULL", &[Kind::Csv, Kind::Text]))
            .or_else(|| only(options.has_header, "HEADER", &[Kind::Csv, Kind::Text]));
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        let is_csv = kind == Kind::Csv;
        let quote = byte("quote", options.quote, b'"')?;
        let names: Vec<String> = options.quoted.iter().map(|name| name.value.clone()).collect();
        Ok(Self {
            kind,
            delimiter: byte("delimiter", options.delimiter, if is_csv { b',' } else { b'\t' })?,
            null: options.null.unwrap_or_else(|| if is_csv { String::new() } else { "\\N".to_owned() }),
            has_header: options.has_header,
            quote,
            escape: byte("escape", options.escape, quote)?,
            quoted: if names.iter().any(|name| name == "*") { Quoted::All } else { Quoted::Named(names) },
        })
    }

    const fn format(&self) -> Format {
        match self.kind {
            Kind::Binary => Format::UnifiedBinary,
            Kind::Text | Kind::Csv => Format::UnifiedText,
        }
    }

    /// What stands before the rows.
    fn head(&self, fields: &[FieldInfo]) -> Vec<u8> {
        let mut head = Vec::new();
        if self.kind == Kind::Binary {
            head.extend_from_slice(BINARY_HEADER);
        } else if self.has_header {
            let names = fields.iter().map(|field| Some(field.name().as_bytes()));
            self.line(&mut head, names, &[]);
        }
        head
    }

    /// One row.
    fn row(&self, row: &DataRow, forced: &[bool]) -> Vec<u8> {
        let mut out = Vec::with_capacity(row.data.len() + 16);
        if self.kind == Kind::Binary {
            out.extend_from_slice(&row.field_count.to_be_bytes());
            out.extend_from_slice(&row.data);
        } else {
            self.line(&mut out, Fields(&row.data), forced);
        }
        out
    }

    fn line<'a>(&self, out: &mut Vec<u8>, values: impl Iterator<Item = Option<&'a [u8]>>, forced: &[bool]) {
        for (at, value) in values.enumerate() {
            if at > 0 {
                out.push(self.delimiter);
            }
            match value {
                None => out.extend_from_slice(self.null.as_bytes()),
                Some(value) if self.kind == Kind::Csv => {
                    self.csv(out, value, forced.get(at).copied().unwrap_or(false));
                }
                Some(value) => self.text(out, value),
            }
        }
        out.push(b'\n');
    }

    fn text(&self, out: &mut Vec<u8>, value: &[u8]) {
        for byte in value {
            let escaped = match byte {
                b'\\' => b'\\',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x08 => b'b',
                0x0b => b'v',
                0x0c => b'f',
                byte if *byte == self.delimiter => *byte,
                byte => {
                    out.push(*byte);
                    continue;
                }
            };
            out.extend_from_slice(&[b'\\', escaped]);
        }
    }

    fn csv(&self, out: &mut Vec<u8>, value: &[u8], is_forced: bool) {
        let special = [self.delimiter, self.quote, b'\n', b'\r'];
        let is_quoted = is_forced
            || value == self.null.as_bytes()
            || value == b"\\."
            || value.iter().any(|byte| special.contains(byte));
        if !is_quoted {
            out.extend_from_slice(value);
            return;
        }
        out.push(self.quote);
        for byte in value {
            if *byte == self.quote || *byte == self.escape {
                out.push(self.escape);
            }
            out.push(*byte);
        }
        out.push(self.quote);
    }
}

/// The values of a row: each has its length before it, -1 for NULL.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Some(None);
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(value))
    }
}

/// Sends the rows, and says how many. After an error, which the caller sends, the copy is over.
pub(super) async fn send<C>(client: &mut C, layout: &Layout, rows: Rows) -> PgWireResult<Tag>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let fields = Arc::new(rows.fields(&layout.format())?);
    let forced: Vec<bool> = match &layout.quoted {
        Quoted::All => vec![true; fields.len()],
        Quoted::Named(names) => {
            let known = |name: &String| fields.iter().any(|field| field.name() == name);
            if let Some(name) = names.iter().find(|name| !known(name)) {
                return Err(failure("42703", format!("FORCE_QUOTE column \"{name}\" is not copied")));
            }
            fields.iter().map(|field| names.iter().any(|name| name == field.name())).collect()
        }
    };
    let code = i16::from(layout.kind == Kind::Binary);
    let columns = i16::try_from(fields.len()).unwrap_or(i16::MAX);
    let begin =
        CopyOutResponse::new(i8::from(layout.kind == Kind::Binary), columns, vec![code; fields.len()]);
    client.send(PgWireBackendMessage::CopyOutResponse(begin)).await?;
    let data = |bytes: Vec<u8>| PgWireBackendMessage::CopyData(CopyData::new(bytes.into()));
    // Clients expect the binary header in one message with what follows it.
    let mut waiting = layout.head(&fields);
    if layout.kind != Kind::Binary && !waiting.is_empty() {
        client.feed(data(std::mem::take(&mut waiting))).await?;
    }
    let mut count = 0;
    let mut batches = rows.into_batches();
    while let Some(batch) = batches.try_next().await? {
        for row in encode_recordbatch(Arc::clone(&fields), batch) {
            let mut message = std::mem::take(&mut waiting);
            message.extend(layout.row(&row?, &forced));
            client.feed(data(message)).await?;
            count += 1;
        }
    }
    if layout.kind == Kind::Binary {
        waiting.extend_from_slice(BINARY_TRAILER);
        client.feed(data(waiting)).await?;
    }
    client.feed(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
    Ok(Tag::new("COPY").with_rows(count))
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::logical_expr::sqlparser::parser::Parser;
    use datafusion_postgres::pgwire::error::ErrorInfo;

    use super::*;

    fn layout(options: &str) -> Result<Layout, String> {
        let sql = format!("COPY t TO STDOUT {options}");
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, &sql).expect(&sql).remove(0);
        Layout::of(&statement).map_err(|error| ErrorInfo::from(error).message)
    }

    fn lines(options: &str, values: &[Option<&str>]) -> String {
        let layout = layout(options).expect(options);
        let mut data = Vec::new();
        for value in values {
            let length = value.map_or(-1, |value| i32::try_from(value.len()).expect("short"));
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(value.unwrap_or_default().as_bytes());
        }
        let mut out = Vec::new();
        layout.line(&mut out, Fields(&data), &[]);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn text_escapes_what_would_end_a_value() {
        assert_eq!(lines("", &[Some("a\tb\\c\nd"), None, Some("")]), "a\\tb\\\\c\\nd\t\\N\t\n");
        assert_eq!(lines("(DELIMITER '|', NULL '-')", &[Some("a|b"), None]), "a\\|b|-\n");
    }

    #[test]
    fn csv_tells_an_empty_text_from_null_and_quotes_what_must_be() {
        assert_eq!(
            lines("(FORMAT CSV)", &[Some(""), None, Some("a,\"b\"\nc")]),
            "\"\",,\"a,\"\"b\"\"\nc\"\n"
        );
        assert_eq!(lines("WITH CSV NULL 'NULL'", &[Some("NULL"), None, Some("")]), "\"NULL\",NULL,\n");
        assert_eq!(lines("(FORMAT CSV, QUOTE '''', ESCAPE '\\')", &[Some("it's,")]), "'it\\'s,'\n");
    }

    #[test]
    fn options_are_refused_where_they_do_not_belong() {
        assert!(layout("(FORMAT BINARY, HEADER)").is_err() && layout("(QUOTE '''')").is_err());
        assert!(layout("(FORMAT parquet)").expect_err("refused").contains("expected text, csv or binary"));
        assert!(layout("(ENCODING 'LATIN1')").is_err() && layout("(FORMAT CSV, ENCODING 'UTF8')").is_ok());
        assert!(layout("(DELIMITER '\n')").is_err());
    }
}
