//! Writes data files: Parquet with encodings tuned to sign-in records, and the statistics that the
//! log keeps of each file, so that queries prune without opening footers.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimestampMicrosecondType};
use deltalake::kernel::Add;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::durable;
use super::schema::{PARTITION, Table};
use crate::error::{Error, Result};

/// A data file that is written and not committed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    pub table: Table,
    /// Relative to the table's folder.
    pub path: String,
    pub bytes: u64,
    pub rows: u64,
    pub provably_modern: Option<bool>,
    pub statistics: String,
    /// Of its content, behind the name of the algorithm and a colon.
    #[serde(default)]
    pub hash: String,
}

impl DataFile {
    /// The log action that makes the file part of its table. `data_change` is false where its rows
    /// were in the table before, in other files.
    #[must_use]
    pub(crate) fn to_add(&self, modified_at_ms: i64, data_change: bool) -> Add {
        let partition_values = self
            .provably_modern
            .map(|modern| HashMap::from([(PARTITION.to_owned(), Some(modern.to_string()))]))
            .unwrap_or_default();
        Add {
            path: self.path.clone(),
            partition_values,
            size: i64::try_from(self.bytes).unwrap_or(i64::MAX),
            modification_time: modified_at_ms,
            data_change,
            stats: Some(self.statistics.clone()),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        }
    }
}

/// A data file that is being written; holds one row group at most.
pub struct DataFileWriter {
    table: Table,
    relative: String,
    path: PathBuf,
    provably_modern: Option<bool>,
    writer: ArrowWriter<File>,
    /// Nulls of each column.
    nulls: Vec<u64>,
    /// The ids of sources in it, if some may not be settled.
    sources: Option<BTreeSet<String>>,
}

/// A data file that is written, but for what stands in it for ids.
pub struct Unsettled {
    file: File,
    path: PathBuf,
    written: DataFile,
    metadata: ParquetMetaData,
    nulls: Vec<u64>,
    sources: Option<BTreeSet<String>>,
}

impl DataFileWriter {
    /// Creates `<lake>/<table>/[provably_modern=…/]<name>.parquet`.
    pub fn create(lake: &Path, table: Table, provably_modern: Option<bool>, name: &str) -> Result<Self> {
        let properties = properties(table).build();
        Self::with(lake, table, provably_modern, name, table.file_schema(), properties)
    }

    /// The same, of columns as in `schema`, where a source may be named by something that stands for
    /// its id until [`Unsettled::settle`]. Such names must be as long as an id.
    pub fn create_unsettled(
        lake: &Path,
        table: Table,
        provably_modern: Option<bool>,
        name: &str,
        schema: SchemaRef,
    ) -> Result<Self> {
        let column = || ColumnPath::from(SOURCE_ID);
        // The texts are where they can be written over: once a row group, and not compressed.
        let properties = properties(table)
            .set_column_statistics_enabled(column(), EnabledStatistics::None)
            .set_column_compression(column(), Compression::UNCOMPRESSED)
            .set_column_dictionary_page_size_limit(column(), usize::MAX)
            .build();
        let writer = Self::with(lake, table, provably_modern, name, schema, properties)?;
        Ok(Self { sources: Some(BTreeSet::new()), ..writer })
    }

    fn with(
        lake: &Path,
        table: Table,
        provably_modern: Option<bool>,
        name: &str,
        schema: SchemaRef,
        properties: WriterProperties,
    ) -> Result<Self> {
        let folder = provably_modern.map(|modern| format!("{PARTITION}={modern}/")).unwrap_or_default();
        let relative = format!("{folder}{name}.parquet");
        let path = lake.join(table.as_str()).join(&relative);
        if let Some(parent) = path.parent() {
            durable::create_folders(parent).map_err(Error::write(parent))?;
        }
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(Error::write(&path))?;
        // Arrow's own schema is left out: other engines, and this one, read by Parquet's types.
        let columns = schema.fields().len();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, schema, options)
            .map_err(|source| Error::Parquet { path: path.clone(), source })?;
        Ok(Self { table, relative, path, provably_modern, writer, nulls: vec![0; columns], sources: None })
    }

    /// Appends rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if let (Some(sources), Some(column)) = (&mut self.sources, batch.column_by_name(SOURCE_ID)) {
            let texts = column.as_any_dictionary_opt().map_or(column, |by_number| by_number.values());
            for id in texts.as_string::<i32>().iter().flatten() {
                if !sources.contains(id) {
                    sources.insert(id.to_owned());
                }
            }
        }
        for (nulls, column) in self.nulls.iter_mut().zip(batch.columns()) {
            *nulls += column.logical_null_count() as u64;
        }
        self.writer.write(batch).map_err(|source| Error::Parquet { path: self.path.clone(), source })
    }

    /// Ends the row group, so that what was written since the last one leaves memory.
    pub fn end_row_group(&mut self) -> Result<()> {
        self.writer.flush().map_err(|source| Error::Parquet { path: self.path.clone(), source })
    }

    /// Ends the file and makes it durable.
    pub fn finish(self) -> Result<DataFile> {
        self.close()?.settle(&HashMap::new())
    }

    /// Ends the file.
    pub fn close(mut self) -> Result<Unsettled> {
        let wrong = |source| Error::Parquet { path: self.path.clone(), source };
        let metadata = self.writer.finish().map_err(wrong)?;
        let file = self.writer.inner().try_clone().map_err(Error::write(&self.path))?;
        let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
        let written = DataFile {
            table: self.table,
            path: self.relative,
            bytes: file.metadata().map_err(Error::write(&self.path))?.len(),
            rows,
            provably_modern: self.provably_modern,
            statistics: String::new(),
            hash: String::new(),
        };
        Ok(Unsettled { file, path: self.path, written, metadata, nulls: self.nulls, sources: self.sources })
    }
}

