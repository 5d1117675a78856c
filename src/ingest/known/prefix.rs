//! What a file that grows held when it was read last. Where nothing of that has to be looked at again, only what was
//! appended is read: lines of UTF-8, none rejected, from a log that is written continuously.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;

use crate::Result;
use crate::find::Input;
use crate::open::Compression;
use lightsout_formats::encoding::Encoding;
use lightsout_formats::framing::Framing;
use lightsout_lake::read::OpenedFile;

const COLUMNS: [&str; 15] = [
    "source_id",
    "path",
    "shape",
    "framing",
    "encoding",
    "compression",
    "stored_bytes",
    "records",
    "rejected",
    "pruned",
    "missing_columns",
    "fate",
    "truncation",
    "content_id",
    "prefix_source_id",
];

/// The largest content that was read from a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) source_id: String,
    /// Hash of its bytes.
    pub(crate) content_id: String,
    pub(crate) bytes: u64,
    /// All records in it, also those of the sources that it continues.
    pub(crate) records: u64,
    pub(crate) shape: String,
}

/// A content that was read from a path.
struct Content {
    prefix: Prefix,
    continues: Option<String>,
    /// Nothing in it has to be looked at again when it grows.
    is_settled: bool,
}

/// What was read before from the paths of the inputs.
pub(super) struct Contents<'a> {
    paths: HashSet<&'a str>,
    of_path: HashMap<String, Vec<Content>>,
}

impl<'a> Contents<'a> {
    pub(super) fn of(inputs: &'a [Input]) -> Self {
        let paths = inputs.iter().map(|input| input.name.as_str()).collect();
        Self { paths, of_path: HashMap::new() }
    }

    pub(super) fn are_wanted(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Takes in what a data file of `sources` says of those paths.
    pub(super) fn read(&mut self, file: &OpenedFile) -> Result<()> {
        for batch in file.batches(Some(&COLUMNS))? {
            let batch = batch?;
            let columns = Columns(&batch);
            for row in 0..batch.num_rows() {
                let Some(path) = columns.text("path", row).filter(|path| self.are_wanted(path)) else {
                    continue;
                };
                // Others are of no content, or correct the account of one.
                if columns.number("records", row) > 0 {
                    self.of_path.entry(path.to_owned()).or_default().push(columns.content(row));
                }
            }
        }
        Ok(())
    }

    /// By path, what the inputs may begin with.
    pub(super) fn prefixes(self) -> HashMap<String, Prefix> {
        self.of_path.into_iter().filter_map(|(path, contents)| Some((path, largest(&contents)?))).collect()
    }
}

/// What a file may be read on from: the largest content alone, since a smaller one may lack what is wrong with that.
fn largest(contents: &[Content]) -> Option<Prefix> {
    let bytes = contents.iter().map(|content| content.prefix.bytes).max()?;
    let mut largest = contents.iter().filter(|content| content.prefix.bytes == bytes);
    let content = largest.next().filter(|content| content.is_settled)?;
    if largest.next().is_some() {
        return None;
    }
    let mut prefix = content.prefix.clone();
    let mut before = content.continues.as_deref();
    while let Some(id) = before {
        let content = contents.iter().find(|content| content.prefix.source_id == id)?;
        prefix.records += content.prefix.records;
        before = content.continues.as_deref();
    }
    Some(prefix)
}

struct Columns<'a>(&'a RecordBatch);

impl<'a> Columns<'a> {
    fn text(&self, name: &str, row: usize) -> Option<&'a str> {
        let column = self.0.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn number(&self, name: &str, row: usize) -> u64 {
        let column = self.0.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let value = column.filter(|column| column.is_valid(row)).map_or(0, |column| column.value(row));
        u64::try_from(value).unwrap_or(0)
    }

    fn content(&self, row: usize) -> Content {
        let text = |name| self.text(name, row);
        let owned = |name| text(name).unwrap_or_default().to_owned();
        let is_settled = text("fate") == Some("ingested")
            && text("framing") == Some(Framing::Lines.as_str())
            && text("encoding") == Some(Encoding::Utf8.as_str())
            && text("compression") == Some(Compression::None.as_str())
            && text("truncation").is_none()
            && text("missing_columns").is_none()
            && text("content_id").is_some()
            && !lightsout_formats::is_downloaded_by_hand(&owned("shape"), text("framing"))
            && self.number("rejected", row) == 0
            && self.number("pruned", row) == 0;
        Content {
            prefix: Prefix {
                source_id: owned("source_id"),
                content_id: owned("content_id"),
                bytes: self.number("stored_bytes", row),
                records: self.number("records", row),
                shape: owned("shape"),
            },
            continues: text("prefix_source_id").map(str::to_owned),
            is_settled,
        }
    }
}
