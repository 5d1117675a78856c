//! The lake: five Delta tables in a folder. Rows become data files (`write`), data files become
//! commits (`commit`), and a snapshot gives the files back to the query engine.

pub mod commit;
pub mod rows;
pub mod schema;
pub mod write;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::kernel::{StructField, StructType};
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::error::{Error, Result};
use schema::{PARTITION, Table};

/// A committed data file, with what the log knows of it.
#[derive(Debug, Clone)]
pub struct LakeFile {
    /// Relative to the table's folder.
    pub path: String,
    pub bytes: u64,
    pub provably_modern: Option<bool>,
    /// The log's statistics, as JSON.
    pub statistics: Option<String>,
}

impl LakeFile {
    /// Whether the log's bounds of a column let a text be among its values.
    fn may_hold(&self, column: &str, is: &str) -> bool {
        let bounds = self.statistics.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let bound = |which: &str| bounds.as_ref()?.get(which)?.get(column)?.as_str();
        bound("minValues").is_none_or(|least| least <= is)
            && bound("maxValues").is_none_or(|greatest| is <= greatest)
    }
}

/// An open lake.
pub struct Lake {
    root: PathBuf,
    tables: HashMap<Table, DeltaTable>,
}

impl Lake {
    /// Opens the lake for reading.
    ///
    /// # Errors
    /// Fails if there is none.
    pub async fn open(root: &Path) -> Result<Self> {
        if !root.join(Table::SignInRecords.as_str()).join("_delta_log").is_dir() {
            return Err(Error::NoLake { lake: root.display().to_string() });
        }
        Self::open_or_create(root).await
    }

    /// Opens the lake, creating the tables that do not exist yet.
    pub async fn open_or_create(root: &Path) -> Result<Self> {
        let io = |source| Error::LakeFile { lake: root.display().to_string(), source };
        std::fs::create_dir_all(root).map_err(io)?;
        let root = root.canonicalize().map_err(io)?;
        let mut lake = Self { root, tables: HashMap::new() };
        for table in Table::ALL {
            let opened = lake.open_table(table).await?;
            lake.tables.insert(table, opened);
        }
        Ok(lake)
    }

    /// Opens the lake as it was, each table at the version given.
    ///
    /// # Errors
    /// Fails if there is no lake, or it does not have such a version any more.
    pub async fn open_at(root: &Path, versions: &BTreeMap<Table, u64>) -> Result<Self> {
        let mut lake = Self::open(root).await?;
        for (table, version) in versions {
            let url = lake.url_of(*table)?;
            let action = "opening a table at the version of a decision";
            let wrong = |source| lake.wrong(action, source);
            let builder = DeltaTableBuilder::from_url(url).map_err(wrong)?;
            let opened = builder.with_version(*version).load().await.map_err(wrong)?;
            lake.tables.insert(*table, opened);
        }
        Ok(lake)
    }

    fn url_of(&self, table: Table) -> Result<url::Url> {
        url::Url::from_directory_path(self.root.join(table.as_str())).map_err(|()| Error::Usage {
            flag: "--lake",
            expected: "a folder".to_owned(),
            found: self.name(),
        })
    }

