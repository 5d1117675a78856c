//! What can go wrong while files are written, each with the file it happened in.

use std::io;
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// A file that could not be written, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("can't create the folder {}: {source}", path.display())]
    CreateFolder { path: PathBuf, source: io::Error },
    #[error("can't write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("can't write the rows of {}: {source}", path.display())]
    Rows { path: PathBuf, source: ArrowError },
    #[error("can't write {}: {source}", path.display())]
    Parquet { path: PathBuf, source: ParquetError },
    #[error("can't write {}: {source}", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("can't read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("can't remove {}, a file of an earlier run: {source}", path.display())]
    Remove { path: PathBuf, source: io::Error },
}

impl Error {
    pub fn create_folder(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::CreateFolder { path: path.to_owned(), source }
    }

    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Write { path: path.to_owned(), source }
    }

    pub fn rows(path: &Path) -> impl FnOnce(ArrowError) -> Self {
        |source| Self::Rows { path: path.to_owned(), source }
    }
}
