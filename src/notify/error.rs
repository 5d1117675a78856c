//! What can go wrong while lists and notices are written, each with the file it happened in.

use std::io;
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// A list or notice that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error("can't create the folder {}: {source}", path.display())]
    CreateFolder { path: PathBuf, source: io::Error },
    #[error("can't write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("can't write the rows of {}: {source}", path.display())]
    Rows { path: PathBuf, source: ArrowError },
    #[error("can't write {}: {source}", path.display())]
    Parquet { path: PathBuf, source: ParquetError },
    #[error("can't write {}: {source}", path.display())]
    ManifestJson { path: PathBuf, source: serde_json::Error },
    #[error("can't read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("can't remove {}, a file of an earlier run: {source}", path.display())]
    Remove { path: PathBuf, source: io::Error },
    #[error("can't read the template {}: {source}", path.display())]
    ReadTemplate { path: PathBuf, source: io::Error },
    #[error("{} is no template that is used; expected one of: {}", path.display(), expected.join(", "))]
    UnknownTemplate { path: PathBuf, expected: Vec<&'static str> },
    #[error("{} holds no template; expected at least one of: {}", path.display(), expected.join(", "))]
    NoTemplate { path: PathBuf, expected: Vec<&'static str> },
    #[error(
        "template {file}, line {line}: {reason}; the variables there are: {}",
        super::templates::VARIABLES.join(", ")
    )]
    Template { file: String, line: usize, reason: String, source: Box<minijinja::Error> },
    /// The stage before gave what this notice can't be made of.
    #[error("the notice {kind} for tenant '{tenant_id}' can't be written: expected {expected}, found none")]
    NothingToTell { kind: &'static str, tenant_id: String, expected: &'static str },
    #[error("can't write the JSON of the notice for tenant '{tenant_id}': {source}")]
    Json { tenant_id: String, source: serde_json::Error },
}

impl NotifyError {
    pub(super) fn create_folder(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::CreateFolder { path: path.to_owned(), source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Write { path: path.to_owned(), source }
    }

    pub(super) fn rows(path: &Path) -> impl FnOnce(ArrowError) -> Self {
        |source| Self::Rows { path: path.to_owned(), source }
    }

    pub(super) fn read_template(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::ReadTemplate { path: path.to_owned(), source }
    }
}