    async fn open_table(&self, table: Table) -> Result<DeltaTable> {
        let folder = self.root.join(table.as_str());
        std::fs::create_dir_all(&folder).map_err(|source| Error::LakeFile { lake: self.name(), source })?;
        let url = self.url_of(table)?;
        let wrong = |source| self.wrong("opening a table", source);
        let exists = folder.join("_delta_log").is_dir();
        if exists {
            let builder = DeltaTableBuilder::from_url(url.clone()).map_err(wrong)?;
            match builder.load().await {
                Ok(opened) => return Ok(opened),
                Err(DeltaTableError::NotATable(_)) => {}
                Err(source) => return Err(wrong(source)),
            }
        }
        let kernel: StructType = table
            .table_schema()
            .as_ref()
            .try_into_kernel()
            .map_err(|source| Error::Arrow { what: "a table's columns", source })?;
        let fields: Vec<StructField> = kernel.fields().cloned().collect();
        let partitions: &[&str] = if table == Table::SignInRecords { &[PARTITION] } else { &[] };
        // Decisions name old versions, so neither log nor files are cleaned by other writers' defaults.
        let retention = [
            ("delta.logRetentionDuration".to_owned(), Some("interval 3650 days".to_owned())),
            ("delta.deletedFileRetentionDuration".to_owned(), Some("interval 3650 days".to_owned())),
        ];
        deltalake::operations::create::CreateBuilder::new()
            .with_location(url.as_str())
            .with_table_name(table.as_str())
            .with_columns(fields)
            .with_partition_columns(partitions.iter().copied())
            .with_configuration(retention)
            .await
            .map_err(wrong)
    }

    fn wrong(&self, action: &'static str, source: DeltaTableError) -> Error {
        Error::Lake { lake: self.name(), action, source: Box::new(source) }
    }

    /// The folder, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.root.display().to_string()
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn table(&self, table: Table) -> Result<&DeltaTable> {
        self.tables.get(&table).ok_or_else(|| Error::NoLake { lake: self.name() })
    }

    /// The version of each table that this snapshot sees.
    pub fn versions(&self) -> Result<Vec<(Table, u64)>> {
        Table::ALL.into_iter().map(|table| Ok((table, self.table(table)?.version().unwrap_or(0)))).collect()
    }

    /// The data files of a table in this snapshot, sorted by path.
    pub fn files(&self, table: Table) -> Result<Vec<LakeFile>> {
        let snapshot = self.table(table)?.snapshot().map_err(|source| self.wrong("listing files", source))?;
        let mut files: Vec<LakeFile> = snapshot
            .log_data()
            .iter()
            .map(|file| LakeFile {
                path: file.path().into_owned(),
                bytes: u64::try_from(file.size()).unwrap_or(0),
                provably_modern: file
                    .partition_values_map()
                    .get(PARTITION)
                    .and_then(|value| value.as_deref().map(|value| value == "true")),
                statistics: file.stats(),
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The rows of a table in this snapshot, file by file, as batches of all columns or of some.
    ///
    /// For the tables that are small; queries read through the engine.
    ///
    /// # Errors
    /// Fails if a file can't be opened; each batch can fail on its own.
    pub fn read(
        &self,
        table: Table,
        columns: Option<&[&str]>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        self.read_files(table, &self.files(table)?, columns)
    }

    /// The same, of the files that can hold rows with this text in a column, by the log's statistics.
    pub fn read_where(
        &self,
        table: Table,
        column: &str,
        is: &str,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let mut files = self.files(table)?;
        files.retain(|file| file.may_hold(column, is));
        self.read_files(table, &files, None)
    }

    fn read_files(
        &self,
        table: Table,
        files: &[LakeFile],
        columns: Option<&[&str]>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let mut readers = Vec::new();
        for file in files {
            let path = self.root.join(table.as_str()).join(&file.path);
            let wrong = |source| Error::Parquet { path: path.clone(), source };
            let opened = std::fs::File::open(&path).map_err(Error::read(path.display().to_string()))?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(wrong)?;
            let mask = columns.map_or_else(ProjectionMask::all, |columns| {
                ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied())
            });
            readers.push(builder.with_projection(mask).build().map_err(wrong)?);
        }
        let failed = |source| Error::Arrow { what: "reading a table", source };
        Ok(readers.into_iter().flatten().map(move |batch| batch.map_err(failed)))
    }

    /// Sees the newest commits.
    pub async fn refresh(&mut self) -> Result<()> {
        for table in self.tables.values_mut() {
            table.update_state().await.map_err(|source| Error::Lake {
                lake: self.root.display().to_string(),
                action: "reading the newest commits",
                source: Box::new(source),
            })?;
        }
        Ok(())
    }
}