impl Unsettled {
    /// Writes the ids of sources over what stands for them, and makes the file durable.
    pub fn settle(self, ids: &HashMap<String, String>) -> Result<DataFile> {
        let Self { file, path, mut written, metadata, nulls, sources } = self;
        let mut statistics = statistics(written.table, &metadata, &nulls)
            .map_err(|source| Error::Parquet { path: path.clone(), source })?;
        if let Some(sources) = sources {
            let (to_settle, settled): (BTreeSet<String>, _) =
                sources.into_iter().partition(|id| ids.contains_key(id));
            if !to_settle.is_empty() {
                write_over(&file, &metadata, &to_settle, ids).map_err(Error::write(&path))?;
            }
            let settled: BTreeSet<String> =
                settled.into_iter().chain(to_settle.iter().filter_map(|id| ids.get(id).cloned())).collect();
            if let (Some(least), Some(greatest)) = (settled.first(), settled.last()) {
                statistics["minValues"][SOURCE_ID] = json!(least);
                statistics["maxValues"][SOURCE_ID] = json!(greatest);
            }
        }
        written.statistics = statistics.to_string();
        written.hash = hash_of(&file).map_err(Error::read(path.display().to_string()))?;
        file.sync_all().map_err(Error::write(&path))?;
        Ok(written)
    }

