//! What can go wrong while lists and notices are written, each with the file it happened in.

use std::io;
use std::path::{Path, PathBuf};

/// A list or notice that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error(transparent)]
    Output(#[from] lightsout_output::Error),
    #[error("can't read the template {}: {source}", path.display())]
    ReadTemplate { path: PathBuf, source: io::Error },
    #[error("{} is no template that is used; expected one of: {}", path.display(), expected.join(", "))]
    UnknownTemplate { path: PathBuf, expected: Vec<&'static str> },
    #[error("{} holds no template; expected at least one of: {}", path.display(), expected.join(", "))]
    NoTemplate { path: PathBuf, expected: Vec<&'static str> },
    #[error("can't read the notices in {}: {source}", path.display())]
    ReadNotice { path: PathBuf, source: io::Error },
    #[error("{} and {} are the same template; remove one of them", path.display(), other.display())]
    TwoTemplates { path: PathBuf, other: PathBuf },
    #[error("{} is there already, and is not overwritten; name a folder without templates", path.display())]
    TemplateExists { path: PathBuf },
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
    pub(super) fn read_template(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::ReadTemplate { path: path.to_owned(), source }
    }
}
