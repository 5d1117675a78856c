//! Rows of the tables that are small, without the engine: queries read through that.

use std::fs::File;
use std::path::PathBuf;

use arrow::array::{RecordBatch, StringArray};
use arrow::compute::kernels::cmp::eq;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowFilter,
};

use crate::schema::Table;
use crate::{Error, Lake, LakeFile, Result};

type FileReader = ParquetRecordBatchReaderBuilder<File>;

impl Lake {
    /// The rows of a table in this snapshot, file by file, as batches of all columns or of some.
    ///
    /// For the tables that are small; queries read through the engine.
    ///
    /// # Errors
    /// Each batch can fail on its own, the first of a file if that can't be opened.
    pub fn read(
        &self,
        table: Table,
        columns: Option<&[&str]>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let columns = owned(columns);
        let files = self.files(table)?;
        self.fetch(table, &files)?;
        Ok(self.readers(table, files, move |reader| with_columns(reader, columns.as_deref())))
    }

    /// The rows with this text in a column, with all columns or some; of the others, only that column is held.
    pub fn read_where(
        &self,
        table: Table,
        column: &str,
        is: &str,
        columns: Option<&[&str]>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let mut files = self.files(table)?;
        files.retain(|file| file.may_hold(column, is));
        self.fetch(table, &files)?;
        let (column, is, columns) = (column.to_owned(), is.to_owned(), owned(columns));
        Ok(self.readers(table, files, move |reader| {
            let is = StringArray::new_scalar(&is);
            let column = ProjectionMask::columns(reader.parquet_schema(), [column.as_str()]);
            let wanted = ArrowPredicateFn::new(column, move |batch| eq(batch.column(0), &is));
            with_columns(reader, columns.as_deref()).with_row_filter(RowFilter::new(vec![Box::new(wanted)]))
        }))
    }

    /// The data files of a table in this snapshot, opened one after the other: for a caller that reads a few columns
    /// of every row, and more of some.
    ///
    /// # Errors
    /// Each file can fail on its own.
    pub fn opened(&self, table: Table) -> Result<impl Iterator<Item = Result<OpenedFile>> + use<>> {
        let folder = self.root.join(table.as_str());
        let files = self.files(table)?;
        self.fetch(table, &files)?;
        Ok(files.into_iter().map(move |file| OpenedFile::open(folder.join(&file.path))))
    }

    pub(crate) fn open_file(&self, table: Table, file: &LakeFile) -> Result<OpenedFile> {
        self.fetch(table, std::slice::from_ref(file))?;
        OpenedFile::open(self.root.join(table.as_str()).join(&file.path))
    }

    /// Reads files one by one, of each what `choose` says. Only one is open at a time.
    fn readers<F: Fn(FileReader) -> FileReader>(
        &self,
        table: Table,
        files: Vec<LakeFile>,
        choose: F,
    ) -> impl Iterator<Item = Result<RecordBatch>> + use<F> {
        let folder = self.root.join(table.as_str());
        files.into_iter().flat_map(move |file| {
            let rows = OpenedFile::open(folder.join(&file.path)).and_then(|file| file.rows(&choose));
            let (rows, failed) = match rows {
                Ok(rows) => (Some(rows), None),
                Err(error) => (None, Some(Err(error))),
            };
            failed.into_iter().chain(rows.into_iter().flatten())
        })
    }
}

/// A data file whose footer has been read.
#[derive(Debug)]
pub struct OpenedFile {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
}

impl OpenedFile {
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let file = File::open(&path).map_err(Error::read(path.display().to_string()))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|source| Error::Parquet { path: path.clone(), source })?;
        Ok(Self { path, file, metadata })
    }

    /// Its rows, as batches of all columns or of some.
    ///
    /// # Errors
    /// Fails if the file can't be opened again; each batch can fail on its own.
    pub fn batches(
        &self,
        columns: Option<&[&str]>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let columns = owned(columns);
        self.rows(&|reader| with_columns(reader, columns.as_deref()))
    }

    fn rows(
        &self,
        choose: &dyn Fn(FileReader) -> FileReader,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let file = self.file.try_clone().map_err(Error::read(self.path.display().to_string()))?;
        let reader = FileReader::new_with_metadata(file, self.metadata.clone());
        let path = self.path.clone();
        let rows = choose(reader).build().map_err(|source| Error::Parquet { path, source })?;
        let failed = |source| Error::Arrow { what: "reading a table", source };
        Ok(rows.map(move |batch| batch.map_err(failed)))
    }
}

fn owned(columns: Option<&[&str]>) -> Option<Vec<String>> {
    columns.map(|columns| columns.iter().map(|&column| column.to_owned()).collect())
}

fn with_columns(reader: FileReader, columns: Option<&[String]>) -> FileReader {
    let Some(columns) = columns else { return reader };
    let mask = ProjectionMask::columns(reader.parquet_schema(), columns.iter().map(String::as_str));
    reader.with_projection(mask)
}