    /// The file, where it can be removed.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The hash of a whole file as the lake's log names it.
pub(super) fn hash_of(mut file: &File) -> io::Result<String> {
    file.rewind()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok(format!("blake3:{}", hasher.finalize().to_hex()))
}

/// Replaces texts in the dictionaries of the column of sources.
fn write_over(
    mut file: &File,
    metadata: &ParquetMetaData,
    texts: &BTreeSet<String>,
    with: &HashMap<String, String>,
) -> io::Result<()> {
    let mut missing: BTreeSet<&String> = texts.iter().collect();
    for group in metadata.row_groups() {
        let Some(column) = group.columns().iter().find(|column| column.column_path().string() == SOURCE_ID)
        else {
            continue;
        };
        let from = |offset: i64| u64::try_from(offset).unwrap_or(0);
        let start = from(column.dictionary_page_offset().unwrap_or(column.data_page_offset()));
        let len = from(column.data_page_offset()).saturating_sub(start);
        let mut page = vec![0; usize::try_from(len).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut page)?;
        // Each text is behind its length; the header before them is a few bytes.
        let at = |text: &[u8]| texts.get(std::str::from_utf8(text).ok()?);
        let mut behind = SOURCE_ID_BYTES;
        while behind <= page.len() {
            match at(&page[behind - SOURCE_ID_BYTES..behind]) {
                Some(text) => {
                    missing.remove(text);
                    page[behind - SOURCE_ID_BYTES..behind].copy_from_slice(with[text].as_bytes());
                    behind += SOURCE_ID_BYTES;
                }
                None => behind += 1,
            }
        }
        file.seek(SeekFrom::Start(start))?;
        file.write_all(&page)?;
    }
    match missing.first() {
        None => Ok(()),
        Some(text) => Err(io::Error::other(format!("expected the source {text} in its dictionary"))),
    }
}

const ROW_GROUP_ROWS: usize = 128 * 1024;
/// How often a row group seems to have an id that it has not.
const ID_FILTER_FALSE: f64 = 0.0001;
const SOURCE_ID: &str = "source_id";
const SOURCE_ID_BYTES: usize = 32;

/// Writes one small file of one batch.
pub fn write_file(lake: &Path, table: Table, name: &str, batch: &RecordBatch) -> Result<DataFile> {
    let mut writer = DataFileWriter::create(lake, table, None, name)?;
    writer.write(batch)?;
    writer.finish()
}

fn properties(table: Table) -> WriterPropertiesBuilder {
    let column = |name: &str| ColumnPath::from(name);
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    if table == Table::SignInRecords {
        // Ids never repeat enough for a dictionary, times are close to one another.
        for name in ["sign_in_id", "correlation_id"] {
            // Their lengths apart from their text compress to nothing.
            builder = builder
                .set_column_dictionary_enabled(column(name), false)
                .set_column_encoding(column(name), Encoding::DELTA_LENGTH_BYTE_ARRAY);
        }
        // What has an id is found without reading all ids; folded to what a row group holds.
        builder = builder
            .set_column_bloom_filter_enabled(column("sign_in_id"), true)
            .set_column_bloom_filter_fpp(column("sign_in_id"), ID_FILTER_FALSE)
            .set_column_bloom_filter_max_ndv(column("sign_in_id"), ROW_GROUP_ROWS as u64);
        // Nothing makes a hash smaller.
        builder = builder
            .set_column_dictionary_enabled(column("record_hash"), false)
            .set_column_compression(column("record_hash"), Compression::UNCOMPRESSED)
            .set_column_encoding(column("record_hash"), Encoding::PLAIN);
        for name in ["signed_in_at", "emitted_at", "source_offset"] {
            builder = builder
                .set_column_dictionary_enabled(column(name), false)
                .set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
        }
        for field in table.file_schema().fields() {
            // Rows lie by tenant and time: the bounds of other texts would tell next to nothing.
            let statistics = match field.name().as_str() {
                "tenant_id" | "signed_in_at" | "protocol" => EnabledStatistics::Page,
                "record_hash" => EnabledStatistics::None,
                name if BOUNDED.contains(&name) || field.data_type() != &DataType::Utf8 => {
                    EnabledStatistics::Chunk
                }
                _ => EnabledStatistics::None,
            };
            builder = builder.set_column_statistics_enabled(column(field.name()), statistics);
        }
    }
    builder
}

/// Columns whose least and greatest value and number of nulls the log keeps.
pub(super) const BOUNDED: [&str; 9] = [
    "tenant_id",
    "signed_in_at",
    "protocol",
    "category",
    "source_id",
    "decision_id",
    "roster_hash",
    "campaign",
    "ingested_at",
];

fn statistics(table: Table, metadata: &ParquetMetaData, nulls: &[u64]) -> parquet::errors::Result<Value> {
    let schema = table.file_schema();
    let parquet_schema = metadata.file_metadata().schema_descr();
    let groups = metadata.row_groups();
    let (mut least, mut greatest, mut null_counts) = (json!({}), json!({}), json!({}));
    // Whoever opens the lake reads this of every file, so no column has more than it is pruned by.
    let bounded = |name: &str| BOUNDED.contains(&name);
    for (field, nulls) in schema.fields().iter().zip(nulls).filter(|(field, _)| bounded(field.name())) {
        null_counts[field.name()] = json!(nulls);
        let converter = StatisticsConverter::try_new(field.name(), &schema, parquet_schema)?;
        if let Some(value) = bound(&converter.row_group_mins(groups)?, true) {
            least[field.name()] = value;
        }
        if let Some(value) = bound(&converter.row_group_maxes(groups)?, false) {
            greatest[field.name()] = value;
        }
    }
    Ok(json!({
        "numRecords": metadata.file_metadata().num_rows(),
        "minValues": least, "maxValues": greatest, "nullCount": null_counts,
    }))
}

/// The least (or greatest) of the row groups' bounds as the log writes values.
fn bound(values: &ArrayRef, least: bool) -> Option<Value> {
    let pick = |a: &ArrayRef| -> Option<Value> {
        match a.data_type() {
            DataType::Utf8 => {
                let texts = a.as_string::<i32>().iter().flatten();
                let text = if least { texts.min() } else { texts.max() };
                // A long bound is left out rather than cut wrongly.
                text.filter(|text| text.len() <= 64).map(|text| json!(text))
            }
            DataType::Timestamp(..) => {
                let times = a.as_primitive::<TimestampMicrosecondType>().iter().flatten();
                let time = if least { times.min() } else { times.max() }?;
                // The log's times have milliseconds; the upper bound is rounded up.
                let ms = if least { time.div_euclid(1000) } else { -((-time).div_euclid(1000)) };
                let time = chrono::DateTime::from_timestamp_millis(ms)?;
                Some(json!(time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()))
            }
            DataType::Int64 => {
                let numbers = a.as_primitive::<Int64Type>().iter().flatten();
                (if least { numbers.min() } else { numbers.max() }).map(|number| json!(number))
            }
            _ => None,
        }
    };
    // A row group without statistics leaves the file without a bound, unless it is all null.
    pick(&Arc::clone(values))
}
